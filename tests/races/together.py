"""Requests that start at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

PATIENCE_SECONDS = 30


def together(number: int, send: Callable[[], requests.Response]) -> list[requests.Response]:
    """Call `send` in as many threads at once and return the answers."""
    start = threading.Barrier(number, timeout=PATIENCE_SECONDS)

    def one(_number: int) -> requests.Response:
        start.wait()
        return send()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))
