"""Mail over SMTP (RFC 5321), by TLS unless the operator says otherwise (RFC 3207, RFC 8314)."""

import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from idp.config import LOOPBACK_HOSTS

TIMEOUT_SECONDS = 5.0
"""For each step of the conversation."""
_EXAMPLE = "must look like smtps://user:password@mail.example.com"
_SUBMISSION_PORT = 587
_SUBMISSIONS_PORT = 465
_PERMANENT = 500
_ENHANCED_STATUS = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?!\S)")  # RFC 3463
_WORD = r"[^\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff()<>@,;:\\\"\[\].]+"
_DOTTED = rf"{_WORD}(?:\.{_WORD})*"
_ADDRESS = re.compile(rf"{_DOTTED}@(?:{_DOTTED}|\[[0-9A-Za-z.:]+\])")
Tls = Literal["implicit", "starttls", "off"]
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class SmtpUrlWrong(Exception):
    """The address of the mail server can't be used. The message says why, and holds no part of it:
    there is a password in it.
    """


class MailRefused(Exception):
    """A mail was not taken. The message is short and holds no address and nothing of the mail.

    `permanent`: this mail will never be taken, trying again is no use.
    """

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent


@dataclass(frozen=True)
class Message:
    """A mail in two forms. `id` is what stands before the @ of its Message-ID, `host` what stands
    behind; `at` is its date in seconds since 1970.
    """

    id: str
    host: str
    at: float
    sender_name: str
    sender: str
    to: str
    subject: str
    text: str
    html: str


class SmtpServer:
    """A mail server by its URL: `smtps://user:password@host:465`, or `smtp://` for STARTTLS.

    STARTTLS is required, with a certificate that this machine trusts. A server on this machine is
    spoken to in clear unless `?tls=starttls` is appended, any other one only with `?tls=off`, and
    then without a password. Ports: 465, and 587 (RFC 8314, RFC 6409). User and password are
    percent-encoded. `name` is what we call ourselves.
    """

    def __init__(self, url: str, name: str = "localhost") -> None:
        """Raises SmtpUrlWrong."""
        self._place = _read(url)
        self._name = name
        self._trusted = ssl.create_default_context()

    @property
    def encrypted(self) -> bool:
        """Whether mail goes there through TLS."""
        return self._place.tls != "off"

    def send(self, message: Message) -> None:
        """Hand a mail over; once this returns, the server answers for it. Raises MailRefused."""
        try:
            sender = _mailbox(message.sender, _one_line(message.sender_name))
            to = _mailbox(message.to)
            written = _written(message, sender, to)
        except (ValueError, MessageError) as error:
            raise MailRefused("it can't be written as a mail", permanent=True) from error
        try:
            self._hand_over(sender, to, written)
        except (smtplib.SMTPException, OSError) as error:
            raise _refusal(error) from error

    def _hand_over(self, sender: Address, to: Address, written: bytes) -> None:
        smtp = self._connected()
        try:
            self._introduce(smtp)
            international = _is_international(sender, to)
            if international and not smtp.has_extn("smtputf8"):
                raise MailRefused("the mail server takes no such addresses", permanent=True)
            options = ("SMTPUTF8",) if international else ()
            smtp.sendmail(sender.addr_spec, [to.addr_spec], written, options)
            # It was taken: what goes wrong from here on must not send it again.
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
        finally:
            smtp.close()

    def _connected(self) -> smtplib.SMTP:
        place = self._place
        if place.tls == "implicit":
            return smtplib.SMTP_SSL(
                place.host,
                place.port,
                self._name,
                timeout=TIMEOUT_SECONDS,
                context=self._trusted,
            )
        return smtplib.SMTP(place.host, place.port, self._name, timeout=TIMEOUT_SECONDS)

    def _introduce(self, smtp: smtplib.SMTP) -> None:
        smtp.ehlo_or_helo_if_needed()
        if self._place.tls == "starttls":
            if not smtp.has_extn("starttls"):
                raise MailRefused("the mail server offers no TLS", permanent=False)
            smtp.starttls(context=self._trusted)
            smtp.ehlo_or_helo_if_needed()
        if self._place.user:
            self._log_in(smtp)

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        try:
            smtp.login(self._place.user, self._place.password)
        except (smtplib.SMTPException, UnicodeError) as error:
            # Some servers hang up instead of answering.
            reason = "the mail server refused user or password"
            raise MailRefused(reason, permanent=False) from error


