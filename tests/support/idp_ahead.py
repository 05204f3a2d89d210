"""The `idp` command with a clock that a test puts forward: `python -m tests.support.idp_ahead …`.

The seconds by which it is ahead of the machine's stand in the file that DOORWARD_TEST_AHEAD names.
"""

import os
import sys
import time
from importlib import import_module
from pathlib import Path

VARIABLE = "DOORWARD_TEST_AHEAD"


class AheadClock:
    """The machine's time, and what was added to it for every process that reads the same file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self) -> float:
        return time.time() + int(self._file.read_text())

    def advance(self, seconds: int) -> None:
        """Let `seconds` pass."""
        ahead = int(self._file.read_text()) if self._file.exists() else 0
        written = self._file.with_suffix(".new")
        written.write_text(str(ahead + seconds))
        written.replace(self._file)


def run() -> None:
    """Run the command with that clock; nothing may have asked the machine's before."""
    assert "idp.app" not in sys.modules
    vars(import_module("idp.domain.clock"))["system_clock"] = AheadClock(Path(os.environ[VARIABLE]))
    import_module("idp.cli.main").main()


if __name__ == "__main__":
    run()
