"""`idp keys`: the keys that sign tokens, those that others encrypt to, and the key that seals
secrets.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from idp.cli.context import emit, json_option, operator, origin, services
from idp.crypto.keyfiles import new_key_text
from idp.domain.key_schedule import KeyInfo, Step
from idp.domain.rewrap import Rewrap

dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would happen; change nothing."
)
emergency_option = click.option(
    "--emergency",
    is_flag=True,
    help="The key is in the wrong hands: trust it no more, from now on. Its tokens die with it.",
)


@click.group("keys")
def keys() -> None:
    """Signing and decryption keys, and the key-encryption key."""


@keys.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """List the keys that sign (sig) and those that others encrypt to (enc).

    The date (UTC) is when a next key may follow, since when an active key is at work, until when
    tokens of a retiring key live, or come, and since when other keys are of no use. --json has all
    dates.
    """
    shown = _all_dates if as_json else _one_date
    emit([shown(key) for key in services().keyring.list()], as_json)


@keys.command()
@click.option("--algorithm", metavar="ALG", help="Only keys of this algorithm, such as ES256.")
@emergency_option
@dry_run_option
@json_option
def rotate(algorithm: str | None, emergency: bool, dry_run: bool, as_json: bool) -> None:
    """Let the next key sign or decrypt, and make another one to follow it.

    Without --emergency it is refused while verifiers may not know the next key yet.
    """
    steps = services().keyring.rotate(
        algorithm, emergency=emergency, dry_run=dry_run, origin=origin(), actor=operator()
    )
    emit(_told(steps, dry_run), as_json)


@keys.command(context_settings={"ignore_unknown_options": True})  # an id may begin with a dash
@click.argument("kid")
@emergency_option
@dry_run_option
@json_option
def retire(kid: str, emergency: bool, dry_run: bool, as_json: bool) -> None:
    """Take the key KID out of use; where it signs, the next one takes over."""
    steps = services().keyring.retire(
        kid, emergency=emergency, dry_run=dry_run, origin=origin(), actor=operator()
    )
    emit(_told(steps, dry_run), as_json)


@keys.command()
@dry_run_option
@json_option
def rewrap(dry_run: bool, as_json: bool) -> None:
    """Seal every secret in the database under the present key-encryption key.

    The one before stays open meanwhile, as IDP_PREVIOUS_KEY_ENCRYPTION_KEY or as the file
    previous-key-encryption-key in the keys folder.
    """
    parts = services()
    task = Rewrap(parts.store, parts.sealer, parts.audit)
    counts = task.waiting() if dry_run else task.run(origin(), operator())
    emit({"dry_run": dry_run, **counts}, as_json)


@keys.command()
@json_option
def generate(as_json: bool) -> None:
    """Print a new key-encryption key for IDP_KEY_ENCRYPTION_KEY. Nothing is changed."""
    text = new_key_text()
    if as_json:
        emit({"key_encryption_key": text}, as_json)
    else:
        click.echo(text)


def _one_date(key: KeyInfo) -> dict[str, Any]:
    dates = {"next": key.usable_from, "active": key.activated_at, "retiring": key.keep_until}
    date = _date(dates.get(key.state, key.archived_at))
    short = (date or "").replace("T", " ")[:16]
    return {
        "kid": key.kid,
        "use": key.use,
        "alg": key.algorithm,
        "state": key.state,
        "date": short,
    }


def _all_dates(key: KeyInfo) -> dict[str, Any]:
    return {
        "kid": key.kid,
        "use": key.use,
        "algorithm": key.algorithm,
        "state": key.state,
        "published": _date(key.created_at),
        "may_sign_from": _date(key.usable_from),
        "signs_since": _date(key.activated_at),
        "signed_until": _date(key.retired_at),
        "needed_until": _date(key.keep_until),
        "unpublished": _date(key.archived_at),
    }


def _told(steps: Sequence[Step], dry_run: bool) -> list[dict[str, Any]]:
    """What was done to which key; a new key has no id before it is made."""
    return [
        {
            "key": step.deed,
            "algorithm": step.algorithm,
            "kid": step.kid,
            "dry_run": dry_run,
        }
        for step in steps
    ]


def _date(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
