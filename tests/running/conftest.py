"""An installation for each test that runs commands."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running.commands import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def open_place() -> Iterator[Place]:
    """An installation whose folder other users may enter; pytest's own folders are private."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield Place(folder)
