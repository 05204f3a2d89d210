"""`idp serve`: production."""

import socket

import click
import structlog

from idp.app import create_app, services_of, start_tasks
from idp.cli import server
from idp.cli.listening import PortUnusable, listen
from idp.cli.tls import tls_of, tls_problems
from idp.config import ConfigurationError
from idp.domain.preflight import examined


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
    settings, problems = examined()
    problems += tls_problems(settings)
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
        worker_started=lambda: start_tasks(app),
        worker_stopping=parts.health.drain,
        tls=tls_of(settings),
    )
