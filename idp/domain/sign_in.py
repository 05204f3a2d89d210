"""Checking what a person presents to prove who they are, one way after another."""

from idp.domain.accounts import Account, email_key, from_row
from idp.domain.credentials.passkeys import Passkeys, UnknownPasskey
from idp.domain.credentials.password import Passwords
from idp.domain.credentials.recovery_codes import FEW, RecoveryCodes
from idp.domain.credentials.totp import Authenticators
from idp.domain.devices import Devices
from idp.domain.errors import Refused
from idp.domain.outbox import Outbox
from idp.domain.proving import Check, Cookies, Proof, Proving, Visit
from idp.domain.sessions import binding_of
from idp.domain.throttling import Throttle
from idp.store import accounts as rows
from idp.store.database import Connection, Store


class SignIn:
    """Checks what a person presents.

    Every way returns the new cookies, or None while more is needed, and raises Refused, Throttled
    and Busy.
    """

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        authenticators: Authenticators,
        recovery_codes: RecoveryCodes,
        passkeys: Passkeys,
        devices: Devices,
        throttle: Throttle,
        outbox: Outbox,
        proving: Proving,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._authenticators = authenticators
        self._recovery_codes = recovery_codes
        self._passkeys = passkeys
        self._devices = devices
        self._throttle = throttle
        self._outbox = outbox
        self._proving = proving

    def with_password(self, visit: Visit, password: str) -> Cookies | None:
        """Check the password of whom the interaction's identifier names.

        Unknown, disabled and passwordless accounts walk the same steps as a wrong password: one
        look-up, one count, one hash, one refusal (SECURITY case 84).
        """
        key = email_key(visit.interaction.progress.identifier)
        with self._store.reading() as connection:
            row = rows.with_password(connection, key)
            known = self._known(connection, visit, row["id"] if row else key)
        stored = row["hash"] if row else None
        with self._passwords.turn():
            self._throttle.count_try(row["id"] if row else key, visit.origin.address, known)
            matches = self._passwords.matches(stored, password)
            better = self._passwords.rehashed(stored, password) if matches and stored else None
        if row is None or not matches or row["disabled_at"] is not None:
            self._proving.refuse(row["id"] if row else None, "password", visit)
        account, hashed = from_row(row), str(stored)

        def unchanged(connection: Connection) -> bool:
            if not rows.confirm(connection, account.id, hashed):
                return False
            if better:
                rows.replace_hash(connection, account.id, hashed, better)
            return True

        return self._proving.accept(visit, Proof(account, "password", unchanged))

    def with_authenticator(self, visit: Visit, code: str, *, trust: bool) -> Cookies | None:
        """Check a code of the authenticator app of who is proving; `trust` this browser later."""
        account = self.proving(visit)
        self.count_try(visit, account.id)

        def proven(connection: Connection) -> bool:
            return self._authenticators.prove(connection, account.id, code) is not None

        return self._proving.accept(visit, Proof(account, "authenticator", proven, trust))

    def with_recovery_code(self, visit: Visit, typed: str) -> Cookies | None:
        """Check a recovery code of who is proving, and use it up."""
        account = self.proving(visit)
        stored = self._recovery_codes.stored(account.id, typed)
        with self._passwords.turn():
            self.count_try(visit, account.id)
            matches = self._recovery_codes.matches(stored, typed)
        if not matches:
            self._proving.refuse(account.id, "recovery_code", visit)

        def unused(connection: Connection) -> bool:
            if not self._recovery_codes.use(connection, account.id, stored):
                return False
            self._warn(connection, account)
            return True

        return self._proving.accept(visit, Proof(account, "recovery_code", unused))

    def with_passkey(self, visit: Visit, response: str, *, trust: bool = False) -> Cookies | None:
        """Check a passkey: of who is proving if anybody is, else of whoever it says.

        It is no guess, and so never made to wait for guesses (SECURITY case 86). Raises
        UnknownPasskey too.
        """
        self._throttle.count("passkey", visit.origin.address)
        account = self.proving(visit) if visit.account_id else None
        account_id = account.id if account else None
        try:
            found = self._passkeys.check(binding_of(visit.cookie), response, account)
        except UnknownPasskey:
            self._proving.record_refusal(account_id, "passkey", visit)
            raise
        except Refused:
            self._proving.refuse(account_id, "passkey", visit)

        def usable(connection: Connection) -> bool:
            return self._passkeys.use(connection, found)

        owner = account or self._account(found.account_id)
        method = "synced_passkey" if found.synced else "passkey"
        return self._proving.accept(visit, Proof(owner, method, usable, trust))

    def with_mail(self, visit: Visit, account: Account, check: Check) -> Cookies | None:
        """Accept that somebody reads the account's mail; `check` uses up the link or the code."""

        def proven(connection: Connection) -> bool:
            if not check(connection):
                return False
            if not account.email_verified:
                rows.change(connection, account.id, {"email_verified": True})
            return True

        return self._proving.accept(visit, Proof(account, "mail", proven))

    def _warn(self, connection: Connection, account: Account) -> None:
        """Write to who used a recovery code, when few are left."""
        left = self._recovery_codes.left_within(connection, account.id)
        if left <= FEW:
            self._outbox.put(
                connection,
                "recovery_codes_low",
                account.email,
                {"left": left},
                account_id=account.id,
                language=account.language,
            )

    def count_try(self, visit: Visit, identity: str) -> None:
        """Count a try to prove `identity` (an account's id, or an address nobody has): one counter
        for all that can be guessed. Raises Throttled.
        """
        with self._store.reading() as connection:
            known = self._known(connection, visit, identity)
        self._throttle.count_try(identity, visit.origin.address, known)

    def proving(self, visit: Visit) -> Account:
        """Return who is proving. Raises Refused when nobody is."""
        if not visit.account_id:
            raise Refused("nobody has proven a first factor")
        return self._account(visit.account_id)

    def _account(self, account_id: str) -> Account:
        with self._store.reading() as connection:
            row = rows.find(connection, account_id)
        if row is None:
            raise Refused("no such account")
        return from_row(row)

    def _known(self, connection: Connection, visit: Visit, identity: str) -> str:
        device = self._devices.find(connection, visit.device, identity)
        return device.id if device else ""
