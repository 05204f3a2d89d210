"""Who may come to the developer console, and whose applications are there."""

from collections.abc import Callable

import pytest

from idp.domain.services import Services
from idp.web.console_routes import DEVELOPER
from idp.web.guards import PERMISSIONS
from tests.account.console import LONG_AGO
from tests.developer.conftest import CALLBACK, Developer
from tests.support.browserless import Browserless, Page, Person
from tests.support.deployment import Deployment
from tests.support.factors import factors, type_code
from tests.support.held_clock import HeldClock
from tests.support.refusals import Refused, contents, entries
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN

Enter = Callable[[Person], Developer]
ROWS = [(path, method) for path, _, methods in DEVELOPER for method in methods]
CHANGES = {
    "/developer/register",
    "/developer/register/<kind>",
    "/developer/<client_id>/edit",
    "/developer/<client_id>/secret",
    "/developer/<client_id>/secret/end",
    "/developer/<client_id>/delete",
}
FIELDS = {"client_name": "Stolen", "redirect_uris": CALLBACK, "overlap": "0", "made": "1"}


def ask(browser: Browserless, path: str, method: str, client_id: str = "") -> Page:
    """Open a page, or send a form with everything that one could want."""
    address = path.replace("<client_id>", client_id or "webapp").replace("<kind>", "web")
    if method == "GET":
        return browser.get(address)
    page = browser.get("/account/data")
    token = page.document.forms[0].named("csrf_token").value
    fields = {**FIELDS, "csrf_token": token, "typed": client_id or "webapp"}
    return browser.post(address, fields, page.url)


def test_every_row_asks_for_its_permission() -> None:
    for path, view, _ in DEVELOPER:
        action = "change_applications" if path in CHANGES else "view_applications"
        assert PERMISSIONS[view.__name__] == f"developer/{action}", path


def test_who_has_no_such_role_is_refused_everywhere(
    deployment: Deployment, services: Services, developer: Developer
) -> None:
    found = developer.register("web")
    browser = deployment.browserless(GRACE)
    page = browser.get("/account")
    while "/interaction/" in page.url:
        page = browser.answer(page)
    assert "/developer" not in page.document.links.values()
    before = contents(services.store)
    for path, method in ROWS:
        assert ask(browser, path, method, found.client_id).status == 403, (path, method)
    assert contents(services.store) == before
    reasons = {one["detail"].get("action") for one in entries(services.store)}
    assert {"developer/view_applications", "developer/change_applications"} <= reasons


def test_nobody_is_asked_to_sign_in(browserless: Browserless) -> None:
    for path, method in ROWS:
        if method == "GET":
            page = browserless.get(path.replace("<client_id>", "webapp").replace("<kind>", "web"))
            assert page.title == "Sign in – Doorward", path


@pytest.mark.every_database
def test_case_136_applications_of_others_are_not_there(
    enter: Enter, services: Services, refused: Refused
) -> None:
    hers = enter(GRACE).register("web")
    developer = enter(ADA)
    assert hers.client_id not in developer.get("/developer").response.text
    other = services.registering.owned
    rows = [row for row in ROWS if "<client_id>" in row[0]]
    for client_id in (hers.client_id, "webapp", "nobody", "%00", "x" * 300):
        for path, method in rows:
            with refused("access.refused", times=1):
                page = ask(developer.browser, path, method, client_id)
            assert page.status == 404, (path, method, client_id)
            assert "There is no such application, or it is not yours." in page.text
    owner = services.accounts.get(GRACE.email).id
    assert [one.client_id for one in other.of(owner)] == [hers.client_id]
    assert hers.client().refresh("no such token").json()["error"] == "invalid_grant"


def test_changes_need_a_sign_in_of_the_last_ten_minutes(
    developer: Developer, services: Services, clock: HeldClock
) -> None:
    found = developer.register("web")
    clock.advance(LONG_AGO)
    before = contents(services.store)
    for path, method in ROWS:
        page = ask(developer.browser, path, method, found.client_id)
        if path not in CHANGES:
            assert page.status == 200, path
        else:
            assert page.title.startswith("Confirm it’s you"), (path, method, page)
    after = contents(services.store)
    assert {name for name in before if before[name] != after[name]} <= {"one_time", "sessions"}
    page = developer.get(f"{found.path}/secret")
    while "/interaction/" in page.url:
        page = developer.browser.answer(page)
    assert page.url.endswith(f"{found.path}/secret")
    assert page.status == 200


def test_a_second_step_that_somebody_has_is_asked_for_before_a_change(
    enter: Enter, services: Services, deployment: Deployment, clock: HeldClock
) -> None:
    """The session is one of before the authenticator app was added."""
    developer = enter(ADA)
    hands = factors(services, clock, ADA.email).with_app()
    assert developer.get("/developer").status == 200
    page = developer.get("/developer/register")
    assert "/second-factor" in page.url, page
    page = type_code(developer.browser, page, hands.next_code())
    assert page.url.endswith("/developer/register"), page


def test_the_menu_leads_there_who_may_go(developer: Developer, services: Services) -> None:
    page = developer.get("/account")
    assert page.document.links["Developers"] == "/developer"
    assert "/developer" in developer.get("/").document.links.values()
    services.memberships.revoke(
        developer.account_id, roles=["developer"], origin=ORIGIN, actor=OPERATOR
    )
    assert "Developers" not in developer.get("/account").document.links
    assert "/developer" not in developer.get("/").document.links.values()
    assert developer.get("/developer").status == 403


def test_the_admin_console_says_whose_an_application_is(
    developer: Developer, services: Services, clock: HeldClock
) -> None:
    found = developer.register("web")
    services.memberships.grant(
        developer.account_id, roles=["administrator"], origin=ORIGIN, actor=OPERATOR
    )
    hands = factors(services, clock, ADA.email).with_app()
    page = developer.get(f"/admin/clients/{found.client_id}")
    page = type_code(developer.browser, page, hands.next_code())
    assert page.document.links[ADA.email] == f"/admin/people/{developer.account_id}"
    assert "Belongs to" not in developer.get("/admin/clients/webapp").text
