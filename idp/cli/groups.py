"""`idp groups`: which groups there are, and which are in which."""

from dataclasses import asdict

import click

from idp.cli.context import emit, json_option, operator, origin, services
from idp.domain.audit import By


@click.group()
def groups() -> None:
    """Make groups, and put them into each other.

    People join by `idp users grant`, roles come by `idp roles give --group`.
    """


@groups.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List groups, with those that they are in."""
    found = [asdict(group) for group in services().groups.list()]
    emit([{name: one[name] for name in one if name != "id"} for one in found], as_json)


@groups.command()
@click.argument("group")
@click.option("--description", default="", help="Who is in it.")
def add(group: str, description: str) -> None:
    """Add a group."""
    services().groups.add(group, description, _by())


@groups.command()
@click.argument("group")
def remove(group: str) -> None:
    """Delete a group, and take everybody out of it."""
    services().groups.remove(group, _by())


@groups.command()
@click.argument("inner")
@click.argument("outer")
def nest(inner: str, outer: str) -> None:
    """Put everybody in INNER into OUTER too."""
    services().groups.nest(inner, outer, _by())


@groups.command()
@click.argument("inner")
@click.argument("outer")
def unnest(inner: str, outer: str) -> None:
    """Take INNER out of OUTER."""
    services().groups.unnest(inner, outer, _by())


def _by() -> By:
    return By(operator(), origin())
