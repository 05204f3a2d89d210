"""What people read: the mails that the running server really sent."""

import re
from email.message import EmailMessage

from tests.mail.mail_server import MailServer

PATIENCE_SECONDS = 20
_LINK = re.compile(r"https?://\S+")
_CODE = re.compile(r"(?<!\S)\d{6}(?!\S)")


class Mailbox:
    """Everybody's mail, each read once."""

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self._read: set[str] = set()

    def next(self, email: str, subject: str = "") -> EmailMessage:
        """Wait for the next mail to an address, about `subject` if that is said, and return it."""
        while True:
            self.server.arrived.clear()
            for mail in self.server.mails:
                meant = mail["To"] == email and subject in mail["Subject"]
                if meant and mail["Message-ID"] not in self._read:
                    self._read.add(mail["Message-ID"])
                    return mail
            assert self.server.arrived.wait(PATIENCE_SECONDS), f"no mail came to {email}"


def words(mail: EmailMessage) -> str:
    """Return the plain part."""
    part = mail.get_body(("plain",))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


def link_in(mail: EmailMessage) -> str:
    """Return the first address in a mail."""
    found = _LINK.search(words(mail))
    assert found, words(mail)
    return found[0]


def code_in(mail: EmailMessage) -> str:
    """Return the six digits in a mail."""
    found = _CODE.search(words(mail))
    assert found, words(mail)
    return found[0]
