"""`idp serve` with a certificate: https without a proxy."""

import json
import shutil
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from idp.cli.tls import tls_problems
from idp.config import ConfigurationError, load
from tests.running.commands import Place, Running
from tests.running.test_serve import EVER, FEW_THREADS, with_limits
from tests.support.certificates import Authority, Certificate
from tests.support.handshakes import assert_strict, offer
from tests.support.ports import free_port

pytestmark = pytest.mark.xdist_group("serve")


@dataclass(frozen=True)
class Served:
    """A production server that speaks https on a port of loopback."""

    running: Running
    port: int
    authority: Authority
    files: Certificate

    @property
    def issuer(self) -> str:
        """Its https origin."""
        return f"https://localhost:{self.port}"

    def secured(self, stack: ExitStack) -> ssl.SSLSocket:
        """Return a connection after its handshake."""
        plain = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), 10))
        context = offer(self.authority.file)
        secured = context.wrap_socket(
            plain, server_hostname="localhost", suppress_ragged_eofs=False
        )
        return stack.enter_context(secured)

    def request(self, path: str = "/health/live", *, close: bool = False) -> bytes:
        """Return a request as it is written."""
        ending = "Connection: close\r\n" if close else ""
        return f"GET {path} HTTP/1.1\r\nHost: localhost:{self.port}\r\n{ending}\r\n".encode()

    def levels(self) -> set[str]:
        """Return how bad the lines of its log are."""
        return {json.loads(line)["level"] for line in self.running.log.read_text().splitlines()}


@contextmanager
def serving(
    place: Place, kind: str, settings: dict[str, str] | None = None, **more: Any
) -> Iterator[Served]:
    authority = Authority(place.folder / "tls")
    files, port = authority.issue(kind=kind), free_port()
    environment = (settings or {}) | {
        "IDP_ISSUER": f"https://localhost:{port}",
        "IDP_TLS_CERTIFICATE": str(files.certificate),
        "IDP_TLS_KEY": str(files.key),
    }
    with place.serving("serve", "--port", str(port), environment=environment, **more) as running:
        running.http.verify = str(authority.file)
        running.wait(f"https://localhost:{port}/health/ready")
        yield Served(running, port, authority, files)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(Place(tmp_path_factory.mktemp("tls")), "EC", FEW_THREADS) as found:
        yield found


def test_only_good_tls_is_spoken(served: Served, place: Place) -> None:
    assert_strict(served.port, served.authority.file)
    with serving(place, "RSA") as other:
        assert_strict(other.port, other.authority.file, "RSA")


def test_the_issuer_cookies_and_hsts_are_those_of_https(served: Served) -> None:
    http = served.running.http
    document = http.get(f"{served.issuer}/.well-known/openid-configuration").json()
    assert document["issuer"] == served.issuer
    answer = http.get(f"{served.issuer}/sign-in")
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    found = [each for past in (*answer.history, answer) for each in past.cookies]
    assert found
    assert {(each.name.startswith("__Host-"), each.secure) for each in found} == {(True, True)}


