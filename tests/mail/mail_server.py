"""A real SMTP server on loopback: it keeps what it takes, and answers as it is told."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from tests.support.ports import free_port
from tests.support.serving import HOST

USER, PASSWORD = "doorward", "a p@ssword/with:signs"


@dataclass
class MailServer:
    """What arrived, and what is answered. `answers` are given to DATA one after the other, then
    250; `to_recipients` to each RCPT.
    """

    port: int
    answers: list[str] = field(default_factory=list)
    to_recipients: str = ""
    closed: bool = False
    taken: list[Envelope] = field(default_factory=list)
    tried: int = 0
    logins: list[str] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)

    @property
    def mails(self) -> list[EmailMessage]:
        """The mails that were taken, read."""
        found = []
        for envelope in self.taken:
            assert isinstance(envelope.content, bytes)
            mail = message_from_bytes(envelope.content, policy=default)
            assert isinstance(mail, EmailMessage)
            found.append(mail)
        return found

    @property
    def mail(self) -> EmailMessage:
        """The only mail."""
        (mail,) = self.mails
        return mail

    async def recipient(
        self, _server: Any, session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.closed and not session.authenticated:
            return "530 5.7.0 Who are you?"
        if self.to_recipients:
            return self.to_recipients
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def content(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        self.tried += 1
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.taken.append(envelope)
            self.arrived.set()
        return answer

    def admit(
        self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any
    ) -> AuthResult:
        """Check user and password."""
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        return AuthResult(success=data == LoginPassword(USER.encode(), PASSWORD.encode()))

    def text(self) -> str:
        """Return the plain part of the only mail."""
        part = self.mail.get_body(("plain",))
        assert isinstance(part, EmailMessage)
        return str(part.get_content())


@contextmanager
def serving(port: int = 0, **options: Any) -> Iterator[MailServer]:
    """Run a server; `options` are aiosmtpd's, and `auth` lets in nobody without a password."""
    server = MailServer(port or free_port(), closed=options.get("auth", False))
    # The library finds its hooks by the names of commands.
    hooks = SimpleNamespace(handle_RCPT=server.recipient, handle_DATA=server.content)
    auth = options.pop("auth", False)
    if auth:
        options["authenticator"] = server.admit
        # The library knows of STARTTLS only.
        options["auth_require_tls"] = "ssl_context" not in options
    usual = {"hostname": HOST, "port": server.port, "ready_timeout": 60}
    controller = Controller(hooks, **{**usual, **options})
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def server_side(certificate: Path) -> ssl.SSLContext:
    """Return the TLS context of a server with that certificate and key."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context
