"""Sending what is in the outbox; `dispatch` says when, and which process.

Words and the way out are passed in: `render` from web, `send` from outbound.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from idp.config import ConfigurationError, Settings
from idp.crypto.sealing import SealBroken
from idp.domain.clock import Clock
from idp.domain.dispatch import Dispatch, Manner, Problem
from idp.domain.outbox import Outbox
from idp.outbound.smtp import MailRefused, Message, SmtpServer, SmtpUrlWrong
from idp.store import outgoing_mail as rows
from idp.store.database import Connection, RowMapping, Store

FIRST_PAUSE = 10
LONGEST_PAUSE = 3600
"""Seconds between tries: they double from the first to the longest."""


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
        self._outbox = outbox
        self._clock = clock
        self._host = issuer_name(settings)
        self._product = settings.product
        self._sender = sender(settings)
        self._render = render
        self._send = send
        manner = Manner("mail", self._attempt, _pause, _nothing_more)
        self._dispatch = Dispatch(store, clock, rows.QUEUE, manner)

    def ensure_started(self) -> None:
        """Start the thread unless this process has it; cheap enough for each request."""
        if self._send is not None:
            self._dispatch.ensure_started()

    def stop(self) -> None:
        """End the thread after the mails at hand, for which it waits at most 5 s."""
        self._dispatch.stop()

    def run_once(self) -> int:
        """Try mails that are due, a bounded number; return how many. Raises StoreUnavailable."""
        return 0 if self._send is None else self._dispatch.run_once()

    def _attempt(self, row: RowMapping) -> Problem | None:
        """Send a mail; return why it was not taken, None when it was."""
        try:
            mail = self._outbox.open(row)
            words = self._render(mail.kind, mail.language, mail.values)
            if self._send is not None:
                self._send(self._message(mail.id, mail.to, words))
        except MailRefused as refusal:
            return Problem(str(refusal), refusal.permanent)
        except SealBroken:
            return Problem("it does not open", permanent=True)
        except Unrenderable:
            return Problem("there are no words for it", permanent=True)
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


def _pause(tries: int) -> int:
    return int(min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE))


def _nothing_more(connection: Connection, row: RowMapping, problem: Problem | None) -> None:
    """The row itself says how the mail ended."""


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
