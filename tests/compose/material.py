"""Secrets as docs/how-to/run-with-compose.md makes them: a file each, for its one reader."""

import datetime
import ipaddress
import os
import secrets
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SERVER, DATABASE, PROXY = 10001, 999, 101


def make_secrets(folder: Path, key: str) -> list[str]:
    """Fill `folder`; return every secret text in it, to search for later.

    `key` is the key-encryption key.
    """
    folder.mkdir()
    folder.chmod(0o711)
    password = secrets.token_hex(24)
    certificate, private = make_certificate(folder / "ca.pem")
    _put(folder / "database_password", password, DATABASE)
    _put(folder / "database_url", f"postgresql://doorward:{password}@database/doorward", SERVER)
    _put(folder / "key_encryption_key", key, SERVER)
    _put(folder / "tls.crt", certificate, PROXY)
    _put(folder / "tls.key", private, PROXY)
    return [password, key, private.splitlines()[1]]


def _put(path: Path, text: str, reader: int) -> None:
    path.touch(mode=0o400)
    path.write_text(f"{text}\n")
    os.chown(path, reader, -1)


def make_certificate(authority: Path) -> tuple[str, str]:
    """Write an authority's certificate; return one for localhost and its key, as PEM."""
    root, root_key = _certificate("Doorward test authority", None, None)
    leaf, key = _certificate("localhost", root, root_key)
    authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return leaf.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


def _certificate(
    name: str, issuer: x509.Certificate | None, issuer_key: ec.EllipticCurvePrivateKey | None
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .sign(issuer_key or key, hashes.SHA256())
    )
    return certificate, key