def test_a_connection_is_kept_and_requests_may_come_together(served: Served) -> None:
    with ExitStack() as stack:
        client = served.secured(stack)
        for _ in range(3):
            client.sendall(served.request())
            answer = b""
            while not answer.endswith(b"}"):
                answer += client.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200")
        client.sendall(served.request() + served.request("/nothing-here", close=True))
        # An end that is not told in TLS is a truncation, and an error here.
        answer = b"".join(iter(lambda: client.recv(65536), b""))
        assert [part.split()[0] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404"]


def test_what_is_larger_than_a_record_arrives(served: Served) -> None:
    http = served.running.http
    form = {"grant_type": "client_credentials", "client_id": "nobody", "x": "a" * 200_000}
    answer = http.post(f"{served.issuer}/oauth2/token", data=form)
    assert answer.json()["error"] in {"invalid_client", "invalid_request"}
    too_large = http.post(f"{served.issuer}/oauth2/token", data={"x": "a" * 300_000})
    assert too_large.status_code == 413


def test_who_says_nothing_stops_nobody(place: Place) -> None:
    """There are more of them than threads, before and after the handshake; nobody is given up."""
    patient = with_limits(SILENCE_SECONDS=EVER, REQUEST_SECONDS=EVER)
    with serving(place, "EC", FEW_THREADS, program=patient) as served, ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(socket.create_connection(("127.0.0.1", served.port), 20))
            served.secured(stack)
        assert served.running.http.get(f"{served.issuer}/health/live", timeout=30).ok
        assert served.levels() == {"info"}


def test_who_falls_silent_is_given_up(place: Place) -> None:
    """There are more of them than threads: within the handshake, and within a request."""
    begun = (b"", b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    impatient = with_limits(SILENCE_SECONDS=2, REQUEST_SECONDS=EVER)
    with serving(place, "EC", FEW_THREADS, program=impatient) as served, ExitStack() as stack:
        address = ("127.0.0.1", served.port)
        silent = [stack.enter_context(socket.create_connection(address, 30)) for _ in range(18)]
        for number, client in enumerate(silent):
            client.sendall(begun[number % len(begun)])
        assert served.running.http.get(f"{served.issuer}/health/live", timeout=30).ok
        for client in silent:
            while client.recv(4096):  # an alert, perhaps, and then the end
                pass
        shaken = [served.secured(stack) for _ in range(6)]
        for secured in shaken:
            secured.sendall(b"GET /health/live HTTP/1.1\r\nHost: loc")
        assert served.running.http.get(f"{served.issuer}/health/live", timeout=30).ok
        for secured in shaken:
            secured.settimeout(30)
            assert secured.recv(1) == b""
        assert served.levels() == {"info"}


def test_who_hangs_up_rudely_leaves_nothing_behind(served: Served) -> None:
    for sent in (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", served.port), 10) as client:
            client.sendall(sent)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert served.running.http.get(f"{served.issuer}/health/live").status_code == 200
    assert served.levels() == {"info"}


def test_a_renewed_certificate_is_taken_when_both_files_are_there(served: Served) -> None:
    before = serial(served)
    kept = served.files.key.read_bytes(), served.files.certificate.read_bytes()
    renewed = served.authority.issue("renewed")
    shutil.copyfile(renewed.certificate, served.files.certificate)
    assert serial(served) == before, "with the old key still there"
    shutil.copyfile(renewed.key, served.files.key)
    after = serial(served)
    assert after != before
    served.files.key.write_bytes(kept[0])
    served.files.certificate.write_bytes(kept[1])
    assert serial(served) == before


def serial(served: Served) -> object:
    """Return the number of the certificate that a new connection is shown."""
    with ExitStack() as stack:
        shown = served.secured(stack).getpeercert()
        assert shown is not None
        return shown["serialNumber"]


def test_health_asks_over_https(served: Served, place: Place) -> None:
    environment = {"IDP_TLS_CERTIFICATE": "set", "PORT": str(served.port)}
    done = place.run("health", environment=environment)
    assert (done.returncode, done.stdout) == (0, "ready\n"), done.stderr
    done = place.run("health", "--url", served.issuer)
    assert done.returncode == 1, "An address that is given has to prove itself."


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def problems(files: Certificate, issuer: str = "https://localhost:8443") -> list[str]:
    """Return what is said of these files."""
    settings = {"tls_certificate": str(files.certificate), "tls_key": str(files.key)}
    return tls_problems(load({"issuer": issuer, **settings}))


def test_good_files_are_taken(authority: Authority, tmp_path: Path) -> None:
    files = authority.issue()
    assert problems(files) == []
    files.key.chmod(0o640)
    assert problems(files) == [], "Debian's ssl-cert group may read."
    assert tls_problems(load({})) == []


def test_case_157_a_tls_key_that_others_can_read_is_refused(authority: Authority) -> None:
    files = authority.issue()
    for mode in (0o644, 0o660, 0o604, 0o602):
        files.key.chmod(mode)
        (said,) = problems(files)
        assert said == (
            f"IDP_TLS_KEY: {files.key} can be read or changed by others; run: chmod 600 {files.key}"
        )


def test_case_157_files_that_do_not_serve_are_refused(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, other = authority.issue(), authority.issue("other")
    mixed = Certificate(files.certificate, other.key)
    assert problems(mixed) == [
        f"IDP_TLS_CERTIFICATE: {other.key} is the key of another certificate "
        f"than {files.certificate}."
    ]
    (said,) = problems(files, "https://id.example.com")
    assert said.endswith("is for 127.0.0.1, localhost, not for id.example.com.")
    assert problems(files, "http://localhost:8000")[0].startswith("IDP_ISSUER: must be https")
    none = Certificate(tmp_path / "none.pem", tmp_path / "none.key")
    assert [said.split(" ")[0] for said in problems(none)] == [
        "IDP_TLS_KEY:",
        "IDP_TLS_CERTIFICATE:",
    ]
    (said,) = problems(Certificate(files.key, files.key))
    assert said.endswith("holds no certificate in PEM.")
    (said,) = problems(authority.issue("old", days=-1))
    assert "expired on " in said


def test_case_157_half_of_it_is_refused(authority: Authority) -> None:
    files = authority.issue()
    (said,) = tls_problems(load({"tls_certificate": str(files.certificate)}))
    assert said.startswith("IDP_TLS_KEY: not set, but IDP_TLS_CERTIFICATE is;")
    (said,) = tls_problems(load({"tls_key": str(files.key)}))
    assert said.startswith("IDP_TLS_CERTIFICATE: not set, but IDP_TLS_KEY is;")


def test_case_157_a_key_in_place_of_its_path_is_refused_and_not_shown(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = authority.issue().key
    monkeypatch.setenv("IDP_TLS_KEY_FILE", str(key))
    with pytest.raises(ConfigurationError) as refusal:
        load({})
    assert refusal.value.problems == [
        "IDP_TLS_KEY: must be the path of the file, not what the file holds."
    ]


def test_case_157_serve_tells_all_of_it_at_once(place: Place, authority: Authority) -> None:
    files = authority.issue()
    files.key.chmod(0o644)
    settings = {
        "IDP_ISSUER": "https://id.example.com",
        "IDP_HASH_SLOTS": "many",
        "IDP_TLS_CERTIFICATE": str(files.certificate),
        "IDP_TLS_KEY": str(files.key),
    }
    done = place.run("serve", "--port", str(free_port()), environment=settings)
    assert done.returncode == 2
    assert [line.split(" ")[1] for line in done.stderr.splitlines()[1:]] == [
        "IDP_HASH_SLOTS:",
        "IDP_TLS_KEY:",
        "IDP_TLS_CERTIFICATE:",
    ]
