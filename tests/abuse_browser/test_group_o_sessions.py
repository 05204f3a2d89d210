"""SECURITY group O: the cookie, before and after a sign-in, and after everything that ends it."""

from collections.abc import Callable

import pytest
import requests
from requests.cookies import RequestsCookieJar

from idp.app import services_of
from idp.config import Settings
from idp.domain.services import Services
from tests.abuse_browser.asking import AUTHORIZE, ask, at_password, signed_in, try_password
from tests.support import in_process
from tests.support.application import Seeded, running
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.refusals import contents
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient


def with_cookies(deployment: Deployment, cookies: RequestsCookieJar) -> Browserless:
    """Return the browser of somebody who knows these cookies."""
    browser = deployment.browserless(GRACE)
    browser.http.cookies = cookies.copy()
    return browser


def test_case_114_the_cookie_is_new_after_each_sign_in(
    deployment: Deployment, webapp: TokenClient
) -> None:
    browser = deployment.browserless()
    page = browser.start(webapp.authorization())
    before = browser.http.cookies.copy()
    browser.finish(page)
    after = browser.http.cookies.copy()
    browser.finish(browser.start(webapp.authorization(prompt="login")))
    assert len({jar.values()[0] for jar in (before, after, browser.http.cookies)}) == 3
    for old in (before, after):
        answer = with_cookies(deployment, old).get("/")
        assert answer.title.startswith("Welcome"), "the old cookie is nobody's"
    assert browser.get("/").title.startswith("Your account")


def test_case_114_what_was_begun_in_other_tabs_goes_on_with_the_new_cookie(
    browserless: Browserless, webapp: TokenClient, spa: TokenClient
) -> None:
    other = browserless.start(spa.authorization())
    callback = browserless.authorize(webapp.authorization())
    assert webapp.redeem(callback).status_code == 200
    page = browserless.get(other.url)
    assert page.title.startswith("Allow access"), page
    assert spa.redeem(browserless.finish(page).callback).status_code == 200


@pytest.mark.parametrize("client_id", ["own", "webapp"])
def test_case_114_a_cookie_that_an_attacker_fixed_gets_nothing_of_the_sign_in(
    client_id: str, deployment: Deployment, services: Services
) -> None:
    """The attacker begins, plants cookie and address with the victim, and waits for the code."""
    client, attacker, victim = deployment.client(client_id), deployment.browserless(GRACE), None
    page = attacker.start(client.authorization())
    fixed = attacker.http.cookies.copy()
    victim = with_cookies(deployment, fixed)
    victim.person = ADA
    done = victim.finish(victim.get(page.url))
    assert "code" in done.callback
    before = contents(services.store)
    start = page.url.removesuffix("/sign-in")
    for path in ("", "/sign-in", "/password", "/consent", "/account", "/switch"):
        seen = with_cookies(deployment, fixed).get(start + path)
        assert (seen.status, seen.left_for) == (404, None), path
    assert contents(services.store) == before


def test_case_114_a_fixed_cookie_sees_nothing_between_sign_in_and_consent(
    deployment: Deployment, webapp: TokenClient
) -> None:
    attacker = deployment.browserless(GRACE)
    page = attacker.start(webapp.authorization("openid email"))
    fixed = attacker.http.cookies.copy()
    victim = with_cookies(deployment, fixed)
    victim.person = ADA
    asked = try_password(victim, at_password(victim, victim.get(page.url)), ADA.password)
    assert asked.title.startswith("Allow access"), asked
    seen = with_cookies(deployment, fixed).get(asked.url)
    assert "Ada Lovelace" not in seen.text
    assert not seen.title.startswith("Allow access")
    assert "code" in victim.finish(victim.get(asked.url)).callback


ENDS: dict[str, Callable[[Browserless, Services], object]] = {
    "sign-out": lambda browser, _: browser.submit(browser.get("/")),
    "disabled": lambda _, parts: parts.accounts.disable(ADA.email, ORIGIN, OPERATOR),
    "password": lambda _, parts: parts.accounts.set_password(
        ADA.email, "another long password of hers", ORIGIN, OPERATOR
    ),
}


