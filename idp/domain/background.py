"""A recurring task in a thread of each process. Requests start it: forks leave threads behind."""

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable

_STOP_SECONDS = 5.0
_log = logging.getLogger("idp.background")


class Background:
    """Calls `task` every `interval` seconds.

    `failures` are logged and the task is called again at the next turn. Anything else ends the
    thread with a traceback; a later request starts it again, at most once in each interval. `wake`
    begins a turn now.
    """

    def __init__(
        self,
        task: Callable[[], object],
        interval: float,
        failures: tuple[type[Exception], ...],
        finish: Callable[[], object],
    ) -> None:
        self._task = task
        self._interval = interval
        self._failures = failures
        self._finish = finish
        self._pid = 0
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._starting = threading.Lock()
        self._started_at = 0.0

    def ensure_started(self) -> None:
        """Start the thread unless this process has it; cheap enough for each request."""
        thread = self._thread
        if self._pid == os.getpid() and thread is not None and thread.is_alive():
            return
        with self._starting:
            self._start()

    def _start(self) -> None:
        forked = self._pid != os.getpid()
        if not forked:
            alive = self._thread is not None and self._thread.is_alive()
            recent = time.monotonic() - self._started_at < self._interval
            if alive or recent or self._stopping.is_set():
                return
        self._pid = os.getpid()
        self._started_at = time.monotonic()
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)
        self._thread.start()
        if forked:
            atexit.register(self.stop)

    def stop(self) -> None:
        """Let the thread finish what it does, for at most 5 s, and end. It does not start again."""
        thread = self._thread
        self._stopping.set()
        self._woken.set()
        if self._pid == os.getpid() and thread is not None:
            thread.join(_STOP_SECONDS)
        atexit.unregister(self.stop)

    def wake(self) -> None:
        """Let the thread, if it runs, take its next turn now."""
        self._woken.set()

    def _run(self) -> None:
        # Processes that start together take different turns.
        wait = self._interval * (os.getpid() % 10) / 10
        while not self._stopping.is_set():
            self._woken.wait(wait)
            if self._stopping.is_set():
                break
            self._woken.clear()
            self._attempt(self._task)
            wait = self._interval
        self._attempt(self._finish)

    def _attempt(self, deed: Callable[[], object]) -> None:
        try:
            deed()
        except self._failures as error:
            _log.warning(
                "housekeeping failed, it will try again: %s: %s", type(error).__name__, error
            )
