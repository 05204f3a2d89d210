"""What the tests of mail share: servers, a certificate that is trusted here, and deliverers."""

import datetime
import ipaddress
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask

from idp.config import Settings
from idp.domain.delivery import Delivery
from idp.domain.services import Services
from idp.outbound.smtp import SmtpServer
from idp.store import outgoing_mail as rows
from idp.store.database import RowMapping
from idp.web.mails import Mails
from tests.mail import mail_server
from tests.mail.mail_server import MailServer
from tests.support.held_clock import HeldClock

Put = Callable[..., str]
Deliverer = Callable[[int], Delivery]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for loopback with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.test")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("certificate") / "mail.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The certificate, trusted by this machine for the time of the test."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return certificate


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A mail server without TLS."""
    with mail_server.serving() as server:
        yield server


@pytest.fixture
def mails(app: Flask, settings: Settings) -> Mails:
    """Renders mails."""
    return Mails(app, settings)


@pytest.fixture
def put(services: Services) -> Put:
    """Puts a mail into the outbox, a test mail if nothing else is said; returns its id."""

    def deed(
        kind: str = "mail_test",
        to: str = "ada@example.test",
        values: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> str:
        before = {mail.id for mail in services.outbox.latest(1000)}
        with services.store.writing() as connection:
            services.outbox.put(connection, kind, to, values or {}, **options)
        (new,) = {mail.id for mail in services.outbox.latest(1000)} - before
        return new

    return deed


@pytest.fixture
def row(services: Services) -> Callable[[str], RowMapping]:
    """Looks at a mail as the database has it."""

    def look(mail_id: str) -> RowMapping:
        with services.store.reading() as connection:
            found = rows.find(connection, mail_id)
        assert found is not None
        return found

    return look


@pytest.fixture
def deliverer(services: Services, clock: HeldClock, mails: Mails) -> Iterator[Deliverer]:
    """Makes what sends to the server at a port."""
    made = []

    def make(port: int) -> Delivery:
        server = SmtpServer(f"smtp://127.0.0.1:{port}", "id.example.test")
        made.append(
            Delivery(
                services.store,
                services.outbox,
                clock,
                services.settings,
                mails.render,
                server.send,
            )
        )
        return made[-1]

    yield make
    for one in made:
        one.stop()
