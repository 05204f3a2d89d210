"""Mail that is to be sent: written in the transaction of what it tells of, delivered later.

What is kept is the kind of mail and its values, sealed, since links are among them; the words are
chosen at delivery.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from idp.config import Settings
from idp.crypto.sealing import SealBroken, Sealer
from idp.crypto.secrets import uuid7
from idp.domain.clock import Clock
from idp.domain.errors import NotFound
from idp.store import outgoing_mail as rows
from idp.store.database import Connection, RowMapping, Store

KEPT_SECONDS = 86400


@dataclass(frozen=True)
class Mail:
    """A mail in the outbox, opened. Times are seconds since 1970."""

    id: str
    kind: str
    to: str
    language: str | None
    values: Mapping[str, Any]
    created_at: int
    sent_at: int | None
    problem: str | None


@dataclass(frozen=True)
class MailState:
    """How far a mail came, without what it says and to whom. Times are seconds since 1970."""

    kind: str
    created_at: int
    sent_at: int | None
    tries: int
    problem: str | None


class Outbox:
    """Takes mail, and shows it again where that is allowed."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock, settings: Settings) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._origin = f"{settings.issuer}/"
        self._available = settings.development or bool(settings.smtp_url.get_secret_value())

    @property
    def available(self) -> bool:
        """Whether mail arrives: at its readers, or in development at the page of the outbox."""
        return self._available

    def put(
        self,
        connection: Connection,
        kind: str,
        to: str,
        values: Mapping[str, Any],
        *,
        account_id: str | None = None,
        language: str | None = None,
        lifetime: int = KEPT_SECONDS,
    ) -> None:
        """Write down a mail in the caller's transaction: it is sent if that is committed.

        `values` is what the template of `kind` shows; they have to be JSON. Addresses in them
        (`link`, `…_link`) are complete and ours, else ValueError. `lifetime` is the seconds after
        which there is no more use in sending it.
        """
        for name, value in values.items():
            if name.endswith("link") and value and not str(value).startswith(self._origin):
                raise ValueError(f"{name} of a mail must begin with the issuer")
        now = int(self._clock())
        mail_id = uuid7()
        content = {"to": to, "language": language, "values": dict(values)}
        row = {
            "id": mail_id,
            "account_id": account_id,
            "kind": kind,
            "sealed": self._sealer.seal(json.dumps(content).encode(), place(mail_id)),
            "created_at": now,
            "expires_at": now + lifetime,
            "next_try_at": now,
            "tries": 0,
            "sent_at": None,
            "problem": None,
        }
        rows.add(connection, row)

    def open(self, row: RowMapping) -> Mail:
        """Return the mail of a row. Raises SealBroken, also for a mail from another row."""
        content = json.loads(self._sealer.unseal(row["sealed"], place(row["id"])))
        return Mail(
            row["id"],
            row["kind"],
            content["to"],
            content["language"],
            content["values"],
            row["created_at"],
            row["sent_at"],
            row["problem"],
        )

    def latest(self, limit: int) -> list[Mail]:
        """Return the newest mails, newest first, without those that don't open."""
        with self._store.reading() as connection:
            found = rows.latest(connection, limit)
        mails = []
        for row in found:
            with suppress(SealBroken):
                mails.append(self.open(row))
        return mails

    def states(self, limit: int) -> list[MailState]:
        """Return what became of the newest mails, newest first, without opening any."""
        with self._store.reading() as connection:
            found = rows.latest(connection, limit)
        return [
            MailState(row["kind"], row["created_at"], row["sent_at"], row["tries"], row["problem"])
            for row in found
        ]

    def find(self, mail_id: str) -> Mail:
        """Return one mail. Raises NotFound."""
        with self._store.reading() as connection:
            row = rows.find(connection, mail_id)
        if row is None:
            raise NotFound("This mail is not in the outbox, or not any more.")
        try:
            return self.open(row)
        except SealBroken as error:
            raise NotFound("This mail does not open.") from error


def place(mail_id: str) -> str:
    """Return the context under which a mail is sealed."""
    return f"outgoing_mail:{mail_id}"
