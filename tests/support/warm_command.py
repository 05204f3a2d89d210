"""The `idp` command in a process of its own, without the second that its imports take.

A process that has imported everything stands by, for as long as the tests run, and is forked for
each command: `python -P tests/support/warm_command.py DESCRIPTOR`. Environment, folder, standard
streams, exit status and everything that the command does are those of a process of its own.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

from idp.cli.main import main
from tests.support.checkout import BIN, ROOT

_LONGEST = 1_000_000
_STREAMS = 3


def run(
    words: Sequence[str | Path],
    environment: Mapping[str, str],
    given: str = "",
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `idp` with these words in the checkout. Raises TimeoutExpired, and ends it then.

    Only our own settings reach a process that runs already: with others it is a fresh one.
    """
    said = [str(word) for word in words]
    ours = ("IDP_", "PATH", "PYTHONPATH", "HOME", "LANG")
    if not all(name.startswith(ours) for name in environment):
        return _fresh(said, environment, given, timeout)
    with (
        tempfile.TemporaryFile("w+") as stdin,
        tempfile.TemporaryFile("w+") as stdout,
        tempfile.TemporaryFile("w+") as stderr,
    ):
        stdin.write(given)
        stdin.seek(0)
        status = _forked(said, environment, (stdin, stdout, stderr), timeout)
        stdout.seek(0)
        stderr.seek(0)
        return subprocess.CompletedProcess(said, status, stdout.read(), stderr.read())


def _fresh(
    words: list[str], environment: Mapping[str, str], given: str, timeout: float | None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "idp", *words],
        cwd=ROOT,
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def _forked(
    words: list[str],
    environment: Mapping[str, str],
    streams: Sequence[IO[str]],
    timeout: float | None,
) -> int:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            descriptors = [*(stream.fileno() for stream in streams), theirs.fileno()]
            asked = json.dumps({"words": words, "environment": dict(environment)}).encode()
            socket.send_fds(_standing_by(), [asked], descriptors)
        with ours.makefile() as told:
            process = int(told.readline())
            ours.settimeout(timeout)
            try:
                return int(told.readline())
            except TimeoutError as error:
                os.kill(process, signal.SIGKILL)
                raise subprocess.TimeoutExpired(words, timeout or 0) from error


@cache
def _standing_by() -> socket.socket:
    """Start the process that is forked; it ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(theirs.fileno())],
            cwd=ROOT,
            env=kept | {"PYTHONPATH": str(ROOT)},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _next_command(asking: socket.socket) -> None:
    """Wait for commands; return in a new process for each, which is to run it."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        asked, descriptors, _, _ = socket.recv_fds(asking, _LONGEST, _STREAMS + 1)
        if not asked:
            sys.exit()
        if os.fork() == 0:
            break
        for descriptor in descriptors:
            os.close(descriptor)
    asking.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _watched(descriptors[_STREAMS])
    for number, descriptor in enumerate(descriptors[:_STREAMS]):
        os.dup2(descriptor, number)
        os.close(descriptor)
    command = json.loads(asked)
    os.environ.clear()
    os.environ.update(command["environment"])
    sys.argv = [str(BIN / "idp"), *command["words"]]


def _watched(telling: int) -> None:
    """Return in a child; tell its process id, and its exit status when it ends."""
    child = os.fork()
    if child == 0:
        os.close(telling)
        return
    os.write(telling, f"{child}\n".encode())
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.write(telling, f"{status}\n".encode())
    os._exit(0)


if __name__ == "__main__":
    _next_command(socket.socket(fileno=int(sys.argv[1])))
    sys.exit(main())
