"""The machine: which cores are used, what it is made of, what a process costs."""

import os
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")
_SYNCS = 50
_PACKAGES = ("authlib", "cryptography", "flask", "gunicorn", "sqlalchemy", "werkzeug")


def two_cores() -> tuple[int, int]:
    """Return a core for the server and one for the load that share nothing."""
    cores = sorted(os.sched_getaffinity(0))
    for first in reversed(cores):
        for second in reversed(cores):
            if second != first and second not in _siblings(first):
                return first, second
    raise RuntimeError("The server and the load need a core each.")


def third_core(server: int, load: int) -> int:
    """Return a core for more load; where there is none, the one that the load has."""
    taken = {server, load, *_siblings(server)}
    return next((one for one in sorted(os.sched_getaffinity(0)) if one not in taken), load)


def _siblings(core: int) -> list[int]:
    path = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    text = path.read_text().strip() if path.exists() else str(core)
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def description(data_dir: Path) -> dict[str, Any]:
    """Return what figures depend on; times in microseconds."""
    return {
        "processor": _first("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: version(name) for name in _PACKAGES},
        "fdatasync_us": _sync_cost(data_dir),
    }


def _first(path: str, name: str) -> str:
    lines = Path(path).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def _sync_cost(folder: Path) -> int:
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_SYNCS):
            file.write(bytes(4096))
            file.flush()
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - started)
    return round(statistics.median(taken) * 1e6)


def family(pid: int) -> Iterator[int]:
    """Return a process and all that it started."""
    yield pid
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            yield from family(int(child))


def memory(pid: int) -> float:
    """Return the proportional set size of a process, MB."""
    line = _first(f"/proc/{pid}/smaps_rollup", "Pss")
    return round(int(line.split()[0]) / 1024, 1)


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
