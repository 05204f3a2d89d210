"""SECURITY cases 89 and 90: forms without their token, of another step, of another tab; forged
cookies. Whose turn it is: test_state_machine.py.
"""

from collections.abc import Callable, Mapping

import pytest

from idp.domain.interactions import Progress
from idp.domain.services import Services
from tests.abuse_browser.asking import AUTHORIZE, LOGOUT, ask, at_password, signed_in
from tests.abuse_browser.clicking import click
from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.refusals import contents
from tests.support.seeds import ADA, GRACE, ORIGIN
from tests.support.token_client import TokenClient

pytestmark = pytest.mark.settings(network_limit=10_000)


def stage_sign_in(deployment: Deployment) -> tuple[Browserless, Page]:
    browser = deployment.browserless()
    return browser, browser.start(deployment.client("webapp").authorization("openid email"))


def stage_password(deployment: Deployment) -> tuple[Browserless, Page]:
    browser, page = stage_sign_in(deployment)
    return browser, at_password(browser, page)


def stage_fresh(deployment: Deployment) -> tuple[Browserless, Page]:
    browser = signed_in(deployment)
    return browser, browser.start(
        deployment.client("webapp").authorization("openid email", prompt="login")
    )


def stage_account(deployment: Deployment) -> tuple[Browserless, Page]:
    browser = signed_in(deployment)
    return browser, browser.start(
        deployment.client("webapp").authorization("openid email", prompt="select_account")
    )


def stage_consent(deployment: Deployment) -> tuple[Browserless, Page]:
    browser = signed_in(deployment)
    return browser, browser.start(deployment.client("webapp").authorization("openid email"))


def stage_consent_after_password(deployment: Deployment) -> tuple[Browserless, Page]:
    browser, page = stage_password(deployment)
    return browser, browser.answer(page)


def stage_visit(deployment: Deployment) -> tuple[Browserless, Page]:
    browser = deployment.browserless()
    return browser, browser.get("/sign-in")


def stage_sign_out(deployment: Deployment) -> tuple[Browserless, Page]:
    browser = signed_in(deployment)
    return browser, browser.get(LOGOUT, {"client_id": "webapp"})


STAGES: Mapping[str, Callable[[Deployment], tuple[Browserless, Page]]] = {
    "sign-in": stage_sign_in,
    "password": stage_password,
    "fresh": stage_fresh,
    "account": stage_account,
    "consent": stage_consent,
    "consent after password": stage_consent_after_password,
    "visit": stage_visit,
    "sign-out": stage_sign_out,
}
PAGES = ("", "sign-in", "password", "account", "switch", "consent", "sign-out")
BODIES: tuple[Mapping[str, str], ...] = (
    {},
    {"decision": "allow"},
    {"decision": "continue"},
    {"decision": "sign_out"},
    {"identifier": GRACE.email},
    {"password": GRACE.password, "identifier": GRACE.email, "username": GRACE.email},
    {"signed_in": "1", "consented": "1", "chosen": "1", "scope": "openid phone", "step": "finish"},
)


def handle_of(page: Page) -> str:
    return page.url.split("/interaction/")[1].split("/")[0]


def form_token(page: Page) -> dict[str, str]:
    return {"csrf_token": page.form.named("csrf_token").value}


@pytest.mark.parametrize("stage", STAGES)
def test_case_089_a_form_without_its_token_changes_nothing(
    stage: str, deployment: Deployment, services: Services
) -> None:
    """No token, another browser's, none of this cookie, or sent from another site."""
    browser, page = STAGES[stage](deployment)
    other = deployment.browserless()
    foreign = other.start(deployment.client("webapp").authorization())
    start = f"{browser.origin}/interaction/{handle_of(page)}"
    before = contents(services.store)
    good = form_token(page)
    for name in (*PAGES[1:], "cancel"):
        for token, referer in (
            ({}, page.url),
            ({"csrf_token": ""}, page.url),
            ({"csrf_token": "nonsense"}, page.url),
            (form_token(foreign), page.url),
            (good, "https://evil.test/"),
            (good, f"{browser.origin}.evil.test/"),
            (good, ""),
        ):
            for body in BODIES:
                answer = browser.http.post(
                    f"{start}/{name}",
                    data={**token, **body},
                    headers={"Referer": referer},
                    allow_redirects=False,
                )
                assert answer.status_code == 303
                assert answer.headers["Location"] == f"/interaction/{handle_of(page)}"
    assert contents(services.store) == before


