"""The shipped policies, and a folder for an operator's own."""

from pathlib import Path

import pytest

from idp.domain.access import Access
from tests.access.asking import Folder
from tests.support.held_clock import HeldClock


@pytest.fixture(scope="session")
def shipped() -> Access:
    """The server's own policies and no others."""
    return Access("", HeldClock(), 5)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty folder."""
    return Folder(tmp_path, HeldClock())
