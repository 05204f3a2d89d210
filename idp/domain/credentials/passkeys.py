"""Passkeys (W3C Web Authentication Level 3): made, used, renamed and removed.

A challenge works once, for one browser, one ceremony and at most one account (SECURITY case 100).
What costs a signature is checked outside of any transaction; then one short call takes the
challenge and writes, in the caller's transaction.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from idp.config import Settings
from idp.crypto import webauthn
from idp.crypto.secrets import random_token, uuid7
from idp.crypto.webauthn_answers import BadPasskey, read_assertion, read_creation
from idp.domain.accounts import Account
from idp.domain.audit import By
from idp.domain.clock import Clock
from idp.domain.credentials.changes import CredentialChanges
from idp.domain.credentials.last_way import keep_a_way_in
from idp.domain.credentials.passkey_providers import Provider, provider_of
from idp.domain.errors import Invalid, NotFound, Refused
from idp.domain.one_time import OneTimeValues
from idp.domain.texts import marked
from idp.store import accounts
from idp.store import passkeys as rows
from idp.store.database import Connection, RowMapping, Store
from idp.store.errors import Conflict

LIFETIME = 300
"""Seconds between the options and the answer."""
MOST = 20
"""Passkeys of one account."""
USUAL_NAME = marked("Passkey")
"""It is said in the reader's language, as long as nobody gives another."""
LONGEST_NAME = 60
_CREATION = "passkey creation"
_USE = "passkey use"
_FACTOR = "passkey"


@dataclass(frozen=True)
class Passkey:
    """A person's passkey. Times are seconds since 1970. One that is `synced` may live on several
    devices, and is `backed_up` when its provider said so at the last use.
    """

    id: str
    name: str
    aaguid: str
    provider: Provider
    synced: bool
    backed_up: bool
    created_at: int
    last_used_at: int | None
    transports: tuple[str, ...]


@dataclass(frozen=True)
class NewPasskey:
    """A passkey that was verified and may be added to the account it was made for. `silent`: nobody
    was asked.
    """

    account_id: str
    challenge: str
    created: webauthn.Created
    silent: bool

    @property
    def suggested_name(self) -> str:
        """What to call it where its owner has no better idea."""
        return provider_of(self.created.aaguid).name or USUAL_NAME


@dataclass(frozen=True)
class ProvenPasskey:
    """A verified use of a passkey, which counts once `Passkeys.use` took its challenge."""

    account_id: str
    passkey_id: str
    synced: bool
    new_count: int
    backed_up: bool
    challenge: str


class UnknownPasskey(Refused):
    """Nobody has this passkey (any more): the browser may be told to forget it."""


