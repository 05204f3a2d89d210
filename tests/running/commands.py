"""The `idp` command in processes of its own."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.support import warm_command
from tests.support.checkout import BIN, ROOT

PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Place:
    """Folders and environment of one installation."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What the processes find in their environment: nothing of whoever runs the tests."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "IDP_DATA_DIR": str(self.folder / "var"),
            "IDP_KEYS_DIR": str(self.folder / "keys"),
        }

    def run(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; `environment` adds to ours, `stdin` is its input."""
        environment = self.environment | more.get("environment", {})
        if "before" not in more:
            given = more.get("stdin", "")
            return warm_command.run(arguments, environment, given, PATIENCE_SECONDS)
        return subprocess.run(
            [*more["before"], BIN / "idp", *arguments],
            cwd=ROOT,
            env=environment,
            input=more.get("stdin", ""),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def json(self, *arguments: str, **more: Any) -> Any:
        """Run a command that succeeds and return what it printed."""
        done = self.run(*arguments, "--json", **more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def serving(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        program: Sequence[str | Path] = (BIN / "idp",),
    ) -> Iterator["Running"]:
        """Run `idp dev` or `idp serve`, or what another `program` makes of it, until the block
        ends.
        """
        log = self.folder / f"{arguments[0]}.err"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [*program, *arguments],
                cwd=ROOT,
                env=self.environment | dict(environment or {}),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        running = Running(process, log)
        try:
            yield running
        finally:
            running.stop()


class Running:
    """One server process with its workers."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.log = log
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Connection"] = "close"

    def wait(self, url: str) -> None:
        """Wait until `url` answers 200."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if self.http.get(url, timeout=PATIENCE_SECONDS).status_code == 200:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"{url} does not answer: {self.log.read_text()}")

    def block(self) -> dict[str, str]:
        """Return what `idp dev` printed: its lines by their names."""
        assert self.process.stdout is not None
        lines: dict[str, str] = {}
        while "Careful" not in lines:
            line = self.process.stdout.readline()
            assert line, self.log.read_text()
            name, _, value = line.rstrip("\n").partition("  ")
            lines[name] = value.strip()
        return lines

    def stop(self) -> int:
        """End the server as a supervisor does, and return its exit code."""
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        return self.process.returncode


def secret_of(line: str) -> str:
    """Return the password or secret at the end of a line of the block."""
    found = re.fullmatch(r".*(?:password|secret) (\S+)", line)
    assert found, line
    return found[1]
