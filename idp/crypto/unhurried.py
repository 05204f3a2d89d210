"""Slow work, to which the system gives less time than to what answers other requests meanwhile."""

import contextlib
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_NICER = 10
"""Two hashes then take a fifth of a core beside one thread that needs it, instead of two thirds."""

Result = TypeVar("Result")


def unhurried(work: Callable[[], Result]) -> Result:
    """Return what `work` returns, or raise what it raises; the caller waits.

    The thread is new each time: none can take back that it gave way, and a fork leaves none
    behind. That costs less than a hundredth of a hash.
    """
    with ThreadPoolExecutor(1, "unhurried", _give_way) as threads:
        return threads.submit(work).result()


def _give_way() -> None:
    # Elsewhere than on Linux this would be about the whole process.
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.nice(_NICER)
