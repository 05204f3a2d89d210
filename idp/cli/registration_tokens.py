"""`idp registration-tokens`: let developers register clients over HTTP."""

from typing import Any

import click

from idp.cli.context import emit, json_option, operator, origin, services
from idp.cli.secret_output import emit_with_secret
from idp.domain import registration_policy
from idp.domain.initial_tokens import LONGEST_LIFETIME, MOST_USES, InitialToken
from idp.domain.registration_policy import RegistrationPolicy
from idp.protocol.client_authentication import METHODS
from idp.protocol.enabled import GRANT_TYPES

_WEEK = 7 * 86400


@click.group("registration-tokens")
def registration_tokens() -> None:
    """Make initial access tokens, with which developers register clients over HTTP."""


@registration_tokens.command()
@click.argument("name")
@click.option(
    "--uses",
    type=click.IntRange(1, MOST_USES),
    default=1,
    show_default=True,
    help="How many clients can be registered with it.",
)
@click.option(
    "--lifetime",
    type=click.IntRange(60, LONGEST_LIFETIME),
    default=_WEEK,
    show_default=True,
    metavar="SECONDS",
    help="How long it works.",
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    metavar="SCOPE",
    help="A scope that may be registered, repeatable; without: IDP_REGISTRATION_SCOPES.",
)
@click.option(
    "--grant-type",
    "grant_types",
    multiple=True,
    type=click.Choice(GRANT_TYPES),
    help="A grant type that may be, repeatable; without: those in which a person takes part.",
)
@click.option(
    "--redirect-host",
    "redirect_hosts",
    multiple=True,
    metavar="HOST",
    help="A host of redirect URIs, such as *.example.com, repeatable; without: "
    "IDP_REGISTRATION_REDIRECT_HOSTS.",
)
@click.option(
    "--auth-method",
    "auth_methods",
    multiple=True,
    type=click.Choice(METHODS),
    help="A client authentication method that may be, repeatable; without: any.",
)
@click.option("--trusted", is_flag=True, help="You know who gets it, and vouch for the clients.")
@json_option
def add(name: str, uses: int, lifetime: int, as_json: bool, trusted: bool, **lists: Any) -> None:
    """Make a token and print it; NAME says whom it is for.

    It carries its bounds: clients that were registered with it stay within them.
    """
    parts = services()
    usual = registration_policy.of_settings(parts.settings).as_json()
    given = {field: value for field, value in lists.items() if value}
    policy = RegistrationPolicy(**{**usual, **given, "trusted": trusted or usual["trusted"]})
    made, token = parts.registering.initial_tokens.add(
        name, policy, uses=uses, lifetime=lifetime, origin=origin(), actor=operator()
    )
    emit_with_secret(_shown(made), "initial_access_token", token, as_json)
    if parts.settings.registration == "closed":
        click.echo("IDP_REGISTRATION is closed: nobody can register clients yet.", err=True)


@registration_tokens.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the tokens that are kept, oldest first."""
    emit([_shown(one) for one in services().registering.initial_tokens.list()], as_json)


@registration_tokens.command()
@click.argument("token_id")
@json_option
def revoke(token_id: str, as_json: bool) -> None:
    """End the token with this id. Clients that were registered with it stay."""
    services().registering.initial_tokens.revoke(token_id, origin=origin(), actor=operator())
    emit({"id": token_id, "revoked": True}, as_json)


def _shown(one: InitialToken) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "uses_left": one.uses_left,
        "created_at": one.created_at,
        "expires_at": one.expires_at,
        **one.policy.as_json(),
    }
