"""From proven factors to a session, with `amr` (RFC 8176) and `acr` that tell the truth.

Each proven factor is written into the interaction. Only when what was proven is enough for what is
wanted does a session begin: until then nobody is signed in (SECURITY case 109).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NoReturn

from idp.domain.accounts import Account
from idp.domain.audit import Audit, By, Entry, Origin
from idp.domain.clock import Clock
from idp.domain.devices import Devices
from idp.domain.errors import Refused
from idp.domain.interactions import Interaction, Interactions, Progress
from idp.domain.outbox import Outbox
from idp.domain.requirements import (
    Demand,
    Proofs,
    Requirements,
    Verdict,
    marks_of,
    still_hold,
)
from idp.domain.sessions import Login, Session, Sessions
from idp.domain.throttling import Throttle
from idp.store import accounts as rows
from idp.store.database import Connection, Store


@dataclass(frozen=True)
class Visit:
    """A browser at a page of an interaction: what it wants, who is signed in, and its cookies.

    `session` is the one that the interaction goes on with, if any.
    """

    interaction: Interaction
    demand: Demand
    session: Session | None
    cookie: str
    device: str
    origin: Origin

    @property
    def account_id(self) -> str:
        """Who is proving: whoever began to in this interaction, else who is signed in; or nobody.

        Once they are signed in, it is the session that goes on: it may have become another one.
        """
        progress = self.interaction.progress
        if progress.account != progress.signed_in and progress.account:
            return progress.account
        return self.session.account.id if self.session and not progress.another else ""

    def session_of(self, account_id: str) -> str:
        """Return the id of the session that goes on, if it is this account's, else nothing."""
        own = self.session if self.session and self.session.account.id == account_id else None
        return own.id if own else ""

    def demand_of(self, account_id: str) -> Demand:
        """Return what this account has to prove: a deed is for who is signed in, and anybody else
        signs in first, by no less than anywhere.
        """
        own = self.session is not None and self.session.account.id == account_id
        return self.demand if own else replace(self.demand, action="sign_in")

    def proofs(self, account_id: str) -> Proofs:
        """Return what this account proved: before, in its session, and in this interaction."""
        own = self.session if self.session and self.session.account.id == account_id else None
        progress = self.interaction.progress
        now = progress.proofs_of(account_id)
        return Proofs(account_id, own.proofs if own else {}, now, progress.marks)


@dataclass(frozen=True)
class Cookies:
    """What the browser gets once it is signed in: its new session's cookie, and its device's."""

    session: str
    device: str


Check = Callable[[Connection], bool]
"""Uses up, in the transaction of the sign-in, what was presented; tells whether it still works."""


@dataclass(frozen=True)
class Proof:
    """A factor that was proven: whose, how, and what uses it up. `trust`: trust this browser.

    `at` is when, in seconds since 1970; None: now.
    """

    account: Account
    method: str
    check: Check
    trust: bool = False
    at: int | None = None


