"""Passkeys, authenticator apps and recovery codes that a person adds in the account console.

Whether they proved enough to do so is asked before, of the policies.
"""

from idp.domain.accounts import Account
from idp.domain.audit import By
from idp.domain.credentials.passkeys import Passkey, Passkeys
from idp.domain.credentials.recovery_codes import RecoveryCodes
from idp.domain.credentials.totp import Authenticators, Enrolment
from idp.domain.throttling import Throttle
from idp.store.database import Store


class OwnFactors:
    """Adds."""

    def __init__(
        self,
        store: Store,
        authenticators: Authenticators,
        passkeys: Passkeys,
        recovery_codes: RecoveryCodes,
        throttle: Throttle,
    ) -> None:
        self._store = store
        self._authenticators = authenticators
        self._passkeys = passkeys
        self._recovery_codes = recovery_codes
        self._throttle = throttle

    def begin_authenticator(self, account: Account, binding: bytes, by: By) -> Enrolment:
        """Make a seed for the browser `binding` to confirm. Raises Invalid, Throttled."""
        self._throttle.count("enrolment", by.origin.address)
        return self._authenticators.begin(account, binding, by.origin)

    def add_authenticator(
        self, account: Account, handle: str, code: str, name: str, binding: bytes, by: By
    ) -> tuple[str, ...] | None:
        """Finish an enrolment with a first code; None for a wrong one.

        Who has no recovery code left gets a set with it, and it is returned: nobody can later.
        Raises Invalid, Busy, Throttled.
        """
        self._throttle.count("enrolment", by.origin.address)
        wanting = not self._recovery_codes.left(account.id)
        prepared = self._recovery_codes.prepare() if wanting else None
        with self._store.writing() as connection:
            added = self._authenticators.enrol(connection, account, handle, code, name, binding, by)
            if added is None:
                return None
            if prepared:
                self._recovery_codes.replace(connection, account, prepared, by)
        return prepared.codes if prepared else ()

    def passkey_options(self, account: Account, binding: bytes, by: By) -> str:
        """Return the options of a new passkey, JSON. Raises Throttled."""
        self._throttle.count("enrolment", by.origin.address)
        return self._passkeys.creation_options(account, binding)

    def add_passkey(self, account: Account, response: str, binding: bytes, by: By) -> Passkey:
        """Add the passkey that a browser made, named after its provider. Raises Refused, Invalid,
        Throttled.
        """
        self._throttle.count("enrolment", by.origin.address)
        new = self._passkeys.check_creation(account, binding, response)
        with self._store.writing() as connection:
            return self._passkeys.add(connection, account, new, "", by)

    def new_recovery_codes(self, account: Account, by: By) -> tuple[str, ...]:
        """Replace a person's codes, and return the new ones. Raises Busy, Throttled."""
        self._throttle.count("enrolment", by.origin.address)
        prepared = self._recovery_codes.prepare()
        with self._store.writing() as connection:
            self._recovery_codes.replace(connection, account, prepared, by)
        return prepared.codes
