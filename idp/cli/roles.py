"""`idp roles`: which roles there are, what they include, and who has them."""

import re
from dataclasses import asdict
from typing import Any

import click

from idp.cli.context import emit, json_option, operator, origin, services
from idp.domain.assignments import Wanted
from idp.domain.audit import By
from idp.domain.role_catalog import Role
from idp.store.assignments import Holder

_UNITS = {"m": 60, "h": 3600, "d": 86400}
_PERIOD = re.compile(r"([1-9][0-9]{0,6})([mhd])")


@click.group()
def roles() -> None:
    """Define roles, and give them to people, groups and clients.

    ROLE is a name, or NAME@RESOURCE for a role of the API with that identifier.
    """


@roles.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List roles, those of no API first."""
    emit([described(role) for role in services().roles.list()], as_json)


@roles.command()
@click.argument("role")
@click.option("--description", default="", help="What it is for.")
@json_option
def add(role: str, description: str, as_json: bool) -> None:
    """Add a role."""
    emit(described(services().roles.add(role, description, _by())), as_json)


@roles.command()
@click.argument("role")
def remove(role: str) -> None:
    """Delete a role; nobody has it any more."""
    services().roles.remove(role, _by())


@roles.command()
@click.argument("role")
@click.argument("included")
def include(role: str, included: str) -> None:
    """Give everybody who has ROLE the role INCLUDED too."""
    services().roles.include(role, included, _by())


@roles.command()
@click.argument("role")
@click.argument("included")
def exclude(role: str, included: str) -> None:
    """Let ROLE bring INCLUDED no longer."""
    services().roles.exclude(role, included, _by())


def _holder(command: Any) -> Any:
    """Add the three options of which one says who it is about."""
    for name, said in (
        ("--client", "The client with this client_id."),
        ("--group", "Everybody in this group."),
        ("--user", "The person with this address, id or subject."),
    ):
        command = click.option(name, help=said)(command)
    return command


def _named(user: str | None, group: str | None, client: str | None) -> tuple[Holder, str]:
    given: list[tuple[Holder, str | None]] = [
        ("account", user),
        ("group", group),
        ("client", client),
    ]
    found = [(holder, key) for holder, key in given if key]
    if len(found) != 1:
        raise click.UsageError("Say who: one of --user, --group and --client.")
    return found[0]


@roles.command()
@click.argument("role")
@_holder
@click.option("--at", metavar="RESOURCE", help="Only at the API with this identifier.")
@click.option("--for", "period", metavar="PERIOD", help="How long, such as 90m, 8h or 30d.")
@click.option(
    "--may-give",
    "grantable",
    multiple=True,
    metavar="ROLE",
    help="A role that may be given on, repeatable; *: every role.",
)
@json_option
def give(
    role: str,
    user: str | None,
    group: str | None,
    client: str | None,
    at: str | None,
    period: str | None,
    grantable: tuple[str, ...],
    as_json: bool,
) -> None:
    """Give a role."""
    holder, key = _named(user, group, client)
    until = int(services().clock()) + _seconds(period) if period else None
    services().assignments.give(holder, key, Wanted(role, at, until, grantable), _by())
    emit([asdict(one) for one in services().assignments.of(holder, key)], as_json)


@roles.command()
@click.argument("role")
@_holder
@click.option("--at", metavar="RESOURCE", help="At the API with this identifier.")
@json_option
def take(
    role: str,
    user: str | None,
    group: str | None,
    client: str | None,
    at: str | None,
    as_json: bool,
) -> None:
    """Take a role that was given."""
    holder, key = _named(user, group, client)
    services().assignments.take(holder, key, role, at, _by())
    emit([asdict(one) for one in services().assignments.of(holder, key)], as_json)


@roles.command()
@_holder
@json_option
def given(user: str | None, group: str | None, client: str | None, as_json: bool) -> None:
    """List what somebody was given; groups and other roles may bring more."""
    holder, key = _named(user, group, client)
    emit([asdict(one) for one in services().assignments.of(holder, key)], as_json)


def described(role: Role) -> dict[str, Any]:
    """Return what commands show of a role."""
    return {
        "role": role.shown,
        "description": role.description,
        "includes": list(role.includes),
    }


def _seconds(period: str) -> int:
    found = _PERIOD.fullmatch(period)
    if found is None:
        raise click.UsageError("Write --for as a number and m, h or d, such as 8h.")
    return int(found[1]) * _UNITS[found[2]]


def _by() -> By:
    return By(operator(), origin())
