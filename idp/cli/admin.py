"""`idp admin`: the way in for administrators."""

import click

from idp.cli.context import emit, json_option, operator, origin, services
from idp.config import ConfigurationError
from idp.domain.administrators import LINK_LIFETIME


@click.group()
def admin() -> None:
    """The way in for administrators."""


@admin.command("login-link")
@click.option(
    "--lifetime",
    type=click.IntRange(60, 86400),
    default=LINK_LIFETIME,
    show_default=True,
    help="Seconds for which the link works.",
)
@json_option
def login_link(lifetime: int, as_json: bool) -> None:
    """Print a link that makes one administrator. It works once; links before it end."""
    found = services()
    if not found.settings.issuer:
        raise ConfigurationError(["IDP_ISSUER: not set. The link begins with it."])
    path = found.administrators.issue_link(origin(), operator(), lifetime)
    link = {"url": f"{found.settings.issuer}{path}", "lifetime": lifetime}
    if as_json:
        emit(link, as_json)
    else:
        click.echo(link["url"])
