"""`python -m bench`: start the bare application and the server, drive both, print the ratios.

Nothing leaves loopback; data lies in a folder that is removed at the end.
"""

import argparse
import secrets
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench import checks, profiling, report
from bench.material import Material
from bench.measurement import PEOPLE, QUICK, SIGN_IN, THOROUGH, Bench
from bench.running import free_port
from bench.works import WORKS
from idp.config import Settings
from tests.support.postgres_server import PostgresServer

_NO_LIMIT = 10**9
"""All people come from one address, which is what limits are for."""


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
            if asked.only and SIGN_IN in asked.only:
                profiling.profile_sign_in(material, asked.profile)
            else:
                profiling.profile(material, works, asked.profile)
            return 0
        people = [one for one in PEOPLE if not asked.only or one in asked.only]
        plan = QUICK if asked.quick else THOROUGH
        results = Bench(material, asked.database, folder, plan).run(works, people)
    path = report.write(results, asked.name)
    print(report.table(results, works))
    print(f"written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=[*(work.name for work in WORKS), *PEOPLE],
        help="these pieces of work",
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
        "network_limit": _NO_LIMIT,
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
