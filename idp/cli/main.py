"""The `idp` command."""

import os

import click

from idp.cli.admin import admin
from idp.cli.audit import audit
from idp.cli.backup import backup
from idp.cli.clients import clients
from idp.cli.config import config
from idp.cli.context import CommandLine
from idp.cli.dev import dev
from idp.cli.groups import groups
from idp.cli.health import health
from idp.cli.keys import keys
from idp.cli.registration_tokens import registration_tokens
from idp.cli.resources import resources
from idp.cli.roles import roles
from idp.cli.serve import serve
from idp.cli.users import users

_PRIVATE = 0o077
COMMANDS = (
    serve,
    dev,
    users,
    groups,
    roles,
    clients,
    registration_tokens,
    resources,
    keys,
    backup,
    admin,
    audit,
    health,
    config,
)


@click.group(
    cls=CommandLine,
    commands=list(COMMANDS),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="doorward", prog_name="Doorward")
def main() -> None:
    """Doorward, an OAuth 2.0 and OpenID Connect authorization server.

    Settings come from the environment: see `idp config`.
    """
    # Databases, keys and backups are nobody else's business.
    os.umask(_PRIVATE)
