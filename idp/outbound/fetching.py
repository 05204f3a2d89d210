"""The one guarded HTTP client: whatever a client's metadata makes us ask for goes through here.

An address comes from outside, so it must not lead inside (OpenID Connect Registration section 9.2):
https alone, the name looked up once and the checked address connected to, no redirect followed,
nothing unpacked, and the whole of it within seconds and bytes.
"""

import http.client
import re
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from idp.config import ConfigurationError, Settings
from idp.outbound import addresses
from idp.outbound.hasty_socket import Deadline, HastySocket, TooMuch, connect
from idp.outbound.looking_up import Resolve, look_up

SECONDS = 5.0
"""For everything: looking the name up, connecting, TLS, and every byte of the answer."""
LARGEST = 256 * 1024
"""Bytes of a body."""
_AROUND = 128 * 1024
"""Bytes of all headers; the frame of a body in chunks may be as large as the body."""
_LONGEST_URL = 2000
_MOST_ADDRESSES = 4
_HTTPS = 443
_UNPRIVILEGED = 1024
_URL = re.compile(
    r"https://(?P<host>[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>[/?][!-~]*)?"
)
_MAX_AGE = re.compile(r'(?:^|,)\s*max-age\s*=\s*"?(\d{1,9})"?\s*(?:,|$)', re.IGNORECASE)
_NOT_KEPT = re.compile(r"(?:^|,)\s*no-(?:store|cache)\s*(?:[,=]|$)", re.IGNORECASE)
_AGENT = "Doorward"


class FetchFailed(Exception):
    """Nothing usable came. `reason` is for the audit log: outsiders are told no more than this."""

    def __init__(self, reason: str) -> None:
        super().__init__("it could not be fetched")
        self.reason = reason


@dataclass(frozen=True)
class Fetched:
    """A document. `max_age`: seconds for which it may be kept; None where nothing was said."""

    body: bytes = field(repr=False)
    media_type: str
    max_age: int | None


@dataclass(frozen=True)
class _Place:
    """Where a URL leads; `origin` in lower case with the port, unless it is 443."""

    host: str
    port: int
    origin: str
    target: str


