"""`idp serve`: what the processes take, refuse, say and survive."""

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.running.commands import PATIENCE_SECONDS, Place, Running
from tests.support.ports import free_port

pytestmark = pytest.mark.xdist_group("serve")
READY_SECONDS = 2.5
ONE_WORKER = {"WEB_CONCURRENCY": "1"}
TWO_WORKERS = {"WEB_CONCURRENCY": "2", "IDP_LOG_LEVEL": "debug"}
FEW_THREADS = {"IDP_HASH_SLOTS": "1", "IDP_HASH_QUEUE": "0", **ONE_WORKER}
"""Five in all."""
EVER = 300
"""Seconds that are longer than any test."""


class Served:
    """A production server on a port of loopback."""

    def __init__(self, running: Running, port: int) -> None:
        self.running = running
        self.port = port
        self.issuer = f"http://localhost:{port}"

    def connect(self, connections: ExitStack) -> socket.socket:
        """Return a connection that is closed with the others."""
        return connections.enter_context(socket.create_connection(("127.0.0.1", self.port)))

    def listens(self) -> bool:
        """Tell whether it takes connections."""
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def raw(self, sent: bytes) -> bytes:
        """Send bytes as they are and return the whole answer."""
        address = ("127.0.0.1", self.port)
        with socket.create_connection(address, timeout=PATIENCE_SECONDS) as client:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: client.recv(65536), b""))

    def get(self, path: str, *headers: str) -> bytes:
        """Send a request by hand, with the right Host."""
        lines = [f"GET {path} HTTP/1.1", f"Host: localhost:{self.port}", *headers]
        return self.raw("\r\n".join([*lines, "Connection: close", "", ""]).encode())

    def log(self, path: str = "") -> list[dict[str, object]]:
        """Return the lines of the log, or those on requests for `path` as soon as there is one."""

        def found() -> list[dict[str, object]]:
            lines = [json.loads(line) for line in self.running.log.read_text().splitlines()]
            return [line for line in lines if not path or line.get("path") == path]

        lines: list[dict[str, object]] = until(found, f"{path} is not in the log")
        return lines


