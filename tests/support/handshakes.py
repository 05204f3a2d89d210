"""TLS handshakes with what somebody may offer, good and bad."""

import socket
import ssl
import warnings
from pathlib import Path

from tests.support.certificates import Certificate
from tests.support.serving import HOST

RECOMMENDED = {"ECDHE-{}-AES128-GCM-SHA256", "ECDHE-{}-AES256-GCM-SHA384"}
"""RFC 9325 section 4.2, for certificates of either kind."""
WEAK = (
    "AES128-SHA",  # no forward secrecy
    "AES128-GCM-SHA256",
    "ECDHE-{}-AES128-SHA",  # no authenticated encryption
    "ECDHE-{}-AES256-SHA384",
    "DHE-RSA-AES128-GCM-SHA256",
    "NULL-SHA256",  # no encryption
)
OLD = ssl.TLSVersion.TLSv1_1


def offer(
    authority: Path,
    ciphers: str = "",
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> ssl.SSLContext:
    """Return a client that trusts `authority` and would take anything, so that the server decides.

    `ciphers` are those that it offers up to TLS 1.2, `newest` its best version.
    """
    context = ssl.create_default_context(cafile=authority)
    _permit_all(context, ciphers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that TLS 1.1 is old is the point
        context.maximum_version = newest
    return context


def careless(certificate: Certificate) -> ssl.SSLContext:
    """Return a server that takes what no server should."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    _permit_all(context, "")
    return context


def _permit_all(context: ssl.SSLContext, ciphers: str) -> None:
    context.set_ciphers(f"{ciphers or 'ALL:COMPLEMENTOFALL'}:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1


def agreed(port: int, client: ssl.SSLContext) -> tuple[str, str] | None:
    """Return protocol and cipher of a handshake with what listens there; None when refused."""
    with socket.create_connection((HOST, port), timeout=15) as plain:
        try:
            with client.wrap_socket(plain, server_hostname="localhost") as secured:
                cipher = secured.cipher()
                return str(secured.version()), cipher[0] if cipher else ""
        except (ssl.SSLError, ConnectionResetError):
            return None


def agreed_in_memory(server: ssl.SSLContext, client: ssl.SSLContext) -> str | None:
    """Return the protocol that two ends agree on; None when they do not."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    done: set[int] = set()
    for _ in range(10):
        for number, end in enumerate(ends):
            try:
                end.do_handshake()
                done.add(number)
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                return None
        if len(done) == len(ends):
            return ends[0].version()
    return None


def assert_strict(port: int, authority: Path, kind: str = "ECDSA") -> None:
    """Fail unless TLS 1.2 and 1.3 are spoken there with recommended ciphers, and nothing else.

    `kind` is how the server's certificate is signed with, ECDSA or RSA.
    """
    assert agreed(port, offer(authority, newest=OLD)) is None
    for weak in WEAK:
        cipher = weak.format(kind)
        assert agreed(port, offer(authority, cipher, ssl.TLSVersion.TLSv1_2)) is None, cipher
    for good in sorted(RECOMMENDED):
        cipher = good.format(kind)
        found = agreed(port, offer(authority, cipher, ssl.TLSVersion.TLSv1_2))
        assert found == ("TLSv1.2", cipher)
    newest = agreed(port, offer(authority))
    assert newest is not None
    assert newest[0] == "TLSv1.3"
