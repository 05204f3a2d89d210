"""A pending authorization request, or a plain visit that needs a sign-in: kept here, bound to one
browser.

The browser carries a random handle. What was asked is stored and never sent again, so what a person
approves is what was displayed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from idp.config import Settings
from idp.crypto.sealing import SealBroken
from idp.crypto.secrets import random_token
from idp.domain.approvals import Approvals, Opening
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.authorizations import Issued
from idp.domain.clock import Clock
from idp.domain.consents import Consents, Pairs
from idp.domain.errors import Ended, NotFound, Throttled
from idp.domain.one_time import OneTimeValues
from idp.domain.sessions import Session, binding_of
from idp.domain.texts import marked
from idp.domain.throttling import Throttle
from idp.store.database import Connection, Store

INTERACTION = "interaction"
Ending = str | Mapping[str, Any]
"""Where an interaction leads: an address, or what a form takes to a client: its `client_id`, the
form's `action` and `fields`.
"""
_REPEAT_SECONDS = 60
_GONE = marked("It took too long, or was finished already.")


@dataclass(frozen=True)
class Progress:
    """What was asked and how far it got.

    `request` is an authorization request as JSON, `logout` a logout request; without either it is a
    plain visit to `return_to`, where the person is going to do `action`, named console/action.
    `signed_in`, `chosen` and `consented` are the id of the account that proved in this interaction
    who it is, was picked, allowed what is asked: somebody else who signs in meanwhile inherits none
    of it.

    `proofs` says which factor `account`, and nobody else, proved at which second: no session yet;
    `marks` what credentials it had then, and none of these may be gone or another by now.
    `another` asks for another account than those signed in, `keep` to stay signed in; `mailed` is
    the latest link that was mailed, `details` what a longer way has gathered. `offer` is the id of
    the account that is asked whether it wants a passkey before it goes on. `said` is a message for
    the next page, `result` how it ended.
    """

    request: Mapping[str, Any] | None = None
    logout: Mapping[str, Any] | None = None
    return_to: str = "/"
    action: str = "account/sign_in"
    identifier: str = ""
    account: str = ""
    proofs: Mapping[str, int] = field(default_factory=dict)
    marks: Sequence[str] = ()
    another: bool = False
    keep: bool = False
    mailed: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    offer: str = ""
    said: str = ""
    signed_in: str = ""
    session_id: str = ""
    chosen: str = ""
    consented: str = ""
    result: Ending | None = None

    def session_of(self, account_id: str) -> str:
        """Return the session that this account began in this interaction, empty if none."""
        return self.session_id if self.signed_in == account_id else ""

    def proofs_of(self, account_id: str) -> Mapping[str, int]:
        """Return what this account proved in this interaction, and when."""
        return self.proofs if self.account == account_id else {}


@dataclass(frozen=True)
class Interaction:
    """An interaction that this browser may go on with."""

    handle: str
    progress: Progress
    finished: bool


class Interactions:
    """Opens, finds, moves on and finishes interactions."""

    def __init__(
        self,
        store: Store,
        one_time: OneTimeValues,
        approvals: Approvals,
        consents: Consents,
        throttle: Throttle,
        audit: Audit,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._store = store
        self._one_time = one_time
        self._approvals = approvals
        self._consents = consents
        self._throttle = throttle
        self._audit = audit
        self._clock = clock
        self._lifetime = settings.interaction_lifetime

    def open(self, progress: Progress, cookie: str | None, origin: Origin) -> str:
        """Store what was asked and return its handle. Raises Throttled.

        Without a cookie the first browser to open it gets it.
        """
        handle = random_token()
        with self._store.writing() as connection:
            wait = self._throttle.count_within(connection, "interaction", origin.address)
            if not wait:
                self._one_time.put(
                    connection,
                    INTERACTION,
                    handle,
                    vars(progress),
                    self._lifetime,
                    binding=binding_of(cookie) if cookie else None,
                    tombstone=_REPEAT_SECONDS + 1,
                )
        if wait:
            raise Throttled(wait)
        return handle

    def find(self, handle: str, cookie: str) -> Interaction:
        """Return the interaction of this browser. Raises Ended, and NotFound when it is another
        browser's.
        """
        with self._store.reading() as connection:
            interaction, bound = self._find(connection, handle, cookie)
        if not bound:
            with self._store.writing() as connection:
                self._one_time.bind(connection, INTERACTION, handle, binding_of(cookie))
                interaction, _ = self._find(connection, handle, cookie)
        return interaction

    def _find(self, connection: Connection, handle: str, cookie: str) -> tuple[Interaction, bool]:
        try:
            found = self._one_time.find(connection, INTERACTION, handle)
        except SealBroken as error:
            raise NotFound(_GONE) from error
        if found is None or not found.is_for(binding_of(cookie)):
            raise NotFound(_GONE)
        now = int(self._clock())
        progress = Progress(**found.payload)
        ends_at = found.expires_at if found.used_at is None else found.used_at + _REPEAT_SECONDS + 1
        if ends_at <= now:
            raise Ended(_GONE, (progress.request or progress.logout or {}).get("client_id"))
        return Interaction(handle, progress, found.used_at is not None), found.binding is not None

    def note(self, interaction: Interaction, **changes: Any) -> None:
        """Write down progress that needs no proof: a typed identifier, a chosen account."""
        with self._store.writing() as connection:
            self.note_within(connection, interaction, **changes)

    def note_within(
        self, connection: Connection, interaction: Interaction, **changes: Any
    ) -> Progress:
        """Write down progress in the caller's transaction, and return all of it as it is now."""
        progress = replace(self._locked(connection, interaction), **changes)
        self.write(connection, interaction, progress)
        return progress

    def with_proof(
        self,
        connection: Connection,
        interaction: Interaction,
        account_id: str,
        session_id: str,
        method: str,
        at: int | None = None,
    ) -> Progress:
        """Return progress as it is now, and that this account proved a factor `at` some second
        (None: now): to be written in the same transaction, in which nobody else changes it. What
        another one proved is forgotten.

        So is what began a session, for a browser whose own (`session_id`) is not that one: it came
        with the cookie of before the sign-in, and proves all of it itself (SECURITY case 114).
        """
        now = self._locked(connection, interaction)
        spent = now.signed_in == account_id and now.session_id != session_id
        earlier = {} if spent else now.proofs_of(account_id)
        proven_at = int(self._clock()) if at is None else at
        return replace(now, account=account_id, proofs={**earlier, method: proven_at})

    def write_sign_in(
        self,
        connection: Connection,
        interaction: Interaction,
        progress: Progress,
        session_id: str,
        cookie: str,
    ) -> None:
        """Write down, in the transaction of the sign-in, that its account proved who it is.

        It goes on with the new cookie, also when a second click proves it again with the old one.
        """
        person = progress.account
        signed_in = replace(
            progress, signed_in=person, chosen=person, session_id=session_id, another=False, said=""
        )
        self.write(connection, interaction, signed_in, binding_of(cookie))

    def _locked(self, connection: Connection, interaction: Interaction) -> Progress:
        """Return progress as it is by now; it stays so until the transaction ends. Raises
        NotFound.
        """
        found = self._one_time.find(connection, INTERACTION, interaction.handle, lock=True)
        if found is None:
            raise NotFound(_GONE)
        return Progress(**found.payload)

    def write(
        self,
        connection: Connection,
        interaction: Interaction,
        progress: Progress,
        binding: bytes | None = None,
    ) -> None:
        """Write down progress; how an interaction ended is never overwritten."""
        self._one_time.rewrite(
            connection, INTERACTION, interaction.handle, vars(progress), binding, unless_used=True
        )

    def consent(
        self,
        interaction: Interaction,
        session: Session,
        client_id: str,
        pairs: Pairs,
        origin: Origin,
    ) -> None:
        """Remember what the person allowed, and go on."""
        with self._store.writing() as connection:
            self._consents.remember(connection, session.account.id, client_id, pairs, origin)
            self.note_within(connection, interaction, consented=session.account.id)

    def finish(
        self,
        interaction: Interaction | None,
        opening: Opening,
        issued: Issued | None,
        ending: Ending,
        origin: Origin,
    ) -> Ending:
        """Open the authorization and return how that ends for the client.

        The same browser that repeats the last click within a minute gets the same answer, and what
        was made for this one is thrown away. Raises NotFound.
        """
        with self._store.writing() as connection:
            taken = self._take(connection, interaction) if interaction else None
            if interaction and taken is None:
                return self._repeated(connection, interaction)
            self._approvals.open(connection, opening, issued, origin)
            if interaction:
                self._end(connection, interaction, taken, ending)
            return ending

    def cancel(
        self, interaction: Interaction, ending: Ending, client_id: str, actor: str, origin: Origin
    ) -> Ending:
        """End the interaction without an authorization and return how. Raises NotFound."""
        with self._store.writing() as connection:
            taken = self._take(connection, interaction)
            if taken is None:
                return self._repeated(connection, interaction)
            self._end(connection, interaction, taken, ending)
            entry = Entry("authorization.refused", actor, None, client_id, "refused")
            self._audit.record(connection, origin, entry)
            return ending

    def close(self, interaction: Interaction, location: str) -> Ending:
        """End a plain visit or a sign-out and return where it leads. Raises NotFound."""
        with self._store.writing() as connection:
            taken = self._take(connection, interaction)
            if taken is None:
                return self._repeated(connection, interaction)
            self._end(connection, interaction, taken, location)
            return location

    def refuse(
        self, event: str, client_id: str | None, error: str, reason: str, origin: Origin
    ) -> None:
        """Record a request that could not even begin. Raises Throttled."""
        self._throttle.count("refusal", origin.address)
        detail = {"error": error, "reason": reason}
        self._audit.refuse(origin, Entry(event, "anyone", None, client_id, detail=detail))

    def _take(self, connection: Connection, interaction: Interaction) -> dict[str, Any] | None:
        """Use the interaction: one caller wins, the others get None."""
        return self._one_time.take(connection, INTERACTION, interaction.handle)

    def _end(
        self,
        connection: Connection,
        interaction: Interaction,
        taken: Mapping[str, Any] | None,
        ending: Ending,
    ) -> None:
        """Write down where an interaction led that was just taken, for who repeats the click."""
        payload = {**(taken or {}), "result": ending}
        self._one_time.rewrite(connection, INTERACTION, interaction.handle, payload)

    def _repeated(self, connection: Connection, interaction: Interaction) -> Ending:
        found = self._one_time.find(connection, INTERACTION, interaction.handle)
        result = found.payload.get("result") if found else None
        if not isinstance(result, str | dict):
            raise NotFound(_GONE)
        return result
