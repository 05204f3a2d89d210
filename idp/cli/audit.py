"""`idp audit`: looks through the audit log, and proves that nobody changed it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from idp.cli.context import emit, json_option, services
from idp.crypto.notes import LARGEST_NOTE, BadNote, NoteKey
from idp.domain.audit_log import checkpoints
from idp.domain.audit_log import verification as verifying
from idp.domain.audit_log.verification import Fault, Verdict
from idp.domain.audit_search import Line, Wanted
from idp.domain.errors import Invalid

CHANGED = 3
"""The exit code of a log that is not what was sealed."""
_MOST_NOTES = 10_000
_FILE = click.Path(dir_okay=False, path_type=Path, allow_dash=True)
_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])


@click.group()
def audit() -> None:
    """Look through the audit log, prove it, take it elsewhere."""


def wanted_options(command: Any) -> Any:
    """Add the options that choose entries."""
    for name, words in (
        ("--event", "Only entries of this event, such as token.issued."),
        ("--outcome", "Only entries that ended so: done or refused."),
        ("--account", "Only entries about the person with this id."),
        ("--actor", "Only entries of who did it, such as account:ID."),
        ("--client", "Only entries about this client."),
    ):
        command = click.option(name, default="", help=words)(command)
    for name, words in (
        ("--since", "Only entries from this moment on (UTC)."),
        ("--until", "Only entries before this moment (UTC)."),
    ):
        command = click.option(name, type=_MOMENT, help=words)(command)
    return command


@audit.command("list")
@wanted_options
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Most entries."
)
@json_option
def list_entries(limit: int, as_json: bool, **wanted: Any) -> None:
    """List entries of the audit log, newest first."""
    search, found, before = services().audit_search, list[Line](), ""
    while len(found) < limit:
        page = search.page(wanted_by(**wanted), before, limit - len(found))
        found += page.lines
        before = page.more
        if not before:
            break
    emit([(_whole if as_json else _short)(line) for line in found], as_json)


@audit.command()
@click.option(
    "--checkpoint",
    "kept",
    type=_FILE,
    multiple=True,
    help="File with checkpoints that were kept elsewhere (-: standard input); repeatable.",
)
@click.option("--key", "keys", multiple=True, help="Key that signed them, name+id+key; repeatable.")
@json_option
def verify(kept: tuple[Path, ...], keys: tuple[str, ...], as_json: bool) -> None:
    """Verify that no sealed entry was changed, removed, inserted or moved.

    With --checkpoint also that the log goes on from what it was then: nothing else can show that it
    was rolled back, or written anew by who has the keys. Exit code 3: it is not intact, and the
    first bad entry is named.
    """
    task = services().audit_log.verification
    notes = [note for path in kept for note in notes_in(path)]
    foreign = [_key(text) for text in keys]
    with _progress() as progress:
        verdict = task.run(progress, notes, foreign)
    emit(_told(verdict, as_json), as_json)
    if not verdict.intact:
        sys.exit(CHANGED)


def wanted_by(
    event: str,
    outcome: str,
    account: str,
    actor: str,
    client: str,
    since: datetime | None,
    until: datetime | None,
) -> Wanted:
    """Return what the options ask for."""
    return Wanted(event, outcome, account, actor, client, _seconds(since), _seconds(until))


def notes_in(path: Path) -> list[str]:
    """Return the signed notes of a file. Raises Invalid."""
    try:
        with click.open_file(str(path), encoding="utf-8") as file:
            text = file.read(LARGEST_NOTE * _MOST_NOTES)
    except (OSError, UnicodeError) as error:
        raise Invalid("checkpoint", f"{path} cannot be read.") from error
    found = checkpoints.apart(text)
    if not found:
        raise Invalid("checkpoint", f"{path} holds no checkpoint.")
    return found


@contextmanager
def _progress() -> Iterator[verifying.Progress]:
    """Show a bar where a terminal is."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("Verifying", total=None)

        def told(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield told


def _told(verdict: Verdict, as_json: bool) -> dict[str, Any]:
    bad = verdict.faults[0] if verdict.faults else None
    told = {
        "intact": verdict.intact,
        "log": verdict.origin,
        "sealed": verdict.sealed,
        "expired": verdict.dropped,
        "not_sealed_yet": verdict.unsealed,
        "own_checkpoints": verdict.checkpoints,
        "kept_checkpoints": verdict.kept,
    }
    if as_json:
        faults = [asdict(fault) for fault in verdict.faults]
        return {**told, "first_bad": asdict(bad) if bad else None, "faults": faults}
    return {**told, "first_bad_entry": _sentence(bad)} if bad else told


def _sentence(fault: Fault) -> str:
    where = f"position {fault.position}: " if fault.position is not None else ""
    which = f" ({fault.entry_id})" if fault.entry_id else ""
    return f"{where}{fault.said}{which}"


def _key(text: str) -> NoteKey:
    try:
        return NoteKey.parse(text)
    except BadNote as error:
        raise Invalid("key", str(error)) from error


def _seconds(moment: datetime | None) -> int | None:
    return int(moment.replace(tzinfo=UTC).timestamp()) if moment else None


def _whole(line: Line) -> dict[str, Any]:
    return {**asdict(line), "at": _at(line)}


def _short(line: Line) -> dict[str, Any]:
    return {
        "at": _at(line)[:19].replace("T", " "),
        "event": line.event,
        "outcome": "refused" if line.refused else "done",
        "by": line.by or line.actor,
        "person": line.person or line.account_id,
        "client": line.client_id,
        "address": line.address,
        "id": line.id,
    }


def _at(line: Line) -> str:
    moment = datetime.fromtimestamp(line.at_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
