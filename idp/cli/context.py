"""What the commands share: the server's parts, who runs them, how they answer, how they fail."""

import json
import os
import pwd
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from idp.app import create_app
from idp.config import ConfigurationError, Settings, load
from idp.crypto.keyfiles import KeyUnusable
from idp.domain.audit import Origin
from idp.domain.errors import DomainError
from idp.domain.preflight import folder_problems
from idp.domain.services import Services
from idp.store.errors import StoreError, StoreUnavailable
from idp.web.context import SERVICES

REFUSED = 1
MISCONFIGURED = 2
_WIDTH_WITHOUT_TERMINAL = 200

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class CommandLine(click.Group):
    """The root group: what an operator can cause ends in a sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            _stop(error.problems, MISCONFIGURED)
        except KeyUnusable as error:
            _stop([str(error)], MISCONFIGURED)
        except DomainError as error:
            _stop([str(error)], REFUSED)
        except StoreUnavailable as error:
            _stop([f"The database can't be used right now: {error}."], REFUSED)
        except StoreError as error:
            _stop([str(error)], REFUSED)


def _stop(problems: Sequence[str], code: int) -> NoReturn:
    lines = problems if len(problems) == 1 else [f"{len(problems)} problems:", *bullets(problems)]
    click.echo("\n".join(plain(line) for line in lines), err=True)
    sys.exit(code)


def bullets(problems: Sequence[str]) -> list[str]:
    """Return the problems as lines of a list."""
    return [f"- {problem}" for problem in problems]


def settings() -> Settings:
    """Return the settings, loaded once for a command. Raises ConfigurationError."""
    memory = _memory()
    if "settings" not in memory:
        memory["settings"] = load()
    found: Settings = memory["settings"]
    return found


def services() -> Services:
    """Return the server's parts, built once for a command. Raises ConfigurationError."""
    memory = _memory()
    if "services" not in memory:
        if problems := folder_problems(settings()):
            raise ConfigurationError(problems)
        memory["services"] = create_app(settings()).extensions[SERVICES]
        click.get_current_context().find_root().call_on_close(memory["services"].store.close)
    found: Services = memory["services"]
    return found


def _memory() -> dict[str, Any]:
    memory: dict[str, Any] = click.get_current_context().find_root().ensure_object(dict)
    return memory


def operator() -> str:
    """Return the actor for the audit log: the system's name for who runs the command."""
    user = os.getuid()
    try:
        return f"operator:{pwd.getpwuid(user).pw_name}"
    except KeyError:
        return f"operator:{user}"


def origin() -> Origin:
    """Return where commands come from, for the audit log."""
    return Origin(user_agent="idp")


def emit(data: Mapping[str, Any] | Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Print one thing or a list of them: as JSON, or as a table for people."""
    if as_json:
        click.echo(json.dumps(data, indent=2, default=_jsonable))
        return
    table = _rows_of_one(data) if isinstance(data, Mapping) else _rows_of_many(data)
    width = None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL
    Console(highlight=False, width=width).print(table)


def _rows_of_one(data: Mapping[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in data.items():
        table.add_row(Text(name.replace("_", " "), "bold"), _cell(value))
    return table


def _rows_of_many(data: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in data[0] if data else ("nothing to show",):
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in data:
        table.add_row(*(_cell(value) for value in row.values()))
    return table


def _cell(value: Any) -> Text:
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, list | tuple | set | frozenset):
        return Text(" ".join(plain(str(part)) for part in value))
    return Text("–" if value is None or value == "" else plain(str(value)))


def plain(text: str) -> str:
    """Return `text` with what could steer a terminal made visible (SECURITY case 144)."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _jsonable(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else str(value)
