"""The whole sign-in: from authorization request to tokens, with password and consent."""

import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from bench.material import API_SCOPE, PASSWORD, REDIRECT_URI, Known, email_of
from idp.crypto.passwords import hash_password, is_password
from tests.support.browserless import Browserless, Person
from tests.support.discovery import Discovery
from tests.support.token_client import TokenClient

_AT_ONCE = 4
_SIGN_INS = 48  # one network may try 60 passwords in a minute
_HASHES = 20


def measure(origin: str, client: Known) -> dict[str, Any]:
    """Sign people in and return the rate; latencies in milliseconds."""
    requests_sent = _Counter()
    discovery = Discovery(_session(requests_sent), origin)
    numbers = iter(range(_SIGN_INS))
    guard = threading.Lock()
    started = time.perf_counter()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        lanes = [
            pool.submit(_lane, discovery, client, lane, numbers, guard, requests_sent)
            for lane in range(_AT_ONCE)
        ]
        taken = [one for lane in lanes for one in lane.result()]
    seconds = time.perf_counter() - started
    return {
        "rate": _SIGN_INS / seconds,
        "p50": statistics.median(taken) * 1000,
        "requests_each": (requests_sent.number - 1) / _SIGN_INS,
        "argon2_rate": _argon2_rate(),
    }


class _Counter:
    def __init__(self) -> None:
        self.number = 0

    def __call__(self, _answer: requests.Response, **_options: Any) -> None:
        self.number += 1


def _session(counter: _Counter) -> requests.Session:
    http = requests.Session()
    http.trust_env = False
    http.hooks["response"].append(counter)
    return http


def _lane(
    discovery: Discovery,
    client: Known,
    lane: int,
    numbers: Iterator[int],
    guard: threading.Lock,
    counter: _Counter,
) -> list[float]:
    """Sign one person in again and again, each time in a browser without cookies."""
    person = Person(email_of(lane), PASSWORD)
    taken: list[float] = []
    while True:
        with guard:
            if next(numbers, None) is None:
                return taken
        http = _session(counter)
        party = TokenClient(
            http, discovery, client.client_id, client.secret, redirect_uri=REDIRECT_URI
        )
        started = time.perf_counter()
        party.sign_in(Browserless(http, discovery, person), f"openid {API_SCOPE}", prompt="consent")
        taken.append(time.perf_counter() - started)
        http.close()


def _argon2_rate() -> float:
    """Return how many passwords one core checks in a second."""
    hashed = hash_password(PASSWORD)
    started = time.perf_counter()
    for _ in range(_HASHES):
        is_password(hashed, PASSWORD)
    return _HASHES / (time.perf_counter() - started)
