"""wrk: one thread, 16 keep-alive connections, on a core of its own."""

import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.wire import Wire

CONNECTIONS = 16
_SCRIPT = Path(__file__).parent / "drive.lua"


class WrongAnswers(Exception):
    """Some answers were not what they had to be: the figures mean nothing."""


@dataclass(frozen=True)
class Run:
    """What one run of wrk saw; latencies in milliseconds, `processor` seconds of the server."""

    answers: int
    seconds: float
    p50: float
    p99: float
    samples: tuple[str, ...]
    processor: float = 0.0

    @property
    def rate(self) -> float:
        """Answers for each second."""
        return self.answers / self.seconds

    @property
    def cost(self) -> float:
        """Seconds of processor time for each answer."""
        return self.processor / self.answers


def drive(origin: str, wire: Wire, seconds: int, core: int, folder: Path) -> Run:
    """Send requests for some seconds. Raises WrongAnswers."""
    file = folder / "wire.txt"
    file.write_text(wire.text())
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
    command += ["-s", str(_SCRIPT), origin, "--", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"wrk failed:\n{done.stdout}{done.stderr}")
    return _read(done.stdout, wire)


def _read(output: str, wire: Wire) -> Run:
    numbers: dict[str, float] = {}
    statuses: Counter[str] = Counter()
    samples = []
    for line in output.splitlines():
        word, _, rest = line.partition(" ")
        if word == "SAMPLE":
            samples.append(rest)
        elif word == "STATUS":
            status, _, count = rest.partition(" ")
            statuses[status] += int(count)
        elif word in {"WRONG", "EMPTY", "BROKEN", "REQUESTS", "DURATION", "P50", "P99"}:
            numbers[word] = float(rest)
    if numbers["EMPTY"]:
        raise WrongAnswers("There were too few values for this run: prepare more.")
    if numbers["WRONG"] or numbers["BROKEN"] or not numbers["REQUESTS"]:
        raise WrongAnswers(f"{wire.method} {wire.path}: {dict(statuses)} {numbers} {samples[-3:]}")
    return Run(
        int(numbers["REQUESTS"]),
        numbers["DURATION"] / 1e6,
        numbers["P50"] / 1000,
        numbers["P99"] / 1000,
        tuple(samples),
    )
