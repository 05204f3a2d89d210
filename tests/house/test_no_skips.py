"""The CI plugin turns the skips that hide a missing program into failures, and no others."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

INSIDE = """
import pytest

def test_database(): pytest.skip("PostgreSQL 15 is not installed")

def test_system(): pytest.skip("only on Linux")
"""
WHOLE_MODULE = """
import pytest

pytest.skip("no chromium here", allow_module_level=True)
"""


def test_only_skips_for_want_of_a_database_or_browser_fail(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_inside.py").write_text(INSIDE)
    (tmp_path / "test_whole_module.py").write_text(WHOLE_MODULE)
    command = [sys.executable, "-m", "pytest", "-p", "tests.house.no_skips", "-n", "1"]
    options = ["-c", str(tmp_path / "pytest.ini"), "--continue-on-collection-errors"]
    run = subprocess.run(
        [*command, *options, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "1 failed, 1 skipped, 1 error" in run.stdout
    assert "This must not be skipped here. Skipped: PostgreSQL 15 is not installed" in run.stdout
    assert "This must not be skipped here. Skipped: no chromium here" in run.stdout
