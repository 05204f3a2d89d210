"""`idp dev`: the server on this machine, with everything needed to try it."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from flask import Flask
from werkzeug.exceptions import HTTPException

from idp.app import create_app, services_of, start_tasks
from idp.cli import demo, server
from idp.cli.context import operator, origin
from idp.cli.listening import PortUnusable, listen
from idp.config import LOOPBACK_HOSTS, PREFIX, ConfigurationError, Settings, load
from idp.domain.preflight import folder_problems, mail_problems
from idp.domain.services import Services
from idp.protocol.metadata import TOKEN
from idp.web.playground.steps import INTROSPECTOR

_HOST = "localhost"
_WORKERS = 1


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8000,
    show_default=True,
    envvar="PORT",
    show_envvar=True,
    help="Port to listen at.",
)
def dev(port: int) -> None:
    """Run the server for development, on this machine only, with a demo user and client."""
    settings = _settings(port)
    if problems := [*folder_problems(settings), *mail_problems(settings)]:
        raise ConfigurationError(problems)
    try:
        sockets = listen(_HOST, port)
    except PortUnusable as error:
        raise ConfigurationError([f"{error} For example: PORT={port + 1}."]) from error
    app = create_app(settings)
    parts = services_of(app)
    shown = demo.prepare(parts, origin(), operator())
    app.extensions[INTROSPECTOR] = shown.introspector
    block = _block(app, parts, shown)
    # An open SQLite file must not be taken through a fork.
    parts.store.close()
    server.run(
        app,
        sockets,
        settings,
        _WORKERS,
        started=lambda: click.echo(block),
        worker_started=lambda: start_tasks(app),
        worker_stopping=parts.health.drain,
    )


def _settings(port: int) -> Settings:
    """Settings fit for this machine; what the environment says goes before them."""
    defaults: dict[str, Any] = {
        "issuer": f"http://{_HOST}:{port}",
        "log_level": "warning",
        "log_format": "text",
        "sign_up": "open",
    }
    unset = {name: value for name, value in defaults.items() if not _is_given(name)}
    settings = load({**unset, "development": True})
    if urlsplit(settings.issuer).hostname not in LOOPBACK_HOSTS:
        raise ConfigurationError(
            ["IDP_ISSUER: `idp dev` serves this machine only; unset it, or run `idp serve`."]
        )
    return settings


def _is_given(name: str) -> bool:
    variable = PREFIX + name.upper()
    return bool(os.environ.get(variable) or os.environ.get(f"{variable}_FILE"))


def _block(app: Flask, parts: Services, shown: demo.Demo) -> str:
    """Return what a newcomer needs, aligned. Only what exists is in it."""
    issuer = parts.settings.issuer
    rows = [
        ("Issuer", issuer),
        ("Discovery", f"{issuer}/.well-known/openid-configuration"),
        *_administrator(parts),
        ("Demo user", f"{shown.email}   password {shown.password}"),
        ("Demo client", f"{shown.client_id}   secret {shown.client_secret}"),
    ]
    if _serves(app, "/playground"):
        rows.append(("Playground", f"{issuer}/playground"))
    rows.append(("Mail", f"{issuer}/dev/mail"))
    rows += [("A token", _curl(issuer, shown)), *_whereabouts(parts.settings)]
    rows.append(("Careful", "development mode: do not expose"))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _administrator(parts: Services) -> list[tuple[str, str]]:
    if parts.administrators.exists():
        command = f"IDP_ISSUER={parts.settings.issuer} idp admin login-link"
        return [("Administrator", f"for another link: {command}")]
    path = parts.administrators.issue_link(origin(), operator())
    return [("Administrator", f"{parts.settings.issuer}{path}   works once, for an hour")]


def _serves(app: Flask, path: str) -> bool:
    try:
        app.url_map.bind("").match(path)
    except HTTPException:
        return False
    return True


def _curl(issuer: str, shown: demo.Demo) -> str:
    return (
        f"curl -u {shown.client_id}:{shown.client_secret} -d grant_type=client_credentials "
        f"-d scope={shown.scope} {issuer}{TOKEN}"
    )


def _whereabouts(settings: Settings) -> list[tuple[str, str]]:
    keys = f"keys in {settings.keys_dir.absolute()}"
    if not settings.embedded:
        return [("Data", f"the database of IDP_DATABASE_URL, {keys}")]
    folder = Path(settings.data_dir).absolute()
    return [("Data", f"{folder}, {keys}"), ("Start over", f"stop the server, then: rm -r {folder}")]
