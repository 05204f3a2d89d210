"""Python processes that start a piece of work at the same moment."""

import subprocess
import sys
from collections.abc import Sequence

from tests.support.checkout import ROOT

WAIT_SECONDS = 60


def together(commands: Sequence[Sequence[str]]) -> list[str]:
    """Run `python -m …` for each command and return what each printed at the end.

    Each prints "ready", waits for a line on its standard input, works, and prints one more line.
    """
    started = [_start(command) for command in commands]
    try:
        for process in started:
            _line(process)
        for process in started:
            _go(process)
        return [_rest(process) for process in started]
    finally:
        for process in started:
            process.kill()
            process.communicate()


def _start(command: Sequence[str]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", *command],
        cwd=ROOT,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
    )


def _line(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        raise AssertionError(process.communicate()[1])


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def _rest(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 0, errors
    return output.strip()
