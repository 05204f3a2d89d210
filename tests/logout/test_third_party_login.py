"""OpenID Connect Core 1.0 section 4: a sign-in at an application that is started on our pages."""

from urllib.parse import parse_qs, urlsplit

from sqlalchemy import insert

from idp.domain.services import Services
from idp.store.tables import ClientRegistration, table
from tests.abuse_browser.asking import signed_in
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register
from tests.support.seeds import ADA, OPERATOR, ORIGIN

REGISTRATIONS = table(ClientRegistration)
START = "https://starts.example.test/start?from=here"


def path(client_id: str) -> str:
    return f"/account/applications/{client_id}/open"


def test_one_that_is_connected_is_opened_with_a_hint_if_it_knows_the_address(
    deployment: Deployment, register: Register
) -> None:
    client = register(
        "starts", initiate_login_uri=START, client_uri="https://starts.example.test/welcome"
    )
    browser = signed_in(deployment)
    for scope, hint in (("openid", {}), ("openid email", {"login_hint": [ADA.email]})):
        client.sign_in(browser, scope)
        listed = browser.get("/account/applications")
        assert f'href="{path("starts")}"' in listed.response.text
        gone = browser.get(path("starts")).left_for
        assert gone
        assert gone.partition("?")[0] == START.partition("?")[0]
        assert parse_qs(urlsplit(gone).query) == {
            "from": ["here"],
            "iss": [deployment.issuer],
            "target_link_uri": ["https://starts.example.test/welcome"],
            **hint,
        }


def test_one_that_registered_itself_is_named_before_anybody_is_led_there(
    deployment: Deployment, services: Services, register: Register, clock: HeldClock
) -> None:
    client = register("starts", initiate_login_uri=START, client_uri="https://else.example.test/")
    browser = signed_in(deployment)
    assert "target_link_uri" not in (browser.get(path("starts")).left_for or "target_link_uri")
    itself = {"client_id": "starts", "token_digest": b"x" * 32, "policy": {}, "trusted": False}
    with services.store.writing() as connection:
        connection.execute(insert(REGISTRATIONS), itself)
    clock.advance(services.settings.cache_lifetime + 1)
    page = browser.get(path("starts"))
    assert (page.status, page.left_for) == (200, None)
    assert "starts.example.test" in page.text
    assert ADA.email not in page.response.text.partition(START.partition("?")[0])[2]
    client.sign_in(browser)
    assert browser.get(path("starts")).left_for


def test_one_that_can_not_be_opened_is_not_found(
    deployment: Deployment, services: Services, register: Register
) -> None:
    stranger = deployment.browserless()
    assert stranger.get(path("starts")).title.startswith("Sign in")
    browser = signed_in(deployment)
    register("starts", initiate_login_uri=START)
    assert browser.get(path("webapp")).status == 404
    assert browser.get(path("nobody")).status == 404
    services.clients.disable("starts", origin=ORIGIN, actor=OPERATOR)
    assert browser.get(path("starts")).status == 404
