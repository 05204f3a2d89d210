"""TLS without a proxy: which protocols and ciphers are spoken, and whose certificate is shown."""

import contextlib
import logging
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard
from urllib.parse import urlsplit

from idp.config import Settings
from idp.crypto.certificates import CertificateUnusable, examine, key_file_problem

CERTIFICATE, KEY = "IDP_TLS_CERTIFICATE", "IDP_TLS_KEY"
# What RFC 9325 (BCP 195) section 4.2 recommends. TLS 1.3 has good ones only.
_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
)
_SECURITY_LEVEL = 2  # RSA keys have 2048 bits at least, signatures no SHA-1
_RECORD = 16384
"""Bytes: the most that a record holds, so that nothing decrypted stays where no poller sees it."""
_log = logging.getLogger(__name__)


class TlsUnusable(Exception):
    """The files do not make a server. The message is one sentence for the operator."""


@dataclass(frozen=True)
class _Files:
    certificate: Path
    key: Path

    def version(self) -> tuple[int, int]:
        """Return what changes when somebody replaces the files."""
        return self.certificate.stat().st_mtime_ns, self.key.stat().st_mtime_ns


class Tls:
    """The server's half of every handshake. Files that were replaced are read again."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises TlsUnusable."""
        self._files = _Files(certificate, key)
        self._context = _context(self._files)
        self._version = self._files.version()

    def wrapped(self, sock: socket.socket) -> ssl.SSLSocket:
        """Return the socket to shake hands on. Raises OSError; `sock` is of no use any more."""
        self._look_again()
        return self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)

    def _look_again(self) -> None:
        """Take a renewed certificate; until both files fit together, the old one goes on."""
        with contextlib.suppress(OSError):
            version = self._files.version()
            if version == self._version:
                return
            try:
                self._context = _context(self._files)
            except TlsUnusable as error:
                _log.warning("The old certificate is still used: %s", error)
            else:
                _log.info("A new certificate is used.")
            self._version = version


def tls_of(settings: Settings) -> Tls | None:
    """Return what the settings say; None without certificate. Raises TlsUnusable."""
    if not settings.tls_certificate:
        return None
    return Tls(Path(settings.tls_certificate), Path(settings.tls_key))


def tls_problems(settings: Settings) -> list[str]:
    """Return what is wrong with the files, and with an issuer that does not fit them."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if not certificate and not key:
        return []
    if not certificate or not key:
        missing, given = (CERTIFICATE, KEY) if key else (KEY, CERTIFICATE)
        return [f"{missing}: not set, but {given} is; it takes both to speak https."]
    problems = _key_problems(settings) + _certificate_problems(settings)
    return problems or _pair_problems(settings)


def _key_problems(settings: Settings) -> list[str]:
    problem = key_file_problem(Path(settings.tls_key))
    return [f"{KEY}: {problem}"] if problem else []


def _certificate_problems(settings: Settings) -> list[str]:
    if settings.issuer and not settings.secure:
        return [f"IDP_ISSUER: must be https, since {CERTIFICATE} is set."]
    host = urlsplit(settings.issuer).hostname
    try:
        found = examine(Path(settings.tls_certificate), host)
    except CertificateUnusable as error:
        found = [str(error)]
    return [f"{CERTIFICATE}: {said}" for said in found]


def _pair_problems(settings: Settings) -> list[str]:
    try:
        tls_of(settings)
    except TlsUnusable as error:
        return [f"{CERTIFICATE}: {error}"]
    return []


def _context(files: _Files) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{':'.join(_CIPHERS)}:@SECLEVEL={_SECURITY_LEVEL}")
    context.set_alpn_protocols(["http/1.1"])
    # Tickets would be sealed by one key for as long as the process lives (RFC 9325 section 3.4).
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    try:
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
    except (OSError, ValueError) as error:
        raise TlsUnusable(_reason(error, files)) from error
    return context


def _no_password() -> str:
    """Nobody is there to be asked."""
    return ""


def _reason(error: Exception, files: _Files) -> str:
    said = f"{getattr(error, 'reason', None) or error}"
    if said == "KEY_VALUES_MISMATCH":
        return f"{files.key} is the key of another certificate than {files.certificate}."
    return f"{files.certificate} and {files.key} cannot be used together ({said})."


def shake_hands(sock: ssl.SSLSocket, seconds: float) -> None:
    """Agree on keys. Raises OSError when that fails, or takes longer."""
    sock.settimeout(seconds)
    sock.do_handshake()


def received(sock: ssl.SSLSocket, seconds: float) -> bytes:
    """Return what comes next, empty at the end. Raises BlockingIOError when that is too late."""
    sock.settimeout(seconds)
    try:
        return sock.recv(_RECORD)
    except TimeoutError as error:
        raise BlockingIOError("The request took too long.") from error
    except ssl.SSLError as error:
        raise ConnectionResetError("The connection is no TLS any more.") from error


def at_once(sock: ssl.SSLSocket) -> bytes:
    """Return what is there already, empty if nothing is, or nothing can be read."""
    with contextlib.suppress(OSError):
        sock.setblocking(False)
        return sock.recv(_RECORD)
    return b""


def say_goodbye(sock: socket.socket) -> None:
    """Tell a TLS client that nothing follows (RFC 8446 section 6.1), without waiting for it."""
    if isinstance(sock, ssl.SSLSocket):
        with contextlib.suppress(OSError, ValueError):
            sock.setblocking(False)
            sock.unwrap()


def is_secured(sock: socket.socket) -> TypeGuard[ssl.SSLSocket]:
    """Whether a connection speaks TLS already."""
    return isinstance(sock, ssl.SSLSocket)
