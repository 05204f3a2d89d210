"""`idp audit verify`: whether the log is what was sealed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from idp.cli.audit_files import CHANGED, FILE, key_of, notes_in
from idp.cli.context import emit, json_option, services
from idp.domain.audit_log import verification as verifying
from idp.domain.audit_log.verification import Fault, Verdict


@click.command()
@click.option(
    "--checkpoint",
    "kept",
    type=FILE,
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
    foreign = [key_of(text) for text in keys]
    with _progress() as progress:
        verdict = task.run(progress, notes, foreign)
    emit(_told(verdict, as_json), as_json)
    if not verdict.intact:
        sys.exit(CHANGED)


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
