"""Backups of the embedded database. The key-encryption key is never in them.

Whoever finds a backup can open no secret in it; whoever loses the key can't either. So the two are
kept apart, and both are kept.
"""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from idp.config import Settings
from idp.crypto.sealing import Sealer
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.clock import Clock
from idp.domain.errors import AlreadyExists, DomainError, Invalid
from idp.domain.installation import CHECK, FILE, given_keys, key_id, opens
from idp.store import backup as copies
from idp.store import installation as facts
from idp.store import schema
from idp.store.database import Store

MANIFEST_SUFFIX = ".json"
_FORMAT = 1


class NotEmpty(DomainError):
    """The database in use holds people or clients."""


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself, in a file beside it. `key` names the key-encryption key."""

    format: int
    made_at: str
    schema_revision: str
    key: str
    sha256: str
    bytes: int


class Backup:
    """Creates and restores backups of one database."""

    def __init__(self, store: Store, settings: Settings, audit: Audit, clock: Clock) -> None:
        self._store = store
        self._settings = settings
        self._audit = audit
        self._clock = clock

    def create(self, path: Path, origin: Origin, actor: str) -> Manifest:
        """Write a backup to `path` and its manifest beside it. Raises Invalid, AlreadyExists."""
        self.refuse_creation(path)
        _create_private(path)
        try:
            with self._store.reading() as connection:
                copies.copy_to(connection, path)
                check = facts.find(connection, CHECK) or b""
            manifest = Manifest(
                format=_FORMAT,
                made_at=datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds"),
                schema_revision=copies.revision_of(path) or "",
                key=key_id(check),
                sha256=_digest(path, settle=True),
                bytes=path.stat().st_size,
            )
            _write_manifest(_manifest_of(path), manifest)
        except BaseException:
            path.unlink()
            raise
        self._record("backup.created", manifest, origin, actor)
        return manifest

    def refuse_creation(self, path: Path) -> None:
        """Raise what `create` would raise before it writes: Invalid, AlreadyExists."""
        self._refuse_server()
        for file in (path, _manifest_of(path)):
            if file.exists():
                raise AlreadyExists(f"{file} exists already.")
        if not os.access(path.absolute().parent, os.W_OK):
            raise Invalid("path", f"{path} cannot be written.")

    def inspect(self, path: Path, *, force: bool = False) -> Manifest:
        """Return the manifest of a backup that could be restored now.

        Raises Invalid when it is damaged, of a newer program, or under another key-encryption key,
        and NotEmpty unless `force`.
        """
        self._refuse_server()
        manifest = _read_manifest(path)
        if _digest(path) != manifest.sha256:
            raise Invalid("path", f"{path} is not what its manifest describes: it was changed.")
        if (copies.revision_of(path) or "") > (schema.newest_revision() or ""):
            raise Invalid("path", f"{path} was made by a newer version of this program.")
        self._refuse_foreign_key(path)
        with self._store.reading() as connection:
            if not force and not copies.is_empty(connection):
                raise NotEmpty("The database in use is not empty; --force replaces all of it.")
        return manifest

    def restore(
        self,
        path: Path,
        origin: Origin,
        actor: str,
        *,
        force: bool = False,
        keep_keys: bool = False,
    ) -> Manifest:
        """Replace the database by a backup. Everybody has to sign in again.

        Sessions, authorizations and codes end, because some may have been ended after the backup
        was made. So do signing keys, which may have been withdrawn because they leaked; fresh ones
        sign from the next start on, unless `keep_keys`. Raises what `inspect` raises.
        """
        manifest = self.inspect(path, force=force)
        folder = Path(tempfile.mkdtemp(dir=self._settings.data_dir, prefix=".restore-"))
        try:
            copy = folder / "copy"
            shutil.copyfile(path, copy)
            copies.close_everything(copy, int(self._clock()), keep_keys=keep_keys)
            with self._store.reading() as connection:
                copies.copy_from(connection, copy)
        finally:
            shutil.rmtree(folder)
        schema.upgrade(self._store)
        self._record("backup.restored", manifest, origin, actor, keys_kept=keep_keys)
        return manifest

    def _refuse_server(self) -> None:
        if not self._store.embedded:
            raise Invalid(
                "database",
                "This command is for the embedded database; back PostgreSQL up with its own tools.",
            )

    def _refuse_foreign_key(self, path: Path) -> None:
        check = copies.fact_in(path, CHECK)
        if check is None:
            raise Invalid("path", f"{path} holds no installation of this program.")
        keys = given_keys(self._settings)
        if not keys or not opens(Sealer(keys), check):
            raise Invalid(
                "key",
                f"{path} needs the key-encryption key {key_id(check)}, which is not here: put the "
                f"saved key into {self._settings.keys_dir / FILE} or IDP_KEY_ENCRYPTION_KEY first.",
            )

    def _record(
        self, event: str, manifest: Manifest, origin: Origin, actor: str, **more: bool
    ) -> None:
        detail = {"made_at": manifest.made_at, "sha256": manifest.sha256, **more}
        with self._store.writing() as connection:
            self._audit.record(connection, origin, Entry(event, actor, detail=detail))


def _manifest_of(path: Path) -> Path:
    return path.with_name(path.name + MANIFEST_SUFFIX)


def _create_private(path: Path) -> None:
    """Make an empty file that only its owner may read, unless there is one."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as error:
        raise AlreadyExists(f"{path} exists already.") from error
    except OSError as error:
        raise Invalid("path", f"{path} cannot be written: {error.strerror}.") from error


def _digest(path: Path, *, settle: bool = False) -> str:
    """Return the SHA-256 of a file in hexadecimal; `settle` waits until it is on disk."""
    try:
        with path.open("rb") as file:
            if settle:
                os.fsync(file.fileno())
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Invalid("path", f"{path} cannot be read: {error.strerror}.") from error


def _write_manifest(path: Path, manifest: Manifest) -> None:
    _create_private(path)
    path.write_text(json.dumps(asdict(manifest), indent=2) + "\n", "utf-8")


def _read_manifest(path: Path) -> Manifest:
    beside = _manifest_of(path)
    try:
        found: dict[str, Any] = json.loads(beside.read_text("utf-8"))
        manifest = Manifest(**found)
    except OSError as error:
        raise Invalid("path", f"{beside} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError) as error:
        raise Invalid("path", f"{beside} is not the manifest of a backup.") from error
    if manifest.format != _FORMAT:
        raise Invalid("path", f"{beside} has a format that this version does not know.")
    return manifest
