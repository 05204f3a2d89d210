"""The fixtures fit together: one sign-in from the first page to the last token."""

import pytest

from tests.support.browserless import Browserless, Person, Stuck
from tests.support.deployment import Deployment
from tests.support.seeds import GRACE, NOTES_API
from tests.support.token_client import TokenClient


def test_a_person_signs_in_and_a_client_gets_tokens(
    browserless: Browserless, webapp: TokenClient, notes_api: TokenClient
) -> None:
    tokens = webapp.sign_in(browserless, "openid profile notes:read", resource=NOTES_API)
    assert notes_api.active(tokens["access_token"])
    assert len(browserless.titles) == 3, browserless.titles


def test_the_second_time_nothing_is_asked(browserless: Browserless, webapp: TokenClient) -> None:
    webapp.sign_in(browserless)
    browserless.titles.clear()
    webapp.sign_in(browserless)
    assert browserless.titles == []


def test_who_says_no_is_sent_back_with_that(browserless: Browserless, webapp: TokenClient) -> None:
    browserless.allows = False
    callback = browserless.authorize(webapp.authorization("openid email"))
    assert callback["error"] == "access_denied"


@pytest.mark.settings(issuer="http://localhost:8000")
def test_it_works_on_loopback_too(browserless: Browserless, spa: TokenClient) -> None:
    assert spa.sign_in(browserless)["token_type"] == "Bearer"


def test_a_wrong_password_leads_nowhere(deployment: Deployment, webapp: TokenClient) -> None:
    browser = deployment.browserless(Person(GRACE.email, "not Grace's password at all"))
    with pytest.raises(Stuck):
        browser.authorize(webapp.authorization())


def test_browsers_share_no_cookies(deployment: Deployment, webapp: TokenClient) -> None:
    webapp.sign_in(deployment.browserless())
    nobody = deployment.browserless(None)
    with pytest.raises(Stuck):
        webapp.sign_in(nobody)


def test_a_service_gets_a_token_for_itself(service: TokenClient) -> None:
    assert service.credentials(scope="notes:read").json()["expires_in"] == 600
