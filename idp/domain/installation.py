"""The key-encryption key and the database it belongs to.

The database holds a check value sealed under the key, so that a lost or foreign key is noticed at
start, and not when the first secret does not open.
"""

from pathlib import Path

from pydantic import SecretStr

from idp.config import ConfigurationError, Settings
from idp.crypto import keyfiles
from idp.crypto.sealing import SealBroken, Sealer
from idp.store import installation as facts
from idp.store.database import Store
from idp.store.errors import Conflict

FILE = "key-encryption-key"
PREVIOUS_FILE = "previous-key-encryption-key"
CHECK = "key-encryption-key"
"""The name of the check value, and what it is sealed for."""
PLACE = f"installation:{CHECK}"
_KNOWN = b"doorward"


def open_sealer(store: Store, settings: Settings) -> Sealer:
    """Return the sealer of this database.

    The key comes from the settings, else from the keys folder. It is made only for an embedded
    database that never had one. Raises ConfigurationError when it is missing, badly kept, or not
    the one of this database.
    """
    with store.reading() as connection:
        check = facts.find(connection, CHECK)
    try:
        keys = given_keys(settings)
        if not keys and check is None and store.embedded:
            keys = [keyfiles.create_key(settings.keys_dir / FILE)]
    except keyfiles.KeyUnusable as error:
        raise ConfigurationError([str(error)]) from error
    if not keys:
        raise ConfigurationError([_missing(settings, used=check is not None)])
    sealer = Sealer(keys)
    if check is None:
        check = _write_check(store, sealer)
    if not opens(sealer, check):
        raise ConfigurationError([foreign_key(settings, check)])
    return sealer


def given_keys(settings: Settings) -> list[bytes]:
    """Return the present key, and the previous one while there is one; nothing without the present.

    Raises KeyUnusable.
    """
    present = _given(settings, settings.key_encryption_key, "IDP_KEY_ENCRYPTION_KEY", FILE)
    previous = _given(
        settings,
        settings.previous_key_encryption_key,
        "IDP_PREVIOUS_KEY_ENCRYPTION_KEY",
        PREVIOUS_FILE,
    )
    return [key for key in (present, previous) if key] if present else []


def _given(settings: Settings, secret: SecretStr, name: str, file: str) -> bytes | None:
    text, path = secret.get_secret_value(), settings.keys_dir / file
    if text:
        return keyfiles.parse_key(text, name)
    return keyfiles.find_key(path)


def opens(sealer: Sealer, check: bytes) -> bool:
    """Tell whether the check value of a database was sealed under one of these keys."""
    try:
        return sealer.unseal(check, PLACE) == _KNOWN
    except SealBroken:
        return False


def new_check(sealer: Sealer) -> bytes:
    """Return a check value under the present key."""
    return sealer.seal(_KNOWN, PLACE)


def key_id(check: bytes) -> str:
    """Return the eight characters by which people tell keys apart; they say nothing of the key."""
    return bytes(check[1:5]).hex()


def foreign_key(settings: Settings, check: bytes) -> str:
    """Say that the key that is here is not the one of the database with that check value."""
    return (
        f"The key-encryption key from {_source(settings)} is not the one of this database "
        f"({key_id(check)}): give that one back, or set the one before as "
        "IDP_PREVIOUS_KEY_ENCRYPTION_KEY until `idp keys rewrap` is done."
    )


def _write_check(store: Store, sealer: Sealer) -> bytes:
    check = new_check(sealer)
    try:
        with store.writing() as connection:
            facts.add(connection, CHECK, check)
    except Conflict:  # another process was first
        with store.reading() as connection:
            return facts.find(connection, CHECK) or check
    return check


def _missing(settings: Settings, *, used: bool) -> str:
    path = settings.keys_dir / FILE
    if used:
        return (
            f"The key-encryption key of this database is missing: restore {path} or set "
            "IDP_KEY_ENCRYPTION_KEY; without it no secret in the database can be opened."
        )
    return (
        "IDP_KEY_ENCRYPTION_KEY: not set. Nodes that share a database share its key-encryption "
        f"key: make one with `idp keys generate`, and set it or put it into {path} on every node."
    )


def _source(settings: Settings) -> Path | str:
    given = settings.key_encryption_key.get_secret_value()
    return "IDP_KEY_ENCRYPTION_KEY" if given else settings.keys_dir / FILE
