"""Changing an account's address: the new one is proven first, by a link or a code mailed to it.

Both are good once, for the person who asked, until something else was asked for. The code is typed
where it was asked for; five wrong ones end it. Whoever got in by the mail of the address before is
shut out.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from idp.config import Settings
from idp.crypto.secrets import digest, random_token, same
from idp.domain.accounts import Account, Accounts, checked_email, email_key
from idp.domain.audit import Audit, By, Entry
from idp.domain.clock import Clock
from idp.domain.credentials.changes import CredentialChanges
from idp.domain.errors import AlreadyExists, Invalid, NotFound, Refused
from idp.domain.one_time import OneTimeValues
from idp.domain.outbox import Outbox
from idp.domain.texts import marked
from idp.domain.throttling import Throttle
from idp.store import accounts as rows
from idp.store.database import Connection, Store
from idp.store.errors import Conflict

LIFETIME = 600
TRIES = 5
_LINK = "new address"
_CODE = "code for a new address"
_GONE = marked("This link does not work any more. Ask for another one.")
_TAKEN = marked("This address can’t be used here.")


@dataclass(frozen=True)
class Asked:
    """An address that waits for its proof. `left`: how many codes may be typed still."""

    email: str
    left: int


class Addresses:
    """Asks for a proof, and takes it."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        one_time: OneTimeValues,
        changes: CredentialChanges,
        outbox: Outbox,
        throttle: Throttle,
        audit: Audit,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._one_time = one_time
        self._changes = changes
        self._outbox = outbox
        self._throttle = throttle
        self._audit = audit
        self._clock = clock
        self._issuer = settings.issuer

    def ask(self, account: Account, email: str, by: By) -> str:
        """Mail link and code to a new address, or to the account's own that was never proven.

        Return the handle of the page where the code is typed; what was asked for before ends. An
        address that somebody else has gets no mail, which looks the same. Raises Invalid,
        Throttled.
        """
        email = checked_email(email)
        if email_key(email) == email_key(account.email) and account.email_verified:
            raise Invalid("email", marked("That is your address already."))
        names = (f"new address of {account.id}", f"address {email_key(email)}")
        self._throttle.count_mail(names, by.origin.address)
        handle, token = random_token(), random_token()
        code = f"{secrets.randbelow(1_000_000):06}"
        shared = {"account_id": account.id, "email": email}
        with self._store.writing() as connection:
            self._end_earlier(connection, account.id)
            binding = _binding(account.id)
            self._one_time.put(connection, _LINK, token, shared, LIFETIME, binding=binding)
            typed = {**shared, "token": token, "code": code, "tries": 0}
            self._one_time.put(connection, _CODE, handle, typed, LIFETIME, binding=binding)
            if not self._taken(connection, account, email):
                self._mail(connection, account, email, token, code)
            entry = Entry("address.asked", by.actor, account.id)
            self._audit.record(connection, by.origin, entry)
        return handle

    def _end_earlier(self, connection: Connection, account_id: str) -> None:
        for kind in (_LINK, _CODE):
            self._one_time.take_bound(connection, kind, _binding(account_id))

    def _taken(self, connection: Connection, account: Account, email: str) -> bool:
        row = rows.find(connection, email_key(email))
        return row is not None and row["id"] != account.id

    def _mail(
        self, connection: Connection, account: Account, email: str, token: str, code: str
    ) -> None:
        values = {
            "new_email": email,
            "link": f"{self._issuer}/account/email/link/{token}",
            "code": code,
            "minutes": LIFETIME // 60,
        }
        self._outbox.put(
            connection,
            "prove_address",
            email,
            values,
            account_id=account.id,
            language=account.language,
            lifetime=LIFETIME,
        )

    def asked(self, account_id: str, handle: str) -> Asked:
        """Return what waits for a code. Raises NotFound when it is over, or somebody else's."""
        with self._store.reading() as connection:
            payload = self._live(connection, _CODE, handle, account_id)
        return Asked(payload["email"], TRIES - int(payload["tries"]))

    def linked(self, account_id: str, token: str) -> str:
        """Return the address that a link proves; looking does not use it. Raises NotFound."""
        with self._store.reading() as connection:
            return str(self._live(connection, _LINK, token, account_id)["email"])

    def prove_by_code(self, account: Account, handle: str, typed: str, by: By) -> Account:
        """Take the code. Raises NotFound, Refused for a wrong one, AlreadyExists."""
        with self._store.writing() as connection:
            payload = self._live(connection, _CODE, handle, account.id, lock=True)
            right = same("".join(typed.split()).encode(), str(payload["code"]).encode())
            tries = int(payload["tries"]) + 1
            if not right:
                self._count(connection, handle, payload, tries)
        if not right:
            detail = {"because": "wrong code"}
            entry = Entry("address.changed", by.actor, account.id, detail=detail)
            self._audit.refuse(by.origin, entry)
            raise Refused("wrong code")
        return self.prove_by_link(account, payload["token"], by)

    def _count(
        self, connection: Connection, handle: str, payload: dict[str, Any], tries: int
    ) -> None:
        self._one_time.rewrite(connection, _CODE, handle, {**payload, "tries": tries})
        if tries >= TRIES:
            self._end_earlier(connection, str(payload["account_id"]))

    def prove_by_link(self, account: Account, token: str, by: By) -> Account:
        """Take the link: the address is the account's from now on. Raises NotFound,
        AlreadyExists.
        """
        try:
            with self._store.writing() as connection:
                return self._prove(connection, account, token, by)
        except Conflict as error:
            raise AlreadyExists(_TAKEN) from error

    def _prove(self, connection: Connection, account: Account, token: str, by: By) -> Account:
        rows.lock(connection, account.id)
        before = self._accounts.get_within(connection, account.id)
        self._live(connection, _LINK, token, account.id)
        payload = self._one_time.take(connection, _LINK, token)
        if payload is None:
            raise NotFound(_GONE)
        self._end_earlier(connection, account.id)
        email, now = str(payload["email"]), int(self._clock())
        changes = {
            "email": email,
            "email_key": email_key(email),
            "email_verified": True,
            "updated_at": now,
        }
        rows.change(connection, account.id, changes)
        entry = Entry("address.changed", by.actor, account.id)
        self._audit.record(connection, by.origin, entry)
        if email != before.email:
            self._changes.shut_out(connection, before, "address changed", by)
            self._tell(connection, before, email, now)
        return self._accounts.get_within(connection, account.id)

    def _tell(self, connection: Connection, before: Account, email: str, now: int) -> None:
        values = {"at": now, "old": before.email, "new": email}
        for kind, to in (("address_changed_old", before.email), ("address_changed_new", email)):
            self._outbox.put(
                connection, kind, to, values, account_id=before.id, language=before.language
            )

    def _live(
        self,
        connection: Connection,
        kind: str,
        value: str,
        account_id: str,
        *,
        lock: bool = False,
    ) -> dict[str, Any]:
        found = self._one_time.find(connection, kind, value, lock=lock)
        if found is None or found.used_at is not None or found.expires_at <= self._clock():
            raise NotFound(_GONE)
        if found.payload["account_id"] != account_id:
            raise NotFound(_GONE)
        return found.payload


def _binding(account_id: str) -> bytes:
    """Return what ties everything that one person asked for together."""
    return digest("new address of", account_id)
