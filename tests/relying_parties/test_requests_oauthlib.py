"""requests-oauthlib, which knows OAuth and nothing of OpenID."""

from collections.abc import Iterator
from typing import Any

import pytest
from oauthlib.oauth2 import BackendApplicationClient, InvalidGrantError, MismatchingStateError
from requests_oauthlib import OAuth2Session

from tests.support import seeds
from tests.support.browserless import Browserless
from tests.support.exam import Exam
from tests.support.seeds import ADA, NOTES_API

pytestmark = pytest.mark.xdist_group("relying parties")


@pytest.fixture(params=["webapp", "spa"])
def client_id(request: pytest.FixtureRequest) -> str:
    """A confidential client, and a public one."""
    return str(request.param)


@pytest.fixture
def party(exam: Exam, client_id: str) -> Iterator[Any]:
    """The relying party."""
    made: Any = OAuth2Session(
        client_id,
        redirect_uri=seeds.redirect_uri(client_id),
        scope=["openid", "profile", "email"],
        pkce="S256",
    )
    with made as session:
        session.trust_env = False
        session.verify = str(exam.authority.file)
        yield session


def test_requests_oauthlib_signs_in_and_refreshes(
    party: Any, exam: Exam, browser: Browserless, client_id: str
) -> None:
    endpoint = browser.discovery["token_endpoint"]
    secret = exam.serving.seeded.seeds.client_secrets[client_id] or None
    how = {"client_secret": secret} if secret else {"include_client_id": True}
    url, _ = party.authorization_url(browser.discovery["authorization_endpoint"])
    page = browser.finish(browser.get(url))
    token = party.fetch_token(endpoint, authorization_response=page.left_for, **how)
    assert token["token_type"] == "Bearer"
    assert party.get(browser.discovery["userinfo_endpoint"]).json()["email"] == ADA.email
    with pytest.raises(InvalidGrantError):
        party.fetch_token(endpoint, authorization_response=page.left_for, **how)
    assert party.get(browser.discovery["userinfo_endpoint"]).status_code == 401


def test_requests_oauthlib_refreshes_by_itself(
    party: Any, exam: Exam, browser: Browserless, client_id: str
) -> None:
    endpoint = browser.discovery["token_endpoint"]
    secret = exam.serving.seeded.seeds.client_secrets[client_id]
    how = {"client_secret": secret} if secret else {"include_client_id": True}
    url, _ = party.authorization_url(browser.discovery["authorization_endpoint"])
    page = browser.finish(browser.get(url))
    token = party.fetch_token(endpoint, authorization_response=page.left_for, **how)
    kept: list[str] = []
    party.token = token | {"expires_at": 1.0}
    party.auto_refresh_url = endpoint
    party.auto_refresh_kwargs = {"client_id": client_id}
    party.token_updater = lambda new: kept.append(new["access_token"])
    given = {"client_id": client_id, "client_secret": secret} if secret else {}
    answer = party.get(browser.discovery["userinfo_endpoint"], **given)
    assert answer.json()["email"] == ADA.email
    assert kept
    assert kept[0] != token["access_token"]


def test_requests_oauthlib_notices_an_answer_to_somebody_else(
    party: Any, browser: Browserless
) -> None:
    url, _ = party.authorization_url(browser.discovery["authorization_endpoint"])
    page = browser.finish(browser.get(url))
    party.new_state()
    with pytest.raises(MismatchingStateError):
        party.fetch_token("https://localhost", authorization_response=page.left_for)


def test_requests_oauthlib_gets_tokens_for_itself(exam: Exam, browser: Browserless) -> None:
    seeded = exam.serving.seeded.seeds
    party: Any = OAuth2Session(client=BackendApplicationClient("service", scope=["notes:read"]))
    with party as http:
        http.trust_env = False
        http.verify = str(exam.authority.file)
        token = http.fetch_token(
            browser.discovery["token_endpoint"],
            client_secret=seeded.client_secrets["service"],
        )
        told = http.post(
            browser.discovery["introspection_endpoint"],
            data={"token": token["access_token"]},
            auth=seeded.credentials[NOTES_API],
            withhold_token=True,
        )
        assert told.json()["aud"] == NOTES_API