@dataclass(frozen=True, repr=False)
class _Place:
    host: str
    port: int
    tls: Tls
    user: str
    password: str


def _read(url: str) -> _Place:
    parts, port, host = _split(url)
    tls = _tls(parts.scheme, host, parts.query)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if user and tls == "off" and host not in LOOPBACK_HOSTS:
        raise SmtpUrlWrong("must not send a password without TLS: leave out ?tls=off, or the user")
    usual = _SUBMISSIONS_PORT if tls == "implicit" else _SUBMISSION_PORT
    return _Place(host, port or usual, tls, user, password)


def _split(url: str) -> tuple[SplitResult, int | None, str]:
    """Return a URL's parts, its port and its host."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise SmtpUrlWrong(_EXAMPLE) from error
    if parts.scheme not in {"smtp", "smtps"} or not host or parts.path not in {"", "/"}:
        raise SmtpUrlWrong(_EXAMPLE)
    if port == 0 or parts.fragment:
        raise SmtpUrlWrong("must name a port from 1 to 65535, or none, and end there")
    return parts, port, host


def _tls(scheme: str, host: str, query: str) -> Tls:
    match scheme, query:
        case "smtps", "":
            return "implicit"
        case "smtps", _:
            raise SmtpUrlWrong("must end after the port: smtps always speaks TLS")
        case _, "":
            return "off" if host in LOOPBACK_HOSTS else "starttls"
        case _, "tls=off":
            return "off"
        case _, "tls=starttls":
            return "starttls"
    raise SmtpUrlWrong("may end in ?tls=starttls or ?tls=off only")


def address_problem(address: str) -> str | None:
    """Say why no mail can go from or to `address`; None when it can (RFC 5321 section 4.1.2).

    Quoted names are not for us. Letters beyond ASCII are (RFC 6531).
    """
    return None if _ADDRESS.fullmatch(address) else "must look like somebody@example.com"


def _mailbox(address: str, name: str = "") -> Address:
    """Return an address as headers take it. Raises ValueError."""
    if problem := address_problem(address):
        raise ValueError(problem)
    local, _, domain = address.rpartition("@")
    # In this form every server takes it, unless the name before the @ needs RFC 6531 anyway.
    return Address(name, local, domain.encode("idna").decode() if local.isascii() else domain)


def _written(message: Message, sender: Address, to: Address) -> bytes:
    """Write a mail down (RFC 5322). Raises ValueError when a word can't stand in it."""
    mail = EmailMessage(SMTPUTF8 if _is_international(sender, to) else SMTP)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = _one_line(message.subject)
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.at, UTC))
    mail["Message-ID"] = f"<{message.id}@{message.host}>"
    # Nobody's out-of-office notice should come back (RFC 3834 section 5).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    return mail.as_bytes()


def _is_international(*mailboxes: Address) -> bool:
    """Whether an address needs SMTPUTF8 (RFC 6531)."""
    return not all(mailbox.addr_spec.isascii() for mailbox in mailboxes)


def _one_line(text: str) -> str:
    """Return `text` without line breaks and other controls: names come from people and clients."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def _refusal(error: Exception) -> MailRefused:
    """Say what happened in our words: a server's own may repeat the address."""
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code, words = next(iter(refused.values()))
            return MailRefused(_status(code, words), permanent=code >= _PERMANENT)
        case smtplib.SMTPDataError():
            status = _status(error.smtp_code, error.smtp_error)
            return MailRefused(status, permanent=error.smtp_code >= _PERMANENT)
        # What follows is about us, not about this mail: operators can mend it.
        case smtplib.SMTPResponseException():
            return MailRefused(_status(error.smtp_code, error.smtp_error), permanent=False)
        case ssl.SSLCertVerificationError():
            return MailRefused("the mail server's certificate is not trusted", permanent=False)
        case TimeoutError():
            return MailRefused("the mail server took too long", permanent=False)
    return MailRefused(
        f"no conversation with the mail server: {type(error).__name__}", permanent=False
    )


def _status(code: int, words: bytes | str) -> str:
    """Return a reply's code, and its enhanced status where it has one (RFC 3463)."""
    found = _ENHANCED_STATUS.match(words if isinstance(words, bytes) else words.encode())
    return f"{code} {found[0].decode()}" if found else str(code)
