"""What each module's test meets: the server behind nginx, as tests/support/exam.py starts it.

Every test has sessions of its own, without cookies, and a check that it really asked the server.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.conformance.judges import Judge, Judges
from tests.conformance.plans import CODE, Plan
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.exam import Exam
from tests.support.idp_ahead import AheadClock
from tests.support.seeds import ADA, add_client
from tests.support.token_client import TokenClient

Add = Callable[..., TokenClient]


@pytest.fixture
def answers() -> list[str]:
    """The addresses that answered this test."""
    return []


@pytest.fixture
def deployment(exam: Exam, https: Callable[[], requests.Session], answers: list[str]) -> Deployment:
    """The server and those who know it, over https."""

    def noted() -> requests.Session:
        http = https()
        http.hooks["response"].append(note)
        return http

    def note(answer: requests.Response, **_options: Any) -> None:
        answers.append(answer.url)

    return exam.deployment(noted)


@pytest.fixture
def browserless(exam: Exam, deployment: Deployment) -> Browserless:
    """A browser without scripts and cookies, with Ada before it."""
    return Browserless(deployment.new_http(), exam.discovery, ADA)


@pytest.fixture
def add(exam: Exam, deployment: Deployment) -> Add:
    """`add(redirect_uris=[…])` registers a client as an operator does, and returns it."""

    def registered(**metadata: Any) -> TokenClient:
        client_id = f"added-{len(exam.added)}"
        secret = add_client(exam.services, metadata, client_id)
        exam.added[client_id] = client_id, secret
        uri = metadata["redirect_uris"][0]
        http = deployment.new_http()
        return TokenClient(http, exam.discovery, client_id, secret, redirect_uri=uri)

    return registered


@pytest.fixture
def judges(exam: Exam, deployment: Deployment) -> Judges:
    """Registers the relying parties that the suite plays."""

    def new_client(client_id: str, secret: str, **facts: str) -> TokenClient:
        return TokenClient(deployment.new_http(), exam.discovery, client_id, secret, **facts)

    return Judges(exam, new_client)


@pytest.fixture
def plan(request: pytest.FixtureRequest) -> Plan:
    """The plan that the test is run by; the modules that are repeated set it."""
    found: Plan = getattr(request, "param", CODE)
    return found


@pytest.fixture
def judge(judges: Judges, plan: Plan) -> Judge:
    """The relying party of this test's plan."""
    return judges.judge(plan)


@pytest.fixture
def clock(exam: Exam) -> AheadClock:
    """The server's clock: `clock.advance(60)`. It never goes back, for no test."""
    return exam.clock


@pytest.fixture
def asked(answers: list[str]) -> Iterator[list[str]]:
    """Fails a test that made no request over https."""
    yield answers
    assert any(url.startswith("https://") for url in answers), "The test asked the server nothing."
