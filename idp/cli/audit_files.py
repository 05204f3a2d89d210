"""What the commands of `idp audit` read from files and options."""

from pathlib import Path

import click

from idp.crypto.notes import LARGEST_NOTE, BadNote, NoteKey
from idp.domain.audit_log import checkpoints
from idp.domain.errors import Invalid

CHANGED = 3
"""The exit code of a log that is not what was sealed, and of a proof that proves nothing."""
_MOST_NOTES = 10_000
FILE = click.Path(dir_okay=False, path_type=Path, allow_dash=True)


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


def key_of(text: str) -> NoteKey:
    """Return the key that an option names. Raises Invalid."""
    try:
        return NoteKey.parse(text)
    except BadNote as error:
        raise Invalid("key", str(error)) from error
