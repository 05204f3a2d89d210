"""Other endpoints while a crowd signs in: introspection at half of what the server can do.

First it is alone, then beside 200 people who post their passwords at once, and again when told.

`python -m bench.crowd ORIGIN QUERY SECONDS CORE` is the crowd: it says READY, waits for a line, and
tells at the end what its posts were answered.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from statistics import median, quantiles
from typing import Any

from bench.browser import Browser, Kept, WrongPage
from bench.load import WrongAnswers
from bench.material import PASSWORD, email_of
from bench.running import ROOT, Running
from bench.wire import MARK, Wire

PEOPLE = 200
_LANES = 8
_PATIENCE_SECONDS = 120


def measure(
    server: Running, wire: Wire, rate: float, query: str, seconds: int, core: int
) -> dict[str, Any]:
    """Return latencies in milliseconds, alone and beside the crowd, and the crowd's answers.

    `wire` goes out `rate` times a second, whatever becomes of those before.
    """
    alone = _paced(server.origin, wire, rate, seconds)
    words = [sys.executable, "-m", "bench.crowd", server.origin, query, str(seconds), str(core)]
    with subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as crowd:
        if crowd.stdin is None or crowd.stdout is None:
            raise RuntimeError("The crowd can't be heard.")
        if crowd.stdout.readline().strip() != "READY":
            raise RuntimeError("The crowd did not get to its password pages.")
        print("GO", file=crowd.stdin, flush=True)
        beside = _paced(server.origin, wire, rate, seconds)
        answers = json.loads(crowd.stdout.readline())
    suffers = {"p99_ratio": round(beside["p99_ms"] / alone["p99_ms"], 2)}
    return {"per_second": round(rate, 1), "alone": alone, "beside": beside, **suffers, **answers}


def _paced(origin: str, wire: Wire, rate: float, seconds: int) -> dict[str, float]:
    """Send requests at their times; what waits for its turn here counts as waiting, too."""
    number = int(rate * seconds)
    started = time.perf_counter() + 0.05

    def lane(first: int) -> list[float]:
        carrier, taken = Kept(origin), []
        for turn in range(first, number, _LANES):
            due = started + turn / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            request = _filled(wire, wire.values[turn % len(wire.values)])
            answer = carrier.send(request)
            if answer.status != wire.expect:
                raise WrongAnswers(f"{answer.status}: {answer.body[:300]!r}")
            taken.append((time.perf_counter() - due) * 1000)
        carrier.close()
        return taken

    with ThreadPoolExecutor(_LANES) as pool:
        lanes = [pool.submit(lane, first) for first in range(_LANES)]
        return _latencies([one for each in lanes for one in each.result()])


def _filled(wire: Wire, value: str) -> Wire:
    path, body = wire.path.replace(MARK, value), wire.body.replace(MARK, value)
    return Wire(wire.method, path, wire.headers, body)


def _latencies(taken: list[float]) -> dict[str, float]:
    return {"p50_ms": round(median(taken), 2), "p99_ms": round(quantiles(taken, n=100)[98], 2)}


class _Crowd:
    """People at their password pages, all at once."""

    def __init__(self, origin: str, query: str) -> None:
        self._origin = origin
        self._query = query
        self._statuses: Counter[int] = Counter()
        self._taken: dict[int, list[float]] = {}
        self._guard = threading.Lock()
        self._ready = threading.Barrier(PEOPLE + 1, timeout=_PATIENCE_SECONDS)
        self._go = threading.Event()
        self._end = 0.0

    def run(self, seconds: float) -> dict[str, Any]:
        """Let them post for some seconds and return what they were answered."""
        threads = [threading.Thread(target=self._person, args=[one]) for one in range(PEOPLE)]
        for thread in threads:
            thread.start()
        self._ready.wait()
        print("READY", flush=True)
        sys.stdin.readline()
        self._end = time.perf_counter() + seconds
        self._go.set()
        for thread in threads:
            thread.join()
        return {
            "answers": {str(status): number for status, number in self._statuses.items()},
            "answer_p50_ms": {
                str(status): round(median(taken), 1) for status, taken in self._taken.items()
            },
        }

    def _person(self, number: int) -> None:
        carrier, email = Kept(self._origin), email_of(number)
        browser = Browser(carrier)
        path, page = browser.password_page(self._query, email)
        self._ready.wait()
        self._go.wait()
        while (begun := time.perf_counter()) < self._end:
            answer = browser.post(path, page, {"password": PASSWORD})
            self._note(answer.status, (time.perf_counter() - begun) * 1000)
            if answer.status == 303:
                break
            if answer.status not in {429, 503} or not answer.header("Retry-After"):
                raise WrongPage(f"{answer.status}: {answer.body[:300]!r}")
            wait = float(answer.header("Retry-After"))
            time.sleep(max(0.0, min(wait, self._end - time.perf_counter())))
        carrier.close()

    def _note(self, status: int, taken: float) -> None:
        with self._guard:
            self._statuses[status] += 1
            self._taken.setdefault(status, []).append(taken)


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[4])})
    print(json.dumps(_Crowd(sys.argv[1], sys.argv[2]).run(float(sys.argv[3]))), flush=True)
