"""What a server's certificate says of itself, for the operator to hear before visitors do."""

import datetime
import ipaddress
import stat
from pathlib import Path

from cryptography import x509

_CONTAINER_SECRETS = Path("/run/secrets")


class CertificateUnusable(Exception):
    """There is no certificate. The message is one sentence for the operator."""


def examine(path: Path, host: str | None) -> list[str]:
    """Return what browsers will mind about the first certificate in the file at `path`.

    `host` is what it should be for; None: not known. Raises CertificateUnusable.
    """
    try:
        certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
    except OSError as error:
        raise CertificateUnusable(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CertificateUnusable(f"{path} holds no certificate in PEM.") from error
    problems = []
    until = certificate.not_valid_after_utc
    if until <= datetime.datetime.now(datetime.UTC):
        problems.append(f"{path} expired on {until:%d %B %Y}.")
    names = _names(certificate)
    if host is not None and not any(_covers(name, host) for name in names):
        problems.append(f"{path} is for {', '.join(sorted(names)) or 'no host'}, not for {host}.")
    return problems


def key_file_problem(path: Path) -> str | None:
    """Say why a private key is not safe in the file at `path`; None when it is.

    A group may read it, as Debian's ssl-cert does; a container's own memory may be open to all.
    """
    try:
        mode = path.stat().st_mode
        path.open("rb").close()
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}."
    allowed = stat.S_IRWXU | stat.S_IRGRP
    if _CONTAINER_SECRETS in path.parents:
        allowed |= stat.S_IROTH
    if stat.S_IMODE(mode) & ~allowed:
        return f"{path} can be read or changed by others; run: chmod 600 {path}"
    return None


def _names(certificate: x509.Certificate) -> set[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return set()
    names = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return {name.lower() for name in names} | {str(address) for address in addresses}


def _covers(name: str, host: str) -> bool:
    """Whether a certificate's name is the host's (RFC 9525 section 6.3: `*` is one whole label)."""
    if name == host:
        return True
    try:
        return ipaddress.ip_address(name) == ipaddress.ip_address(host)
    except ValueError:
        return name.startswith("*.") and name[2:] == host.partition(".")[2]
