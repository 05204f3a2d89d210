"""How the kit asks servers: what it believes, what it refuses, and when it gives up."""

import gc
import gzip
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from idp.guard import Answer, HttpClient
from idp.guard.errors import Unavailable
from idp.guard.http_client import LARGEST
from idp.guard.settings import is_safe
from tests.support.ports import free_port
from tests.support.tls_site import NAME, Site, say

SECONDS = 30.0
"""Long enough for any machine: only the tests of waiting give less."""


@pytest.fixture
def client(tls_site: Site) -> Iterator[HttpClient]:
    """Trusts the site's certificate."""
    trusted = ssl.create_default_context(cafile=str(tls_site.authority))
    client = HttpClient(trusted, idle_seconds=3600)
    yield client
    client.close()


def get(client: HttpClient, url: str, seconds: float = SECONDS) -> Answer:
    return client.send("GET", url, {"Accept": "application/json"}, None, seconds)


def failure(client: HttpClient, url: str, seconds: float = SECONDS) -> str:
    with pytest.raises(Unavailable) as failed:
        get(client, url, seconds)
    return str(failed.value)


def test_what_is_asked_and_what_comes_back(client: HttpClient, tls_site: Site) -> None:
    url = tls_site.put("/a", {"x": 1}, Cache_Control="max-age=7")
    answer = get(client, f"{url}?b=c&d=%20")
    assert (answer.status, answer.body) == (200, b'{"x": 1}')
    assert answer.headers["cache-control"] == "max-age=7"
    asked = tls_site.asked[0]
    assert (asked.method, asked.path) == ("GET", "/a?b=c&d=%20")
    assert asked.headers["Host"] == tls_site.origin().removeprefix("https://")
    assert asked.headers["Accept-Encoding"] == "identity"
    assert asked.headers["User-Agent"] == "Doorward-Guard"
    posted = client.send("POST", url, {"Content-Type": "text/plain"}, b"hello", SECONDS)
    assert posted.status == 200
    assert (tls_site.asked[1].method, tls_site.asked[1].body) == ("POST", b"hello")
    assert get(client, tls_site.url("/nothing")).status == 404


def test_a_redirect_is_an_answer(client: HttpClient, tls_site: Site) -> None:
    target = tls_site.put("/target", {})
    headers = {"Location": target, "Content-Length": "0"}
    tls_site.answers["/a"] = lambda handler: say(handler, 302, headers)
    assert get(client, tls_site.url("/a")).status == 302
    assert [each.path for each in tls_site.asked] == ["/a"]


def test_a_connection_is_used_again_and_replaced_when_it_was_closed(
    client: HttpClient, tls_site: Site
) -> None:
    ports: list[int] = []

    def keep(handler: BaseHTTPRequestHandler) -> None:
        handler.protocol_version = "HTTP/1.1"
        ports.append(handler.client_address[1])
        handler.close_connection = False
        say(handler, 200, {"Content-Length": "2", "Connection": "keep-alive"}, b"{}")

    def keep_and_close(handler: BaseHTTPRequestHandler) -> None:
        keep(handler)
        handler.close_connection = True

    def chunked(handler: BaseHTTPRequestHandler) -> None:
        handler.protocol_version = "HTTP/1.1"
        ports.append(handler.client_address[1])
        handler.close_connection = False
        say(handler, 200, {"Transfer-Encoding": "chunked"}, b"2\r\n{}\r\n0\r\n\r\n")

    tls_site.answers.update({"/keep": keep, "/close": keep_and_close, "/chunked": chunked})
    for path in ("/keep", "/chunked", "/keep", "/close"):
        assert get(client, tls_site.url(path)).body == b"{}"
    assert len(set(ports)) == 1
    # It looks open still, and is not: nobody is told of that.
    assert get(client, tls_site.url("/keep")).body == b"{}"
    assert len(set(ports)) == 2
    client.close()
    assert get(client, tls_site.url("/keep")).body == b"{}"
    assert len(set(ports)) == 3


