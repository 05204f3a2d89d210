"""Authenticator apps: time-based one-time passwords (RFC 6238), each code once.

Between the QR code and its confirmation the seed is a use-once value, so that nothing is enrolled
that its person can't use.
"""

import re
from dataclasses import dataclass, field

from idp.crypto.sealing import SealBroken, Sealer
from idp.crypto.secrets import random_token, uuid7
from idp.crypto.totp import matching_step, new_seed, provisioning_uri
from idp.domain.accounts import Account
from idp.domain.audit import By, Origin
from idp.domain.clock import Clock
from idp.domain.credentials.changes import CredentialChanges
from idp.domain.errors import Invalid, NotFound
from idp.domain.one_time import OneTimeValues
from idp.domain.texts import marked
from idp.store import accounts, authenticators
from idp.store.database import Connection, RowMapping, Store

FACTOR = "authenticator"
USUAL_NAME = marked("Authenticator app")
"""It is said in the reader's language, as long as nobody gives another."""
LONGEST_NAME = 60
"""Characters."""
MOST = 5
"""Authenticators of one account."""
PENDING_SECONDS = 600
_KIND = "authenticator_enrolment"
_ID = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True)
class Authenticator:
    """An app that makes codes for a person. Times are seconds since 1970."""

    id: str
    name: str
    created_at: int
    last_used_at: int | None


@dataclass(frozen=True)
class Enrolment:
    """An authenticator that waits for its first code. `secret` is base32, `uri` for a QR code."""

    handle: str = field(repr=False)
    secret: str = field(repr=False)
    uri: str = field(repr=False)


class Authenticators:
    """Enrols, proves, renames and removes. `issuer_name` is what apps show beside the code."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        one_time: OneTimeValues,
        changes: CredentialChanges,
        clock: Clock,
        issuer_name: str,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._one_time = one_time
        self._changes = changes
        self._clock = clock
        self._issuer_name = issuer_name

    def of(self, account_id: str) -> list[Authenticator]:
        """Return a person's authenticators, oldest first."""
        with self._store.reading() as connection:
            return [_from_row(row) for row in authenticators.of(connection, account_id)]

    def begin(self, account: Account, binding: bytes, _origin: Origin) -> Enrolment:
        """Make a seed for the browser `binding` to confirm in 600 seconds. Raises Invalid when
        there are enough.
        """
        handle, seed = random_token(), new_seed()
        payload = {"account_id": account.id, "seed": seed}
        with self._store.writing() as connection:
            _check_room(connection, account.id)
            self._one_time.put(
                connection, _KIND, handle, payload, PENDING_SECONDS, binding=binding, tombstone=0
            )
        return self._enrolment(handle, account, seed)

    def pending(self, handle: str, account: Account, binding: bytes) -> Enrolment | None:
        """Return the same enrolment again; None when it is over, or another browser's or
        person's.
        """
        with self._store.reading() as connection:
            seed = self._pending_seed(connection, handle, account, binding)
        return None if seed is None else self._enrolment(handle, account, seed)

    def enrol(
        self,
        connection: Connection,
        account: Account,
        handle: str,
        code: str,
        name: str,
        binding: bytes,
        by: By,
    ) -> Authenticator | None:
        """Finish an enrolment with a first code, in the caller's transaction.

        None for a wrong code, which leaves it as it was, and for what `pending` does not return.
        Raises Invalid for a bad name and when there are enough.
        """
        name = _checked(name.strip() or USUAL_NAME)
        now = self._clock()
        seed = self._pending_seed(connection, handle, account, binding)
        step = None if seed is None else matching_step(seed, _typed(code), now)
        if seed is None or step is None:
            return None
        accounts.lock(connection, account.id)
        if self._one_time.take(connection, _KIND, handle) is None:
            return None
        _check_room(connection, account.id)
        authenticator_id = uuid7()
        row = {
            "id": authenticator_id,
            "account_id": account.id,
            "name": name,
            "sealed_seed": self._sealer.seal(seed.encode(), place(account.id, authenticator_id)),
            "last_step": step,
            "created_at": int(now),
            "last_used_at": None,
        }
        authenticators.add(connection, row)
        self._changes.added(connection, account, FACTOR, name, by)
        return Authenticator(authenticator_id, name, int(now), None)

    def prove(self, connection: Connection, account_id: str, code: str) -> str | None:
        """Use a code in the caller's transaction; return the id of the authenticator it is from.

        None for a wrong code, and for one of a time step that was used or passed over (RFC 6238
        section 5.2): of many at once one wins.
        """
        now = self._clock()
        for row in authenticators.usable(connection, account_id):
            step = self._step(row, _typed(code), now)
            if step is not None and authenticators.use(connection, row["id"], step, int(now)):
                return str(row["id"])
        return None

    def rename(self, account: Account, authenticator_id: str, name: str, by: By) -> None:
        """Give an authenticator another name. Raises Invalid, NotFound."""
        name = _checked(name.strip())
        _check_id(authenticator_id)
        with self._store.writing() as connection:
            if not authenticators.rename(connection, account.id, authenticator_id, name):
                raise _not_found()
            self._changes.renamed(connection, account, FACTOR, name, by)

    def remove(self, account: Account, authenticator_id: str, by: By) -> None:
        """Remove an authenticator, and shut out whoever got in with it. Raises NotFound."""
        _check_id(authenticator_id)
        with self._store.writing() as connection:
            accounts.lock(connection, account.id)
            name = authenticators.remove(connection, account.id, authenticator_id)
            if name is None:
                raise _not_found()
            self._changes.removed(connection, account, FACTOR, name, by)

    def _enrolment(self, handle: str, account: Account, seed: str) -> Enrolment:
        return Enrolment(handle, seed, provisioning_uri(seed, self._issuer_name, account.email))

    def _pending_seed(
        self, connection: Connection, handle: str, account: Account, binding: bytes
    ) -> str | None:
        found = self._one_time.find(connection, _KIND, handle)
        if found is None or found.used_at is not None or found.expires_at <= self._clock():
            return None
        if not found.is_for(binding) or found.payload["account_id"] != account.id:
            return None
        return str(found.payload["seed"])

    def _step(self, row: RowMapping, code: str, now: float) -> int | None:
        """Return the step of a code; a seed from another row is no seed (SECURITY case 113)."""
        try:
            seed = self._sealer.unseal(row["sealed_seed"], place(row["account_id"], row["id"]))
        except SealBroken:
            return None
        return matching_step(seed.decode(), code, now)


def place(account_id: str, authenticator_id: str) -> str:
    """Return the context under which a seed is sealed (SECURITY case 113)."""
    return f"authenticators:{account_id}:{authenticator_id}"


def _from_row(row: RowMapping) -> Authenticator:
    name = USUAL_NAME if row["name"] == USUAL_NAME else row["name"]
    return Authenticator(row["id"], name, row["created_at"], row["last_used_at"])


def _typed(code: str) -> str:
    """Return a code without the spaces that apps show in it."""
    return "".join(code.split())


def _checked(name: str) -> str:
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        said = marked("A name has 1 to %(most)s printable characters.", most=LONGEST_NAME)
        raise Invalid("name", said)
    return name


def _check_id(authenticator_id: str) -> None:
    if not _ID.fullmatch(authenticator_id):
        raise _not_found()


def _check_room(connection: Connection, account_id: str) -> None:
    if authenticators.number(connection, account_id) >= MOST:
        said = marked("An account has at most %(most)s authenticators.", most=MOST)
        raise Invalid("authenticators", said)


def _not_found() -> NotFound:
    return NotFound(marked("There is no such authenticator."))