class Passkeys:
    """Knows everybody's passkeys.

    Options write a challenge: whoever hands them to outsiders throttles first.
    """

    def __init__(
        self,
        store: Store,
        one_time: OneTimeValues,
        changes: CredentialChanges,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._store = store
        self._one_time = one_time
        self._changes = changes
        self._clock = clock
        host = urlsplit(settings.issuer).hostname or ""
        origins = (settings.issuer, *settings.related_origins)
        self._party = webauthn.RelyingParty(host, settings.product, origins)

    def of(self, account_id: str) -> list[Passkey]:
        """Return a person's passkeys, oldest first."""
        with self._store.reading() as connection:
            return [_from_row(row) for row in rows.of(connection, account_id)]

    def creation_options(self, account: Account, binding: bytes, *, silent: bool = False) -> str:
        """Return the JSON for `PublicKeyCredential.parseCreationOptionsFromJSON`.

        `silent`: for the upgrade by conditional mediation right after another sign-in, in which
        nobody is asked anything; each use of such a passkey still verifies its person.
        """
        challenge = random_token()
        payload = {"account_id": account.id, "challenge": challenge, "silent": silent}
        known = self._put(_CREATION, challenge, payload, binding, account)
        name = account.email
        person = webauthn.Person(_handle(account.subject), name, account.name or name)
        return webauthn.creation_options(
            self._party, person, challenge, known, LIFETIME, silent=silent
        )

    def request_options(self, binding: bytes, account: Account | None) -> str:
        """Return the JSON for `PublicKeyCredential.parseRequestOptionsFromJSON`.

        Without an account the browser offers whatever passkeys it has for this server.
        """
        challenge = random_token()
        payload = {"account_id": account and account.id, "challenge": challenge}
        known = self._put(_USE, challenge, payload, binding, account)
        return webauthn.request_options(self._party, challenge, known, LIFETIME)

    def _put(
        self,
        kind: str,
        challenge: str,
        payload: dict[str, Any],
        binding: bytes,
        account: Account | None,
    ) -> list[webauthn.Credential]:
        """Store a challenge; return the passkeys of the account it is for."""
        with self._store.writing() as connection:
            self._one_time.put(
                connection, kind, challenge, payload, LIFETIME, binding=binding, tombstone=0
            )
            found = rows.of(connection, account.id) if account else []
        return [
            webauthn.Credential(row["credential_id"], tuple(row["transports"])) for row in found
        ]

    def _challenged(
        self, kind: str, challenge: str, binding: bytes, account: Account | None
    ) -> dict[str, Any]:
        """Return what a live challenge of this ceremony, browser and account is for. Raises
        Refused.
        """
        with self._store.reading() as connection:
            found = self._one_time.find(connection, kind, challenge)
        if found is None:
            raise Refused("unknown challenge")
        if not found.is_for(binding):
            raise Refused("challenge of another browser")
        if found.used_at is not None:
            raise Refused("challenge used before")
        if found.expires_at <= self._clock():
            raise Refused("challenge expired")
        if found.payload["account_id"] != (account.id if account else None):
            raise Refused("challenge for another account")
        return found.payload

    def check_creation(self, account: Account, binding: bytes, response_json: str) -> NewPasskey:
        """Verify a browser's answer to `creation_options`, outside any transaction. Raises
        Refused.
        """
        try:
            creation = read_creation(response_json)
            challenged = self._challenged(_CREATION, creation.challenge, binding, account)
            silent = bool(challenged["silent"])
            created = webauthn.verify_creation(
                self._party, creation, creation.challenge, silent=silent
            )
        except BadPasskey as error:
            raise Refused(error.reason) from error
        return NewPasskey(account.id, creation.challenge, created, silent)

    def add(
        self, connection: Connection, account: Account, new: NewPasskey, name: str, by: By
    ) -> Passkey:
        """Add a verified passkey in the caller's transaction; an empty name is filled in.

        Raises Invalid for `passkey` (there already, one too many) and `name`, and Refused when the
        challenge was used meanwhile.
        """
        if new.account_id != account.id:
            raise Refused("passkey made for another account")
        name = _name(name or new.suggested_name)
        accounts.lock(connection, account.id)
        if self._one_time.take(connection, _CREATION, new.challenge) is None:
            raise Refused("challenge used before, or expired")
        if rows.count(connection, account.id) >= MOST:
            said = marked("An account has at most %(most)s passkeys. Remove one first.", most=MOST)
            raise Invalid("passkey", said)
        row = self._row(new, name)
        try:
            rows.add(connection, row)
        except Conflict as error:
            raise Invalid("passkey", marked("This passkey is already registered.")) from error
        self._changes.added(connection, account, _FACTOR, name, by)
        return _from_row(row)

    def _row(self, new: NewPasskey, name: str) -> dict[str, Any]:
        created = new.created
        return {
            "id": uuid7(),
            "account_id": new.account_id,
            "credential_id": created.credential_id,
            "public_key": created.public_key,
            "sign_count": created.sign_count,
            "aaguid": created.aaguid,
            "name": name,
            "transports": list(created.transports),
            "synced": created.synced,
            "backed_up": created.backed_up,
            "silent": new.silent,
            "created_at": int(self._clock()),
            "last_used_at": None,
        }

    def check(self, binding: bytes, response_json: str, account: Account | None) -> ProvenPasskey:
        """Verify a browser's answer to `request_options` for the same account or for none, outside
        any transaction. Raises Refused, and UnknownPasskey when nobody has that passkey.
        """
        try:
            assertion = read_assertion(response_json)
            challenge = assertion.challenge
            self._challenged(_USE, challenge, binding, account)
            row = self._owned(assertion.credential_id, assertion.user_handle, account)
            public_key = row["public_key"]
            asserted = webauthn.verify_assertion(self._party, assertion, challenge, public_key)
        except BadPasskey as error:
            raise Refused(error.reason) from error
        if asserted.synced != row["synced"]:
            raise Refused("may be backed up only now, or not any more")  # section 7.2 step 19
        return ProvenPasskey(
            row["account_id"],
            row["id"],
            asserted.synced,
            asserted.sign_count,
            asserted.backed_up,
            challenge,
        )

    def _owned(
        self, credential_id: bytes, user_handle: bytes | None, account: Account | None
    ) -> RowMapping:
        """Return the passkey if it is this account's and says so (section 7.2 step 6)."""
        with self._store.reading() as connection:
            row = rows.find(connection, credential_id)
        if row is None:
            raise UnknownPasskey("unknown passkey")
        if account and row["account_id"] != account.id:
            raise Refused("passkey of another account")
        if user_handle is None and account is None:
            raise Refused("no user handle")
        if user_handle not in (None, _handle(row["subject"])):
            raise Refused("user handle of another account")
        return row

    def use(self, connection: Connection, proven: ProvenPasskey) -> bool:
        """Let a verified use count, in the caller's transaction.

        False when its challenge was used meanwhile, when the passkey is gone, or when its sign
        count has not gone on: somebody may have a copy of it (section 7.2 step 22).
        """
        if self._one_time.take(connection, _USE, proven.challenge) is None:
            return False
        now = int(self._clock())
        values = {"backed_up": proven.backed_up, "silent": False, "last_used_at": now}
        return rows.use(connection, proven.passkey_id, proven.new_count, values)

    def rename(self, account: Account, passkey_id: str, name: str, by: By) -> None:
        """Give a passkey another name. Raises NotFound for anybody else's, Invalid."""
        name = _name(name)
        with self._store.writing() as connection:
            if not rows.rename(connection, account.id, passkey_id, name):
                raise NotFound(marked("There is no such passkey."))
            self._changes.renamed(connection, account, _FACTOR, name, by)

    def remove(self, account: Account, passkey_id: str, by: By) -> None:
        """Remove a passkey, and shut out whoever came in with it. Raises NotFound for anybody
        else's, LastWay.
        """
        with self._store.writing() as connection:
            accounts.lock(connection, account.id)
            name = rows.remove(connection, account.id, passkey_id)
            if name is None:
                raise NotFound(marked("There is no such passkey."))
            keep_a_way_in(connection, account, by)
            self._changes.removed(connection, account, _FACTOR, name, by)

    def signal(self, account: Account) -> dict[str, Any]:
        """Return what `PublicKeyCredential.signalAllAcceptedCredentials` takes (section 5.1.10)."""
        with self._store.reading() as connection:
            found = rows.of(connection, account.id)
        return {
            "rpId": self._party.id,
            "userId": webauthn.base64url(_handle(account.subject)),
            "allAcceptedCredentialIds": [webauthn.base64url(row["credential_id"]) for row in found],
        }


def _handle(subject: str) -> bytes:
    """Return the user handle of an account: random, and nothing that tells who it is."""
    return subject.encode()


def _name(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        said = marked("A name has 1 to %(most)s printable characters.", most=LONGEST_NAME)
        raise Invalid("name", said)
    return name


def _from_row(row: RowMapping) -> Passkey:
    return Passkey(
        id=row["id"],
        name=USUAL_NAME if row["name"] == USUAL_NAME else row["name"],
        aaguid=row["aaguid"],
        provider=provider_of(row["aaguid"]),
        synced=row["synced"],
        backed_up=row["backed_up"],
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
        transports=tuple(row["transports"]),
    )
