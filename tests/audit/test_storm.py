"""RELIABILITY R20: writers are killed in the middle of writing and sealing; the log stays whole."""

import json
import subprocess
import sys

import pytest

from tests.audit.storm import WRITERS
from tests.support.checkout import ROOT
from tests.support.databases import Database

KILLS = {"sqlite": 12, "postgresql": 200}
"""PostgreSQL's half is the slow one."""


@pytest.mark.timeout(900)
def test_no_kill_breaks_the_log_or_loses_what_was_acknowledged(migrated_database: Database) -> None:
    kind, kills = migrated_database.kind, KILLS[migrated_database.kind]
    words = [kind, migrated_database.url, str(migrated_database.data_dir), str(kills)]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.audit.storm", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["faults"] == []
    assert told["missing"] == 0
    assert told["acknowledged"] >= kills + WRITERS
    assert told["sealed"] == told["entries"] >= told["acknowledged"]
    assert told["unsealed"] == 0
