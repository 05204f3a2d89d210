"""Whether the time of a refusal tells what kind of account it was (SECURITY case 84)."""

import random
import time
from collections.abc import Callable, Sequence
from math import erfc, sqrt
from statistics import median, quantiles
from typing import Any

from bench.browser import Browser, Kept, WrongPage
from bench.material import Material
from bench.running import Running
from idp.crypto.secrets import random_token

WRONG = "wrong password"
_TRIES_EACH = 4
"""Tries for each account: fewer than are free of waiting."""


def measure(server: Running, material: Material, number: int) -> dict[str, Any]:
    """Try `number` sign-ins of each kind, in random order, one after another; milliseconds."""
    accounts = -(-number // _TRIES_EACH)
    people: dict[str, Callable[[int], str]] = {
        "unknown": lambda _: f"nobody-{random_token()}@example.com",
        "disabled": _in_turn(material.refused("disabled", accounts)),
        "without password": _in_turn(material.refused("passwordless", accounts)),
        WRONG: _in_turn(material.refused("wrong", accounts)),
    }
    taken: dict[str, list[float]] = {kind: [] for kind in people}
    query = material.authorization_query(material.elliptic)
    carrier = Kept(server.origin)
    for turn in range(number):
        for kind in random.sample(list(people), len(people)):
            taken[kind].append(_refusal(Browser(carrier), query, people[kind](turn)))
    carrier.close()
    return {kind: _told(found, taken[WRONG]) for kind, found in taken.items()}


def _in_turn(emails: Sequence[str]) -> Callable[[int], str]:
    return lambda turn: emails[turn % len(emails)]


def _refusal(browser: Browser, query: str, email: str) -> float:
    """Return the milliseconds of one wrong password. Raises WrongPage."""
    path, page = browser.password_page(query, email)
    started = time.perf_counter()
    answer = browser.post(path, page, {"password": "this is not it at all"})
    spent = (time.perf_counter() - started) * 1000
    if answer.status != 400:
        raise WrongPage(f"{answer.status}: {answer.body[:300]!r}")
    return spent


def _told(found: Sequence[float], usual: Sequence[float]) -> dict[str, float]:
    likelier, p = mann_whitney(found, usual)
    return {
        "tries": len(found),
        "median_ms": round(median(found), 2),
        "p90_ms": round(quantiles(found, n=10)[8], 2),
        "slower_than_wrong": round(likelier, 3),
        "p": round(p, 3),
        "distance": round(farthest(found, usual), 3),
    }


def mann_whitney(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Return how likely one of the first is the larger (0.5: nobody can tell them apart), and how
    likely chance alone makes as much difference (two-sided, by the normal distribution).
    """
    above = sum((a > b) + (a == b) / 2 for a in one for b in other)
    pairs = len(one) * len(other)
    spread = sqrt(pairs * (len(one) + len(other) + 1) / 12)
    return above / pairs, erfc(abs(above - pairs / 2) / spread / sqrt(2))


def farthest(one: Sequence[float], other: Sequence[float]) -> float:
    """Return how far the two distributions are apart at most (Kolmogorov and Smirnov)."""
    return max(abs(_part(one, value) - _part(other, value)) for value in (*one, *other))


def _part(found: Sequence[float], value: float) -> float:
    return sum(each <= value for each in found) / len(found)
