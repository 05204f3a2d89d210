"""Time, passed in so that tests can hold it."""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Returns the seconds since 1970, UTC."""


def system_clock() -> float:
    """The machine's clock."""
    return time.time()
