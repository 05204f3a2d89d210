"""`idp backup`: copies of the embedded database, without the key that opens its secrets."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from idp.cli.context import emit, json_option, operator, origin, services, settings
from idp.domain.audit import Audit
from idp.domain.backup import Backup, Manifest
from idp.domain.clock import system_clock
from idp.domain.installation import FILE
from idp.store.backup import open_alone

_PATH = click.Path(dir_okay=False, path_type=Path)
_KEYS_GO = (
    "The signing keys of the backup are not taken over: fresh ones sign from the next start on, "
    "and tokens that were issued before verify no more. APIs that keep the JWKS refuse new tokens "
    "until they fetch it again."
)
_dry_run = click.option("--dry-run", is_flag=True, help="Check everything; change nothing.")


@click.group()
def backup() -> None:
    """Back up and restore the embedded database."""


@backup.command()
@click.argument("path", type=_PATH)
@_dry_run
@json_option
def create(path: Path, dry_run: bool, as_json: bool) -> None:
    """Write a backup to PATH, and PATH.json beside it, while the server runs."""
    parts = services()
    task = Backup(parts.store, parts.settings, parts.audit, parts.clock)
    if dry_run:
        task.refuse_creation(path)
        emit({"path": str(path), "dry_run": True}, as_json)
        return
    manifest = task.create(path, origin(), operator())
    emit(_shown(path, manifest, dry_run), as_json)
    click.echo(_advice(manifest), err=True)


@backup.command()
@click.argument("path", type=_PATH)
@click.option("--force", is_flag=True, help="Replace a database that holds people or clients.")
@click.option(
    "--keep-keys",
    is_flag=True,
    help="Sign on with the keys of the backup; never if one of them was withdrawn since.",
)
@_dry_run
@json_option
def restore(path: Path, force: bool, keep_keys: bool, dry_run: bool, as_json: bool) -> None:
    """Replace the database by the backup at PATH. Stop the server first.

    Everybody has to sign in again, because what was ended after the backup must stay ended. Fresh
    keys sign from the next start on, because one of the old ones may have been withdrawn since.
    """
    store = open_alone(settings().sqlalchemy_url)
    click.get_current_context().call_on_close(store.close)
    task = Backup(store, settings(), Audit(store, system_clock), system_clock)
    if dry_run:
        manifest = task.inspect(path, force=force)
    else:
        manifest = task.restore(path, origin(), operator(), force=force, keep_keys=keep_keys)
    shown = _shown(path, manifest, dry_run)
    emit({**shown, "signing_keys": "kept" if keep_keys else "dropped"}, as_json)
    if not keep_keys:
        click.echo(_KEYS_GO, err=True)


def _shown(path: Path, manifest: Manifest, dry_run: bool) -> dict[str, Any]:
    return {"path": str(path), **asdict(manifest), "dry_run": dry_run}


def _advice(manifest: Manifest) -> str:
    if settings().key_encryption_key.get_secret_value():
        key = "IDP_KEY_ENCRYPTION_KEY"
    else:
        key = str(settings().keys_dir / FILE)
    return (
        f"The key-encryption key {manifest.key} is not in the backup. Keep {key} too, somewhere "
        "else: without it nobody can open the secrets in this backup."
    )