def until(found: Callable[[], Any], otherwise: str) -> Any:
    """Ask until there is something, and return it."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.02)
    raise AssertionError(otherwise)


def with_limits(**seconds: float) -> list[str]:
    """Return the `idp` command with other limits of its workers."""
    limits = "; ".join(f"worker.{name} = {value}" for name, value in seconds.items())
    return [sys.executable, "-c", f"from idp.cli import main, worker; {limits}; main.main()"]


@contextmanager
def serving(place: Place, environment: dict[str, str], **more: Any) -> Iterator[Served]:
    port = free_port()
    environment = environment | {"IDP_ISSUER": f"http://localhost:{port}"}
    with place.serving("serve", "--port", str(port), environment=environment, **more) as running:
        running.wait(f"http://localhost:{port}/health/ready")
        yield Served(running, port)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(Place(tmp_path_factory.mktemp("serve")), TWO_WORKERS) as found:
        yield found


@pytest.fixture
def own(place: Place) -> Iterator[Served]:
    """A server that a test may end."""
    with serving(place, TWO_WORKERS) as found:
        yield found


def test_it_is_ready_in_time(place: Place) -> None:
    """Counted in processor time, the best of three: other tests may keep the machine busy."""
    taken = []
    for _ in range(3):
        with serving(place, ONE_WORKER) as own:
            parent = psutil.Process(own.running.process.pid)
            times = [each.cpu_times() for each in (parent, *parent.children(recursive=True))]
            taken.append(sum(each.user + each.system for each in times))
    assert min(taken) < READY_SECONDS


def test_the_log_is_ours_alone(served: Served) -> None:
    served.get("/nothing-here?code=s3cret", "Authorization: Basic s3cret", "Cookie: a=s3cret")
    served.raw(b"GET /?code=s3cret HTTP/1.1\r\nAuthorization : s3cret\r\n\r\n")
    (request,) = served.log("/nothing-here")
    assert "s3cret" not in served.running.log.read_text()
    lines = served.log()
    assert all({"event", "level", "time", "request_id"} <= line.keys() for line in lines)
    assert lines[0]["event"] == "ready"
    assert (request["method"], request["status"]) == ("GET", 404)
    assert request["address"] == "127.0.0.1"


def test_no_header_tells_what_it_is_made_of(served: Served) -> None:
    for answer in (served.get("/health/live"), served.raw(b"nonsense\r\n\r\n")):
        head = answer.partition(b"\r\n\r\n")[0].lower()
        assert b"gunicorn" not in head
        assert b"python" not in head
        assert b"werkzeug" not in head


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([f"X-Long: {'a' * 9000}"], b"431"),
        ([f"X-{number}: a" for number in range(70)], b"431"),
        (["Content-Length: 5", "Content-Length: 6"], b"400"),
        (["Content-Length: 5", "Transfer-Encoding: chunked"], b"400"),
        (["Transfer-Encoding: chunked, chunked"], b"400"),
        (["X-Folded: a\r\n b"], b"400"),
        (["X Space: a"], b"400"),
    ],
)
def test_what_is_malformed_or_too_large_is_refused(
    served: Served, headers: list[str], status: bytes
) -> None:
    assert served.get("/health/live", *headers).split(b" ")[1] == status


def test_a_request_line_has_a_limit(served: Served) -> None:
    assert served.get(f"/health/live?{'a' * 8000}").split(b" ")[1] == b"200"
    assert served.get(f"/health/live?{'a' * 9000}").split(b" ")[1] == b"414"


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-Proto: https",
        "X-Forwarded-Ssl: on",
        "X-Forwarded-For: 192.0.2.7",
        "X-Forwarded-Host: evil.example",
        "Forwarded: for=192.0.2.7;host=evil.example;proto=https",
        "Script-Name: /evil",
        "SCRIPT_NAME: /evil",
        "PATH_INFO: /evil",
    ],
)
def test_forwarded_headers_of_strangers_change_nothing(served: Served, header: str) -> None:
    path = "/.well-known/openid-configuration"
    body = served.get(path, header).partition(b"\r\n\r\n")[2]
    assert json.loads(body)["issuer"] == served.issuer
    assert {request["address"] for request in served.log(path)} == {"127.0.0.1"}


def test_sigterm_lets_requests_finish(own: Served) -> None:
    """A request whose body is still on its way when the signal comes gets its answer.

    That its head was read is told by 100 (Continue), and nobody is taken in once it is stopping.
    """
    body = b"grant_type=nonsense"
    head = (
        f"POST /oauth2/token HTTP/1.1\r\nHost: localhost:{own.port}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    address = ("127.0.0.1", own.port)
    with socket.create_connection(address, timeout=PATIENCE_SECONDS) as client:
        client.sendall(head.encode() + body[:5])
        assert client.recv(65536).split(b" ")[1] == b"100"
        own.running.process.send_signal(signal.SIGTERM)
        until(lambda: not own.listens(), "it still listens")
        client.sendall(body[5:])
        assert client.recv(65536).split(b" ")[1] in {b"400", b"401"}
    assert own.running.stop() == 0


def test_a_worker_that_dies_is_replaced(own: Served) -> None:
    parent = psutil.Process(own.running.process.pid)
    first = two_children(parent, set())
    os.kill(min(first), signal.SIGKILL)
    assert len(two_children(parent, first) - first) == 1
    own.running.wait(f"{own.issuer}/health/ready")


def two_children(parent: psutil.Process, others: set[int]) -> set[int]:
    """Wait until the process has two workers, and not these, and return their ids."""

    def now() -> set[int]:
        alive = {child.pid for child in parent.children() if child.status() != "zombie"}
        return alive if len(alive) == 2 and alive != others else set()

    workers: set[int] = until(now, "there are not two workers")
    return workers


def test_clients_that_say_nothing_do_not_stop_the_others(place: Place) -> None:
    """There are more of them than threads, and nobody gives them up."""
    patient = with_limits(SILENCE_SECONDS=EVER, REQUEST_SECONDS=EVER)
    with serving(place, FEW_THREADS, program=patient) as served, ExitStack() as connections:
        for _ in range(8):
            served.connect(connections)
        assert served.get("/health/live").split(b" ")[1] == b"200"
        assert {line["level"] for line in served.log()} == {"info"}


def test_clients_that_fall_silent_do_not_stop_the_others(place: Place) -> None:
    """There are more of them than threads. Each is given up after some time."""
    impatient = with_limits(SILENCE_SECONDS=1, REQUEST_SECONDS=EVER)
    with serving(place, FEW_THREADS, program=impatient) as served, ExitStack() as connections:
        silent = [served.connect(connections) for _ in range(9)]
        for client in silent[1:]:
            client.sendall(b"GET /health/live HTTP/1.1\r\nHost: loc")
        assert served.get("/health/live").split(b" ")[1] == b"200"
        for client in silent:
            client.settimeout(PATIENCE_SECONDS)
            assert client.recv(1) == b""
        assert {line["level"] for line in served.log()} == {"info"}


@pytest.mark.parametrize(
    "sent",
    [
        "GET /health/live HTTP/1.1\r\nHost: localhost:{port}\r\nX-Slow: ",
        "POST /oauth2/token HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: 99999\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n",
    ],
    ids=["header", "body"],
)
def test_requests_that_drip_do_not_stop_the_others(place: Place, sent: str) -> None:
    """There are more of them than threads, and none is ever silent for long."""
    impatient = with_limits(REQUEST_SECONDS=0.7)
    with serving(place, FEW_THREADS, program=impatient) as served, ExitStack() as connections:
        dripping = [served.connect(connections) for _ in range(8)]
        for client in dripping:
            client.sendall(sent.format(port=served.port).encode())
        answers: list[bytes] = []
        other = threading.Thread(target=lambda: answers.append(served.get("/health/live")))
        other.start()
        end = time.monotonic() + PATIENCE_SECONDS
        while other.is_alive() and time.monotonic() < end:
            for client in dripping:
                with suppress(OSError):
                    client.sendall(b"a")
            other.join(0.05)
        assert answers, "it still waits"
        assert answers[0].split(b" ")[1] == b"200"
        assert {line["level"] for line in served.log()} == {"info"}


def test_passwords_that_drip_do_not_stop_those_who_sign_in(place: Place) -> None:
    """Their places are few: whoever sends a form byte by byte keeps one for a moment alone."""
    impatient = with_limits(PASSWORD_SECONDS=0.3, SILENCE_SECONDS=EVER, REQUEST_SECONDS=EVER)
    with serving(place, FEW_THREADS, program=impatient) as served, ExitStack() as connections:
        form = (
            f"POST /interaction/abc/password HTTP/1.1\r\nHost: localhost:{served.port}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 2\r\n\r\n"
        )
        for client in [served.connect(connections) for _ in range(4)]:
            client.sendall(form.encode())
        somebody = served.connect(connections)
        somebody.settimeout(PATIENCE_SECONDS)
        somebody.sendall(f"{form}a=".encode())
        assert somebody.recv(65536).startswith(b"HTTP/1.1 303")


def test_clients_that_do_not_hang_up_do_not_stop_the_others(place: Place) -> None:
    """gunicorn's loop would wait two seconds for each of them, and meanwhile for nobody else."""
    with serving(place, ONE_WORKER) as served, ExitStack() as connections:
        request = f"GET /health/live HTTP/1.0\r\nHost: localhost:{served.port}\r\n\r\n".encode()
        lingering = [served.connect(connections) for _ in range(12)]
        began = time.monotonic()
        for client in lingering:
            client.sendall(request)
        for client in lingering:
            assert client.recv(65536).split(b" ")[1] == b"200"
        assert served.get("/health/live").split(b" ")[1] == b"200"
        assert time.monotonic() - began < len(lingering)


def test_threads_answer_at_the_same_time(served: Served) -> None:
    answers: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: answers.append(served.get("/health/ready")))
        for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.split(b" ")[1] for answer in answers} == {b"200"}


def test_no_control_socket_is_opened(served: Served) -> None:
    pids = [served.running.process.pid]
    pids += [child.pid for child in psutil.Process(pids[0]).children()]
    inodes = {line.split()[6]: line for line in Path("/proc/net/unix").read_text().splitlines()}
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            target = str(descriptor.readlink()) if descriptor.is_symlink() else ""
            assert target.removeprefix("socket:[").rstrip("]") not in inodes
