"""Server processes on a core of their own."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import machine

ROOT = Path(__file__).parent.parent
_PATIENCE_SECONDS = 30


@dataclass
class Running:
    """A server that answers. `seconds_to_ready` is from its start to its first answer."""

    process: subprocess.Popen[bytes]
    origin: str
    seconds_to_ready: float
    workers: list[int] = field(default_factory=list)

    def memory(self) -> dict[str, float | list[float]]:
        """Return the proportional set size of master and workers, MB."""
        each = [machine.memory(pid) for pid in self.workers]
        return {"master": machine.memory(self.process.pid), "workers": each}

    def processor_seconds(self) -> float:
        """Return the processor time of all its processes so far."""
        return sum(map(machine.processor_seconds, machine.family(self.process.pid)))


def free_port() -> int:
    """Return a port of loopback that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def started(
    words: list[str],
    port: int,
    ready: str,
    cores: set[int],
    log: Path,
    environment: Mapping[str, str] | None = None,
    workers: int = 1,
) -> Iterator[Running]:
    """Run a command on `cores` until the block ends; `ready` is a path that answers 200."""
    origin = f"http://127.0.0.1:{port}"
    begun = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, cores)), *words],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **(environment or {})},
            stdout=output,
            stderr=output,
        )
    try:
        _wait(process, origin + ready, log)
        running = Running(process, origin, time.perf_counter() - begun)
        running.workers = _workers(process.pid, workers)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except urllib.error.URLError:
            time.sleep(0.01)
    raise RuntimeError(f"{url} does not answer:\n{log.read_text()[-4000:]}")


def _workers(master: int, number: int) -> list[int]:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        found = [pid for pid in machine.family(master) if pid != master]
        if len(found) >= number:
            return found
        time.sleep(0.01)
    raise RuntimeError("The workers did not start.")
