"""Entries are sent on as they are sealed: in order, none left out, whatever the target does."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from idp.config import ConfigurationError, Settings, load
from idp.domain.audit_log.streaming import BATCH, LONGEST_PAUSE, AuditStreams
from idp.domain.audit_log.targets import targets
from idp.outbound.fetching import Fetcher
from idp.store.database import Store
from idp.store.errors import StoreUnavailable
from tests.audit.conftest import Log
from tests.support.certificates import Authority
from tests.support.tls_site import Site, say

Streams = Callable[..., AuditStreams]


@pytest.fixture
def streams(log: Log, log_settings: Settings) -> Streams:
    """Makes a node that streams to addresses."""

    def make(*addresses: str, **values: Any) -> AuditStreams:
        changed = load(
            {**log_settings.model_dump(), "audit_streams": ",".join(addresses), **values}
        )
        made = targets(changed, Fetcher(changed))
        return AuditStreams(log.store, log.clock, log.audit, made)

    return make


def numbers(lines: list[str]) -> list[int]:
    return [json.loads(line)["position"] for line in lines]


@pytest.mark.every_database
def test_a_file_gets_what_is_sealed_from_then_on(
    log: Log, streams: Streams, tmp_path: Path
) -> None:
    file = tmp_path / "audit.jsonl"
    first, second = streams(file.as_uri()), streams(file.as_uri())
    assert first.run_once() == 0
    log.grown(3)
    assert first.run_once() == 0
    assert not file.exists()
    log.grown(2 * BATCH + 5)
    assert second.run_once() == 0, "the first has the lease"
    assert first.run_once() == 2 * BATCH + 5
    assert first.run_once() == 0
    assert numbers(file.read_text().splitlines()) == list(range(3, 2 * BATCH + 8))
    assert file.stat().st_mode & 0o777 == 0o600
    first._give_back()
    log.grown(1)
    assert second.run_once() == 1
    assert second.states()[0]["behind"] == 0


def test_after_a_crash_a_batch_comes_again_and_a_torn_line_stays_alone(
    log: Log, streams: Streams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "audit.jsonl"
    node = streams(file.as_uri())
    log.grown(1)
    node.run_once()
    log.grown(4)
    with monkeypatch.context() as patch:
        patch.setattr("idp.store.audit_streams.advance", unavailable)
        with pytest.raises(StoreUnavailable):
            node.run_once()
    with file.open("a") as torn:
        torn.write('{"half')
    assert node.run_once() == 4
    lines = file.read_text().splitlines()
    assert lines.pop(4) == '{"half'
    assert numbers(lines) == [1, 2, 3, 4, 1, 2, 3, 4]


def unavailable(*_: object) -> bool:
    raise StoreUnavailable("the node died")


def test_a_collector_gets_json_lines_with_the_token_until_it_takes_them(
    log: Log, streams: Streams, tls_site: Site
) -> None:
    tls_site.answers["/in"] = lambda handler: say(handler, 503, {"Content-Length": "0"})
    allowed = {
        "outbound_origins": (tls_site.origin(),),
        "outbound_ca_file": str(tls_site.authority),
    }
    node = streams(tls_site.url("/in?key=hidden"), audit_stream_token="t0ken", **allowed)
    log.grown(1)
    node.run_once()
    log.grown(3)
    for pause in (1, 2, 4):
        assert node.run_once() == 0
        assert node.run_once() == 0, "not before its time"
        log.clock.advance(pause)
    assert len(tls_site.asked) == 3
    (state,) = node.states()
    assert (state["behind"], state["problem"]) == (3, "status 503")
    assert "hidden" not in str(state)
    tls_site.answers["/in"] = lambda handler: say(handler, 204, {})
    assert node.run_once() == 3
    taken = tls_site.asked[-1]
    assert taken.headers["Authorization"] == "Bearer t0ken"
    assert taken.headers["Content-Type"] == "application/x-ndjson"
    assert numbers(taken.body.decode().splitlines()) == [1, 2, 3]
    assert node.states()[0]["problem"] is None


def test_a_target_that_is_away_holds_up_no_other_one(
    log: Log, streams: Streams, tmp_path: Path
) -> None:
    missing, file = tmp_path / "missing" / "file", tmp_path / "audit.jsonl"
    node = streams(missing.as_uri(), file.as_uri())
    log.grown(1)
    node.run_once()
    for count in range(1, 12):
        log.grown(count)
        assert node.run_once() == count
        log.clock.advance(LONGEST_PAUSE)
    assert "No such file" in str(node.states()[0]["problem"])
    missing.parent.mkdir()
    assert node.run_once() == 66
    assert missing.read_bytes() == file.read_bytes()


def test_what_expired_before_it_was_taken_is_told(
    log: Log, streams: Streams, tmp_path: Path
) -> None:
    file = tmp_path / "audit.jsonl"
    node = streams(file.as_uri())
    log.grown(1)
    node.run_once()
    log.grown(5)
    log.clock.advance(401 * 86400)
    log.grown(2)
    assert log.parts.retention.run() == 6
    node.run_once()
    assert numbers(file.read_text().splitlines()) == [6, 7]
    (gap,) = [each for each in log.audit.latest() if each["event"] == "audit.stream_gap"]
    assert (gap["detail"]["from"], gap["detail"]["before"]) == (1, 6)


@contextlib.contextmanager
def collector(context: ssl.SSLContext | None) -> Iterator[tuple[int, list[bytes]]]:
    """A syslog server on loopback that reads to the end of each connection."""
    taken: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)

        def serve() -> None:
            with contextlib.suppress(OSError):
                plain, _ = server.accept()
                with context.wrap_socket(plain, server_side=True) if context else plain as peer:
                    while chunk := peer.recv(65536):
                        taken.append(chunk)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], taken
        finally:
            thread.join()


def messages(taken: list[bytes]) -> list[str]:
    """Take octet-counted frames apart (RFC 6587 section 3.4.1)."""
    rest, found = b"".join(taken), []
    while rest:
        length, _, rest = rest.partition(b" ")
        found.append(rest[: int(length)].decode("ascii"))
        rest = rest[int(length) :]
    return found


@pytest.mark.parametrize("scheme", ["syslog+tcp", "syslog+tls"])
def test_a_syslog_collector_gets_one_message_for_each_entry(
    log: Log, streams: Streams, tmp_path: Path, scheme: str
) -> None:
    authority = Authority(tmp_path)
    certificate = authority.issue(names=["localhost"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    with collector(context if scheme == "syslog+tls" else None) as (port, taken):
        values = {"outbound_ca_file": str(authority.file)}
        node = streams(f"{scheme}://localhost:{port}", **values)
        log.grown(1)
        node.run_once()
        log.grown(3)
        assert node.run_once() == 3
    found = messages(taken)
    assert numbers([message.split(" ", 7)[7] for message in found]) == [1, 2, 3]
    assert found[0].startswith("<109>1 20")
    assert found[0].split(" ")[2:7] == ["id.example.test", "doorward", "-", "token.issued", "-"]
    log.grown(1)
    assert node.run_once() == 0
    assert "no conversation" in node.states()[0]["problem"]


@pytest.mark.parametrize(
    "address",
    [
        "file://host/path",
        "file:relative",
        "http://collector.example/in",
        "https://user:password@collector.example/in",
        "https:///in",
        "syslog://host:514",
        "syslog+tls://host:99999",
        "syslog+tls://:6514",
        "nonsense",
    ],
)
def test_other_addresses_are_refused_at_start(streams: Streams, address: str) -> None:
    with pytest.raises(ConfigurationError, match="IDP_AUDIT_STREAMS"):
        streams(address)


def test_without_targets_there_is_no_thread(log: Log, store: Store) -> None:
    threads = threading.active_count()
    log.parts.streams.ensure_started()
    assert threading.active_count() == threads
    assert log.parts.streams.states() == []