def test_what_was_idle_too_long_is_not_used_again(tls_site: Site) -> None:
    ports: list[int] = []

    def keep(handler: BaseHTTPRequestHandler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.close_connection = False
        ports.append(handler.client_address[1])
        say(handler, 200, {"Content-Length": "0"})

    tls_site.answers["/keep"] = keep
    trusted = ssl.create_default_context(cafile=str(tls_site.authority))
    client = HttpClient(trusted, idle_seconds=-1)
    for _ in range(2):
        assert get(client, tls_site.url("/keep")).status == 200
    client.close()
    assert len(set(ports)) == 2


def test_who_is_forgotten_hangs_up(tls_site: Site) -> None:
    """A socket that nobody closed would be a warning, which is an error here."""

    def keep(handler: BaseHTTPRequestHandler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.close_connection = False
        say(handler, 200, {"Content-Length": "0"})

    tls_site.answers["/keep"] = keep
    client = HttpClient(ssl.create_default_context(cafile=str(tls_site.authority)))
    assert get(client, tls_site.url("/keep")).status == 200
    del client
    gc.collect()


def test_what_takes_too_long(client: HttpClient, tls_site: Site) -> None:
    """However the time is spent, and however busy the other side looks."""

    def nothing(_: BaseHTTPRequestHandler) -> None:
        tls_site.closing.wait(60)

    def drip_head(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not tls_site.closing.wait(0.01):
            handler.wfile.write(b"x")

    def drip_body(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not tls_site.closing.wait(0.01):
            handler.wfile.write(b"x")

    tls_site.answers.update({"/none": nothing, "/head": drip_head, "/body": drip_body})
    for path in ("/none", "/head", "/body"):
        assert failure(client, tls_site.url(path), 0.3) == "no conversation: TimeoutError", path


def test_odd_answers(client: HttpClient, tls_site: Site) -> None:
    packed = gzip.compress(b"{}")

    def raw(answer: bytes) -> str:
        def send(handler: BaseHTTPRequestHandler) -> None:
            handler.wfile.write(answer)

        tls_site.answers["/a"] = send
        return failure(client, tls_site.url("/a"))

    head = b"HTTP/1.1 200 OK\r\n"
    large = b"x" * (LARGEST + 1)
    assert raw(b"") == "no conversation: RemoteDisconnected"
    assert raw(b"SSH-2.0\r\n") == "no conversation: BadStatusLine"
    assert raw(head + b"X: " + b"x" * 70_000 + b"\r\n\r\n") == "no conversation: LineTooLong"
    assert raw(head + b"\r\n" + large) == "a body that is too large"
    assert raw(head + b"Content-Length: 9\r\n\r\n{}") == "a body that breaks off"
    assert raw(head + b"Content-Encoding: gzip\r\n\r\n" + packed) == "an encoded body"
    assert "no conversation" in raw(head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
    assert get(client, tls_site.put("/full", "x" * LARGEST)).status == 200


def test_who_cannot_prove_a_name_is_not_believed(tls_site: Site) -> None:
    url = tls_site.put("/a", {})
    stranger = HttpClient()
    assert failure(stranger, url) == "no conversation: SSLCertVerificationError"
    assert tls_site.asked == []
    assert NAME not in url


def test_nobody_there(client: HttpClient) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/"
    assert failure(client, nobody) == "no conversation: ConnectionRefusedError"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://id.example.com", True),
        ("https://id.example.com:8443/a?b", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1", True),
        ("http://[::1]:8000/a", True),
        ("http://id.example.com", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost@example.com", False),
        ("https://user:secret@id.example.com", False),
        ("https://id.example.com/#a", False),
        ("https://", False),
        ("https://id.example.com:x", False),
        ("https://id.example.com:0", False),
        ("ftp://localhost", False),
        ("//id.example.com", False),
        ("", False),
        ("https://[::1", False),
    ],
)
def test_where_secrets_may_travel(url: str, safe: bool) -> None:
    assert is_safe(url) is safe
    if not safe:
        assert failure(HttpClient(), url) == "not an https URL"
