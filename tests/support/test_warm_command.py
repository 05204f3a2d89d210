"""A forked command can't be told from a fresh one."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support import warm_command

_SLOW = ["users", "add", "ada@example.test", "--password-stdin"]


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    return {"IDP_DATA_DIR": str(tmp_path / "var"), "IDP_KEYS_DIR": str(tmp_path / "keys")}


def test_it_says_and_answers_what_a_fresh_one_does(environment: Mapping[str, str]) -> None:
    for words, status in ((["--version"], 0), (["users", "nonsense"], 2)):
        forked = warm_command.run(words, environment)
        # A setting of Python's own makes it a fresh process.
        fresh = warm_command.run(words, {**environment, "PYTHONHASHSEED": "0"})
        assert forked.returncode == fresh.returncode == status
        assert (forked.stdout, forked.stderr) == (fresh.stdout, fresh.stderr)


def test_each_begins_anew(environment: Mapping[str, str], tmp_path: Path) -> None:
    password = "four unrelated words here\n"
    added = warm_command.run(_SLOW, environment, password)
    assert added.returncode == 0, added.stderr
    assert warm_command.run(_SLOW, environment, password).returncode == 1
    elsewhere = {**environment, "IDP_DATA_DIR": str(tmp_path / "elsewhere")}
    assert "ada@" not in warm_command.run(["users", "list"], elsewhere).stdout
    assert "ada@" in warm_command.run(["users", "list"], environment).stdout
