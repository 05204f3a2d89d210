"""RFC 9470: the API asks for a stronger and a fresher sign-in, and the server gives it."""

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import WWWAuthenticate

from examples.api.app import FRESH_SECONDS, STRONG, Settings, create_app
from idp.domain.services import Services
from tests.abuse_browser.asking import at_password
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.factors import Factors, factors, type_code
from tests.support.guard_http import Wire
from tests.support.held_clock import HeldClock
from tests.support.seeds import ADA, NOTES_API
from tests.support.token_client import TokenClient

SCOPES = "openid notes:read notes:write"


@pytest.fixture
def api(deployment: Deployment, clock: HeldClock) -> FlaskClient:
    settings = Settings(deployment.issuer, NOTES_API, *deployment.seeds.credentials[NOTES_API])
    return create_app(settings, Wire(deployment.new_http()), clock).test_client()


@pytest.fixture
def ada(services: Services, clock: HeldClock) -> Factors:
    return factors(services, clock, ADA.email)


def challenge(api: FlaskClient, token: str) -> dict[str, str]:
    """Try to delete; return what the API asks for, nothing if it was done."""
    answer = api.delete("/notes", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code == 204:
        return {}
    assert answer.status_code == 401
    asked = WWWAuthenticate.from_header(answer.headers["WWW-Authenticate"])
    assert asked is not None
    assert asked.type == "bearer"
    assert asked.parameters.pop("error") == "insufficient_user_authentication"
    return {name: value or "" for name, value in asked.parameters.items()}


def stepped_up(
    browser: Browserless, webapp: TokenClient, ada: Factors, asked: dict[str, str]
) -> str:
    """Sign in as the API asked for it, and return the access token."""
    wanted = {name: asked[name] for name in ("acr_values", "max_age")}
    page = browser.start(webapp.authorization(SCOPES, resource=NOTES_API, **wanted))
    if page.title.startswith("Sign in"):
        page = at_password(browser, page)
    if page.form.editable("current-password"):
        page = browser.answer(page)
    page = browser.finish(type_code(browser, page, ada.next_code()))
    return str(webapp.redeem(page.callback).json()["access_token"])


def test_what_is_asked_for_is_reached_and_enough(
    deployment: Deployment, webapp: TokenClient, api: FlaskClient, ada: Factors, clock: HeldClock
) -> None:
    browser = deployment.browserless()
    token = webapp.sign_in(browser, SCOPES, resource=NOTES_API)["access_token"]
    asked = challenge(api, token)
    assert asked["acr_values"] == " ".join(STRONG)
    assert asked["max_age"] == str(FRESH_SECONDS)
    ada.with_app()
    token = stepped_up(browser, webapp, ada, asked)
    assert challenge(api, token) == {}

    clock.advance(FRESH_SECONDS + 1)
    asked = challenge(api, token)
    assert asked, "the sign-in is too old by now"
    assert challenge(api, stepped_up(browser, webapp, ada, asked)) == {}


def test_a_sign_in_that_could_not_be_stronger_is_not_taken_for_it(
    deployment: Deployment, webapp: TokenClient, api: FlaskClient
) -> None:
    browser = deployment.browserless()
    token = webapp.sign_in(
        browser, SCOPES, resource=NOTES_API, acr_values=" ".join(STRONG), max_age="300"
    )["access_token"]
    assert challenge(api, token)["acr_values"] == " ".join(STRONG)
