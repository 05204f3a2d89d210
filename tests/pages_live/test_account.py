"""The account console in a real browser: looked at, changed, signed out of, left for good."""

import json

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.pages_live.conftest import Look, Visitor
from tests.pages_live.live import Live
from tests.pages_live.mailbox import Mailbox, code_in, link_in
from tests.pages_live.test_passkeys import Device
from tests.support.browserless import Person
from tests.support.chromium import Complaints
from tests.support.seeds import GRACE

ANOTHER = "eleven kettles under one blue roof"
WIDE = {"width": 1280, "height": 800}
pytestmark = pytest.mark.browser_options(viewport=WIDE)
without_scripts = pytest.mark.browser_options(viewport=WIDE, java_script_enabled=False)


@pytest.fixture
def inside(page: Page, visitor: Visitor, live: Live, person: Person) -> Visitor:
    """Somebody at the first page of their account."""
    page.goto(f"{live.issuer}/account")
    visitor.sign_in(person)
    visitor.heading(f"Hello, {person.name}")
    return visitor


def go(page: Page, section: str) -> None:
    """Open a section by the navigation."""
    navigation = page.get_by_role("navigation", name="Your account")
    navigation.get_by_role("link", name=section, exact=True).click()


def mail_about(mailbox: Mailbox, email: str, words: str) -> str:
    """Wait for the mail whose subject has these words; others may come before."""
    subject = ""
    while words not in subject:
        subject = str(mailbox.next(email)["Subject"])
    return subject


def test_every_section_is_worth_looking_at(
    inside: Visitor, page: Page, live: Live, look: Look
) -> None:
    page.goto(
        live.authorization(prompt="consent", scope="openid profile offline_access notes:read")
    )
    inside.decide("Allow")
    expect(page).to_have_title("Field Notes")
    page.goto(f"{live.issuer}/account")
    look(page, "account-home")
    for section in (
        "Personal info",
        "Security",
        "Sessions and devices",
        "Connected apps",
        "Activity",
        "Data and privacy",
    ):
        go(page, section)
        inside.heading(section)
        look(page, f"account-{section.split(maxsplit=1)[0].lower()}")
    page.goto(f"{live.issuer}/account/activity/not-me")
    look(page)
    page.goto(f"{live.issuer}/account/applications")
    page.get_by_role("button", name="Remove access").click()
    expect(page.get_by_text("No application is connected.")).to_be_visible()
    look(page)


