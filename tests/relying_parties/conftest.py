"""Relying parties that others wrote, unchanged, at the server behind nginx.

They judge times by the machine's clock, so nobody puts this server's forward.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.developer.conftest import Developer
from tests.support.browserless import Browserless
from tests.support.exam import Exam
from tests.support.postgres_server import PostgresServer
from tests.support.seeds import ADA, OPERATOR, ORIGIN


@pytest.fixture
def exam(
    request: pytest.FixtureRequest, database_kind: str, postgres_if_wanted: PostgresServer | None
) -> Exam:
    """A deployment whose time is the machine's."""
    started: Any = request.getfixturevalue("exams")
    found: Exam = started.of(database_kind, postgres_if_wanted, "punctual")
    return found


@pytest.fixture
def browser(exam: Exam, https: Callable[[], requests.Session]) -> Browserless:
    """A browser without scripts that trusts the server's certificate, with Ada before it."""
    return exam.deployment(https).browserless()


@pytest.fixture
def developer(
    exam: Exam, browser: Browserless, https: Callable[[], requests.Session]
) -> Iterator[Developer]:
    """Ada, who may register applications, and is at the developer pages."""
    members, account = exam.services.memberships, exam.services.accounts.get(ADA.email)
    members.grant(account.id, roles=["developer"], origin=ORIGIN, actor=OPERATOR)
    page = browser.get("/developer")
    while "/interaction/" in page.url:
        page = browser.answer(page)
    yield Developer(browser, exam.services, exam.deployment(https))
    members.revoke(account.id, roles=["developer"], origin=ORIGIN, actor=OPERATOR)
