"""Sending to a collector by syslog over TCP (RFC 6587 section 3.4.1) or TLS (RFC 5425).

Syslog has no answers. What comes nearest: everything is sent, the sending half is closed, and the
collector closes its own once it has read all.
"""

import socket
import ssl
from collections.abc import Sequence
from contextlib import closing

from idp.config import ConfigurationError, Settings
from idp.outbound.hasty_socket import Deadline

SECONDS = 10.0
"""For connecting, sending and the collector's end together."""
_CHUNK = 4096


class SyslogFailed(Exception):
    """The messages may not have arrived. The message says why."""


class SyslogSender:
    """One collector, which the operator named."""

    def __init__(self, host: str, port: int, settings: Settings, *, tls: bool) -> None:
        """Raises ConfigurationError when IDP_OUTBOUND_CA_FILE can't be read."""
        self._host = host
        self._port = port
        self._trusted = _trust(settings) if tls else None

    def send(self, messages: Sequence[bytes]) -> None:
        """Send messages, each with its length before it. Raises SyslogFailed."""
        framed = b"".join(b"%d %b" % (len(message), message) for message in messages)
        deadline = Deadline(SECONDS)
        try:
            with closing(self._connected(deadline)) as connected:
                connected.settimeout(deadline.left())
                connected.sendall(framed)
                _await_end(connected, deadline)
        except ssl.SSLCertVerificationError as error:
            raise SyslogFailed("the certificate is not trusted") from error
        except OSError as error:
            raise SyslogFailed(f"no conversation: {type(error).__name__}") from error

    def _connected(self, deadline: Deadline) -> socket.socket:
        plain = socket.create_connection((self._host, self._port), timeout=deadline.left())
        if self._trusted is None:
            return plain
        try:
            return self._trusted.wrap_socket(plain, server_hostname=self._host)
        except BaseException:
            plain.close()
            raise


def _await_end(connected: socket.socket, deadline: Deadline) -> None:
    """Say that this is all, and wait until the collector has read it. Raises OSError."""
    if isinstance(connected, ssl.SSLSocket):
        try:
            connected.settimeout(deadline.left())
            connected.unwrap().close()
        except ssl.SSLEOFError:
            return  # it closed without a farewell, which many do
        return
    connected.shutdown(socket.SHUT_WR)
    while True:
        connected.settimeout(deadline.left())
        if not connected.recv(_CHUNK):
            return


def _trust(settings: Settings) -> ssl.SSLContext:
    try:
        trusted = ssl.create_default_context()
        trusted.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.outbound_ca_file:
            trusted.load_verify_locations(cafile=settings.outbound_ca_file)
    except OSError as error:
        said = "IDP_OUTBOUND_CA_FILE: must name a readable file of certificates in PEM."
        raise ConfigurationError([said]) from error
    return trusted
