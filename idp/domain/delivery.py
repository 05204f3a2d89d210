"""Sending what is in the outbox: each process looks every second, and one of them sends each mail.

A mail is claimed by putting its next try off; whoever dies with it leaves it to the others. Words
and the way out are passed in: `render` from web, `send` from outbound.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from idp.config import ConfigurationError, Settings
from idp.crypto.sealing import SealBroken
from idp.domain.background import Background
from idp.domain.clock import Clock
from idp.domain.outbox import Outbox
from idp.outbound.smtp import MailRefused, Message, SmtpServer, SmtpUrlWrong
from idp.store import outgoing_mail as rows
from idp.store.database import RowMapping, Store
from idp.store.errors import StoreError

INTERVAL = 1.0
"""Seconds between two looks."""
MOST_AT_ONCE = 20
"""Mails sent before the next look, so that the thread ends soon when it is asked to."""
CLAIM = 120
"""Seconds for which a claimed mail is left to whoever claimed it: longer than sending takes."""
FIRST_PAUSE = 10
LONGEST_PAUSE = 3600
"""Seconds between tries: they double from the first to the longest."""
_log = logging.getLogger("idp.delivery")


@dataclass(frozen=True)
class Rendered:
    """The words of a mail."""

    subject: str
    text: str
    html: str


class Unrenderable(Exception):
    """There are no words for this kind of mail, or not with these values."""


Render = Callable[[str, str | None, Mapping[str, Any]], Rendered]
"""Takes kind, language and values. Raises Unrenderable."""
Send = Callable[[Message], None]
"""Raises MailRefused."""


class Delivery:
    """Sends mail in a thread of its own once `ensure_started` was called; without `send`, none."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        clock: Clock,
        settings: Settings,
        render: Render,
        send: Send | None,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._clock = clock
        self._host = issuer_name(settings)
        self._product = settings.product
        self._sender = sender(settings)
        self._render = render
        self._send = send
        self._background = Background(self._round, INTERVAL, (), _nothing)

    def ensure_started(self) -> None:
        """Start the thread unless this process has it; cheap enough for each request."""
        if self._send is not None:
            self._background.ensure_started()

    def stop(self) -> None:
        """End the thread after the mails at hand, for which it waits at most 5 s."""
        self._background.stop()

    def run_once(self) -> int:
        """Try mails that are due, a bounded number; return how many. Raises StoreUnavailable."""
        if self._send is None:
            return 0
        for count in range(MOST_AT_ONCE):
            row = self._claim()
            if row is None:
                return count
            self._settle(row, self._attempt(row, self._send))
        return MOST_AT_ONCE

    def _round(self) -> None:
        try:
            self.run_once()
        except StoreError as error:
            _log.warning("mail waits for the database: %s", error)

    def _claim(self) -> RowMapping | None:
        now = int(self._clock())
        with self._store.reading() as connection:
            if not rows.any_due(connection, now):
                return None
        with self._store.writing() as connection:
            return rows.claim(connection, now, now + CLAIM)

    def _attempt(self, row: RowMapping, send: Send) -> MailRefused | None:
        """Send a mail; return why it was not taken, None when it was."""
        try:
            mail = self._outbox.open(row)
            words = self._render(mail.kind, mail.language, mail.values)
            send(self._message(mail.id, mail.to, words))
        except MailRefused as refusal:
            return refusal
        except SealBroken:
            return MailRefused("it does not open", permanent=True)
        except Unrenderable:
            return MailRefused("there are no words for it", permanent=True)
        return None

    def _message(self, mail_id: str, to: str, words: Rendered) -> Message:
        return Message(
            id=mail_id,
            host=self._host,
            at=self._clock(),
            sender_name=self._product,
            sender=self._sender,
            to=to,
            subject=words.subject,
            text=words.text,
            html=words.html,
        )

    def _settle(self, row: RowMapping, refusal: MailRefused | None) -> None:
        now = int(self._clock())
        later = now + min(FIRST_PAUSE * 2 ** (row["tries"] - 1), LONGEST_PAUSE)
        over = refusal is None or refusal.permanent or later >= row["expires_at"]
        if refusal is not None:
            outlook = "given up" if over else f"again in {later - now} s"
            _log.warning("mail %s (%s): %s; %s", row["id"], row["kind"], refusal, outlook)
        with self._store.writing() as connection:
            rows.settle(
                connection,
                row,
                sent_at=now if refusal is None else None,
                next_try_at=None if over else later,
                problem=None if refusal is None else str(refusal),
            )


def mail_server(settings: Settings) -> SmtpServer | None:
    """Return the mail server of the settings, None without one. Raises ConfigurationError."""
    url = settings.smtp_url.get_secret_value()
    try:
        return SmtpServer(url, issuer_name(settings)) if url else None
    except SmtpUrlWrong as error:
        raise ConfigurationError([f"IDP_SMTP_URL: {error}."]) from error


def sender(settings: Settings) -> str:
    """Return the address that mail comes from."""
    return settings.mail_from or f"no-reply@{issuer_name(settings)}"


def issuer_name(settings: Settings) -> str:
    """Return the issuer's host as it stands behind the @ of an address (RFC 5321 section 4.1.3)."""
    host = urlsplit(settings.issuer).hostname or "localhost"
    return f"[IPv6:{host}]" if ":" in host else host


def _nothing() -> None:
    """Nothing is to be given back at the end."""
