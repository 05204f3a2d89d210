"""`idp health`: whether the server on this machine is ready.

Imports no server, so that asking often is cheap: containers run it as `python -m idp.cli.health`.
"""

import os
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import click

_PATIENCE_SECONDS = 4


@click.command()
@click.option("--url", help="Where the server listens.  [default: http://127.0.0.1:$PORT or 8000]")
def health(url: str | None) -> None:
    """Tell whether the server is ready: exit code 0 when it is, else 1."""
    base = (url or f"http://127.0.0.1:{os.environ.get('PORT', '8000')}").rstrip("/")
    problem = unready(base)
    if problem:
        click.echo(f"{base} is not ready: {problem}", err=True)
        sys.exit(1)
    click.echo("ready")


def unready(base: str) -> str:
    """Return why the server at `base` is not ready; nothing when it is."""
    if urlsplit(base).scheme not in {"http", "https"}:
        raise click.UsageError("--url is an http or https address.")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{base}/health/ready", timeout=_PATIENCE_SECONDS) as answer:
            return "" if answer.status == 200 else f"it answers {answer.status}."
    except urllib.error.HTTPError as error:
        return f"it answers {error.code}."
    except OSError as error:
        reason = getattr(error, "reason", error)
        return f"{getattr(reason, 'strerror', None) or reason}."


if __name__ == "__main__":
    health()