class Fetcher:
    """Asks https servers that outsiders named. Threads may share it.

    Special-use addresses are refused but for the origins in `IDP_OUTBOUND_ORIGINS`; certificates
    are verified always, also against `IDP_OUTBOUND_CA_FILE`.
    """

    def __init__(self, settings: Settings, resolve: Resolve = look_up) -> None:
        """Raises ConfigurationError when the file of certificates can't be read."""
        self._named = frozenset(settings.outbound_origins)
        self._ca_file = settings.outbound_ca_file
        self._resolve = resolve
        self._lock = threading.Lock()
        # The system's certificates take 30 ms to load: not before they are needed.
        self._trusted = self._trust() if self._ca_file else None

    def get(
        self, url: str, *, accept: tuple[str, ...], largest: int = LARGEST, seconds: float = SECONDS
    ) -> Fetched:
        """Return the document at `url`, of one of the media types in `accept`. Raises FetchFailed.

        Anything but 200, more than `largest` bytes or an encoded body is a failure.
        """
        headers = {"Accept": ", ".join(accept)}
        with self._answer("GET", url, None, headers, seconds, largest) as response:
            if response.status != http.client.OK:
                raise FetchFailed(f"status {response.status}")
            media_type = response.headers.get_content_type()
            if "Content-Type" not in response.headers or media_type not in accept:
                raise FetchFailed("another content type")
            return Fetched(_body(response, largest), media_type, _max_age(response))

    def post_form(self, url: str, form: Mapping[str, str], *, seconds: float = SECONDS) -> int:
        """Send a form and return the status of the answer, which is not read. Raises FetchFailed.

        A redirect is an answer like any other: it is not followed.
        """
        body = urlencode(form).encode("ascii")
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        with self._answer("POST", url, body, headers, seconds, 0) as response:
            return response.status

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float = SECONDS
    ) -> int:
        """Send a body and return the answer's status; the rest is not read. Raises FetchFailed."""
        with self._answer("POST", url, body, headers, seconds, 0) as response:
            return response.status

    @contextmanager
    def _answer(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        seconds: float,
        largest: int,
    ) -> Iterator[http.client.HTTPResponse]:
        """Ask, and let the caller read the answer, of which `largest` bytes are of use, while the
        connection and the time last.
        """
        deadline = Deadline(seconds)
        place = self._place(url)
        try:
            with closing(self._connected(place, deadline)) as connected:
                connection = http.client.HTTPConnection(place.host, place.port)
                connection.sock = HastySocket(connected, deadline, _AROUND + 2 * largest)
                host = place.origin.removeprefix("https://")
                usual = {"Host": host, "User-Agent": _AGENT, "Connection": "close"}
                sent = {**usual, **headers}
                connection.request(method, place.target, body, sent)
                yield connection.getresponse()
        except TimeoutError as error:
            raise FetchFailed("it took too long") from error
        except TooMuch as error:
            raise FetchFailed("more than an answer") from error
        except ssl.SSLCertVerificationError as error:
            raise FetchFailed("the certificate is not trusted") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise FetchFailed(f"no conversation: {type(error).__name__}") from error

    def _place(self, url: str) -> _Place:
        place = _read(url)
        usual = place.port == _HTTPS or place.port >= _UNPRIVILEGED
        if not usual and place.origin not in self._named:
            raise FetchFailed("a port of another service")
        return place

    def _connected(self, place: _Place, deadline: Deadline) -> ssl.SSLSocket:
        """Connect to the first address that answers: those that were checked, and no others."""
        trusted = self._trusted or self._trust()
        failure: OSError | None = None
        for address in self._addresses(place, deadline):
            try:
                return connect(address, place.port, place.host, trusted, deadline)
            except (TimeoutError, ssl.SSLError):
                raise
            except OSError as error:
                failure = error
        raise failure or OSError("the name has no address")

    def _addresses(self, place: _Place, deadline: Deadline) -> list[str]:
        """Look the name up, once. One address that is not public spoils them all."""
        found = list(self._resolve(place.host, place.port, deadline.left()))
        if place.origin not in self._named and not all(map(addresses.is_public, found)):
            raise FetchFailed("an address of special use")
        return found[:_MOST_ADDRESSES]

    def _trust(self) -> ssl.SSLContext:
        with self._lock:
            try:
                trusted = ssl.create_default_context()
                trusted.minimum_version = ssl.TLSVersion.TLSv1_2
                if self._ca_file:
                    trusted.load_verify_locations(cafile=self._ca_file)
            except OSError as error:
                raise ConfigurationError(
                    ["IDP_OUTBOUND_CA_FILE: must name a readable file of certificates in PEM."]
                ) from error
            self._trusted = trusted
            return trusted


def _read(url: str) -> _Place:
    """Take a URL apart. What has a user, a fragment or odd letters in it is not asked for."""
    found = _URL.fullmatch(url)
    if len(url) > _LONGEST_URL or found is None or "#" in url:
        raise FetchFailed("no https address, or not a plain one")
    host, port = found["host"].lower(), int(found["port"] or _HTTPS)
    if not 0 < port <= 0xFFFF or not addresses.is_written_well(host):
        raise FetchFailed("no host and port")
    origin = f"https://{host}" + ("" if port == _HTTPS else f":{port}")
    target = found["target"] or ""
    return _Place(host.strip("[]"), port, origin, target if target[:1] == "/" else f"/{target}")


def _body(response: http.client.HTTPResponse, largest: int) -> bytes:
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise FetchFailed("an encoded body")
    if (response.length or 0) > largest:
        raise FetchFailed("a body that is too large")
    body = response.read(largest + 1)
    if len(body) > largest:
        raise FetchFailed("a body that is too large")
    if response.length:
        raise FetchFailed("a body that breaks off")
    return body


def _max_age(response: http.client.HTTPResponse) -> int | None:
    """Read what RFC 9111 section 5.2.2 says of keeping it."""
    text = ",".join(response.headers.get_all("Cache-Control", []))
    if _NOT_KEPT.search(text):
        return 0
    found = _MAX_AGE.search(text)
    return int(found[1]) if found else None
