"""`python -m bench`: start the bare application and the server, drive both, print the ratios.

Nothing leaves loopback; data lies in a folder that is removed at the end.
"""

import argparse
import os
import secrets
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench import checks, load, machine, profiling, report, sign_in
from bench.load import Run
from bench.material import Material
from bench.running import Running, free_port, started
from bench.works import WORKS, Work, bare
from idp.config import Settings
from tests.support.postgres_server import PostgresServer

_ROUNDS = 3
_IDP = (sys.executable, "-c", "from idp.cli.main import main; main()")
_SECONDS = 5
_QUICK_SECONDS = 1


def main(arguments: Sequence[str]) -> int:
    """Measure what the arguments name."""
    asked = _parser().parse_args(arguments)
    works = [work for work in WORKS if not asked.only or work.name in asked.only]
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(dir=asked.data_dir)))
        settings = cleanup.enter_context(_settings(asked.database, folder))
        material = Material(settings)
        checks.durable(material)
        if asked.profile:
            profiling.profile(material, works, asked.profile)
            return 0
        bench = Bench(material, folder, asked)
        results = bench.run(works)
    path = report.write(results, asked.name)
    print(report.table(results, works))
    print(f"written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument(
        "--only", nargs="+", choices=[work.name for work in WORKS], help="these pieces of work"
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument(
        "--data-dir",
        type=Path,
        help="where the database lies: its disk decides what a commit costs",
    )
    parser.add_argument(
        "--name", default=time.strftime("%Y-%m-%d"), help="name of the file in bench/results"
    )
    parser.add_argument(
        "--profile",
        type=int,
        metavar="REQUESTS",
        help="no load: call the application in process, tell where processor time goes",
    )
    return parser


@contextmanager
def _settings(database: str, folder: Path) -> Iterator[Settings]:
    """Settings of the installation that is measured, with a database of its own."""
    values: dict[str, Any] = {
        "issuer": f"http://127.0.0.1:{free_port()}",
        "data_dir": folder / "data",
        "keys_dir": folder / "keys",
    }
    if database == "sqlite":
        yield Settings(**values)
        return
    cluster = PostgresServer(durable=True)
    try:
        values["database_url"] = cluster.url(cluster.create())
        values["key_encryption_key"] = urlsafe_b64encode(secrets.token_bytes(32)).decode()
        yield Settings(**values)
    finally:
        cluster.stop()


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "IDP_ISSUER": settings.issuer,
        "IDP_DATA_DIR": str(settings.data_dir),
        "IDP_KEYS_DIR": str(settings.keys_dir),
        "IDP_DATABASE_URL": settings.database_url,
        "IDP_KEY_ENCRYPTION_KEY": settings.key_encryption_key.get_secret_value(),
    }


class Bench:
    """One measurement: both servers stay up, and are driven by turns."""

    def __init__(self, material: Material, folder: Path, asked: argparse.Namespace) -> None:
        self._material = material
        self._folder = folder
        self._database = asked.database
        self._rounds = 1 if asked.quick else _ROUNDS
        self._seconds = _QUICK_SECONDS if asked.quick else _SECONDS
        self._signs_in = not asked.only
        self._server_core, self._load_core = machine.two_cores()

    def run(self, works: Sequence[Work]) -> dict[str, Any]:
        """Measure and return all figures."""
        os.sched_setaffinity(0, {self._load_core})
        settings = self._material.parts.settings
        port, cores = free_port(), {self._server_core}
        with ExitStack() as stack:
            plain = stack.enter_context(
                started(
                    [sys.executable, "-m", "bench.bare", str(port)],
                    port,
                    "/document",
                    cores,
                    self._folder / "bare.log",
                )
            )
            own = int(settings.issuer.rpartition(":")[2])
            command = [*_IDP, "serve", "--port", str(own), "--workers", "1"]
            server = stack.enter_context(
                started(
                    command,
                    own,
                    "/health/ready",
                    cores,
                    self._folder / "server.log",
                    _environment(settings),
                )
            )
            return self._measure(works, plain, server)

    def _measure(self, works: Sequence[Work], plain: Running, server: Running) -> dict[str, Any]:
        memory = server.memory()
        floors: dict[str, list[Run]] = {work.floor: [] for work in works}
        found: dict[str, list[Run]] = {work.name: [] for work in works}
        busy: dict[str, list[float]] = {name: [] for name in (*floors, *found)}
        for number in range(self._rounds):
            for floor, runs in floors.items():
                runs.append(self._driven(plain, bare(floor), busy[floor]))
            for work in works:
                self._say(number, work)
                found[work.name].append(self._worked(server, work, busy[work.name]))
        results: dict[str, Any] = {
            "machine": machine.description(self._folder),
            "database": self._database,
            "seconds": self._seconds,
            "rounds": self._rounds,
            "server": {"memory_mb": memory, "seconds_to_ready": server.seconds_to_ready},
            "bare": {
                name: report.summary(runs) | {"cpu": _mean(busy[name])}
                for name, runs in floors.items()
            },
            "works": {},
        }
        for work in works:
            reached = report.summary(found[work.name]) | {"cpu": _mean(busy[work.name])}
            floor = results["bare"][work.floor]["per_second"]
            reached["ratio"] = round(reached["per_second"] / floor, 3)
            results["works"][work.name] = reached
        if self._signs_in:
            results["sign_in"] = sign_in.measure(server.origin, self._material.elliptic)
        return results

    def _worked(self, server: Running, work: Work, busy: list[float]) -> Run:
        """Drive one piece of work, and check what it left."""
        wire = work.wire(self._material, self._seconds + 1)
        before = checks.entries(self._material)
        run = self._driven(server, wire, busy)
        checks.audited(checks.entries(self._material) - before, run, work.tokens)
        if work.tokens and not checks.genuine(server.origin, run.samples):
            raise load.WrongAnswers("No token to verify.")
        return run

    def _driven(self, target: Running, wire: Any, busy: list[float]) -> Run:
        before = target.processor_seconds()
        run = load.drive(target.origin, wire, self._seconds, self._load_core, self._folder)
        busy.append((target.processor_seconds() - before) / run.seconds)
        return run

    def _say(self, number: int, work: Work) -> None:
        if sys.stderr.isatty():
            print(f"round {number + 1} of {self._rounds}: {work.title}", file=sys.stderr)


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
