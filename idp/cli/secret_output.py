"""Prints a new secret: beside the rest in JSON, for people on a line of its own, never cut."""

from collections.abc import Mapping
from typing import Any

import click

from idp.cli.context import emit


def emit_with_secret(answer: Mapping[str, Any], name: str, secret: str, as_json: bool) -> None:
    """Print `answer`, and the secret under `name`."""
    if as_json:
        emit({**answer, name: secret}, as_json)
        return
    emit(answer, as_json)
    click.echo(f"\n{name}: {secret}")
    click.echo("It is shown this once: only its digest is kept.", err=True)
