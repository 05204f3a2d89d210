"""Authlib's client for Flask, and the session of requests under it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask, session

from tests.support import seeds
from tests.support.browserless import Browserless
from tests.support.discovery import PATH
from tests.support.exam import Exam
from tests.support.seeds import ADA

pytestmark = pytest.mark.xdist_group("relying parties")
CALLBACK = seeds.redirect_uri("webapp")


@pytest.fixture(autouse=True)
def _trusting(exam: Exam, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its machine knows the authority that issued the server's certificate."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(exam.authority.file))


@pytest.fixture
def web() -> Iterator[Flask]:
    """The relying party's application, in a request of somebody's."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "the relying party's own"
    with app.test_request_context():
        yield app


@pytest.fixture
def party(exam: Exam, web: Flask) -> Any:
    """A relying party that was told the issuer and its own credentials, and nothing else."""
    oauth: Any = OAuth(web)
    return oauth.register(
        "doorward",
        client_id="webapp",
        client_secret=exam.serving.seeded.seeds.client_secrets["webapp"],
        server_metadata_url=exam.issuer + PATH,
        client_kwargs={
            "scope": "openid profile email",
            "code_challenge_method": "S256",
        },
    )


@contextmanager
def gone_and_back(web: Flask, browser: Browserless, sent: Any) -> Iterator[None]:
    """Go where the relying party sends the browser, and be in the request that brings it back."""
    kept = dict(session)
    page = browser.finish(browser.get(sent.headers["Location"]))
    assert page.left_for is not None
    assert page.left_for.startswith(f"{CALLBACK}?")
    with web.test_request_context(page.left_for):
        session.update(kept)
        yield


def test_authlib_signs_somebody_in_refreshes_and_signs_out(
    party: Any, web: Flask, browser: Browserless
) -> None:
    with gone_and_back(web, browser, party.authorize_redirect(CALLBACK)):
        token = party.authorize_access_token()
    assert token["userinfo"]["iss"] == browser.origin
    assert token["userinfo"]["aud"] == "webapp"
    person = party.userinfo(token=token)
    assert (person["sub"], person["email"]) == (token["userinfo"]["sub"], ADA.email)
    renewed = party.fetch_access_token(
        grant_type="refresh_token", refresh_token=token["refresh_token"]
    )
    assert renewed["refresh_token"] != token["refresh_token"]
    assert party.userinfo(token=renewed)["sub"] == person["sub"]
    bye = party.create_logout_url("https://app.example.test/bye", token["id_token"])
    page = browser.get(bye["url"])
    assert page.left_for == f"https://app.example.test/bye?state={bye['state']}"


def test_authlib_hears_of_a_refusal(party: Any, web: Flask, browser: Browserless) -> None:
    browser.allows = False
    sent = party.authorize_redirect(CALLBACK, prompt="consent")
    with gone_and_back(web, browser, sent), pytest.raises(OAuthError) as refusal:
        party.authorize_access_token()
    assert refusal.value.error == "access_denied"


def test_authlib_gets_tokens_for_itself_asks_about_them_and_gives_them_up(exam: Exam) -> None:
    secrets = exam.serving.seeded.seeds.client_secrets
    party: Any = OAuth2Session("service", secrets["service"], scope="notes:read")
    with party as http:
        found = http.get(exam.issuer + PATH, withhold_token=True).json()
        token = http.fetch_token(found["token_endpoint"], grant_type="client_credentials")
        assert token["scope"] == "notes:read"
        told = http.introspect_token(found["introspection_endpoint"], token["access_token"])
        assert told.json()["active"] is True
        http.revoke_token(found["revocation_endpoint"], token["access_token"])
        told = http.introspect_token(found["introspection_endpoint"], token["access_token"])
        assert told.json() == {"active": False}
