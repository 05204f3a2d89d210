"""`idp resources`: register the APIs that accept our access tokens."""

from typing import Any

import click

from idp.cli.context import emit, json_option, operator, origin, services
from idp.cli.secret_output import emit_with_secret
from idp.domain.errors import Invalid
from idp.domain.resources import LIFETIME_BOUNDS, ResourceServer


@click.group()
def resources() -> None:
    """Register resource servers (APIs) and their scopes."""


@resources.command()
@click.argument("identifier")
@click.option("--name", required=True, help="Name that people see when they are asked.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    metavar="SCOPE=WORDS",
    help='A scope and what it allows, such as "invoices.read=Read your invoices"; repeatable.',
)
@click.option(
    "--access-token-lifetime",
    type=int,
    metavar="SECONDS",
    help=f"Lifetime of access tokens for it, {LIFETIME_BOUNDS}; otherwise the server's.",
)
@json_option
def add(
    identifier: str,
    name: str,
    scopes: tuple[str, ...],
    access_token_lifetime: int | None,
    as_json: bool,
) -> None:
    """Register the API with this absolute URI; print its introspection credential."""
    server, secret = services().resources.add(
        identifier,
        name,
        dict(_scope(text) for text in scopes),
        access_token_lifetime=access_token_lifetime,
        origin=origin(),
        actor=operator(),
    )
    emit_with_secret(_details(server, as_json), "credential_secret", secret, as_json)


def _scope(text: str) -> tuple[str, str]:
    scope, mark, words = text.partition("=")
    if not mark:
        raise Invalid("scopes", f"{text}: write SCOPE=WORDS, with what the scope allows.")
    return scope.strip(), words.strip()


def _details(server: ResourceServer, as_json: bool) -> dict[str, Any]:
    lines = [f"{scope} = {words}" for scope, words in server.scopes.items()]
    return {
        "identifier": server.identifier,
        "name": server.name,
        "scopes": dict(server.scopes) if as_json else "; ".join(lines),
        "access_token_lifetime": server.access_token_lifetime,
        "disabled": server.disabled,
        "credential_id": server.credential_id,
    }


@resources.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List all resource servers, oldest first."""
    found = [
        {
            "identifier": server.identifier,
            "name": server.name,
            "scopes": sorted(server.scopes),
            "disabled": server.disabled,
        }
        for server in services().resources.list()
    ]
    emit(found, as_json)


@resources.command()
@click.argument("identifier")
@json_option
def show(identifier: str, as_json: bool) -> None:
    """Show a resource server with its scopes."""
    emit(_details(services().resources.show(identifier), as_json), as_json)
