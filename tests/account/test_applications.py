"""Connected applications: what each may do, and that taking it back counts at once."""

import pytest

from idp.domain.services import Services
from tests.abuse_browser.asking import signed_in
from tests.account.console import events, forge, opened, send
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.refusals import Refused
from tests.support.seeds import ADA, GRACE

APPLICATIONS = "/account/applications"
REMOVE = f"{APPLICATIONS}/webapp/remove"
SCOPES = "openid email offline_access notes:read"


@pytest.mark.every_database
def test_case_124_removed_access_ends_tokens_and_is_asked_for_again(
    deployment: Deployment, services: Services
) -> None:
    webapp, spa = deployment.client("webapp"), deployment.client("spa")
    browser = signed_in(deployment)
    held = webapp.sign_in(browser, SCOPES)
    kept = spa.sign_in(browser, SCOPES)
    assert webapp.active(held["access_token"])
    page = browser.get(APPLICATIONS)
    for words in ("Field Notes", "See your email address", "Read your notes", "Stays connected"):
        assert words in page.text, words
    page = send(browser, page, REMOVE)
    assert "Its access was removed" in page.text
    assert "Field Notes" not in page.text
    assert webapp.refresh(held["refresh_token"]).json()["error"] == "invalid_grant"
    assert not webapp.active(held["access_token"])
    assert webapp.userinfo(held["access_token"]).status_code == 401
    assert spa.refresh(kept["refresh_token"]).status_code == 200, "another one keeps its own"
    ada = services.accounts.get(ADA.email)
    assert not services.consents.find(ada.id, "webapp")
    assert events(services).count("consent.withdrawn") == 1
    assert browser.start(webapp.authorization(SCOPES)).title.startswith("Allow access")


def test_one_that_nobody_was_asked_about_is_listed_and_can_be_removed(
    deployment: Deployment, services: Services
) -> None:
    own = deployment.client("own")
    browser = signed_in(deployment)
    held = own.sign_in(browser, "openid offline_access")
    page = browser.get(APPLICATIONS)
    assert "Own Portal" in page.text
    send(browser, page, f"{APPLICATIONS}/own/remove")
    assert own.refresh(held["refresh_token"]).json()["error"] == "invalid_grant"


def test_when_it_was_used_last(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    webapp = deployment.client("webapp")
    browser = signed_in(deployment)
    begun = int(clock())
    held = webapp.sign_in(browser, SCOPES)
    clock.advance(3600)
    assert webapp.refresh(held["refresh_token"]).status_code == 200
    (found,) = services.own.connections.of(services.accounts.get(ADA.email).id)
    assert (found.since, found.last_used_at) == (begun, begun + 3600)
    assert found.offline
    assert set(found.scopes) == set(SCOPES.split())


@pytest.mark.every_database
def test_case_136_what_is_connected_to_others_is_not_there(
    deployment: Deployment, services: Services, refused: Refused
) -> None:
    webapp = deployment.client("webapp")
    held = webapp.sign_in(deployment.browserless(GRACE), SCOPES)
    browser, page = opened(deployment, APPLICATIONS)
    assert "No application is connected" in page.text
    for name in ("webapp", "nobody", "%00", "x" * 300):
        with refused("access.refused", times=1):
            assert forge(browser, page, f"{APPLICATIONS}/{name}/remove").status == 404
    assert webapp.active(held["access_token"])
    assert services.consents.find(services.accounts.get(GRACE.email).id, "webapp")
