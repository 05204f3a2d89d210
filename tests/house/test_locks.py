"""The lock files hold what setup.cfg asks for: for the kit, for the server, for PostgreSQL."""

import configparser
import re
from pathlib import Path

from tests.house import sources

LOCKED = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z,]+\])?==(\S+)", re.MULTILINE)
NAMED = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)", re.MULTILINE)


def locked(name: str) -> dict[str, str]:
    """Return the versions of a lock file."""
    return dict(LOCKED.findall(sources.read(Path(name))))


def names(text: str) -> set[str]:
    """Return the distributions that lines of requirements name, as lock files write them."""
    without_comments = re.sub(r"#.*", "", text)
    return {re.sub(r"[._-]+", "-", name).lower() for name in NAMED.findall(without_comments)}


def test_what_is_asked_for_is_locked() -> None:
    setup = configparser.ConfigParser()
    setup.read_string(sources.read(Path("setup.cfg")))
    base = names(setup["options"]["install_requires"])
    extras = {name: names(text) for name, text in setup["options.extras_require"].items()}
    assert base
    assert {"server", "postgres"} <= set(extras)
    run, contributors = locked("requirements.txt"), locked("requirements-dev.txt")
    build = names(sources.read(Path("requirements-build.in")))
    assert base | extras["server"] | extras["postgres"] | build <= set(run)
    assert names(sources.read(Path("requirements-dev.in"))) <= set(contributors)
    assert run.items() <= contributors.items()
    assert "fastapi" not in run
