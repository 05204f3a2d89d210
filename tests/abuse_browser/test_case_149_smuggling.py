"""SECURITY case 149: two parsers that could disagree about where a request ends.

Bytes are sent to the real server, and to Debian's nginx in front of it with connections that are
kept, which is where a smuggled request would meet somebody else's. Each attack hides a request for
a path of its own; the server's log tells whether it was ever taken for one.
"""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.ports import free_port
from tests.support.serving import HOST, Serve, Serving

PATIENCE_SECONDS = 30
HIDDEN = "/smuggled"
_CHUNKED = "Transfer-Encoding: chunked"
_NGINX = """
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {{}}
http {{
    access_log off;
    keepalive_timeout 0;
    client_body_timeout 2s;
    client_header_timeout 2s;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    upstream doorward {{
        server {host}:{inside};
        keepalive 4;
    }}
    server {{
        listen {host}:{outside};
        location / {{
            proxy_pass http://doorward;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
"""


def hidden(host: str) -> str:
    return f"GET {HIDDEN} HTTP/1.1\r\nHost: {host}\r\n\r\n"


def attacks(host: str) -> dict[str, bytes]:
    """Each is one request, for whoever reads it as RFC 9112 has it, and two for others."""
    request, size = hidden(host), len(hidden(host))
    chunked_end = f"0\r\n\r\n{request}"
    whole = f"{size:x}\r\n{request}\r\n0\r\n\r\n"

    def post(fields: str, body: str, version: str = "1.1") -> bytes:
        kind = "Content-Type: application/x-www-form-urlencoded"
        first = f"POST /oauth2/token HTTP/{version}\r\nHost: {host}\r\n{kind}"
        head = f"{first}\r\n{fields}\r\n\r\n"
        return (head + body).encode("latin-1")

    length = f"Content-Length: {len(chunked_end)}"
    found = {
        "CL.TE": post(f"{length}\r\n{_CHUNKED}", chunked_end),
        "TE.CL": post(f"{_CHUNKED}\r\nContent-Length: 4", whole),
        "two lengths": post(f"Content-Length: 0\r\nContent-Length: {size}", request),
        "two lengths, again": post(f"Content-Length: {size}\r\nContent-Length: 0", request),
        "list of lengths": post(f"Content-Length: 0, {size}", request),
        "folded length": post(f"X-A: b\r\n Content-Length: {size}", request),
        "folded encoding": post(f"{length}\r\nTransfer-Encoding:\r\n chunked", chunked_end),
        "two encodings": post(f"{_CHUNKED}\r\nTransfer-Encoding: identity", chunked_end),
        "chunked, identity": post(f"{length}\r\nTransfer-Encoding: chunked, identity", chunked_end),
        "HTTP/1.0 chunked": post(f"{length}\r\n{_CHUNKED}", chunked_end, "1.0"),
        "NUL": post(f"X-A: \0\r\n{length}", chunked_end),
        "bare CR": post(f"X-A: b\r{_CHUNKED}\r\n{length}", chunked_end),
        "bare LF": post(f"X-A: b\n{_CHUNKED}\r\n{length}", chunked_end),
    }
    for number, written in enumerate(
        ("+{}", "-{}", "0x{}", "{}_0", " {} 0", "{}.0", "\u0663", "{};", '"{}"', "{}\x0b")
    ):
        value = written.format(size).encode("utf-8").decode("latin-1")
        found[f"length {number}"] = post(f"Content-Length: {value}", request)
    for number, field in enumerate(
        (
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding : chunked",
            "Transfer-Encoding:\x0bchunked",
            "Transfer-Encoding: \x00chunked",
            'Transfer-Encoding: "chunked"',
            "Transfer-Encoding: chunked;q=1",
            "Transfer-Encoding: cow",
            "Transfer-Encoding\r\n: chunked",
            "\tTransfer-Encoding: chunked",
        )
    ):
        found[f"encoding {number}"] = post(f"{length}\r\n{field}", chunked_end)
    for number, first in enumerate(
        ("5_0", "+5", "0x5", "-5", "5 5", "G", "", "fffffffffffffffff", "5\x0b", "\u0665")
    ):
        text = first.encode("utf-8").decode("latin-1")
        found[f"chunk {number}"] = post(_CHUNKED, f"{text}\r\nhello\r\n{chunked_end}")
    found["chunk extension with LF"] = post(_CHUNKED, f"5;a\nhello\r\n{chunked_end}")
    found["chunk without its end"] = post(_CHUNKED, f"5\r\nhelloXX{chunked_end}")
    found["chunk ended by LF"] = post(_CHUNKED, f"5\nhello\n0\n\n{request}")
    return found


