"""Making an account of one's own: first the address is proven, then the account is made.

So nobody can hold an account of somebody else's address, not even one that is not proven yet, and
there is nothing that the first proof would have to delete.
"""

from idp.config import Settings
from idp.domain.accounts import Accounts, NewAccount
from idp.domain.audit import Audit, Entry
from idp.domain.clock import Clock
from idp.domain.errors import Refused
from idp.domain.interactions import Interactions, Progress
from idp.domain.outbox import Outbox
from idp.domain.proving import Check, Cookies, Proof, Proving, Visit
from idp.domain.texts import Text
from idp.store.database import Connection, Store

PURPOSE = "sign_up"


class SignUp:
    """Makes accounts for whoever proves an address.

    `possible` says whether anybody may: it takes mail to prove the address.
    """

    def __init__(
        self,
        store: Store,
        interactions: Interactions,
        accounts: Accounts,
        proving: Proving,
        outbox: Outbox,
        audit: Audit,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._store = store
        self._interactions = interactions
        self._accounts = accounts
        self._proving = proving
        self._audit = audit
        self._clock = clock
        self._lifetime = settings.magic_link_lifetime
        self.possible = settings.sign_up == "open" and outbox.available

    def prove(self, visit: Visit, email: str, check: Check) -> None:
        """Write down that this browser's person reads the mail of `email`; `check` uses up the link
        or the code. Raises Refused.
        """
        with self._store.writing() as connection:
            works = self.possible and check(connection)
            if works:
                details = {"proven": PURPOSE, "email": email, "at": int(self._clock())}
                self._interactions.note_within(
                    connection, visit.interaction, details=details, identifier=email, mailed=""
                )
                self._audit.record(connection, visit.origin, Entry("sign_up.proven", "anyone"))
        if not works:
            raise self._refused(visit)

    def proven(self, visit: Visit) -> str:
        """Return the address that this browser may make an account for, empty if none."""
        return self._proven(visit.interaction.progress)

    def _proven(self, progress: Progress) -> str:
        details = progress.details
        if not self.possible or details.get("proven") != PURPOSE:
            return ""
        return details["email"] if self._clock() < details["at"] + self._lifetime else ""

    def give_up(self, visit: Visit, said: Text) -> None:
        """Make no account after all; `said` tells why on the next page."""
        self._interactions.note(visit.interaction, details={}, said=said.one)

    def create(self, visit: Visit, name: str, password: str) -> Cookies | None:
        """Make the account and sign its person in: return the cookies, None while more is needed.

        Raises Invalid, Busy, and AlreadyExists when somebody made it meanwhile; Refused when the
        address is not proven, or not any more.
        """
        email = self.proven(visit)
        if not email:
            raise self._refused(visit)
        new = self._accounts.prepare(email, name, password, email_verified=True)
        with self._store.writing() as connection:
            progress = self._interactions.note_within(connection, visit.interaction)
            won = self._proven(progress) == email
            if won:
                self._make(connection, visit, new)
        if not won:
            raise self._refused(visit)
        account = self._accounts.get(new.id)
        # Making the account used the proof up: nobody else comes here. It is as old as the mail's.
        proof = Proof(account, "mail", lambda connection: True, at=progress.details["at"])
        return self._proving.accept(visit, proof)

    def made(self, visit: Visit) -> bool:
        """Whether this interaction made an account: a second click signs in to it."""
        return "made" in visit.interaction.progress.details

    def _make(self, connection: Connection, visit: Visit, new: NewAccount) -> None:
        actor = f"account:{new.id}"
        self._accounts.insert(connection, new, visit.origin, actor)
        made = {"made": new.id}
        self._interactions.note_within(connection, visit.interaction, details=made)
        self._audit.record(connection, visit.origin, Entry("sign_up", actor, new.id))

    def _refused(self, visit: Visit) -> Refused:
        self._audit.refuse(visit.origin, Entry("sign_up", "anyone"))
        return Refused("sign-up")