def test_case_089_a_later_step_of_another_interaction_helps_no_other(
    deployment: Deployment, services: Services
) -> None:
    """A sign-in in one tab is none in the tab that asked for a fresh one."""
    browser = signed_in(deployment)
    webapp = deployment.client("webapp")
    fresh = browser.start(webapp.authorization("openid email", prompt="login"))
    other = browser.start(webapp.authorization("openid email", prompt="login"))
    asked = browser.answer(other)
    assert asked.title.startswith("Allow access")
    again = browser.get(fresh.url)
    assert again.title.startswith("Confirm it’s you"), again


def test_case_089_a_form_of_an_earlier_step_sent_again_does_no_harm(
    browserless: Browserless, webapp: TokenClient
) -> None:
    first = browserless.start(webapp.authorization("openid email"))
    first.form.fill("username", ADA.email)
    second = browserless.submit(first)
    third = browserless.answer(second)
    assert third.title.startswith("Allow access")
    for earlier in (first, second):
        assert click(browserless, earlier).headers["Location"].endswith(handle_of(first))
        assert browserless.get(third.url).title == third.title


def test_case_089_a_guessed_handle_is_nothing(deployment: Deployment) -> None:
    browser = signed_in(deployment)
    for handle in ("", "a", "A" * 43, "%00", "é", "A" * 4000, "sign-in", "' OR 1=1 --"):
        for name in PAGES[1:]:
            answer = browser.http.get(f"{browser.origin}/interaction/{handle}/{name}")
            assert answer.status_code == 404, (handle, name)


FORGED = (
    "A" * 43,
    "A" * 42,
    "A" * 44,
    "",
    "1",
    "account:1",
    "eyJhY2NvdW50IjoxfQ.ZZZZ",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.",
    "' OR '1'='1",
    "A" * 4000,
    "é" * 43,
    "\\x00" * 10,
)


def test_case_090_a_forged_cookie_is_nobody(
    deployment: Deployment, services: Services, webapp: TokenClient
) -> None:
    """What we could not have made counts as none, and what we could have made is not known."""
    account, browser = services.accounts.get(ADA.email), signed_in(deployment)
    known = browser.http.cookies["__Host-doorward"]
    digest = contents(services.store)["sessions"]
    with services.store.reading() as connection:
        row = connection.exec_driver_sql("SELECT id, cookie_digest FROM sessions").one()
    stolen = (row[0], bytes(row[1]).hex(), account.id, account.subject, known[:-1], known.lower())
    for value in (*FORGED, *stolen, f'"{known}x"', f" {known[1:]}", known[::-1]):
        http = deployment.new_http()
        header = f"__Host-doorward={value}".encode()
        answer = http.get(f"{deployment.issuer}/", headers={"Cookie": header})
        assert (answer.status_code, "Welcome" in answer.text) == (200, True), value
        answer = http.get(
            deployment.issuer + AUTHORIZE,
            params=webapp.authorization(prompt="none"),
            headers={"Cookie": header},
            allow_redirects=False,
        )
        assert "error=login_required" in answer.headers["Location"], value
    for name in ("session", "doorward", "__host-doorward", "__Host-Doorward", "__Secure-doorward"):
        answer = deployment.new_http().get(
            f"{deployment.issuer}/", headers={"Cookie": f"{name}={known}"}
        )
        assert "Welcome" in answer.text
    assert contents(services.store)["sessions"] == digest


def test_case_090_no_secret_of_an_interaction_is_a_cookie(
    deployment: Deployment, services: Services
) -> None:
    """Handles, codes and cookies are told apart by kind (case 24)."""
    browser, page = stage_consent(deployment)
    cookie = browser.http.cookies["__Host-doorward"]
    done = browser.finish(page)
    for value in (handle_of(page), done.callback["code"]):
        answer = deployment.new_http().get(
            f"{deployment.issuer}/", headers={"Cookie": f"__Host-doorward={value}"}
        )
        assert "Welcome" in answer.text
    for value in (cookie, done.callback["code"]):
        assert browser.get(f"/interaction/{value}").status == 404


def test_an_interaction_that_nobody_opened_is_bound_once(services: Services) -> None:
    handle = services.interactions.open(Progress(), None, ORIGIN)
    services.interactions.find(handle, "A" * 43)
    assert services.interactions.find(handle, "A" * 43).handle == handle
    with pytest.raises(Exception, match="took too long"):
        services.interactions.find(handle, "B" * 43)


def test_the_request_itself_is_not_in_the_browser(
    deployment: Deployment, webapp: TokenClient
) -> None:
    """So that nothing in it can be changed after it was checked."""
    browser, page = stage_consent(deployment)
    names = {control.name for control in page.form.controls}
    assert names == {"csrf_token", "decision"}
    assert "?" not in page.url
    answer = ask(browser.http, page.url, {"scope": "openid phone", "decision": "allow"})
    assert "phone" not in answer.text
