"""Who may see which page of the admin console, and do which deed: a table of all of them."""

import re

import pyotp
import pytest

from idp.domain.accounts import Account
from idp.domain.services import Services
from idp.web.console_routes import ADMIN
from idp.web.guards import PERMISSIONS
from tests.admin.conftest import PASSWORD, Enter, Staff, token_of
from tests.support.browserless import Browserless, Page, Person
from tests.support.deployment import Deployment
from tests.support.factors import go, type_code
from tests.support.held_clock import HeldClock
from tests.support.refusals import contents, entries
from tests.support.seeds import GRACE, OPERATOR, ORIGIN

EVERYBODY = "administrator operator auditor"
# What each row of the route table needs, and who has it with the shipped policies.
TABLE = {
    "/admin": ("sign_in", EVERYBODY),
    "/admin/people": ("view_people", EVERYBODY),
    "/admin/people/invite": ("invite_people", "administrator"),
    "/admin/people/<account_id>": ("view_people", EVERYBODY),
    "/admin/people/<account_id>/disable": ("change_people", "administrator"),
    "/admin/people/<account_id>/enable": ("change_people", "administrator"),
    "/admin/people/<account_id>/grant": ("change_people", "administrator"),
    "/admin/people/<account_id>/revoke": ("change_people", "administrator"),
    "/admin/people/<account_id>/sessions/end": ("end_sessions", "administrator"),
    "/admin/people/<account_id>/<kind>/<credential_id>/remove": ("change_people", "administrator"),
    "/admin/clients": ("view_clients", EVERYBODY),
    "/admin/clients/<client_id>": ("view_clients", EVERYBODY),
    "/admin/clients/<client_id>/errors": ("view_clients", EVERYBODY),
    "/admin/clients/<client_id>/disable": ("change_clients", "administrator operator"),
    "/admin/clients/<client_id>/enable": ("change_clients", "administrator operator"),
    "/admin/keys": ("view_keys", EVERYBODY),
    "/admin/keys/<algorithm>/rotate": ("rotate_keys", "administrator operator"),
    "/admin/audit": ("view_audit", "administrator auditor"),
    "/admin/audit.csv": ("view_audit", "administrator auditor"),
    "/admin/mail": ("view_configuration", EVERYBODY),
    "/admin/mail/test": ("send_test_mail", "administrator operator"),
    "/admin/configuration": ("view_configuration", EVERYBODY),
}
ROWS = [(path, method) for path, _, methods in ADMIN for method in methods]
LINKS = {
    "administrator": "People Applications Signing keys Audit Mail Configuration",
    "operator": "People Applications Signing keys Mail Configuration",
    "auditor": "People Applications Signing keys Audit Mail Configuration",
}
pytestmark = pytest.mark.settings(sign_up="invitation", development=True)


def filled(path: str, person: Account) -> str:
    """Return an address that a row of the table answers."""
    places = {
        "<account_id>": person.id,
        "<client_id>": "webapp",
        "<algorithm>": "ES256",
        "<kind>": "recovery_codes",
        "<credential_id>": "all",
    }
    for place, value in places.items():
        path = path.replace(place, value)
    return path


def ask(staff: Staff, path: str, method: str) -> Page:
    """Ask for a page, or send a form with nothing in it."""
    return staff.get(path) if method == "GET" else staff.post(path, start="/account")


def test_every_row_is_in_the_table_with_its_permission() -> None:
    asked = {path: PERMISSIONS[view.__name__] for path, view, _ in ADMIN}
    assert asked == {path: f"admin/{action}" for path, (action, _) in TABLE.items()}


