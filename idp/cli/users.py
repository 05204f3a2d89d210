"""`idp users`: the people who sign in."""

import getpass
import json
import sys
from typing import IO, Any

import click

from idp.cli.context import emit, json_option, operator, origin, services
from idp.domain.accounts import Account
from idp.domain.audit import By
from idp.domain.errors import Invalid
from idp.domain.roles import ADMINISTRATOR

_LONGEST_PAGE = 1000
_FROM_INPUT = "Read the password from the first line of input."


@click.group()
def users() -> None:
    """The people who sign in."""


@users.command()
@click.argument("email")
@click.option("--name", default="", help="The name that applications see.")
@click.option("--role", "roles", multiple=True, help="A role to give; may be repeated.")
@click.option("--group", "groups", multiple=True, help="A group to join; may be repeated.")
@click.option("--password-stdin", is_flag=True, help=_FROM_INPUT)
@click.option("--without-password", is_flag=True, help="Add no password; ask for none.")
@click.option(
    "--email-verified/--no-email-verified",
    default=False,
    show_default=True,
    help="Vouch that the address is this person's; applications rely on it.",
)
@click.option(
    "--claims",
    type=click.File(encoding="utf-8"),
    help="File with the claims of their profile as JSON; -: standard input.",
)
@json_option
def add(
    email: str,
    name: str,
    roles: tuple[str, ...],
    groups: tuple[str, ...],
    password_stdin: bool,
    without_password: bool,
    email_verified: bool,
    claims: IO[str] | None,
    as_json: bool,
) -> None:
    """Add a person."""
    if password_stdin and claims and claims.name == "<stdin>":
        raise click.UsageError("Only one thing can be read from input.")
    found = services()
    password = None if without_password else read_password(password_stdin)
    account = found.accounts.add(
        email,
        name,
        password,
        email_verified=email_verified,
        roles=roles,
        groups=groups,
        profile=_read_claims(claims) if claims else None,
        origin=origin(),
        actor=operator(),
    )
    if ADMINISTRATOR in account.roles:
        found.administrators.remember()
    emit(described(account), as_json)


@users.command()
@click.argument("email")
@click.option("--name", default="", help="The name to begin with; the person may change it.")
@click.option("--role", "roles", multiple=True, help="A role to give; may be repeated.")
@click.option("--group", "groups", multiple=True, help="A group to join; may be repeated.")
@json_option
def invite(
    email: str, name: str, roles: tuple[str, ...], groups: tuple[str, ...], as_json: bool
) -> None:
    """Mail somebody a link that makes their account, and print it; earlier links end."""
    found = services()
    by = By(operator(), origin())
    link = found.invitations.invite(email, name, roles, groups, by=by)
    seconds = found.settings.invitation_lifetime
    mailed = found.outbox.available
    emit({"email": email, "link": link, "expires_in": seconds, "mailed": mailed}, as_json)


@users.command("list")
@click.option("--limit", type=click.IntRange(1, _LONGEST_PAGE), default=100, show_default=True)
@click.option("--after", default="", help="Begin behind the person with this id.")
@json_option
def list_(limit: int, after: str, as_json: bool) -> None:
    """List people, in the order they were added."""
    emit([described(account) for account in services().accounts.page(limit, after)], as_json)


@users.command()
@click.argument("user")
@json_option
def show(user: str, as_json: bool) -> None:
    """Show the person with this address, id or subject."""
    account = services().accounts.get(user)
    emit({**described(account), "profile": dict(account.profile)}, as_json)


@users.command()
@click.argument("user")
@json_option
def disable(user: str, as_json: bool) -> None:
    """Shut a person out of everything, at once."""
    emit(described(services().accounts.disable(user, origin(), operator())), as_json)


@users.command()
@click.argument("user")
@json_option
def enable(user: str, as_json: bool) -> None:
    """Let a disabled person in again."""
    emit(described(services().accounts.enable(user, origin(), operator())), as_json)


@users.command()
@click.argument("user")
@click.option("--role", "roles", multiple=True, help="A role to give; may be repeated.")
@click.option("--group", "groups", multiple=True, help="A group to join; may be repeated.")
@json_option
def grant(user: str, roles: tuple[str, ...], groups: tuple[str, ...], as_json: bool) -> None:
    """Give a person roles and put them into groups."""
    _something(roles, groups)
    found = services()
    account = found.memberships.grant(
        user, roles=roles, groups=groups, origin=origin(), actor=operator()
    )
    if ADMINISTRATOR in account.roles:
        found.administrators.remember()
    emit(described(account), as_json)


@users.command()
@click.argument("user")
@click.option("--role", "roles", multiple=True, help="A role to take; may be repeated.")
@click.option("--group", "groups", multiple=True, help="A group to leave; may be repeated.")
@json_option
def revoke(user: str, roles: tuple[str, ...], groups: tuple[str, ...], as_json: bool) -> None:
    """Take roles from a person and take them out of groups; never the last administrator's role."""
    _something(roles, groups)
    account = services().memberships.revoke(
        user, roles=roles, groups=groups, origin=origin(), actor=operator()
    )
    emit(described(account), as_json)


def _something(roles: tuple[str, ...], groups: tuple[str, ...]) -> None:
    if not roles and not groups:
        raise click.UsageError("Name at least one --role or --group.")


@users.command("set-password")
@click.argument("user")
@click.option("--password-stdin", is_flag=True, help=_FROM_INPUT)
@json_option
def set_password(user: str, password_stdin: bool, as_json: bool) -> None:
    """Replace a person's password; it signs the person out everywhere."""
    accounts = services().accounts
    accounts.get(user)
    accounts.set_password(user, read_password(password_stdin), origin(), operator())
    emit(described(accounts.get(user)), as_json)


@users.command("set-claims")
@click.argument("user")
@click.argument("claims", type=click.File(encoding="utf-8"))
@json_option
def set_claims(user: str, claims: IO[str], as_json: bool) -> None:
    """Enter claims of a person's profile, from a file with a JSON object, or - for standard input.

    Those that it does not name stay as they are; null takes one out.
    """
    found = services()
    account = found.accounts.get(user)
    found.own.profiles.enter(account, _read_claims(claims), By(operator(), origin()))
    account = found.accounts.get(account.id)
    emit({**described(account), "profile": dict(account.profile)}, as_json)


def _read_claims(source: IO[str]) -> dict[str, Any]:
    try:
        claims = json.loads(source.read())
    except (ValueError, RecursionError) as error:
        raise Invalid("claims", f"The claims are not JSON: {error}.") from error
    if not isinstance(claims, dict):
        raise Invalid("claims", "The claims must be a JSON object.")
    return claims


def described(account: Account) -> dict[str, Any]:
    """Return what commands show of a person."""
    return {
        "id": account.id,
        "subject": account.subject,
        "email": account.email,
        "email_verified": account.email_verified,
        "name": account.name,
        "roles": sorted(account.roles),
        "groups": sorted(account.groups),
        "disabled": account.disabled,
        "created_at": account.created_at,
    }


def read_password(from_stdin: bool) -> str:
    """Return the password that was typed, or the first line of the input; others see arguments."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask at: use --password-stdin.")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise click.UsageError("The two passwords differ.")
    return password
