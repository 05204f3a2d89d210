"""The pages of docs/reference that are written from the code: `make docs`."""

from collections.abc import Iterator

import click

from idp.cli import config
from idp.cli.main import main as idp
from tests.house import sources

HEAD = """\
# Commands

<!-- Written by `make docs` from idp/cli/. Change it there. -->

`idp COMMAND --help` says the same. Exit code 0 means done; anything else means that it was not, and
a sentence says why. Commands that show or change something take `--json`. Settings come from the
environment: see [Configuration](configuration.md).
"""
COMMON = {"as_json", "help"}
"""Options that are not repeated for each command."""


def commands() -> str:
    """Every command with its arguments and options, in Markdown."""
    context = click.Context(idp, info_name="idp")
    return HEAD + "".join(described(idp, context))


def described(command: click.Command, context: click.Context) -> Iterator[str]:
    group = command if isinstance(command, click.Group) else None
    if group is None or group.invoke_without_command:
        yield f"\n## {context.command_path}\n\n{sentences(command)}\n"
        usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
        yield f"\n```\n{usage}\n```\n"
        if rows := "".join(option_rows(command, context)):
            yield f"\n| option | meaning |\n|---|---|\n{rows}"
    for name, inner in sorted(group.commands.items()) if group else ():
        yield from described(inner, click.Context(inner, info_name=name, parent=context))


def sentences(command: click.Command) -> str:
    return "\n".join(line.strip() for line in (command.help or "").strip().splitlines())


def option_rows(command: click.Command, context: click.Context) -> Iterator[str]:
    options = [one for one in command.params if isinstance(one, click.Option)]
    for option in options:
        record = option.get_help_record(context)
        if record is not None and option.name not in COMMON:
            name, meaning = (cell.replace("|", "\\|") for cell in record)
            yield f"| `{name}` | {meaning} |\n"


PAGES = {"configuration.md": config.page, "commands.md": commands}
FOLDER = sources.ROOT / "docs/reference"


if __name__ == "__main__":
    for page, written in PAGES.items():
        (FOLDER / page).write_text(written(), encoding="utf-8")
