"""The log: its form, what is never in it, and what it costs."""

import io
import json
import logging
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from idp.config import load
from idp.web import request_log
from idp.web.request_log import RequestLog
from idp.web.routes import ROUTES
from tests.support.checkout import ROOT

HOSTILE = 'a\r\n2026-01-01T00:00:00.000Z info forged \x1b[31mred\x1b[0m "quoted" \u202egnp.exe\x00'

IN_PATH = re.compile(r"<(?:handle|token|handle_of_code)>")
"""What an address holds that nobody else may know: by it somebody goes on."""
SECRET_PATHS = sorted({route.path for route in ROUTES if IN_PATH.search(route.path)})


class Written:
    """What was logged since the last look."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def text(self) -> str:
        return self._capture.readouterr().err

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Written]:
    yield Written(capsys)
    with capsys.disabled():
        request_log.configure(load())


def test_a_request_is_one_line_with_its_id(written: Written) -> None:
    request_log.configure(load())
    log = RequestLog()
    request_id = log.begin()
    log.finish("POST", "/oauth2/token", 200, time.perf_counter() - 0.5, "192.0.2.1")
    (line,) = written.lines()
    assert line.pop("time").endswith("Z")
    assert 500 <= line.pop("ms") < 1500
    assert line == {
        "event": "request",
        "method": "POST",
        "path": "/oauth2/token",
        "status": 200,
        "address": "192.0.2.1",
        "request_id": request_id,
        "level": "info",
    }


def test_every_request_has_an_id_of_its_own_and_other_lines_carry_it(written: Written) -> None:
    request_log.configure(load())
    log = RequestLog()
    ids = []
    for _ in range(3):
        ids.append(log.begin())
        logging.getLogger("idp.web.errors").warning("something")
        logging.getLogger("another.library").error("else")
    assert len(set(ids)) == 3
    assert [line["request_id"] for line in written.lines()] == [one for one in ids for _ in "ab"]


@pytest.mark.parametrize("form", ["json", "text"])
def test_case_144_hostile_values_stay_one_event(written: Written, form: str) -> None:
    request_log.configure(load({"log_format": form}))
    log = RequestLog()
    log.begin()
    log.finish(HOSTILE, HOSTILE, 400, time.perf_counter(), HOSTILE)
    logging.getLogger("idp").warning(HOSTILE)
    text = written.text()
    assert len(text.splitlines()) == 2
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    if form == "json":
        assert json.loads(text.splitlines()[0])["path"] == HOSTILE


def test_case_144_a_traceback_is_marked_as_one(written: Written) -> None:
    request_log.configure(load({"log_format": "text"}))
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logging.getLogger("idp").exception("failed")
    first, *rest = written.text().splitlines()
    assert first.split(" ")[1:3] == ["error", "failed"]
    assert rest
    assert all(line.startswith("  | ") and line.isprintable() for line in rest)


@pytest.mark.parametrize("name", ["authlib.oauth2.rfc6749.grants", "sqlalchemy.engine.Engine"])
def test_case_145_talkative_libraries_are_quiet_at_debug(written: Written, name: str) -> None:
    request_log.configure(load({"log_level": "debug"}))
    logging.getLogger(name).debug("Issue token %r", {"access_token": "s3cret"})
    logging.getLogger(name).info("[parameters: %r]", ("s3cret",))
    logging.getLogger("some.other.library").info("s3cret")
    assert written.text() == ""


def test_case_145_neither_queries_nor_links_nor_rejected_headers(written: Written) -> None:
    request_log.configure(load({"log_level": "debug"}))
    log = RequestLog()
    log.begin()
    log.finish("GET", "/setup/administrator/s3cret", 200, time.perf_counter(), "::1")
    for message in (
        "Error handling request GET /oauth2/authorize?code=s3cret&state=s3cret",
        "Error handling request GET /setup/administrator/s3cret?x=1",
        "Invalid request from ip=127.0.0.1: Invalid HTTP Header: 'AUTHORIZATION s3cret\ns3cret'",
    ):
        logging.getLogger("gunicorn.error").warning(message)
    text = written.text()
    assert "s3cret" not in text
    told = [json.loads(line)["event"] for line in text.splitlines()]
    assert told[1:] == [
        "Error handling request GET /oauth2/authorize?…",
        "Error handling request GET /setup/administrator/…?…",
        "Invalid request from ip=127.0.0.1",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/setup/administrator/s3cret",
        "//setup/administrator/s3cret",
        "/setup//administrator///s3cret/",
        "/elsewhere/setup/administrator/s3cret",
        "/interaction/s3cret/consent",
        "//interaction/s3cret",
        "/interaction//s3cret/password",
    ],
)
def test_case_145_however_many_slashes_stand_before_the_secret(written: Written, path: str) -> None:
    request_log.configure(load())
    RequestLog().finish("GET", path, 404, time.perf_counter(), "::1")
    (line,) = written.lines()
    assert line["path"] == path.replace("s3cret", "…")


@pytest.mark.parametrize("path", SECRET_PATHS)
def test_case_145_no_link_in_use_is_in_the_log_of_server_or_proxy(path: str) -> None:
    used = IN_PATH.sub("s3cret", path)
    assert request_log.without_secret(used) == used.replace("s3cret", "…")
    before = re.search(r"\(\?<before>([^)]+)\)", (ROOT / "docker-compose.yml").read_text("utf-8"))
    assert before is not None
    assert used.startswith(tuple(f"{start}s3cret" for start in before[1].split("|")))


def test_a_level_is_a_threshold(written: Written) -> None:
    request_log.configure(load({"log_level": "warning"}))
    log = RequestLog()
    log.begin()
    log.finish("GET", "/", 200, time.perf_counter(), "::1")
    logging.getLogger("idp").info("quiet")
    logging.getLogger("idp").warning("loud")
    assert [line["event"] for line in written.lines()] == ["loud"]


def test_configuring_again_does_not_write_twice(written: Written) -> None:
    for _ in range(3):
        request_log.configure(load())
    logging.getLogger("idp").warning("once")
    assert len(written.lines()) == 1


def test_a_closed_pipe_breaks_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Broken())
    request_log.configure(load())
    log = RequestLog()
    log.begin()
    log.finish("GET", "/", 200, time.perf_counter(), "::1")
    monkeypatch.undo()
    request_log.configure(load())


def test_a_line_costs_microseconds(written: Written) -> None:
    """About 11 µs; the bound leaves room for a busy machine."""
    request_log.configure(load())
    log = RequestLog()
    rounds = []
    for _ in range(10):
        began = time.perf_counter()
        for _ in range(500):
            log.begin()
            log.finish("POST", "/oauth2/token", 200, began, "127.0.0.1")
        rounds.append((time.perf_counter() - began) / 500)
        written.text()
    assert min(rounds) < 100e-6
