"""A certificate authority of one's own, for servers on loopback."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)
_PRIVATE = 0o600
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Certificate:
    """Files in PEM: a certificate and its private key, which its owner alone can read."""

    certificate: Path
    key: Path


class Authority:
    """Issues certificates for localhost; who trusts `file` trusts them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Tests")
        folder.mkdir(parents=True, exist_ok=True)

    @cached_property
    def file(self) -> Path:
        """The authority's own certificate."""
        built = self._builder(self._name, self._key.public_key())
        own = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        own = own.add_extension(usage, critical=True)
        return self._write("authority.pem", own.sign(self._key, hashes.SHA256()))

    def issue(
        self, name: str = "localhost", *, kind: str = "EC", names: Sequence[str] = (), days: int = 1
    ) -> Certificate:
        """Return a new certificate for this machine; `kind` of key is EC or RSA.

        `names` are more hosts that it is for, `days` how long it goes on being valid.
        """
        key: PrivateKey = ec.generate_private_key(ec.SECP256R1())
        if kind == "RSA":
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        hosts: list[x509.GeneralName] = [x509.DNSName(host) for host in ("localhost", *names)]
        hosts.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        built = self._builder(_name(name), key.public_key(), days)
        built = built.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        # What Python 3.13 and later ask for of their own accord (RFC 5280 section 4.2.1.1).
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        built = built.add_extension(issuer, critical=False)
        file = self._write(f"{name}-{kind}.pem", built.sign(self._key, hashes.SHA256()))
        return Certificate(file, self._write_key(f"{name}-{kind}.key", key))

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, days: int = 1
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * _DAY)
            .not_valid_after(now + days * _DAY)
            .add_extension(identifier, critical=False)
        )

    def _write(self, name: str, certificate: x509.Certificate) -> Path:
        path = self._folder / name
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def _write_key(self, name: str, key: PrivateKey) -> Path:
        path = self._folder / name
        path.touch(_PRIVATE)
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return path


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
