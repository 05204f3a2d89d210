"""The admin console in a real browser: looked at, searched, changed, exported."""

import time

import pyotp
import pytest
from playwright.sync_api import Page, expect

from idp.domain.audit import By
from idp.domain.services import Services
from tests.pages_live.conftest import Look, Visitor
from tests.pages_live.live import Live
from tests.pages_live.mailbox import Mailbox
from tests.support.browserless import Person
from tests.support.chromium import Complaints
from tests.support.seeds import GRACE, OPERATOR, ORIGIN

BINDING = b"a" * 32


@pytest.fixture
def secret(live_services: Services, person: Person) -> str:
    """The person is an administrator with an authenticator app; its key."""
    found, account = live_services, live_services.accounts.get(person.email)
    found.memberships.grant(account.id, roles=["administrator"], origin=ORIGIN, actor=OPERATOR)
    begun = found.authenticators.begin(account, BINDING, ORIGIN)
    code = pyotp.TOTP(begun.secret).now()
    with found.store.writing() as connection:
        made = found.authenticators.enrol(
            connection, account, begun.handle, code, "Phone", BINDING, By(OPERATOR, ORIGIN)
        )
    assert made
    return begun.secret


def next_code(secret: str) -> str:
    """Return a code that nobody used, and that the server takes already."""
    return pyotp.TOTP(secret).at(int(time.time()) + 30)


@pytest.fixture
def inside(
    request: pytest.FixtureRequest,
    page: Page,
    visitor: Visitor,
    live: Live,
    person: Person,
    secret: str,
) -> Visitor:
    """Somebody at the first page of the console."""
    page.goto(f"{live.issuer}/admin")
    visitor.sign_in(person)
    page.get_by_label("Code from your authenticator app").fill(next_code(secret))
    if request.node.get_closest_marker("browser_options"):  # no script sends it
        visitor.decide("Confirm")
    visitor.heading("People")
    return visitor


def go(page: Page, section: str) -> None:
    """Open a section by the navigation."""
    page.get_by_role("navigation", name="Administration").get_by_role("link", name=section).click()


def test_every_page_is_worth_looking_at(inside: Visitor, page: Page, look: Look) -> None:
    expect(page.get_by_role("link", name=GRACE.email)).to_be_visible()
    look(page, "admin-people")
    page.get_by_label("Address or name begins with").fill("grace h")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=GRACE.email).click()
    inside.heading(GRACE.name)
    look(page, "admin-person")
    for section, heading, picture in (
        ("Applications", "Applications", "admin-applications"),
        ("Signing keys", "Signing keys", "admin-keys"),
        ("Audit", "Audit", "admin-audit"),
        ("Mail", "Mail", "admin-mail"),
        ("Configuration", "Configuration", ""),  # it would show this machine’s folders
    ):
        go(page, section)
        inside.heading(heading)
        look(page, picture)
    go(page, "Applications")
    page.get_by_role("link", name="Field Notes", exact=True).first.click()
    inside.heading("Field Notes")
    look(page, "admin-application")


def test_somebody_is_shut_out_and_let_in_again(
    inside: Visitor, page: Page, live: Live, look: Look, complaints: Complaints
) -> None:
    complaints.expect("status of 400")
    page.get_by_role("link", name=GRACE.email).click()
    page.get_by_role("textbox", name="Add a group").fill("night-shift")
    page.get_by_role("button", name="Add a group").click()
    expect(page.get_by_text("It was given.")).to_be_visible()
    page.get_by_role("button", name="Take away night-shift").click()
    expect(page.get_by_text("It was taken away.")).to_be_visible()
    page.get_by_role("link", name="Disable…").click()
    inside.heading("Disable this account?")
    page.get_by_label("Type the address of this account to confirm").fill("grace")
    inside.decide("Disable")
    expect(page.get_by_text("That is not the address of this account.")).to_be_visible()
    look(page, "admin-confirm")
    page.get_by_label("Type the address of this account to confirm").fill(GRACE.email)
    inside.decide("Disable")
    expect(page.get_by_text("It is disabled")).to_be_visible()
    inside.decide("Enable")
    expect(page.get_by_text("It is enabled again.")).to_be_visible()


def test_the_audit_log_is_filtered_and_taken_away(inside: Visitor, page: Page) -> None:
    go(page, "Audit")
    page.get_by_label("Event").fill("session.started")
    page.get_by_label("Outcome").select_option("done")
    inside.decide("Show")
    with page.expect_download() as started:
        page.get_by_role("link", name="Export as CSV").click()
    assert started.value.suggested_filename == "audit.csv"
    lines = started.value.path().read_text().splitlines()
    assert lines[0].startswith('"time","event","outcome"')
    page.get_by_role("link", name="Clear").click()
    expect(page.get_by_role("link", name="audit.exported").first).to_be_visible()


def test_a_test_mail_arrives(inside: Visitor, page: Page, person: Person, mailbox: Mailbox) -> None:
    go(page, "Mail")
    inside.decide("Send a test mail to myself")
    expect(page.get_by_text("The test mail is on its way to you.")).to_be_visible()
    subject = ""
    while "test mail" not in subject:  # a mail about the authenticator may come first
        subject = mailbox.next(person.email)["Subject"]


@pytest.mark.browser_options(java_script_enabled=False)
def test_deeds_need_no_scripts(inside: Visitor, page: Page) -> None:
    go(page, "Signing keys")
    page.get_by_role("link", name="Rotate… ES256").click()
    page.get_by_label("Type the algorithm to confirm").fill("ES256")
    page.get_by_label("Emergency").check()
    inside.decide("Rotate")
    expect(page.get_by_text("The next key signs now.")).to_be_visible()
