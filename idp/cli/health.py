"""`idp health`: whether the server on this machine is ready.

Imports no server, so that asking often is cheap: containers run it as `python -m idp.cli.health`.
"""

import os
import ssl
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import click

_PATIENCE_SECONDS = 4


@click.command()
@click.option(
    "--url",
    help="Where the server listens.  [default: 127.0.0.1:$PORT or 8000, https with a certificate]",
)
def health(url: str | None) -> None:
    """Tell whether the server is ready: exit code 0 when it is, else 1."""
    base = (url or _own()).rstrip("/")
    problem = unready(base, None if url else _unchecked())
    if problem:
        click.echo(f"{base} is not ready: {problem}", err=True)
        sys.exit(1)
    click.echo("ready")


def _own() -> str:
    """Return where `idp serve` listens when it was told nothing else, on this machine."""
    scheme = "https" if os.environ.get("IDP_TLS_CERTIFICATE") else "http"
    return f"{scheme}://127.0.0.1:{os.environ.get('PORT', '8000')}"


def _unchecked() -> ssl.SSLContext:
    """A certificate is for the issuer's name, not for loopback, where nobody else answers."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def unready(base: str, context: ssl.SSLContext | None = None) -> str:
    """Return why the server at `base` is not ready; nothing when it is."""
    if urlsplit(base).scheme not in {"http", "https"}:
        raise click.UsageError("--url is an http or https address.")
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
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
