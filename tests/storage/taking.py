"""Taking one value in many threads at once; run as a module, one of several such processes.

A process waits for a line, tries, and prints how often it won.
"""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from idp.crypto.sealing import Sealer
from idp.domain.one_time import OneTimeValues
from idp.store.database import Store
from tests.storage.rows import NOW
from tests.support.databases import Database, opened
from tests.support.held_clock import HeldClock

KEY = bytes(32)


def values() -> OneTimeValues:
    """Return the values as every process of these tests opens them."""
    return OneTimeValues(Sealer([KEY]), HeldClock(NOW))


def wins(store: Store, kind: str, value: str, tries: int) -> int:
    """Take one value in `tries` threads that start together, and return how many got it."""
    one_time = values()

    def take(_number: int) -> bool:
        with store.writing() as connection:
            return one_time.take(connection, kind, value) is not None

    return sum(at_once(tries, take))


def at_once(number: int, job: Callable[[int], bool]) -> list[bool]:
    """Call `job` with 0, 1, 2… in as many threads, which start together."""
    start = threading.Barrier(number, timeout=30)

    def one(mine: int) -> bool:
        start.wait()
        return job(mine)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def main(database_kind: str, url: str, data_dir: str, kind: str, value: str, tries: str) -> None:
    """Take the value that the arguments name."""
    with opened(Database(database_kind, url, Path(data_dir))) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        print(wins(store, kind, value, int(tries)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