@pytest.mark.every_database
@pytest.mark.parametrize("end", ENDS)
def test_case_116_an_ended_session_is_refused_at_once_on_every_node(
    end: str,
    deployment: Deployment,
    services: Services,
    settings: Settings,
    clock: HeldClock,
    seeded: Seeded,
) -> None:
    """What ends it happens on one application, the cookie is kept and shown to another."""
    own = deployment.client("own")
    browser = signed_in(deployment)
    kept = browser.http.cookies.copy()
    bound, offline = (own.sign_in(browser, f"openid{more}") for more in ("", " offline_access"))
    with running(settings, clock) as other:
        elsewhere = Deployment(
            settings.issuer,
            seeded.seeds,
            lambda: in_process.session(other, settings.issuer),
        )
        assert with_cookies(elsewhere, kept).get("/").title.startswith("Your account")
        ENDS[end](browser, services)
        for place in (deployment, elsewhere):
            late = with_cookies(place, kept)
            assert late.get("/").title.startswith("Welcome")
            refused = late.get(AUTHORIZE, own.authorization(prompt="none"))
            assert refused.callback["error"] == "login_required"
            client = place.client("own")
            answer = client.refresh(bound["refresh_token"])
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
            assert not client.active(bound["access_token"])
            assert client.active(offline["access_token"]) == (end == "sign-out")
        assert services_of(other).store is not services.store


def test_case_116_a_session_ends_by_itself(
    deployment: Deployment, clock: HeldClock, settings: Settings
) -> None:
    browser = signed_in(deployment)
    clock.advance(settings.session_idle_lifetime)
    assert browser.get("/").title.startswith("Welcome")
    browser = signed_in(deployment)
    for _ in range(settings.session_absolute_lifetime // (settings.session_idle_lifetime - 1) + 1):
        last = browser.get("/").title
        clock.advance(settings.session_idle_lifetime - 1)
    assert last.startswith("Your account")
    assert browser.get("/").title.startswith("Welcome"), "used every day, and over after all"


def test_case_117_nothing_of_one_person_reaches_the_next_in_the_same_browser(
    deployment: Deployment, services: Services
) -> None:
    webapp = deployment.client("webapp")
    browser = deployment.browserless(ADA)
    tokens = webapp.sign_in(browser, "openid email")
    pending = browser.start(webapp.authorization("openid phone"))
    assert pending.title.startswith("Allow access")
    browser.submit(browser.get("/"))
    browser.person = GRACE
    signed = browser.get("/sign-in")
    while signed.form.action != "/sign-out":
        signed = browser.answer(signed)
    assert "grace@example.test" in signed.text
    back = browser.get(pending.url)
    assert "Ada" not in back.text
    callback = browser.finish(browser.start(webapp.authorization("openid email"))).callback
    hers = webapp.redeem(callback).json()
    subject = webapp.userinfo(hers["access_token"]).json()["sub"]
    assert subject == services.accounts.get(GRACE.email).subject
    assert not webapp.active(tokens["access_token"])
    assert webapp.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_case_117_a_form_of_the_one_is_not_sent_by_the_other(
    deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    """Ada's consent page is still open in a tab while Grace signs in: its button does nothing."""
    browser = signed_in(deployment)
    page = browser.start(webapp.authorization("openid email"))
    allow = page.form.button("decision", "allow")
    browser.submit(browser.get("/"))
    browser.person = GRACE
    signed = browser.get("/sign-in")
    while signed.form.action != "/sign-out":
        signed = browser.answer(signed)
    after = browser.submit(page, allow)
    assert after.left_for is None
    for email in (ADA.email, GRACE.email):
        assert not services.consents.find(services.accounts.get(email).id, "webapp")


def test_case_117_no_page_is_kept_by_browser_or_proxy(
    deployment: Deployment, webapp: TokenClient
) -> None:
    browser = signed_in(deployment)
    seen: list[requests.Response] = []
    browser.http.hooks["response"].append(lambda answer, *_, **__: seen.append(answer))
    page = browser.start(webapp.authorization("openid email", prompt="login"))
    browser.finish(page)
    browser.get("/")
    browser.get("/signed-out")
    browser.get("/nothing-here")
    ask(browser.http, deployment.issuer + AUTHORIZE, {"client_id": "nobody"})
    pages = [answer for answer in seen if "/.well-known/" not in str(answer.url)]
    assert len(pages) > 8
    assert {answer.headers["Cache-Control"] for answer in pages} == {"no-store"}


def test_the_cookie_is_locked_to_the_host(browserless: Browserless, webapp: TokenClient) -> None:
    answer = ask(browserless.http, browserless.origin + AUTHORIZE, webapp.authorization())
    name, _, rest = answer.headers["Set-Cookie"].partition("=")
    value, *attributes = [part.strip() for part in rest.split(";")]
    assert name == "__Host-doorward"
    assert len(value) == 43
    wanted = {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}
    assert wanted <= set(attributes)
    assert not any(attribute.startswith("Domain") for attribute in attributes)
