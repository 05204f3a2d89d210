"""`idp audit checkpoint`, `prove` and `check`: what is kept or checked elsewhere."""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import click

from idp.cli.audit_files import CHANGED, FILE, key_of, notes_in
from idp.cli.context import emit, json_option, operator, origin, plain, services
from idp.crypto.notes import LARGEST_NOTE
from idp.domain.audit_log import checkpoints, proof_texts
from idp.domain.audit_log.leaves import FORMAT
from idp.domain.audit_log.proof_texts import BadProof, Proved
from idp.domain.errors import Invalid


@click.command()
@click.option(
    "--rotate-key",
    is_flag=True,
    help="Let a new key sign; this checkpoint is signed by the former one too.",
)
@json_option
def checkpoint(rotate_key: bool, as_json: bool) -> None:
    """Seal what waits, and print the signed checkpoint (C2SP tlog-checkpoint) of the log.

    Keep it where who runs this server can't change it, and the key beside it: `idp audit verify
    --checkpoint` shows whether the log is still the one that it was then.
    """
    log = services().audit_log
    log.sealer.seal_now()
    if rotate_key:
        log.key_rotation.rotate(origin(), operator())
    newest = log.proofs.newest()
    if as_json:
        keys = [key.text for key in newest.keys]
        root = base64.b64encode(checkpoints.unverified(newest.note).root).decode()
        told = {"log": newest.origin, "size": newest.size, "root": root, "keys": keys}
        emit({**told, "checkpoint": newest.note}, as_json)
        return
    click.echo(newest.note, nl=False)
    click.echo(f"The key that signs is {newest.keys[-1].text}", err=True)


@click.command()
@click.argument("entry", required=False)
@click.option("--since", type=FILE, help="Prove instead that the log goes on from the checkpoint.")
@json_option
def prove(entry: str | None, since: Path | None, as_json: bool) -> None:
    """Print a proof that ENTRY, an id or a position, is in the log (C2SP tlog-proof).

    Who has the log's key checks it with `idp audit check`, without this server.
    """
    if (entry is None) == (since is None):
        raise click.UsageError("One thing is proved at a time: an entry, or --since a checkpoint.")
    proofs = services().audit_log.proofs
    text = proofs.inclusion(entry) if entry else proofs.consistency(_note(since))
    if as_json:
        emit({"proof": text}, as_json)
    else:
        click.echo(text, nl=False)


@click.command()
@click.argument("proof", type=FILE)
@click.option(
    "--key", "keys", multiple=True, required=True, help="Key of the log, name+id+key; repeatable."
)
@click.option("--checkpoint", "since", type=FILE, help="The checkpoint that it begins with.")
@json_option
def check(proof: Path, keys: tuple[str, ...], since: Path | None, as_json: bool) -> None:
    """Check the PROOF of a log, which need not be this server's. Exit code 3: it proves nothing."""
    try:
        with click.open_file(str(proof), encoding="utf-8") as file:
            text = file.read(LARGEST_NOTE)
    except (OSError, UnicodeError) as error:
        raise Invalid("proof", f"{proof} cannot be read.") from error
    trusted = [key_of(each) for each in keys]
    try:
        proved = proof_texts.check(text, trusted, old=_note(since) if since else None)
    except BadProof as error:
        click.echo(plain(str(error)), err=True)
        sys.exit(CHANGED)
    emit(_told(proved, as_json), as_json)


def _note(path: Path | None) -> str:
    """Return the last checkpoint of a file."""
    return notes_in(path)[-1] if path else ""


def _told(proved: Proved, as_json: bool) -> dict[str, Any]:
    point = proved.checkpoint
    told: dict[str, Any] = {"proved": True, "log": point.origin, "size": point.size}
    if proved.old is not None:
        return {**told, "goes_on_from": proved.old}
    entry = _entry(proved.content)
    shown = {"entry": entry} if as_json else entry
    return {**told, "position": proved.position, **shown}


def _entry(content: bytes) -> dict[str, Any]:
    """Read what is proved to be in the log; the format is the first line."""
    try:
        entry = json.loads(content.removeprefix(FORMAT))
    except ValueError:
        entry = None
    return entry if isinstance(entry, dict) else {"bytes": base64.b64encode(content).decode()}