@pytest.mark.parametrize("role", ["administrator", "operator", "auditor", "librarian", ""])
def test_what_each_role_is_answered(
    enter: Enter, services: Services, grace: Account, role: str
) -> None:
    staff = enter(role) if role else enter()
    for path, method in ROWS:
        before = len(entries(services.store))
        page = ask(staff, filled(path, grace), method)
        allowed = role in TABLE[path][1].split()
        new = entries(services.store)[before:]
        refused = [entry for entry in new if entry["event"] == "access.refused"]
        if allowed:
            assert page.status in {200, 400}, (path, method, page)
            assert refused == [], (path, method)
        else:
            action = TABLE["/admin/people" if path == "/admin" else path][0]
            assert page.status == 403, (path, method, page)
            assert page.title == "Error: You may not do that – Doorward"
            assert [entry["actor"] for entry in refused] == [staff.actor], (path, method)
            assert refused[0]["detail"]["action"] == f"admin/{action}"


@pytest.mark.parametrize("role", LINKS)
def test_the_navigation_shows_what_one_may_see(enter: Enter, role: str) -> None:
    page = enter(role).get("/admin")
    assert page.url.endswith("/admin/people")
    links = {text for text, url in page.document.links.items() if url.startswith("/admin/")}
    wanted = {"People", "Applications", "Signing keys", "Audit", "Mail", "Configuration"}
    assert " ".join(sorted(links & wanted)) == " ".join(
        sorted(name for name in wanted if name in LINKS[role])
    )


def test_nobody_is_asked_to_sign_in(browserless: Browserless, grace: Account) -> None:
    for path, method in ROWS:
        if method == "GET":
            page = browserless.get(filled(path, grace))
            assert page.title == "Sign in – Doorward", path
        else:
            page = browserless.post(filled(path, grace), {}, f"{browserless.origin}/")
            assert page.status in {200, 400}, path
            assert page.title.startswith(("Sign in", "Error: This page was open")), path


def test_without_a_second_factor_an_administrator_sets_one_up_first(
    deployment: Deployment, services: Services, grace: Account
) -> None:
    """The session is one of before the role was given, so there is something to misuse."""
    email = "bare@staff.example.test"
    bare = services.accounts.add(
        email, "", PASSWORD, email_verified=True, origin=ORIGIN, actor=OPERATOR
    )
    browser = deployment.browserless(Person(email, PASSWORD))
    assert browser.answer(browser.answer(browser.get("/sign-in"))).title.startswith("Your account")
    token = token_of(browser.get("/account/data"))
    services.memberships.grant(bare.id, roles=["administrator"], origin=ORIGIN, actor=OPERATOR)
    before = contents(services.store)
    for path, method in ROWS:
        address = filled(path, grace)
        fields = {"csrf_token": token, "typed": GRACE.email, "role": "operator"}
        page = (
            browser.get(address)
            if method == "GET"
            else browser.post(address, fields, f"{browser.origin}/account")
        )
        assert "/enrol" in page.url, (path, method, page)
    after = contents(services.store)
    assert {name for name in before if before[name] != after[name]} <= {"one_time", "sessions"}


def test_from_the_one_time_link_to_the_first_page(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    link = services.administrators.issue_link(ORIGIN, OPERATOR)
    browser = deployment.browserless(Person("first@example.test", PASSWORD))
    page = browser.get(link)
    for name, value in (("email", "first@example.test"), ("password", PASSWORD)):
        page.form.named(name).value = value
    browser.submit(page)
    page = browser.answer(browser.answer(browser.get("/admin")))
    assert "/enrol" in page.url, page
    for path in ("/admin/people", "/admin/audit", "/admin/keys"):
        assert "/interaction/" in browser.get(path).url
    page = browser.submit(page, page.form.button("decision", "authenticator"))
    found = re.search(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}", page.text)
    assert found, page
    page = type_code(browser, page, pyotp.TOTP(found[0].replace(" ", "")).at(int(clock())))
    page = go(browser, page, "Not now")
    assert page.url.endswith("/admin/people"), page
    assert page.status == 200


def test_a_role_that_is_taken_away_counts_at_the_next_request(
    enter: Enter, services: Services
) -> None:
    enter("administrator")
    staff = enter("administrator", email="second@staff.example.test")
    assert staff.get("/admin/audit").status == 200
    services.memberships.revoke(
        staff.account.id, roles=["administrator"], origin=ORIGIN, actor=OPERATOR
    )
    assert staff.get("/admin/audit").status == 403
