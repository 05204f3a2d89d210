"""Sign-ins with a password, against how many passwords the same core can check at all: the request
that brings the password and signs in, and all requests of a sign-in from the first to the last.
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from statistics import median, quantiles
from typing import Any

from argon2 import PasswordHasher, extract_parameters

from bench import checks
from bench.browser import REQUESTS, Answer, Browser, Kept, WrongPage
from bench.material import PASSWORD, Material, email_of
from bench.running import Running
from idp.crypto.passwords import hash_password

_AT_ONCE = 4
_WARM_UP_SECONDS = 1.0
_HASHING_SECONDS = 1.5
_POSTS_PER_SECOND = 30
"""About as many as one core can check."""


@dataclass(frozen=True)
class Hashing:
    """What checking one password costs the core that serves."""

    seconds: float
    processor: float


@dataclass(frozen=True)
class Crossing:
    """Sign-ins of some seconds; `processor` is the server's, `taken` each one's, all in seconds."""

    taken: list[float]
    seconds: float
    processor: float

    @property
    def rate(self) -> float:
        """Sign-ins for each second."""
        return len(self.taken) / self.seconds


def measure(
    server: Running, material: Material, cores: tuple[int, int], rounds: int, seconds: int
) -> dict[str, Any]:
    """Sign people in from browsers without cookies; `cores` are the server's and the load's.

    Each round hashes first, on the server's core while that is idle. Raises WrongPage.
    """
    _cross(server, material, _WARM_UP_SECONDS)
    whole, posts = [], []
    for _ in range(rounds):
        hashing = _hashing(cores)
        before = checks.signed_in(material)
        crossings = _cross(server, material, seconds), _post(server, material, seconds)
        written = checks.signed_in(material) - before
        if written != sum(len(crossing.taken) for crossing in crossings):
            raise WrongPage(f"{crossings} left {written} audit entries.")
        whole.append((hashing, crossings[0]))
        posts.append((hashing, crossings[1]))
    return {**_compared(posts), "whole": {**_compared(whole), "requests_each": REQUESTS}}


def _compared(found: list[tuple[Hashing, Crossing]]) -> dict[str, Any]:
    taken = sorted(one for _, crossing in found for one in crossing.taken)
    own = [crossing.processor / len(crossing.taken) for _, crossing in found]
    return {
        "per_second": round(median(crossing.rate for _, crossing in found), 2),
        "argon2_per_second": round(median(1 / hashing.seconds for hashing, _ in found), 2),
        "ratio": round(median(crossing.rate * hashing.seconds for hashing, crossing in found), 3),
        "ratio_of_cost": round(
            median(each[0].processor / cost for each, cost in zip(found, own, strict=True)), 3
        ),
        "beside_argon2_ms": round(
            median(
                (cost - each[0].processor) * 1000 for each, cost in zip(found, own, strict=True)
            ),
            2,
        ),
        "cpu": round(median(crossing.processor / crossing.seconds for _, crossing in found), 2),
        "p50_ms": round(median(taken) * 1000, 1),
        "p99_ms": round(quantiles(taken, n=100)[98] * 1000, 1),
    }


def _hashing(cores: tuple[int, int]) -> Hashing:
    hashed = hash_password(PASSWORD)
    # The server's own hashes give way to other work, and so would be no measure.
    hasher = PasswordHasher.from_parameters(extract_parameters(hashed))
    with _on(cores[0], cores[1]):
        hasher.verify(hashed, PASSWORD)
        number, started, own = 0, time.perf_counter(), time.thread_time()
        while time.perf_counter() - started < _HASHING_SECONDS:
            hasher.verify(hashed, PASSWORD)
            number += 1
        taken, used = time.perf_counter() - started, time.thread_time() - own
    return Hashing(taken / number, used / number)


@contextmanager
def _on(core: int, afterwards: int) -> Iterator[None]:
    """Run this thread on another core for a while."""
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, {afterwards})


def _cross(server: Running, material: Material, seconds: float) -> Crossing:
    query = material.authorization_query(material.elliptic)
    people = _someone(material)
    end = time.perf_counter() + seconds

    def lane(_: int) -> list[float]:
        """Sign one person after another in, each at a browser of their own."""
        carrier, taken = Kept(server.origin), []
        while (begun := time.perf_counter()) < end:
            Browser(carrier).sign_in(query, next(people), PASSWORD)
            taken.append(time.perf_counter() - begun)
        carrier.close()
        return taken

    return _measured(server, lane)


def _post(server: Running, material: Material, seconds: float) -> Crossing:
    """Bring people to their password pages, then measure what follows."""
    query = material.authorization_query(material.elliptic)
    people = _someone(material)
    each = int(seconds * _POSTS_PER_SECOND / _AT_ONCE)
    carriers = [Kept(server.origin) for _ in range(_AT_ONCE)]

    def arrive(number: int) -> list[tuple[Browser, str, Answer]]:
        browsers = [Browser(carriers[number]) for _ in range(each)]
        return [(one, *one.password_page(query, next(people))) for one in browsers]

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        waiting = list(pool.map(arrive, range(_AT_ONCE)))

    def lane(number: int) -> list[float]:
        taken = []
        for browser, path, page in waiting[number]:
            begun = time.perf_counter()
            answer = browser.post(path, page, {"password": PASSWORD})
            if answer.status != 303:
                raise WrongPage(f"{answer.status}: {answer.body[:300]!r}")
            taken.append(time.perf_counter() - begun)
        carriers[number].close()
        return taken

    return _measured(server, lane)


def _someone(material: Material) -> Iterator[str]:
    """Return addresses of people, for several threads."""
    return map(email_of, cycle(range(len(material.people))))


def _measured(server: Running, lane: Callable[[int], list[float]]) -> Crossing:
    before, started = server.processor_seconds(), time.perf_counter()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        every = [one for taken in pool.map(lane, range(_AT_ONCE)) for one in taken]
    spent = time.perf_counter() - started
    return Crossing(every, spent, server.processor_seconds() - before)
