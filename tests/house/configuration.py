"""Write docs/reference/configuration.md from the Settings class: `make docs`."""

from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from idp.config import PREFIX, Settings
from tests.house import sources

PAGE = sources.ROOT / "docs/reference/configuration.md"

HEAD = """\
# Configuration

<!-- Written by `make docs` from idp/config.py. Change it there. -->

Every setting is an environment variable. Instead of `IDP_NAME` you may set `IDP_NAME_FILE` to the
path of a file that holds the value: the better way for secrets. `idp serve` checks all settings at
start and, if there are problems, lists them all and stops.

| variable | default | allowed | meaning |
|---|---|---|---|
"""


def page() -> str:
    return HEAD + "".join(row(name, field) for name, field in Settings.model_fields.items())


def row(name: str, field: FieldInfo) -> str:
    cells = (f"`{PREFIX}{name.upper()}`", default(field.default), allowed(field), field.description)
    return f"| {' | '.join(str(cell) for cell in cells)} |\n"


def default(value: Any) -> str:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if text in ("", ()):
        return "–"
    return f"`{str(text).lower() if isinstance(text, bool) else text}`"


def allowed(field: FieldInfo) -> str:
    """The limits in words: a list of choices, a range of numbers, or the number of characters."""
    if choices := [choice for choice in get_args(field.annotation) if isinstance(choice, str)]:
        return ", ".join(f"`{choice}`" for choice in choices)
    if field.annotation is bool:
        return "`true`, `false`"
    bounds = {key: value for limit in field.metadata for key, value in bound(limit)}
    unit = " characters" if {"min_length", "max_length"} & set(bounds) else ""
    low = bounds.get("ge", bounds.get("min_length"))
    high = bounds.get("le", bounds.get("max_length"))
    if high is not None:
        return f"{low} to {high}{unit}"
    return f"at least {low}{unit}" if low is not None else "–"


def bound(limit: object) -> list[tuple[str, int]]:
    names = ("ge", "le", "min_length", "max_length")
    return [(name, getattr(limit, name)) for name in names if hasattr(limit, name)]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
