"""`idp clients`: register OAuth clients and look after them."""

import json
from typing import IO, Any

import click

from idp.cli.context import emit, json_option, operator, origin, services, settings
from idp.cli.secret_output import emit_with_secret
from idp.domain.clients import Client
from idp.domain.errors import Invalid
from idp.domain.resources import OIDC_SCOPES
from idp.protocol import registration
from idp.protocol.metadata_values import RegistrationError
from idp.protocol.offer import Offer
from idp.protocol.sectors import sectors


@click.group()
def clients() -> None:
    """Register OAuth clients, rotate their secrets, disable them."""


@clients.command()
@click.option(
    "--metadata",
    "source",
    type=click.File(encoding="utf-8"),
    required=True,
    help="File with the client's metadata (RFC 7591) as JSON; -: standard input.",
)
@click.option("--client-id", help="An id of your choice, instead of a random one.")
@click.option("--first-party", is_flag=True, help="Yours: people are not asked for consent.")
@click.option("--dry-run", is_flag=True, help="Check the metadata and register nothing.")
@json_option
def add(
    source: IO[str], client_id: str | None, first_party: bool, dry_run: bool, as_json: bool
) -> None:
    """Register a client and print what was registered, with its secret."""
    metadata = _parsed(source.read())
    if first_party:
        metadata["first_party"] = True
    try:
        details = registration.validate(metadata, operator=True, offer=Offer.of(settings()))
        settled = sectors(services().fetcher, services().clock).settled(details)
    except RegistrationError as error:
        raise Invalid("metadata", f"{error.code}: {error.reason}") from error
    _warn(metadata, details)
    if dry_run:
        emit(details, as_json)
        return
    client, secret = services().clients.add(
        settled,
        secret=registration.needs_secret(details),
        client_id=client_id,
        origin=origin(),
        actor=operator(),
    )
    answer = registration.registration_response(client, None)
    if secret is None:
        emit(answer, as_json)
    else:
        _emit_with_secret(answer, secret, as_json)


def _emit_with_secret(answer: dict[str, Any], secret: str, as_json: bool) -> None:
    never = {"client_secret_expires_at": 0} if as_json else {}
    emit_with_secret(answer | never, "client_secret", secret, as_json)


def _parsed(text: str) -> dict[str, Any]:
    try:
        metadata = json.loads(text)
    except ValueError as error:
        raise Invalid("metadata", f"The metadata is not JSON: {error}.") from error
    if not isinstance(metadata, dict):
        raise Invalid("metadata", "The metadata must be a JSON object.")
    return metadata


def _warn(metadata: dict[str, Any], details: dict[str, Any]) -> None:
    """Say what is ignored, and what no token can be issued for yet."""
    for name in sorted(metadata.keys() - details.keys()):
        click.echo(f"Ignored: {name}.", err=True)
    resources = services().resources
    for scope in details["scope"].split():
        if scope not in OIDC_SCOPES and resources.owner_of(scope) is None:
            click.echo(f"No resource server has the scope {scope} yet.", err=True)
    default = details.get("default_resource")
    if default and resources.find(default) is None:
        click.echo(f"There is no resource server {default} yet.", err=True)


@clients.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List all clients, oldest first."""
    emit([_summary(client) for client in services().clients.list()], as_json)


def _summary(client: Client) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "client_name": client.name,
        "public": client.public,
        "first_party": client.first_party,
        "grant_types": sorted(client.grant_types),
        "scope": sorted(client.scopes),
        "disabled": client.disabled,
    }


@clients.command()
@click.argument("client_id")
@json_option
def show(client_id: str, as_json: bool) -> None:
    """Show what is registered for a client."""
    _emit(services().clients.get(client_id), as_json)


def _emit(client: Client, as_json: bool) -> None:
    details = registration.registration_response(client, None)
    state = {"disabled": client.disabled, "client_secrets": len(client.secrets)}
    emit(details | state, as_json)


@clients.command("rotate-secret")
@click.argument("client_id")
@click.option(
    "--keep-old",
    type=int,
    default=0,
    show_default=True,
    metavar="SECONDS",
    help="How long the secret before works on.",
)
@json_option
def rotate_secret(client_id: str, keep_old: int, as_json: bool) -> None:
    """Give a client a new secret."""
    secret = services().clients.rotate_secret(
        client_id, keep_old, origin=origin(), actor=operator()
    )
    _emit_with_secret({"client_id": client_id}, secret, as_json)


@clients.command()
@click.argument("client_id")
@json_option
def disable(client_id: str, as_json: bool) -> None:
    """Refuse a client everywhere; other nodes follow within seconds."""
    _emit(services().clients.disable(client_id, origin=origin(), actor=operator()), as_json)


@clients.command()
@click.argument("client_id")
@json_option
def enable(client_id: str, as_json: bool) -> None:
    """Accept a disabled client again."""
    _emit(services().clients.enable(client_id, origin=origin(), actor=operator()), as_json)
