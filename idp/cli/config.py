"""`idp config`: what is set, where it comes from, and the page that explains every setting."""

from typing import Any, get_args

import click
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from idp.cli.context import emit, json_option, settings
from idp.config import PREFIX, Settings
from idp.config_sources import Shown, shown, text_of

_HEAD = """\
# Configuration

<!-- Written by `idp config reference` from idp/config.py. Change it there. -->

Every setting is an environment variable. Instead of `IDP_NAME` you may set `IDP_NAME_FILE` to the
path of a file that holds the value: the better way for secrets. `idp serve` checks all settings at
start and, if there are problems, lists them all and stops. `idp config` shows what is set, and
where each value comes from.

| variable | default | allowed | meaning |
|---|---|---|---|
"""


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def config(context: click.Context, as_json: bool) -> None:
    """Show every setting, its value and where it comes from; secrets stay hidden."""
    if context.invoked_subcommand is None:
        emit([_shown(one) for one in shown(settings())], as_json)


@config.command()
def reference() -> None:
    """Print the page docs/reference/configuration.md."""
    click.echo(page(), nl=False)


def page() -> str:
    """Return the reference of all settings, in Markdown."""
    return _HEAD + "".join(map(_row, Settings.model_fields.items()))


def _shown(one: Shown) -> dict[str, str]:
    value = ("(hidden)" if one.given else "") if one.value is None else one.value
    return {"setting": one.variable, "value": value, "source": one.source}


def _row(setting: tuple[str, FieldInfo]) -> str:
    name, field = setting
    default = text_of(_revealed(field.default))
    cells = (
        f"`{PREFIX}{name.upper()}`",
        f"`{default}`" if default else "–",
        _allowed(field) or "–",
        str(field.description),
    )
    return f"| {' | '.join(cells)} |\n"


def _revealed(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _allowed(field: FieldInfo) -> str:
    if field.annotation is bool:
        return "`true`, `false`"
    words = [word for word in get_args(field.annotation) if isinstance(word, str)]
    if words:
        return ", ".join(f"`{word}`" for word in words)
    least, most = _limit(field, "ge"), _limit(field, "le")
    if most is not None:
        return f"{least} to {most}"
    if least is not None:
        return f"at least {least}"
    longest = _limit(field, "max_length")
    return f"{_limit(field, 'min_length')} to {longest} characters" if longest else ""


def _limit(field: FieldInfo, name: str) -> int | None:
    limits = (getattr(part, name, None) for part in field.metadata)
    return next((limit for limit in limits if limit is not None), None)
