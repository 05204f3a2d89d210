"""Making a second factor in the middle of a sign-in that needs one, or silently after another.

Only who proved enough to change how they sign in may: an account that has a second factor never
gets another by a first factor alone (SECURITY case 106). What was made counts as proven.
"""

from dataclasses import dataclass

from idp.domain.access import Resource
from idp.domain.audit import Audit, By, Entry, Origin
from idp.domain.clock import Clock
from idp.domain.credentials.passkeys import Passkeys
from idp.domain.credentials.recovery_codes import RecoveryCodes
from idp.domain.credentials.totp import Authenticators, Enrolment
from idp.domain.errors import Refused
from idp.domain.proving import Cookies, Proof, Proving, Visit
from idp.domain.requirements import Demand, Proofs, Requirements, Verdict
from idp.domain.sessions import Session, binding_of
from idp.domain.sign_in import SignIn
from idp.domain.throttling import Throttle
from idp.store import accounts
from idp.store.database import Connection, Store

DEMAND = Demand("enrol_credentials", Resource("console", "account"))
UPGRADE_SECONDS = 300
"""How long after a password was proven a passkey may be made silently."""
NOT_NOW_SECONDS = 86_400
"""How long nobody is asked again who did not want a passkey now."""
FOR_EVER = 253_402_300_799
"""The last second of the year 9999."""


@dataclass(frozen=True)
class Ways:
    """What makes and proves credentials."""

    authenticators: Authenticators
    passkeys: Passkeys
    recovery_codes: RecoveryCodes


