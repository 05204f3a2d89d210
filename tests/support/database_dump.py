"""The content of a database as text: what somebody who stole it could read."""

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from tests.support.postgres_server import PROGRAMS


def of_sqlite(file: Path) -> str:
    """Return a SQLite database as SQL; blobs are X'…'."""
    with closing(sqlite3.connect(file)) as connection:
        return "\n".join(connection.iterdump())


def of_postgresql(url: str) -> str:
    """Return a PostgreSQL database as pg_dump writes it; bytea is \\x…"""
    command = [str(PROGRAMS / "pg_dump"), "--inserts", "--no-sync", f"--dbname={url}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout
