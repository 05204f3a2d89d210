"""Where processor time goes: the application called in process, without sockets and gunicorn."""

import cProfile
import io
import pstats
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

from bench.browser import Answer
from bench.material import Material
from bench.wire import Wire
from bench.works import Work
from idp.web import request_log

_LINES = 45
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
