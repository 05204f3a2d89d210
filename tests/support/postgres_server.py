"""A PostgreSQL 15 of our own: Debian's programs, its own folder, gone with whoever started it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
USER = "doorward"
START_SECONDS = 60
_READY = "database system is ready to accept connections"
_UNPRIVILEGED = "nobody"
# Nobody's data lies here: what only slows the tests down is off, except in tests of durability.
_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
_OPTIONS = (
    "listen_addresses=",
    "max_connections=200",
    "autovacuum=off",
    "jit=off",
    "max_wal_size=256MB",
    "log_line_prefix=",
)


class PostgresMissing(Exception):
    """PostgreSQL 15 is not installed."""


class PostgresServer:
    """One running cluster, reached by a Unix socket in its own folder."""

    def __init__(self, *, durable: bool = False) -> None:
        if not (PROGRAMS / "postgres").exists():
            raise PostgresMissing(
                f"No PostgreSQL 15 in {PROGRAMS}. Install it:"
                " apt-get install --no-install-recommends postgresql-15"
            )
        self.folder = Path(tempfile.mkdtemp(prefix="doorward-postgres-"))
        self.log: deque[str] = deque(maxlen=10_000)
        self._numbers = count(1)
        self._ready = threading.Event()
        self._initialise()
        self._process = self._start(() if durable else _FAST)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        if not self._ready.wait(START_SECONDS) or self._process.poll() is not None:
            lines = "".join(self.log)
            self.stop()
            raise RuntimeError(f"PostgreSQL did not start:\n{lines}")
        self._admin = self._connect("postgres")

    def url(self, name: str) -> str:
        """Return the address of a database as IDP_DATABASE_URL takes it."""
        return f"postgresql://{USER}@/{name}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """Make a database, like `template` if one is named, and return its name."""
        name = f"test_{next(self._numbers)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._admin.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop(self, name: str) -> None:
        """Remove a database, with whatever is connected to it."""
        self._admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def execute(self, statement: sql.SQL, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement as the administrator and return its rows."""
        cursor = self._admin.execute(statement, values)
        return cursor.fetchall() if cursor.description else []

    def stop(self) -> None:
        """Stop the cluster and remove its folder."""
        if hasattr(self, "_admin"):
            self._admin.close()
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _connect(self, name: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url(name), autocommit=True)

    def _initialise(self) -> None:
        if os.geteuid() == 0:
            person = pwd.getpwnam(_UNPRIVILEGED)
            os.chown(self.folder, person.pw_uid, person.pw_gid)
        command = ["initdb", "--username", USER, "--auth=trust", "--no-sync", "--no-instructions"]
        command += ["--encoding=UTF8", "--locale=C.UTF-8", "--pgdata", str(self.folder / "data")]
        done = subprocess.run(self._command(command), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _start(self, speed: tuple[str, ...]) -> subprocess.Popen[str]:
        command = ["postgres", "-D", str(self.folder / "data"), "-k", str(self.folder)]
        for option in (*_OPTIONS, *speed):
            command += ["-c", option]
        return subprocess.Popen(
            self._command(command), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )

    def _command(self, words: list[str]) -> list[str]:
        """Give up root's rights first (PostgreSQL insists), and tie it to this process's life."""
        drop = ["setpriv", "--pdeathsig", "QUIT"]
        if os.geteuid() == 0:
            person = pwd.getpwnam(_UNPRIVILEGED)
            drop += ["--reuid", str(person.pw_uid), "--regid", str(person.pw_gid), "--clear-groups"]
        return [*drop, "env", "-C", str(self.folder), str(PROGRAMS / words[0]), *words[1:]]

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self.log.append(line)
                if _READY in line:
                    self._ready.set()
        self._ready.set()