class Enrolling:
    """Makes factors for who is proving."""

    def __init__(
        self,
        store: Store,
        ways: Ways,
        requirements: Requirements,
        proving: Proving,
        sign_in: SignIn,
        throttle: Throttle,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._store = store
        self._ways = ways
        self._requirements = requirements
        self._proving = proving
        self._sign_in = sign_in
        self._throttle = throttle
        self._audit = audit
        self._clock = clock

    def verdict(self, visit: Visit) -> Verdict:
        """Judge whether who is proving may make a factor now, and what is missing if not."""
        with self._store.reading() as connection:
            return self._judge(connection, visit)

    def _judge(self, connection: Connection, visit: Visit) -> Verdict:
        proofs = visit.proofs(visit.account_id)
        return self._requirements.judge_within(
            connection, proofs, DEMAND, visit.device, visit.origin.address
        )

    def begin_authenticator(self, visit: Visit) -> Enrolment:
        """Make a seed for an app. Raises Refused, Invalid, Throttled."""
        self._count(visit)
        account = self._sign_in.proving(visit)
        return self._ways.authenticators.begin(account, binding_of(visit.cookie), visit.origin)

    def pending_authenticator(self, visit: Visit, handle: str) -> Enrolment | None:
        """Return an enrolment that waits for its first code; None when it is over."""
        account = self._sign_in.proving(visit)
        return self._ways.authenticators.pending(handle, account, binding_of(visit.cookie))

    def with_authenticator(self, visit: Visit, handle: str, code: str) -> Cookies | None:
        """Finish the enrolment of an app with its first code, which counts as a proof.

        Returns as SignIn does. Raises Refused, Invalid, Throttled.
        """
        self._throttle.count("enrolment", visit.origin.address)
        account = self._sign_in.proving(visit)

        def enrolled(connection: Connection) -> bool:
            if not self._judge(connection, visit).enough:
                return False
            binding, by = binding_of(visit.cookie), _by(visit)
            made = self._ways.authenticators.enrol(
                connection, account, handle, code, "", binding, by
            )
            return made is not None

        return self._proving.accept(visit, Proof(account, "authenticator", enrolled))

    def passkey_options(self, visit: Visit) -> str:
        """Return the options of a new passkey, JSON. Raises Refused, Throttled."""
        self._count(visit)
        account = self._sign_in.proving(visit)
        return self._ways.passkeys.creation_options(account, binding_of(visit.cookie))

    def with_passkey(self, visit: Visit, response: str) -> Cookies | None:
        """Add the passkey that a browser made, which counts as a proof.

        Returns as SignIn does. Raises Refused, Invalid, Throttled.
        """
        self._throttle.count("enrolment", visit.origin.address)
        account = self._sign_in.proving(visit)
        try:
            new = self._ways.passkeys.check_creation(account, binding_of(visit.cookie), response)
        except Refused:
            self._proving.refuse(account.id, "passkey", visit)

        def added(connection: Connection) -> bool:
            if not self._judge(connection, visit).enough:
                return False
            try:
                self._ways.passkeys.add(connection, account, new, "", _by(visit))
            except Refused:  # its challenge was used meanwhile: nothing was written
                return False
            return True

        method = "synced_passkey" if new.created.synced else "passkey"
        return self._proving.accept(visit, Proof(account, method, added))

    def new_recovery_codes(self, visit: Visit) -> tuple[str, ...]:
        """Give who is proving a new set of codes, and return it: nobody can later. Raises Refused,
        Busy, Throttled.
        """
        self._count(visit)
        account = self._sign_in.proving(visit)
        prepared = self._ways.recovery_codes.prepare()
        with self._store.writing() as connection:
            enough = self._judge(connection, visit).enough
            if enough:
                self._ways.recovery_codes.replace(connection, account, prepared, _by(visit))
        if not enough:
            raise self._refused(account.id, visit.origin)
        return prepared.codes

    def _count(self, visit: Visit) -> None:
        """Count what an outsider could make us write, and refuse who may not. Raises Throttled,
        Refused.
        """
        self._throttle.count("enrolment", visit.origin.address)
        if not self.verdict(visit).enough:
            raise self._refused(visit.account_id, visit.origin)

    def _refused(self, account_id: str, origin: Origin) -> Refused:
        """Record that somebody may not make a factor."""
        detail = {"action": "account/enrol_credentials"}
        actor = f"account:{account_id}" if account_id else "anyone"
        entry = Entry("access.refused", actor, account_id or None, detail=detail)
        self._audit.refuse(origin, entry)
        return Refused("not enough was proven to make a factor")

    def offerable(self, session: Session, device: str, address: str) -> bool:
        """Whether to ask if a passkey is wanted: there is none yet, nobody said not to ask, and no
        more than the session has proven is needed to make one.
        """
        person = session.account.id
        if (session.account.passkey_quiet_until or 0) > self._clock():
            return False
        if "passkey" in self._requirements.standing(person).credentials:
            return False
        return self._may(session, device, address)

    def decline(self, session: Session, origin: Origin, *, ever: bool) -> None:
        """Ask no more, for a day or for `ever`; nor is a passkey made silently meanwhile."""
        person = session.account.id
        until = FOR_EVER if ever else int(self._clock()) + NOT_NOW_SECONDS
        with self._store.writing() as connection:
            accounts.change(connection, person, {"passkey_quiet_until": until})
            detail = {"asked_again": "never" if ever else "later"}
            entry = Entry("passkey.declined", f"account:{person}", person, detail=detail)
            self._audit.record(connection, origin, entry)

    def upgradable(self, session: Session, device: str, address: str) -> bool:
        """Whether a passkey may be made silently: a password was proven just now, and it could be
        offered as well.
        """
        age = int(self._clock()) - session.proofs.get("password", 0)
        return 0 <= age <= UPGRADE_SECONDS and self.offerable(session, device, address)

    def upgrade_options(self, session: Session, cookie: str, device: str, origin: Origin) -> str:
        """Return the options of a passkey that is made silently, JSON. Raises Refused,
        Throttled.
        """
        self._throttle.count("enrolment", origin.address)
        if not self.upgradable(session, device, origin.address):
            raise self._refused(session.account.id, origin)
        account, binding = session.account, binding_of(cookie)
        return self._ways.passkeys.creation_options(account, binding, silent=True)

    def upgrade(
        self, session: Session, cookie: str, device: str, response: str, origin: Origin
    ) -> None:
        """Add the passkey that a browser made silently. Raises Refused, Invalid, Throttled."""
        self._throttle.count("enrolment", origin.address)
        account = session.account
        new = self._ways.passkeys.check_creation(account, binding_of(cookie), response)
        if not self.upgradable(session, device, origin.address):
            raise self._refused(account.id, origin)
        by = By(f"account:{account.id}", origin, session.id)
        with self._store.writing() as connection:
            self._ways.passkeys.add(connection, account, new, "", by)

    def _may(self, session: Session, device: str, address: str) -> bool:
        proofs = Proofs(session.account.id, session.proofs, {})
        return self._requirements.judge(proofs, DEMAND, device, address).enough


def _by(visit: Visit) -> By:
    session = visit.session
    own = session.id if session and session.account.id == visit.account_id else ""
    return By(f"account:{visit.account_id}", visit.origin, own)