class Proving:
    """Writes proofs down, and opens the session once they are enough."""

    def __init__(
        self,
        store: Store,
        interactions: Interactions,
        requirements: Requirements,
        sessions: Sessions,
        devices: Devices,
        throttle: Throttle,
        outbox: Outbox,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._store = store
        self._interactions = interactions
        self._requirements = requirements
        self._sessions = sessions
        self._devices = devices
        self._throttle = throttle
        self._outbox = outbox
        self._audit = audit
        self._clock = clock

    def verdict(self, visit: Visit) -> Verdict:
        """Judge what was proven so far for what is wanted."""
        proofs, demand = visit.proofs(visit.account_id), visit.demand_of(visit.account_id)
        return self._requirements.judge(proofs, demand, visit.device, visit.origin.address)

    def accept(self, visit: Visit, proof: Proof) -> Cookies | None:
        """Write down a proof and, if that is enough now, open the session: return its cookies.

        None while more is needed. Raises Refused when the account, or what was presented, does not
        work any more.
        """
        with self._store.writing() as connection:
            works = rows.enabled(connection, proof.account.id) and proof.check(connection)
            cookies = self._go_on(connection, visit, proof) if works else None
        if not works:
            self.refuse(proof.account.id, proof.method, visit)
        return cookies

    def refuse(self, account_id: str | None, method: str, visit: Visit) -> NoReturn:
        """Record that a proof failed. Raises Refused."""
        self.record_refusal(account_id, method, visit)
        raise Refused(f"wrong {method}, or no such account")

    def record_refusal(self, account_id: str | None, method: str, visit: Visit) -> None:
        """Record that a proof failed."""
        entry = Entry("sign_in", "anyone", account_id, detail={"factor": method})
        self._audit.refuse(visit.origin, entry)

    def _go_on(self, connection: Connection, visit: Visit, proof: Proof) -> Cookies | None:
        person = proof.account.id
        progress, proofs = self._proven(connection, visit, proof)
        verdict = self._requirements.judge_within(
            connection,
            proofs,
            visit.demand_of(person),
            visit.device,
            visit.origin.address,
        )
        if verdict.enough and verdict.assurance:
            login = Login(person, verdict.proofs, verdict.assurance, progress.keep or None)
            return self._open(connection, visit, proof, login, progress)
        if progress.session_of(person) not in {"", visit.session_of(person)}:
            progress = replace(progress, signed_in="", session_id="")  # begins anew here
        progress = replace(progress, marks=marks_of(connection, person))
        self._interactions.write(connection, visit.interaction, progress)
        detail = {"factor": proof.method, "missing": verdict.missing}
        entry = Entry("sign_in.factor", f"account:{person}", person, detail=detail)
        self._audit.record(connection, visit.origin, entry)
        return None

    def _proven(
        self, connection: Connection, visit: Visit, proof: Proof
    ) -> tuple[Progress, Proofs]:
        """Return progress with this proof, and all that counts with it by now."""
        person = proof.account.id
        progress = self._interactions.with_proof(
            connection,
            visit.interaction,
            person,
            visit.session_of(person),
            proof.method,
            proof.at,
        )
        proofs = Proofs(person, visit.proofs(person).held, progress.proofs)
        if progress.proofs.keys() != {proof.method} and not still_hold(
            connection, replace(proofs, marks=progress.marks)
        ):
            now = {proof.method: progress.proofs[proof.method]}
            proofs, progress = replace(proofs, now=now), replace(progress, proofs=now)
        return progress, proofs

    def _open(
        self,
        connection: Connection,
        visit: Visit,
        proof: Proof,
        login: Login,
        progress: Progress,
    ) -> Cookies:
        person, origin = proof.account.id, visit.origin
        earlier = progress.session_of(person)
        session_id, cookie = self._sessions.start(connection, login, visit.cookie, earlier, origin)
        self._interactions.write_sign_in(
            connection, visit.interaction, progress, session_id, cookie
        )
        detail = {
            "factor": proof.method,
            "amr": " ".join(login.assurance.amr),
            "acr": login.assurance.acr,
            "session": session_id,
        }
        entry = Entry("sign_in", f"account:{person}", person, detail=detail)
        self._audit.record(connection, origin, entry)
        known = self._devices.find(connection, visit.device, person)
        self._throttle.forget(connection, person, known.id if known else "")
        if earlier and known is None:  # a second click, which comes with the cookie before
            return Cookies(cookie, visit.device)
        by = By(f"account:{person}", origin, session_id)
        return Cookies(cookie, self._note_device(connection, visit, proof, by))

    def _note_device(self, connection: Connection, visit: Visit, proof: Proof, by: By) -> str:
        account = proof.account
        first = not self._devices.any(connection, account.id)
        noted = self._devices.note(
            connection, visit.device, account.id, proof.method, proof.trust, by
        )
        if noted.new and not first:
            values = {
                "at": int(self._clock()),
                "address": visit.origin.address,
                "user_agent": visit.origin.user_agent,
            }
            self._outbox.put(
                connection,
                "new_device",
                account.email,
                values,
                account_id=account.id,
                language=account.language,
            )
        return noted.cookie
