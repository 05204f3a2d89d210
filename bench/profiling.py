"""Where processor time goes: the application called in process, without sockets and gunicorn."""

import cProfile
import io
import pstats
import re
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

from bench.browser import REQUESTS, Answer, Browser
from bench.material import PASSWORD, Material, email_of
from bench.wire import Wire
from bench.works import Work
from idp.web import request_log
from tests.support.statements import counted

_LINES = 45
_HANDLE = re.compile("/[A-Za-z0-9_-]{43}")
_BATCHES = 40


def profile(material: Material, works: Sequence[Work], number: int) -> None:
    """Print processor time for each request, and for one piece of work alone the profile too."""
    request_log.configure(material.parts.settings)
    for work in works:
        wire = work.wire(material, 1)
        calls = _calls(wire, material, number)
        host = material.parts.settings.issuer_host
        _call(material, wire, wire.environ(next(calls), host))
        each = min(_batch(material, wire, calls, number // _BATCHES) for _ in range(_BATCHES))
        print(f"{work.title:42}{each * 1e6:8.0f} µs of processor time")
        if len(works) == 1:
            _tell(material, wire, calls, number)


def profile_sign_in(material: Material, number: int) -> None:
    """Print statements and processor time of each request of a sign-in, and the profile of all."""
    request_log.configure(material.parts.settings)
    query, store = material.authorization_query(material.elliptic), material.parts.store
    Browser(Called(material)).sign_in(query, email_of(0), PASSWORD)
    store.close()  # so that every connection is watched
    with counted(store) as statements:
        watched = _Watched(material, statements)
        for person in range(number):
            watched.begin()
            Browser(watched).sign_in(query, email_of(person % len(material.people)), PASSWORD)
    for name, asked, taken in watched.told():
        print(f"{name:42}{asked:>4} statements{taken * 1e6:8.0f} µs of processor time")
    profiler = cProfile.Profile(time.process_time)
    for person in range(number):
        browser = Browser(Called(material))
        profiler.runcall(browser.sign_in, query, email_of(person), PASSWORD)
    _print(profiler)


class Called:
    """Carries requests by a call of the application."""

    def __init__(self, material: Material) -> None:
        self._application = material.app.wsgi_app
        self._host = material.parts.settings.issuer_host

    def send(self, request: Wire) -> Answer:
        """Return the answer."""
        return self.answer(request.environ("", self._host))

    def answer(self, environ: dict[str, Any]) -> Answer:
        """Return what the application says."""
        seen: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: Any, _problem: object = None) -> Any:
            seen.append((status, headers))

        body = b"".join(self._application(environ, start_response))
        ((status, headers),) = seen
        lines = tuple(f"{name}: {value}" for name, value in headers)
        return Answer(int(status[:3]), lines, body)


class _Watched(Called):
    """Writes down what each request of a sign-in costs."""

    def __init__(self, material: Material, statements: list[str]) -> None:
        super().__init__(material)
        self._statements = statements
        self._names: list[str] = []
        self._asked: list[int] = []
        self._taken: list[list[float]] = [[] for _ in range(REQUESTS)]

    def begin(self) -> None:
        """Begin a sign-in."""
        self._names, self._asked = [], []

    def send(self, request: Wire) -> Answer:
        """Return the answer."""
        before, started = len(self._statements), time.process_time()
        answer = super().send(request)
        self._taken[len(self._names)].append(time.process_time() - started)
        self._names.append(f"{request.method} {_named(request.path)}")
        self._asked.append(len(self._statements) - before)
        return answer

    def told(self) -> Iterator[tuple[str, int, float]]:
        """Return name, statements and least seconds of each request."""
        yield from zip(self._names, self._asked, map(min, self._taken), strict=True)


def _named(path: str) -> str:
    """Return a path without its query and the handle of an interaction."""
    return _HANDLE.sub("/…", path.partition("?")[0])


def _batch(material: Material, wire: Wire, calls: Iterator[str], number: int) -> float:
    """Return seconds of processor time for each request; the least of some batches counts."""
    host = material.parts.settings.issuer_host
    environs = [wire.environ(next(calls), host) for _ in range(number)]
    started = time.process_time()
    for environ in environs:
        _call(material, wire, environ)
    return (time.process_time() - started) / number


def _tell(material: Material, wire: Wire, calls: Iterator[str], number: int) -> None:
    host = material.parts.settings.issuer_host
    profiler = cProfile.Profile(time.process_time)
    for _ in range(number):
        environ = wire.environ(next(calls), host)
        profiler.enable()
        _call(material, wire, environ)
        profiler.disable()
    _print(profiler)


def _print(profiler: cProfile.Profile) -> None:
    for order in ("tottime", "cumulative"):
        output = io.StringIO()
        pstats.Stats(profiler, stream=output).strip_dirs().sort_stats(order).print_stats(_LINES)
        print(output.getvalue())


def _calls(wire: Wire, material: Material, number: int) -> Iterator[str]:
    if wire.use == "again":
        return cycle(wire.values)
    wanted = 2 * number + 2
    if wire.use == "once":
        return iter(material.codes(material.rsa, wanted))
    return iter(material.refresh_tokens(material.elliptic, wanted))


def _call(material: Material, wire: Wire, environ: dict[str, Any]) -> None:
    answer = Called(material).answer(environ)
    if answer.status != wire.expect:
        raise RuntimeError(f"{answer.status}: {answer.body[:300]!r}")
