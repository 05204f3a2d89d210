"""How a service is protected: its names, whom it asks, and what it believes for how long."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote_plus, urlsplit

from idp.guard.errors import ConfigurationError
from idp.guard.jwk import ALGORITHMS

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!$-;=?-\[\]_a-z~]+")
_PLAIN = re.compile(r"[ !#-\[\]-~]+")


@dataclass(frozen=True)
class Credentials:
    """What `idp resources add` gave this service to prove itself to the server with."""

    name: str
    secret: str = field(repr=False)

    def header(self) -> str:
        """Return the Authorization header that proves them (RFC 6749 section 2.3.1)."""
        pair = f"{quote_plus(self.name)}:{quote_plus(self.secret)}"
        return f"Basic {base64.b64encode(pair.encode('ascii')).decode('ascii')}"


@dataclass(frozen=True)
class Published:
    """What the protected-resource metadata says beyond the identifier and the server (RFC 9728)."""

    scopes: tuple[str, ...] = ()
    name: str = ""
    documentation: str = ""


@dataclass(frozen=True)
class Settings:
    """Everything about one protected service. Times are in seconds. Raises ConfigurationError."""

    issuer: str
    """The authorization server."""
    resource: str
    """The identifier of this service, which has to be in a token's `aud`."""
    credentials: Credentials | None = None
    """For introspection, and for the policy engine unless `engine_authorization` is given."""
    engine: str = ""
    """The access evaluation endpoint of a policy engine that speaks AuthZEN 1.0."""
    engine_authorization: Callable[[], str] | None = field(default=None, repr=False)
    """Gives the Authorization header for the policy engine, for example `Bearer …`."""
    realm: str = ""
    """What callers are told they are kept out of; the identifier, when empty."""
    published: Published | None = None
    """Where callers learn what to ask for. None: nothing is published and nothing points there."""
    algorithms: tuple[str, ...] = ("ES256", "PS256", "EdDSA", "Ed25519")
    """How tokens may be signed. The choice is ours, never the token's."""
    leeway: int = 10
    """By how much clocks may differ."""
    stale: int = 3600
    """How long keys that should be fetched anew are believed while the server is away."""
    pause: int = 10
    """At least this long between two fetches of the keys."""
    remembered: int = 5
    """How long an introspection's answer is believed, other than by what asks for live ones."""
    timeout: float = 5.0
    """For one question to the server, from connecting to the last byte."""
    engine_timeout: float = 1.0
    """For one question to the policy engine."""

    def __post_init__(self) -> None:
        _check_url("issuer", self.issuer)
        if not _URI.fullmatch(self.resource):
            raise ConfigurationError("resource: must be an absolute URI without a fragment.")
        if self.engine:
            _check_url("engine", self.engine)
        if self.published:
            _check_url("resource", self.resource)
        self._check_choices()

    def _check_choices(self) -> None:
        if not _PLAIN.fullmatch(self.realm or self.resource):
            raise ConfigurationError("realm: must be printable ASCII without quotation marks.")
        if not self.algorithms or not ALGORITHMS.issuperset(self.algorithms):
            raise ConfigurationError(
                f"algorithms: must be some of {', '.join(sorted(ALGORITHMS))}."
            )
        times = (self.leeway, self.stale, self.pause, self.remembered)
        if min(times) < 0 or min(self.timeout, self.engine_timeout) <= 0:
            raise ConfigurationError("Times must not be negative, and timeouts not be zero.")

    @property
    def metadata_url(self) -> str:
        """Where the metadata is published (RFC 9728 section 3.1), "" where it is not."""
        if self.published is None:
            return ""
        return well_known(self.resource, "oauth-protected-resource")

    @property
    def metadata_path(self) -> str:
        """The path of that address, "" where there is none."""
        return urlsplit(self.metadata_url).path

    def engine_proof(self) -> Callable[[], str] | None:
        """Return what gives the Authorization header for the engine, None where nothing does."""
        if self.engine_authorization or not self.credentials:
            return self.engine_authorization
        return self.credentials.header


def well_known(identifier: str, name: str) -> str:
    """Return a well-known address: its path stands between host and path of `identifier`."""
    parts = urlsplit(identifier)
    path = "" if parts.path == "/" else parts.path
    return parts._replace(path=f"/.well-known/{name}{path}").geturl()


def is_safe(url: str) -> bool:
    """Whether secrets and keys may travel there: by https, or without leaving the machine."""
    try:
        parts = urlsplit(url)
        return _reaches(parts) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _reaches(parts: SplitResult) -> bool:
    if not parts.hostname or "@" in parts.netloc or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _check_url(name: str, value: str) -> None:
    if not is_safe(value):
        raise ConfigurationError(f"{name}: must be an https URL (or http on this machine).")
