"""`idp serve`: production."""

import os
import socket
from pathlib import Path
from typing import Any

import click
import structlog

from idp.app import create_app, services_of
from idp.cli import server
from idp.cli.preflight import (
    PortUnusable,
    environment_problems,
    folder_problems,
    key_problems,
    listen,
    sharing_problems,
)
from idp.config import PREFIX, ConfigurationError, Settings, load, production_problems

_MOUNTS = Path("/proc/mounts")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8000,
    show_default=True,
    envvar="PORT",
    show_envvar=True,
    help="Port to listen at.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    envvar="WEB_CONCURRENCY",
    show_envvar=True,
    help="Processes.  [default: one for each core, at most 4]",
)
def serve(host: str, port: int, workers: int | None) -> None:
    """Run the server for production; if something is wrong, tell all of it and do not start."""
    settings, problems = _checked_settings()
    sockets: list[socket.socket] = []
    try:
        sockets = listen(host, port)
    except PortUnusable as error:
        problems.append(str(error))
    if problems:
        raise ConfigurationError(problems)
    app = create_app(settings)
    parts = services_of(app)
    # An open SQLite file must not be taken through a fork.
    parts.store.close()
    count = workers or server.default_workers()
    log = structlog.get_logger()
    server.run(
        app,
        sockets,
        settings,
        count,
        started=lambda: log.info("ready", issuer=settings.issuer, port=port, workers=count),
        worker_started=parts.housekeeping.ensure_started,
        worker_stopping=parts.health.drain,
    )


def _checked_settings() -> tuple[Settings, list[str]]:
    """Return the settings and everything that is wrong with them.

    Those that cannot be read are taken at their default meanwhile, so that the rest is checked too.
    """
    problems: list[str] = []
    try:
        settings = load()
    except ConfigurationError as error:
        problems = list(error.problems)
        settings = load(_defaults(problems))
    told = tuple(problem.partition(":")[0] for problem in problems)
    mounts = _MOUNTS.read_text() if _MOUNTS.exists() else ""
    more = [
        *production_problems(settings),
        *environment_problems(os.environ),
        *folder_problems(settings),
        *sharing_problems(settings, mounts),
        *key_problems(settings),
    ]
    return settings, problems + [
        problem for problem in more if not problem.startswith(told or "\0")
    ]


def _defaults(problems: list[str]) -> dict[str, Any]:
    names = {problem.partition(":")[0].removeprefix(PREFIX).lower() for problem in problems}
    fields = Settings.model_fields
    return {name: fields[name].default for name in sorted(names & fields.keys())}
