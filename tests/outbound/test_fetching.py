"""The guarded fetch: what it asks for, what it refuses, and when it gives up."""

import gzip
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from idp.config import ConfigurationError, load
from idp.outbound import fetching
from idp.outbound.addresses import is_public
from idp.outbound.fetching import Fetcher, FetchFailed
from tests.support.tls_site import NAME, Answer, Site, say, serving

JSON = ("application/json",)
Call = tuple[str, int]


class Names:
    """A name server in the test's hand: it gives the next answer at each question."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[Call] = []

    def __call__(self, host: str, port: int, seconds: float) -> Sequence[str]:
        self.asked.append((host, port))
        assert 0 < seconds <= fetching.SECONDS
        return self._answers.pop(0)


def make(site: Site, *origins: str, names: Names | None = None) -> Fetcher:
    settings = load(
        {
            "outbound_origins": ",".join(origins or (site.origin(),)),
            "outbound_ca_file": str(site.authority),
        }
    )
    return Fetcher(settings, names) if names else Fetcher(settings)


@pytest.fixture
def fetcher(tls_site: Site) -> Fetcher:
    """May fetch from `tls_site`."""
    return make(tls_site)


def reason(fetch: Callable[[], object]) -> str:
    """Return why a fetch failed; outsiders are told the same each time."""
    with pytest.raises(FetchFailed) as failed:
        fetch()
    assert str(failed.value) == "it could not be fetched"
    return failed.value.reason


def test_a_document_comes_as_it_is(tls_site: Site, fetcher: Fetcher) -> None:
    kind = "application/json; charset=utf-8"
    url = tls_site.put("/keys", {"keys": []}, kind, Cache_Control="public, max-age=600")
    fetched = fetcher.get(f"{url}?v=1", accept=("application/jwk-set+json", "application/json"))
    assert (fetched.body, fetched.media_type) == (b'{"keys": []}', "application/json")
    assert fetched.max_age == 600
    asked = tls_site.asked[0]
    assert (asked.method, asked.path, asked.body) == ("GET", "/keys?v=1", b"")
    assert asked.headers["Host"] == tls_site.origin().removeprefix("https://")
    assert asked.headers["Accept"] == "application/jwk-set+json, application/json"
    assert asked.headers["Accept-Encoding"] == "identity"
    assert asked.headers["Connection"] == "close"
    assert not {"Cookie", "Authorization", "Referer"} & set(asked.headers)


def test_how_long_it_may_be_kept(tls_site: Site, fetcher: Fetcher) -> None:
    told: dict[str, int | None] = {
        "max-age=60": 60,
        'private, MAX-AGE="7"': 7,
        "no-store, max-age=600": 0,
        "no-cache": 0,
        "s-maxage=9": None,
        "max-age=-1": None,
        "max-age=99999999999": None,
    }
    for said, kept in told.items():
        url = tls_site.put("/keys", {}, Cache_Control=said)
        assert fetcher.get(url, accept=JSON).max_age == kept, said


def test_a_form_is_sent_and_its_status_returned(tls_site: Site, fetcher: Fetcher) -> None:
    def moved(handler: BaseHTTPRequestHandler) -> None:
        say(handler, 302, {"Location": tls_site.url("/other"), "Content-Length": "0"})

    url = tls_site.put("/out", "", "text/plain")
    assert fetcher.post_form(url, {"logout_token": "a&b=ü"}) == 200
    sent = tls_site.asked[0]
    assert (sent.method, sent.body) == ("POST", b"logout_token=a%26b%3D%C3%BC")
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"
    tls_site.answers["/moved"] = moved
    assert fetcher.post_form(tls_site.url("/moved"), {}) == 302
    assert fetcher.post_form(tls_site.url("/absent"), {}) == 404
    assert [asked.path for asked in tls_site.asked] == ["/out", "/moved", "/absent"]


ODD = [
    "http://127.0.0.1/",
    "//127.0.0.1/",
    "ftp://127.0.0.1/",
    "file:///etc/passwd",
    "HTTPS://app.example.test/",
    "https://user@app.example.test/",
    "https://user:password@app.example.test/",
    "https://app.example.test\\@127.0.0.1/",
    "https://app.example.test/#",
    "https://app.example.test/#part",
    "https://app.example.test/a b",
    "https://app.example.test/a\r\nX-Header: 1",
    "https://app.example.test/ü",
    "https://äpp.example.test/",
    "https://app%2eexample.test/",
    "https://[fe80::1%25eth0]/",
    "https://[::1/",
    "https://[1:2]/",
    "https://app.example.test:0/",
    "https://app.example.test:65536/",
    "https://app.example.test:/",
    "https://app.example.test:25/",
    "https://app.example.test:80/",
    "https://app.example.test:1023/",
    "https:///path",
    "https://",
    "",
    "https://app.example.test/" + "a" * 2000,
]


def test_odd_addresses_are_not_even_looked_up(tls_site: Site) -> None:
    names = Names()
    guarded = make(tls_site, names=names)
    for url in ODD:
        reason(partial(guarded.get, url, accept=JSON))
        reason(partial(guarded.post_form, url, {}))
    assert names.asked == []


INSIDE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.8.8.8",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


def test_case_080_no_fetch_leads_inside(tls_site: Site) -> None:
    """By its digits, by a name, and by a name that has a public address too."""
    names = Names(*([answer] for answer in INSIDE), *(["9.9.9.9", answer] for answer in INSIDE))
    guarded, plain = make(tls_site, names=names), make(tls_site)
    refused = "an address of special use"
    for address in INSIDE:
        assert not is_public(address), address
        assert reason(partial(guarded.get, f"https://{NAME}/", accept=JSON)) == refused, address
        literal = f"[{address}]" if ":" in address else address
        if "%" not in address:
            assert reason(partial(plain.get, f"https://{literal}/", accept=JSON)) == refused
    for address in INSIDE:
        assert reason(partial(guarded.post_form, f"https://{NAME}/", {})) == refused, address
    assert tls_site.asked == []


def test_case_080_public_addresses_are_spoken_to() -> None:
    for address in ("8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"):
        assert is_public(address), address
    for text in ("", "localhost", "0x7f.1", "127.1", "2130706433", "1.2.3.4.5"):
        assert not is_public(text), text


def test_case_080_the_address_that_was_checked_is_the_one_that_is_connected_to(
    tls_site: Site, tmp_path: Path
) -> None:
    """Rebinding: whoever asks the name server again gets another answer."""
    tls_site.put("/", {"from": "the first"})
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    guarded = make(tls_site, tls_site.origin(NAME), names=names)
    fetched = guarded.get(tls_site.url("/", NAME), accept=JSON)
    assert fetched.body == b'{"from": "the first"}'
    assert names.asked == [(NAME, tls_site.port)]
    assert tls_site.asked[0].headers["Host"] == f"{NAME}:{tls_site.port}"


def test_case_080_only_the_named_origin_may_be_inside(tls_site: Site) -> None:
    """Another port or another name of the same machine is another origin."""
    url, port = tls_site.put("/", {}), tls_site.port
    for named in (
        f"https://localhost:{port}",
        "https://127.0.0.1",
        f"https://127.0.0.1:{port - 1}",
    ):
        guarded = make(tls_site, named)
        assert reason(partial(guarded.get, url, accept=JSON)) == "an address of special use"
    assert tls_site.asked == []


def test_the_next_address_is_tried_when_one_does_not_answer(tls_site: Site) -> None:
    tls_site.put("/", {})
    names = Names(["127.0.0.3", "127.0.0.1"])
    guarded = make(tls_site, tls_site.origin(NAME), names=names)
    assert guarded.get(tls_site.url("/", NAME), accept=JSON).body == b"{}"
    assert reason(lambda: make(tls_site, names=Names([])).get("https://a.test/", accept=JSON))


def test_names_are_looked_up_by_the_system(tls_site: Site) -> None:
    tls_site.put("/", {})
    guarded = make(tls_site, tls_site.origin("localhost"))
    assert guarded.get(tls_site.url("/", "localhost"), accept=JSON).body == b"{}"


def test_case_080_redirects_are_not_followed(tls_site: Site, fetcher: Fetcher) -> None:
    tls_site.put("/inside", {})
    for status in (301, 302, 303, 307, 308):
        headers = {"Location": tls_site.url("/inside"), "Content-Length": "0"}
        tls_site.answers["/"] = partial(say, status=status, headers=headers)
        assert reason(lambda: fetcher.get(tls_site.url("/"), accept=JSON)) == f"status {status}"
    assert {asked.path for asked in tls_site.asked} == {"/"}


def _gzip_bomb(handler: BaseHTTPRequestHandler) -> None:
    body = gzip.compress(b"0" * 10_000_000)
    size = str(len(body))
    kind = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Content-Length": size}
    say(handler, 200, kind, body)


def _ten_gigabytes(handler: BaseHTTPRequestHandler) -> None:
    say(handler, 200, {"Content-Type": "application/json", "Content-Length": str(10**10)})


def _never_ending(handler: BaseHTTPRequestHandler) -> None:
    say(handler, 200, {"Content-Type": "application/json"})
    while True:
        handler.wfile.write(b" " * 65536)


def _never_ending_chunks(handler: BaseHTTPRequestHandler) -> None:
    say(handler, 200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
    while True:
        handler.wfile.write(b"1000\r\n" + b" " * 4096 + b"\r\n")


def _chunk_of_minus_one(handler: BaseHTTPRequestHandler) -> None:
    """Python's reader takes what comes until the end."""
    say(handler, 200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
    handler.wfile.write(b"-1\r\n")
    while True:
        handler.wfile.write(b" " * 65536)


def _chunks_of_nothing_much(handler: BaseHTTPRequestHandler) -> None:
    say(handler, 200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
    while True:
        handler.wfile.write(b"1;%s\r\n \r\n" % (b"x" * 60_000))


def _hints_for_ever(handler: BaseHTTPRequestHandler) -> None:
    while True:
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\nX-Hint: %s\r\n\r\n" % (b"x" * 60_000))


def _breaks_off(handler: BaseHTTPRequestHandler) -> None:
    say(handler, 200, {"Content-Type": "application/json", "Content-Length": "50"}, b'{"keys": [')


def _many_headers(handler: BaseHTTPRequestHandler) -> None:
    say(handler, 200, {f"X-{number}": "1" for number in range(200)})


def _long_header(handler: BaseHTTPRequestHandler) -> None:
    say(handler, 200, {"X-Long": "1" * 70_000})


def _no_http(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"220 mail.example.test ESMTP\r\n")


def _nothing(handler: BaseHTTPRequestHandler) -> None:
    """Hang up."""


def test_case_082_an_answer_has_bounds(tls_site: Site, fetcher: Fetcher) -> None:
    expected: list[tuple[Answer, str]] = [
        (_gzip_bomb, "an encoded body"),
        (_ten_gigabytes, "a body that is too large"),
        (_never_ending, "a body that is too large"),
        (_never_ending_chunks, "a body that is too large"),
        (_chunk_of_minus_one, "more than an answer"),
        (_chunks_of_nothing_much, "more than an answer"),
        (_hints_for_ever, "more than an answer"),
        (_breaks_off, "a body that breaks off"),
        (_many_headers, "no conversation: HTTPException"),
        (_long_header, "no conversation: LineTooLong"),
        (_no_http, "no conversation: BadStatusLine"),
        (_nothing, "no conversation: RemoteDisconnected"),
    ]
    for answer, refused in expected:
        tls_site.answers["/"] = answer
        assert reason(partial(fetcher.get, tls_site.url("/"), accept=JSON)) == refused


def _slow_body(site: Site) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        say(handler, 200, {"Content-Type": "application/json", "Content-Length": "1000"})
        while not site.closing.wait(0.05):
            handler.wfile.write(b" ")

    return answer


def _slow_header(site: Site) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not site.closing.wait(0.05):
            handler.wfile.write(b"a")

    return answer


def _hundreds(site: Site) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        while not site.closing.wait(0.02):
            handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    return answer


def _silent(site: Site) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        site.closing.wait()

    return answer


@pytest.mark.parametrize("slow", [_slow_body, _slow_header, _hundreds, _silent])
def test_case_082_a_slow_answer_ends_with_the_time(
    tls_site: Site, fetcher: Fetcher, slow: Callable[[Site], Answer]
) -> None:
    """A byte now and then does not make it longer."""
    assert fetching.SECONDS == 5
    assert fetching.LARGEST == 256 * 1024
    tls_site.answers["/"] = slow(tls_site)
    began = time.monotonic()
    assert reason(lambda: fetcher.get(tls_site.url("/"), accept=JSON, seconds=0.4)) == (
        "it took too long"
    )
    assert 0.3 < time.monotonic() - began < fetching.SECONDS


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_case_082_a_handshake_and_a_look_up_end_with_the_time(tls_site: Site, deaf: int) -> None:
    guarded = make(tls_site, f"https://127.0.0.1:{deaf}")
    url = f"https://127.0.0.1:{deaf}/"
    assert reason(lambda: guarded.get(url, accept=JSON, seconds=0.2)) == "it took too long"

    def asleep(host: str, port: int, seconds: float) -> Sequence[str]:
        raise TimeoutError

    settings = load({"outbound_ca_file": str(tls_site.authority)})
    sleeping = Fetcher(settings, asleep)
    assert reason(lambda: sleeping.get("https://a.test/", accept=JSON)) == "it took too long"


def test_case_082_another_content_type_is_refused(tls_site: Site, fetcher: Fetcher) -> None:
    for said in ("text/html", "application/jwk-set+json", "", "application/jsonp", "json"):
        url = tls_site.put("/", {}, said)
        assert reason(partial(fetcher.get, url, accept=JSON)) == "another content type", said


def test_a_smaller_bound_is_kept(tls_site: Site, fetcher: Fetcher) -> None:
    url = tls_site.put("/", b"x" * 100, "image/png")
    assert fetcher.get(url, accept=("image/png",), largest=100).body == b"x" * 100
    assert reason(lambda: fetcher.get(url, accept=("image/png",), largest=99)) == (
        "a body that is too large"
    )


def test_certificates_are_verified_always(tls_site: Site, tmp_path: Path) -> None:
    """The name too, and an origin that the operator named is no exception."""
    tls_site.put("/", {})
    unknown = Fetcher(load({"outbound_origins": tls_site.origin()}))
    untrusted = "the certificate is not trusted"
    assert reason(lambda: unknown.get(tls_site.url("/"), accept=JSON)) == untrusted
    other = "other.example.test"
    misnamed = make(tls_site, tls_site.origin(other), names=Names(["127.0.0.1"]))
    assert reason(lambda: misnamed.get(tls_site.url("/", other), accept=JSON)) == untrusted
    with serving(tmp_path / "another") as another:
        both = make(tls_site, another.origin())
        assert reason(lambda: both.get(another.url("/"), accept=JSON)) == untrusted
    assert tls_site.asked == []


def test_a_file_of_certificates_that_cant_be_read_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for path in (tmp_path / "absent.pem", tmp_path / "empty.pem"):
        with pytest.raises(ConfigurationError, match="IDP_OUTBOUND_CA_FILE"):
            Fetcher(load({"outbound_ca_file": str(path)}))
    with pytest.raises(ConfigurationError, match="IDP_OUTBOUND_ORIGINS"):
        load({"outbound_origins": "http://127.0.0.1:8443"})
