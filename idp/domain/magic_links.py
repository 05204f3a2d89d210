"""Sending mailed proofs and taking them back: to sign in, to set a password, to sign up.

Whoever asks learns nothing of who there is: for every address there is one mail, one link that is
stored, and the same statements (SECURITY case 84).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from idp.domain.accounts import Account, checked_email, email_key, from_row
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.clock import Clock
from idp.domain.credentials import magic_link
from idp.domain.credentials.magic_link import TRIES, Link, Links
from idp.domain.devices import Devices
from idp.domain.errors import Throttled
from idp.domain.interactions import Interaction, Interactions, Progress
from idp.domain.outbox import Outbox
from idp.domain.proving import Check, Proving, Visit
from idp.domain.sessions import binding_of
from idp.domain.sign_in import SignIn
from idp.domain.throttling import Throttle
from idp.store import accounts as rows
from idp.store.database import Connection, Store

_REPEAT_SECONDS = 60
RESEND_SECONDS = 30
"""How long the next mail of an interaction waits, so that nobody gets two by impatience."""
Purpose = Literal["sign_in", "reset", "sign_up"]


class TooSoon(Throttled):
    """A mail was sent just now."""


@dataclass(frozen=True)
class Letter:
    """What is mailed: its kind, and its values beside link, code and who asked.

    `works` False: it says that the address can't be used so, and has neither link nor code.
    `language` is spoken to who has not chosen one.
    """

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    works: bool = True
    language: str | None = None


@dataclass(frozen=True)
class Pending:
    """A mail that somebody waits for. Times are seconds since 1970."""

    purpose: str
    email: str
    sent_at: int
    can_resend_at: int

    @property
    def masked(self) -> str:
        """The address as a page shows it."""
        return masked(self.email)


@dataclass(frozen=True)
class Opened:
    """A link that works, as a browser opens it: for what, in which interaction, who asked when.

    `same_browser`: it is the one that asked.
    """

    purpose: str
    email: str
    handle: str
    same_browser: bool
    client: str
    address: str
    user_agent: str
    asked_at: int


@dataclass(frozen=True)
class Proven:
    """Somebody reads the mail of `email`. `account` is None where the address has none.

    `use` uses the proof up, in the transaction of what comes of it, and tells whether it worked.
    """

    purpose: str
    email: str
    account: Account | None
    use: Check


def masked(email: str) -> str:
    """Return an address so that its owner knows it: a•••@example.test."""
    local, _, host = email.rpartition("@")
    return f"{local[:1]}•••@{host}"


class MagicLinks:
    """Sends links with codes, and checks them."""

    def __init__(
        self,
        store: Store,
        links: Links,
        interactions: Interactions,
        sign_in: SignIn,
        proving: Proving,
        devices: Devices,
        outbox: Outbox,
        throttle: Throttle,
        audit: Audit,
        clock: Clock,
        issuer: str,
    ) -> None:
        self._store = store
        self._links = links
        self._interactions = interactions
        self._sign_in = sign_in
        self._proving = proving
        self._devices = devices
        self._outbox = outbox
        self._throttle = throttle
        self._audit = audit
        self._clock = clock
        self._issuer = issuer

    def account_of(self, email: str) -> Account | None:
        """Return who has an address, enabled or not. Raises Invalid when it is no address."""
        key = email_key(checked_email(email))
        with self._store.reading() as connection:
            row = rows.find(connection, key)
        return from_row(row) if row else None

    def send(
        self, visit: Visit, purpose: Purpose, email: str, account: Account | None, letter: Letter
    ) -> None:
        """Mail link and code, and wait for them in this interaction; what it waited for is dead.

        `account` is who has the address, enabled or not. Raises Invalid when it is no address,
        TooSoon, Throttled.
        """
        email = checked_email(email)
        with self._store.reading() as connection:
            self._be_patient(connection, visit, purpose, email)
            known = self._devices.find(connection, visit.device, account.id if account else "")
        names = (account.id if account else email_key(email), f"address {email_key(email)}")
        self._throttle.count_mail(names, visit.origin.address, known.id if known else "")
        with self._store.writing() as connection:
            self._be_patient(connection, visit, purpose, email, lock=True)
            link = self._link(connection, visit, purpose, email, account, letter)
            self._send(connection, visit, link, account, letter)

    def _be_patient(
        self, connection: Connection, visit: Visit, purpose: str, email: str, *, lock: bool = False
    ) -> None:
        """Raise TooSoon if the same was mailed just now."""
        former = self._links.latest(connection, visit.interaction.handle, lock=lock)
        known = self._links.find(connection, former)
        if known is None or known[1].used_at is not None:
            return
        link = known[0]
        wait = link.made_at + RESEND_SECONDS - int(self._clock())
        if wait > 0 and (link.purpose, link.email) == (purpose, email):
            raise TooSoon(wait)

    def _link(
        self,
        connection: Connection,
        visit: Visit,
        purpose: str,
        email: str,
        account: Account | None,
        letter: Letter,
    ) -> Link:
        account_id = account.id if account else ""
        return Link(
            purpose=purpose,
            email=email,
            account_id=account_id,
            handle=visit.interaction.handle,
            works=letter.works,
            client=str(letter.values.get("client") or ""),
            address=visit.origin.address,
            user_agent=visit.origin.user_agent[:300],
            made_at=int(self._clock()),
            marks=magic_link.marks(connection, account_id),
            code=magic_link.new_code(),
        )

    def _send(
        self,
        connection: Connection,
        visit: Visit,
        link: Link,
        account: Account | None,
        letter: Letter,
    ) -> None:
        former = self._links.latest(connection, link.handle)
        self._links.end(connection, former)
        token = self._links.make(connection, link, binding_of(visit.cookie))
        self._interactions.note_within(connection, visit.interaction, mailed=token)
        asked = {"address": link.address, "browser": link.user_agent}
        proof = {
            "link": f"{self._issuer}/mail/{token}",
            "code": link.code,
            "minutes": self._links.lifetime // 60,
        }
        self._outbox.put(
            connection,
            letter.kind,
            # What was typed finds the account, and may be somebody else's mailbox all the same.
            account.email if account else link.email,
            {**letter.values, **asked, **(proof if letter.works else {})},
            account_id=account.id if account else None,
            language=(account.language if account else None) or letter.language,
            lifetime=self._links.lifetime,
        )
        entry = Entry(
            "magic_link.sent", "anyone", link.account_id or None, detail={"purpose": link.purpose}
        )
        self._audit.record(connection, visit.origin, entry)

    def pending(self, visit: Visit) -> Pending | None:
        """Return what this interaction waits for, alike whether the mail had a link or not."""
        token = visit.interaction.progress.mailed
        with self._store.reading() as connection:
            known = self._links.find(connection, token)
        if known is None or known[1].used_at is not None or known[1].expires_at <= self._clock():
            return None
        link = known[0]
        return Pending(link.purpose, link.email, link.made_at, link.made_at + RESEND_SECONDS)

    def with_code(self, visit: Visit, typed: str) -> Proven:
        """Check a code that was typed where it was asked for; five tries for each mail.

        Counted before it is compared, also against the account's one counter. Raises Refused,
        Throttled.
        """
        token = visit.interaction.progress.mailed
        with self._store.reading() as connection:
            known = self._links.find(connection, token)
        if known is None:
            self._proving.refuse(None, "mail", visit)
        account_id, key = known[0].account_id, email_key(known[0].email)
        self._sign_in.count_try(visit, account_id or key)
        link = self._typed(token, typed)
        if link is None:
            self._proving.refuse(account_id or None, "mail", visit)
        return self._proven(link, token)

    def _typed(self, token: str, typed: str) -> Link | None:
        """Return a link that is alive and whose code was typed; the fifth wrong one ends it."""
        with self._store.writing() as connection:
            counted = self._links.count(connection, token)
            alive = self._links.alive(connection, token)
            if counted is None or magic_link.is_code(counted, typed):
                return alive if counted else None
            if counted.tries >= TRIES:
                self._kill(connection, token, counted)
        return None

    def open(self, token: str, cookie: str) -> Opened | None:
        """Return what a link is for, None when it is dead. It reads only: programs that open mails
        before people do change nothing (SECURITY case 93).
        """
        with self._store.reading() as connection:
            link = self._links.alive(connection, token)
            own = self._links.is_for(connection, token, binding_of(cookie))
        if link is None:
            return None
        return Opened(
            link.purpose,
            link.email,
            link.handle,
            own,
            link.client,
            link.address,
            link.user_agent,
            link.made_at,
        )

    def confirm(self, visit: Visit, token: str) -> Proven:
        """Accept a link in the browser that asked for it. Raises Refused."""
        with self._store.reading() as connection:
            link = self._links.alive(connection, token)
            own = self._links.is_for(connection, token, binding_of(visit.cookie))
        if link is None or not own or link.handle != visit.interaction.handle:
            self._proving.refuse(link.account_id or None if link else None, "mail", visit)
        return self._proven(link, token)

    def _kill(self, connection: Connection, token: str, link: Link) -> None:
        """Use up a link that proved nothing: its interaction waits for no mail any more."""
        if self._links.end(connection, token):
            interaction = Interaction(link.handle, Progress(), finished=False)
            self._interactions.note_within(connection, interaction, mailed="")

    def _proven(self, link: Link, token: str) -> Proven:
        with self._store.reading() as connection:
            row = rows.find(connection, link.account_id) if link.account_id else None

        def use(connection: Connection) -> bool:
            return self._links.use(connection, token)

        return Proven(link.purpose, link.email, from_row(row) if row else None, use)

    def used_here(self, token: str, cookie: str) -> str:
        """Return the interaction of a link that was used within a minute and is this browser's,
        else nothing: a second click is no guess.
        """
        with self._store.reading() as connection:
            known = self._links.find(connection, token)
            own = self._links.is_for(connection, token, binding_of(cookie))
            latest = self._links.latest(connection, known[0].handle) if known else ""
        used_at = known[1].used_at if known and own and latest == token else None
        if known is None or used_at is None or self._clock() - used_at > _REPEAT_SECONDS:
            return ""
        return known[0].handle

    def refuse(self, token: str, origin: Origin) -> None:
        """Record that somebody presented a link that does not work. Raises Throttled."""
        self._throttle.count("magic link", origin.address)
        with self._store.reading() as connection:
            known = self._links.find(connection, token)
        account_id = known[0].account_id or None if known else None
        entry = Entry("sign_in", "anyone", account_id, detail={"factor": "mail"})
        self._audit.refuse(origin, entry)

    def reveal(self, token: str, origin: Origin) -> str | None:
        """Return the code of a link that was opened elsewhere, for who says that it was them.

        None when it is dead. Raises Throttled.
        """
        return self._answered(token, origin, "magic_link.code_shown")

    def disown(self, token: str, origin: Origin) -> bool:
        """Use up a link of which its reader says that somebody else asked; tell whether it worked.

        Raises Throttled.
        """

        def kill(connection: Connection, link: Link) -> None:
            self._kill(connection, token, link)

        return self._answered(token, origin, "magic_link.disowned", kill) is not None

    def _answered(
        self,
        token: str,
        origin: Origin,
        event: str,
        deed: Callable[[Connection, Link], object] | None = None,
    ) -> str | None:
        self._throttle.count("magic link", origin.address)
        with self._store.writing() as connection:
            link = self._links.alive(connection, token)
            if link is None:
                return None
            if deed:
                deed(connection, link)
            detail = {"purpose": link.purpose, "asked_from": link.address}
            entry = Entry(event, "anyone", link.account_id or None, detail=detail)
            self._audit.record(connection, origin, entry)
        return link.code
