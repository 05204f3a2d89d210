"""Who may see a page or do a deed: asked of the policies at every request."""

import pytest

from idp.domain.services import Services
from idp.web.console_routes import ACCOUNT
from idp.web.guards import PERMISSIONS
from tests.abuse_browser.asking import signed_in
from tests.account.console import LONG_AGO, coming, forge, form_of, opened, send
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.factors import factors, type_code
from tests.support.held_clock import HeldClock
from tests.support.refusals import Refused, contents
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN

PAGES = [path for path, _, methods in ACCOUNT if "GET" in methods and "<" not in path]
FRESH = (
    "/account/data/delete",
    "/account/data/download",
    "/account/security/authenticators/add",
    "/account/security/passkeys/add",
    "/account/security/password",
    "/account/security/password/remove",
    "/account/security/recovery-codes",
)
CONFIRM = "Confirm it’s you"


def test_every_row_asks_the_policies_but_the_one_that_only_changes_who_is_at_it() -> None:
    views = {view.__name__ for _, view, _ in ACCOUNT}
    assert views - PERMISSIONS.keys() == {"switch_account"}
    assert {PERMISSIONS[view] for view in views & PERMISSIONS.keys()} == {
        "account/use_account",
        "account/change_credentials",
        "account/enrol_credentials",
    }


@pytest.mark.parametrize("path", PAGES)
def test_nobody_signs_in_and_comes_back(path: str, browserless: Browserless) -> None:
    assert browserless.get(path).title.startswith("Sign in")
    page = coming(browserless, path)
    assert page.url.endswith(path)


@pytest.mark.parametrize("path", FRESH)
def test_what_is_sensitive_needs_a_sign_in_of_the_last_ten_minutes(
    path: str, deployment: Deployment, clock: HeldClock
) -> None:
    browser = signed_in(deployment)
    assert browser.get(path).url.endswith(path)
    clock.advance(LONG_AGO)
    page = browser.get(path)
    assert "/interaction/" in page.url, page
    assert form_of(page, page.url.removeprefix(browser.origin)).editable("current-password")
    page = browser.answer(page)
    assert page.url.endswith(path), page
    assert browser.get("/account").status == 200


def test_what_is_not_sensitive_does_not(deployment: Deployment, clock: HeldClock) -> None:
    browser = signed_in(deployment)
    clock.advance(LONG_AGO)
    for path in PAGES:
        if path not in (*FRESH, "/account/email"):
            assert browser.get(path).url.endswith(path), path


def test_a_form_that_comes_too_late_is_not_taken_and_says_so(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    browser, page = opened(deployment, "/account/security/password")
    clock.advance(LONG_AGO)
    before = contents(services.store)["passwords"]
    page = send(browser, page, "/account/security/password", password="moths in relay seventy")
    page = browser.answer(page)
    assert page.title.startswith("Change password"), page
    assert "Nothing was changed yet" in page.text
    assert contents(services.store)["passwords"] == before


def test_a_deed_without_a_page_comes_back_to_the_page_of_its_form(
    deployment: Deployment, services: Services
) -> None:
    """Signed out in another tab, then a button is pressed."""
    browser, page = opened(deployment, "/account/sessions")
    services.sessions.end_others(services.accounts.get(ADA.email).id, "", ORIGIN, OPERATOR)
    page = forge(browser, page, "/account/sessions/others/end")
    while "/interaction/" in page.url:
        page = browser.answer(page)
    assert page.url.endswith("/account/sessions?again=1"), page
    assert "Nothing was changed yet" in page.text


def test_case_106_a_password_alone_enrols_and_removes_nothing_beside_a_second_factor(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    """The session is from before: it proved the password and nothing else."""
    browser = signed_in(deployment)
    mine = factors(services, clock, ADA.email).with_app()
    app = services.authenticators.of(mine.account.id)[0]
    paths = (*FRESH, f"/account/security/authenticators/{app.id}/remove")
    before = contents(services.store)["authenticators"]
    for path in paths:
        page = browser.get(path)
        assert page.title.startswith(CONFIRM), path
        assert page.form.editable("one-time-code"), page
        page = forge(browser, page, path, {"password": "moths in relay seventy"})
        assert page.title.startswith(CONFIRM), path
    assert contents(services.store)["authenticators"] == before
    page = type_code(browser, browser.get(paths[-1]), mine.next_code())
    assert page.url.endswith(paths[-1]), page


def test_case_112_what_was_proven_long_ago_removes_nothing(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    mine = factors(services, clock, ADA.email).with_app()
    browser = deployment.browserless()
    page = browser.answer(browser.answer(browser.get("/sign-in")))
    page = type_code(browser, page, mine.next_code())
    assert page.title.startswith("Your account"), page
    app = services.authenticators.of(mine.account.id)[0]
    path = f"/account/security/authenticators/{app.id}/remove"
    assert browser.get(path).url.endswith(path)
    clock.advance(LONG_AGO)
    assert "/interaction/" in browser.get(path).url
    assert [one.id for one in services.authenticators.of(mine.account.id)] == [app.id]


def test_a_plain_no_says_why_and_is_recorded(deployment: Deployment, refused: Refused) -> None:
    browser = signed_in(deployment)
    http = browser.http
    with refused("access.refused") as told:
        page = browser.get("/admin")
    assert page.status == 403
    assert "You may not do that" in page.title
    assert told[0]["detail"]["action"].startswith("admin/")
    answer = http.get(f"{browser.origin}/admin", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
    assert "access_denied" in answer.headers["WWW-Authenticate"]


def test_a_script_is_told_where_to_go_on(
    browserless: Browserless, deployment: Deployment, clock: HeldClock
) -> None:
    headers = {"Accept": "application/json"}
    answer = browserless.http.get(f"{browserless.origin}/account", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "login_required")
    assert "login_required" in answer.headers["WWW-Authenticate"]
    page = browserless.get(answer.json()["location"])
    assert page.title.startswith("Sign in")
    browser, page = opened(deployment, "/account/security/passkeys/add")
    clock.advance(LONG_AGO)
    token = page.document.forms[0].named("csrf_token").value
    answer = browser.http.post(
        f"{browser.origin}/account/security/passkeys/options",
        headers={"X-CSRFToken": token, "Referer": page.url, "Sec-Fetch-Dest": "empty"},
    )
    assert answer.status_code == 401
    page = browser.answer(browser.get(answer.json()["location"]))
    assert page.url.endswith("/account/security/passkeys/add?again=1"), page


def test_a_frame_or_a_picture_begins_nothing(browserless: Browserless, services: Services) -> None:
    before = contents(services.store)["one_time"]
    for place in ("iframe", "image"):
        answer = browserless.http.get(
            f"{browserless.origin}/account", headers={"Sec-Fetch-Dest": place}
        )
        assert answer.status_code == 400
    assert contents(services.store)["one_time"] == before


def test_the_step_up_is_for_the_account_that_is_at_it(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    """Two accounts in one browser: who confirms is who asked, not who came last."""
    browser, _ = opened(deployment, "/account/security")
    browser.person = GRACE
    page = coming(browser, "/sign-in?another=1&next=/account")
    assert GRACE.name in page.text
    ada = services.accounts.get(ADA.email)
    page = send(browser, page, "/account/switch", account=ada.id)
    assert f"Hello, {ADA.name}" in page.text
    clock.advance(LONG_AGO)
    page = browser.get("/account/security/password")
    assert ADA.email in page.text
    assert GRACE.email not in page.text
    browser.person = ADA
    assert browser.answer(page).title.startswith("Change password")