def test_a_passkey_is_made_named_and_used_and_stays_when_it_is_the_last_way_in(
    inside: Visitor,
    page: Page,
    look: Look,
    person: Person,
    mailbox: Mailbox,
    complaints: Complaints,
) -> None:
    complaints.expect("status of 400")
    device = Device(page.context.new_cdp_session(page))
    go(page, "Security")
    page.get_by_role("link", name="Add a passkey").click()
    look(page)
    inside.decide("Create a passkey")
    expect(page.get_by_text("The passkey was added.")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Laptop")
    look(page)
    inside.decide("Save")
    expect(page.get_by_text("Laptop", exact=True).first).to_be_visible()
    mail_about(mailbox, person.email, "passkey")
    assert len(device.passkeys()) == 1
    look(page, "account-passkeys")
    page.get_by_role("link", name="Remove password").click()
    inside.heading("Confirm it’s you")
    inside.decide("Use a passkey")
    inside.heading("Remove your password?")
    inside.decide("Remove")
    expect(page.get_by_text("Your password was removed.")).to_be_visible()
    page.get_by_role("link", name="Remove Laptop").click()
    inside.decide("Remove")
    expect(page.get_by_text("This is your only way to sign in.")).to_be_visible()
    go(page, "Security")
    expect(page.get_by_role("link", name="Rename Laptop")).to_be_visible()


def test_an_app_is_added_and_its_codes_are_shown_once(
    inside: Visitor, page: Page, look: Look
) -> None:
    go(page, "Security")
    page.get_by_role("link", name="Add an app").click()
    inside.heading("Add an authenticator app")
    look(page, "account-add-app")
    key = page.locator("#authenticator-key").text_content() or ""
    page.get_by_label("Name", exact=True).fill("Phone")
    # The script sends six digits by itself.
    page.get_by_label("Type the code").fill(pyotp.TOTP(key.replace(" ", "")).now())
    inside.heading("Save your recovery codes")
    with page.expect_download() as started:
        page.get_by_role("link", name="Download").click()
    assert started.value.suggested_filename == "recovery-codes.txt"
    look(page)
    page.get_by_role("link", name="I saved them").click()
    expect(page.get_by_text("10 left")).to_be_visible()
    expect(page.get_by_role("link", name="Rename Phone")).to_be_visible()


def test_a_new_address_is_proven_by_its_mail(
    inside: Visitor, page: Page, live: Live, person: Person, mailbox: Mailbox, look: Look
) -> None:
    new = f"new-{person.email}"
    go(page, "Personal info")
    page.get_by_role("link", name="Change address").click()
    look(page)
    page.get_by_label("Email address").fill(new)
    inside.decide("Send the mail")
    inside.heading("Check your email")
    look(page)
    mail = mailbox.next(new)
    page.goto(link_in(mail))
    inside.heading("Confirm your new address")
    look(page)
    page.goto(f"{live.issuer}/account/email")
    page.get_by_label("Email address").fill(new)
    inside.decide("Send the mail")
    page.get_by_label("Code from the mail").fill(code_in(mailbox.next(new)))
    expect(page.get_by_text("Your address was changed.")).to_be_visible()
    expect(page.get_by_role("region", name="Email address").get_by_text(new)).to_be_visible()
    mail_about(mailbox, person.email, "changed")
    mail_about(mailbox, new, "changed")


@without_scripts
def test_a_password_is_changed_without_scripts(
    inside: Visitor, page: Page, live: Live, person: Person
) -> None:
    go(page, "Security")
    page.get_by_role("link", name="Change password").click()
    page.get_by_label("New password", exact=True).fill("short")
    expect(page.get_by_label("New password", exact=True)).to_have_attribute("minlength", "15")
    page.get_by_label("New password", exact=True).fill(ANOTHER)
    inside.decide("Change password")
    expect(page.get_by_text("Your password was changed.")).to_be_visible()
    page.get_by_role("button", name="Account menu").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page).to_have_title("Signed out – Doorward")
    page.goto(f"{live.issuer}/account/security")
    inside.identify(person)
    inside.prove(ANOTHER)
    inside.heading("Security")


@without_scripts
def test_the_console_is_read_without_scripts_on_a_narrow_screen(
    inside: Visitor, page: Page
) -> None:
    page.set_viewport_size({"width": 360, "height": 720})
    page.get_by_text("Your account", exact=True).click()
    go(page, "Sessions and devices")
    inside.heading("Sessions and devices")
    expect(page.get_by_text("This one").first).to_be_visible()


def test_two_accounts_take_turns(inside: Visitor, page: Page, person: Person) -> None:
    page.get_by_role("button", name="Account menu").click()
    page.get_by_role("link", name="Use another account").click()
    inside.sign_in(GRACE)
    inside.heading(f"Hello, {GRACE.name}")
    page.get_by_role("button", name="Account menu").press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    inside.heading(f"Hello, {person.name}")


def test_data_is_taken_along_and_the_account_deleted_after_second_thoughts(
    inside: Visitor, page: Page, person: Person, mailbox: Mailbox, look: Look
) -> None:
    go(page, "Data and privacy")
    page.get_by_role("link", name="Download your data").click()
    look(page)
    with page.expect_download() as started:
        inside.decide("Download")
    told = json.loads(started.value.path().read_text())
    assert told["account"]["email"] == person.email
    go(page, "Data and privacy")
    page.get_by_role("link", name="Delete your account").click()
    look(page)
    page.get_by_label("Type your address to confirm").fill(person.email)
    inside.decide("Delete my account")
    expect(page.get_by_text("Your account will be deleted on")).to_be_visible()
    mail_about(mailbox, person.email, "will be deleted")
    go(page, "Home")
    look(page)
    inside.decide("Cancel deletion")
    expect(page.get_by_text("Your account stays.")).to_be_visible()
    mail_about(mailbox, person.email, "stays")
