"""Mail that is to be sent: written in the transaction of what it tells of, delivered later.

What is kept is the kind of mail and its values, sealed, since links are among them; the words are
chosen at delivery.
"""

import json
from collections.abc import Mapping
from typing import Any

from idp.crypto.sealing import Sealer
from idp.crypto.secrets import uuid7
from idp.domain.clock import Clock
from idp.store import outgoing_mail as rows
from idp.store.database import Connection

KEPT_SECONDS = 86400


class Outbox:
    """Takes mail."""

    def __init__(self, sealer: Sealer, clock: Clock) -> None:
        self._sealer = sealer
        self._clock = clock

    def put(
        self,
        connection: Connection,
        kind: str,
        to: str,
        values: Mapping[str, Any],
        *,
        account_id: str | None = None,
        language: str | None = None,
    ) -> None:
        """Write down a mail in the caller's transaction: it is sent if that is committed.

        `values` is what the template of `kind` shows; they have to be JSON.
        """
        now = int(self._clock())
        mail_id = uuid7()
        content = {"to": to, "language": language, "values": dict(values)}
        row = {
            "id": mail_id,
            "account_id": account_id,
            "kind": kind,
            "sealed": self._sealer.seal(json.dumps(content).encode(), place(mail_id)),
            "created_at": now,
            "expires_at": now + KEPT_SECONDS,
            "next_try_at": now,
            "tries": 0,
            "sent_at": None,
            "problem": None,
        }
        rows.add(connection, row)


def place(mail_id: str) -> str:
    """Return the context under which a mail is sealed."""
    return f"outgoing_mail:{mail_id}"