def exchange(port: int, sent: bytes, *, more: bool = False) -> bytes:
    """Send bytes and return what comes until the server hangs up, although `more` might follow."""
    with socket.create_connection((HOST, port), timeout=PATIENCE_SECONDS) as client:
        client.sendall(sent)
        if not more:
            client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


def statuses(answer: bytes) -> list[int]:
    """Return the status of each answer in what came over a connection."""
    return [int(part.split()[0]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def asked(serving: Serving) -> list[str]:
    """Return the paths that the server was asked for, as it understood them."""
    lines = [json.loads(line) for line in serving.log().splitlines() if line.startswith("{")]
    return [line["path"] for line in lines if line.get("event") == "request"]


@pytest.mark.only_on("sqlite")
def test_case_149_the_server_refuses_what_can_be_read_in_two_ways(serve: Serve) -> None:
    serving = serve()
    address = urlsplit(serving.issuer)
    for name, sent in attacks(address.netloc).items():
        answer = exchange(address.port or 0, sent, more=True)
        assert statuses(answer) in ([400], [501]), f"{name}: {answer[:200]!r}"
    assert HIDDEN not in asked(serving)
    upgrade = f"Host: {address.netloc}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c"
    stays = f"GET / HTTP/1.1\r\n{upgrade}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
    assert statuses(exchange(address.port or 0, stays.encode())) == [200], "no way around a proxy"
    healthy = exchange(
        address.port or 0, f"GET / HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode()
    )
    assert statuses(healthy) == [200]


@pytest.fixture
def behind_nginx(serve: Serve, tmp_path: Path) -> Iterator[tuple[Serving, int]]:
    """The server with nginx in front of it, and nginx's port."""
    outside = free_port()
    serving = serve(issuer=f"http://localhost:{outside}", trusted_proxies=f"{HOST}/32")
    folder = tmp_path / "nginx"
    folder.mkdir()
    text = _NGINX.format(host=HOST, inside=serving.nodes[0].port, outside=outside)
    (folder / "nginx.conf").write_text(text)
    command = ["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *command], env={"PATH": os.environ["PATH"]}
    )
    try:
        _wait(process, outside)
        yield serving, outside
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection((HOST, port), 1).close()
        except ConnectionRefusedError:
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        else:
            return
        break
    raise AssertionError("nginx did not start")


@pytest.mark.slow
@pytest.mark.only_on("sqlite")
def test_case_149_nothing_is_smuggled_through_nginx(behind_nginx: tuple[Serving, int]) -> None:
    """Others use the same kept connections meanwhile, and get their own answers."""
    serving, port = behind_nginx
    host = urlsplit(serving.issuer).netloc
    over = threading.Event()
    wrong: list[bytes] = []
    plain = f"GET /health/live HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()

    def ask_on() -> None:
        while not over.is_set():
            answer = exchange(port, plain, more=True)
            if statuses(answer) != [200] or not answer.endswith(b'{"status": "live"}'):
                wrong.append(answer)

    def attack(named: tuple[str, bytes]) -> tuple[str, bytes]:
        return named[0], exchange(port, named[1], more=True)

    others = [threading.Thread(target=ask_on) for _ in range(3)]
    for other in others:
        other.start()
    try:
        with ThreadPoolExecutor(8) as attackers:
            answers = list(attackers.map(attack, list(attacks(host).items()) * 3))
    finally:
        over.set()
        for other in others:
            other.join()
    for name, answer in answers:
        assert len(statuses(answer)) <= 1, f"{name}: {answer!r}"
        assert all(400 <= status < 502 for status in statuses(answer)), f"{name}: {answer!r}"
    assert wrong == []
    understood = asked(serving)
    assert understood.count("/health/live") > 10
    assert HIDDEN not in understood
