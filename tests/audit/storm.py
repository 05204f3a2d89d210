"""Four processes write into one log and seal it without asking for the lease; one after the other
is killed in the middle of what it does. Prints what was found, as JSON.
"""

import json
import os
import random
import selectors
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from idp.config import Settings
from idp.crypto.sealing import Sealer
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.audit_log.parts import AuditLog, audit_log
from idp.domain.clock import system_clock
from idp.outbound.fetching import Fetcher
from idp.store.database import Store
from idp.store.errors import StoreError
from idp.store.tables import AuditEntry, table
from tests.audit.conftest import SECRET, nobody
from tests.support.databases import Database, opened

WRITERS = 4
_ENTRIES = table(AuditEntry)
_LINE = 9
"""Bytes of an acknowledgement: eight digits and the end of the line."""


@dataclass
class Writer:
    """A child process, and what it said that it had committed."""

    pid: int
    pipe: int
    name: str
    read: bytes = b""
    acknowledged: set[tuple[str, int]] = field(default_factory=set)

    def drain(self) -> None:
        """Take what it said since; a line that a kill cut off was never said."""
        while True:
            try:
                chunk = os.read(self.pipe, 65536)
            except BlockingIOError:
                break
            if not chunk:
                break
            self.read += chunk
        *lines, self.read = self.read.split(b"\n")
        self.acknowledged |= {(self.name, int(line)) for line in lines}


@contextmanager
def node(database: Database) -> Iterator[tuple[Store, Audit, AuditLog]]:
    """One process's way to the log."""
    settings = Settings(issuer="https://id.example.test", data_dir=database.data_dir)
    with opened(database) as store:
        audit = Audit(store, system_clock)
        sealer = Sealer([b"k" * 32])
        yield (
            store,
            audit,
            audit_log(store, sealer, audit, system_clock, settings, SECRET, Fetcher(settings)),
        )


def write_for_ever(database: Database, pipe: int, name: str) -> None:
    """Write entry after entry, say so when each is committed, and seal."""
    with node(database) as (store, audit, log):
        number = 0
        while True:
            try:
                with store.writing() as connection:
                    entry = Entry("storm", name, detail={"number": number})
                    audit.record(connection, Origin(), entry)
                os.write(pipe, f"{number:08}\n".encode())
                number += 1
                log.sealer.seal(1)
            except StoreError:
                number += 1  # not acknowledged: it may be there or not


def start(database: Database, name: str) -> Writer:
    """Fork a writer."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        write_for_ever(database, writing, name)
    os.close(writing)
    os.set_blocking(reading, False)
    return Writer(pid, reading, name)


def await_line(writer: Writer) -> None:
    """Wait until a writer has committed something more."""
    with selectors.DefaultSelector() as selector:
        selector.register(writer.pipe, selectors.EVENT_READ)
        if not selector.select(60):
            raise AssertionError(f"{writer.name} does nothing")
    writer.drain()


def kill(writer: Writer) -> set[tuple[str, int]]:
    """Kill a writer, and return all that it had acknowledged."""
    os.kill(writer.pid, signal.SIGKILL)
    os.waitpid(writer.pid, 0)
    writer.drain()
    os.close(writer.pipe)
    return writer.acknowledged


def signalled(writers: list[Writer], what: signal.Signals) -> None:
    """Stop writers where they are, or let them go on."""
    for writer in writers:
        os.kill(writer.pid, what)


def found(database: Database) -> tuple[set[tuple[str, int]], list[str]]:
    """Return the entries that are there, and the faults of the log."""
    with node(database) as (store, _audit, log):
        faults = [fault.said for fault in log.verification.run(nobody).faults]
        with store.reading() as connection:
            rows = connection.execute(select(_ENTRIES.c.actor, _ENTRIES.c.detail)).all()
    return {(row[0], row[1]["number"]) for row in rows}, faults


def main(kind: str, url: str, data_dir: str, kills: str) -> None:
    """Kill so many writers."""
    database = Database(kind, url, Path(data_dir))
    chance = random.Random(4)
    writers = [start(database, f"writer:{at}") for at in range(WRITERS)]
    acknowledged: set[tuple[str, int]] = set()
    faults: list[str] = []
    missing = 0
    for at in range(int(kills)):
        place = chance.randrange(WRITERS)
        for _ in range(chance.randint(1, 3)):
            await_line(writers[place])
        acknowledged |= kill(writers[place])
        # Most of the time the others wait meanwhile, so that the log stays small.
        pausing = [writer for writer in writers if at % 10 and writer is not writers[place]]
        signalled(pausing, signal.SIGSTOP)
        there, wrong = found(database)
        signalled(pausing, signal.SIGCONT)
        faults += wrong
        missing += len(acknowledged - there)
        writers[place] = start(database, f"writer:{WRITERS + at}")
    for writer in writers:
        acknowledged |= kill(writer)
    with node(database) as (_store, _audit, log):
        log.sealer.seal(1000)
        verdict = log.verification.run(nobody)
    there, wrong = found(database)
    told = {
        "faults": faults + wrong,
        "missing": missing + len(acknowledged - there),
        "acknowledged": len(acknowledged),
        "sealed": verdict.sealed,
        "unsealed": verdict.unsealed,
        "entries": len(there),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
