"""Authenticator apps and recovery codes in a real browser, with scripts and without."""

import json
import time

import pyotp
import pytest
from playwright.sync_api import Page, expect

from idp.domain.services import Services
from tests.pages_live.conftest import Look, Visitor
from tests.pages_live.live import Live
from tests.support.browserless import Person
from tests.support.chromium import Complaints
from tests.support.seeds import OPERATOR, ORIGIN

TWO = "urn:doorward:acr:two-factor"
ESSENTIAL = json.dumps({"id_token": {"acr": {"essential": True, "values": [TWO]}}})


def code(secret: str, steps: int) -> str:
    """Return a code of now or of the next time step: each works once, in this order, and still does
    if the step ends meanwhile.
    """
    return pyotp.TOTP(secret).at(int(time.time()) + 30 * steps)


def set_up(
    page: Page, visitor: Visitor, live: Live, person: Person, *, scripts: bool = True
) -> tuple[str, list[str]]:
    """Set up an app where an application needs it; return its key and the recovery codes."""
    page.goto(live.authorization(prompt="consent", claims=ESSENTIAL))
    visitor.sign_in(person)
    visitor.decide("Use an app")
    visitor.heading("Set up your authenticator app")
    page.get_by_text("Can’t scan it? Type the key").click()
    secret = page.locator("#authenticator-key").inner_text().replace(" ", "")
    page.get_by_label("Type the code that the app shows").fill(code(secret, 0))
    if not scripts:
        visitor.decide("Confirm")
    visitor.heading("Your second step is set up")
    visitor.decide("Get recovery codes")
    codes = page.locator("#recovery-codes").inner_text().split()
    page.get_by_role("link", name="I saved them").click()
    expect(page).to_have_title("Allow access – Doorward")
    page.goto(live.issuer)
    visitor.decide("Sign out")
    return secret, codes


def test_with_scripts_the_code_sends_itself(
    page: Page, visitor: Visitor, live: Live, look: Look, person: Person, complaints: Complaints
) -> None:
    complaints.expect("status of 400")
    secret, _ = set_up(page, visitor, live, person)
    page.goto(live.authorization(prompt="consent"))
    visitor.sign_in(person)
    visitor.heading("Confirm it’s you")
    look(page, "authenticator-code")
    field = page.get_by_label("Code from your authenticator app")
    field.press_sequentially("000 000")
    expect(page).to_have_title("Error: Confirm it’s you – Doorward")
    expect(field).to_be_focused()
    assert page.evaluate("() => getSelection().toString()") == "000000"
    field.press_sequentially(code(secret, 1))
    expect(page).to_have_title("Allow access – Doorward")


@pytest.mark.browser_options(java_script_enabled=False)
def test_app_and_recovery_code_without_scripts(
    page: Page, visitor: Visitor, live: Live, person: Person
) -> None:
    secret, codes = set_up(page, visitor, live, person, scripts=False)
    page.goto(live.authorization(prompt="consent"))
    visitor.sign_in(person)
    field = page.get_by_label("Code from your authenticator app")
    field.fill(code(secret, 1))
    visitor.decide("Confirm")
    expect(page).to_have_title("Allow access – Doorward")
    page.goto(live.issuer)
    visitor.decide("Sign out")
    page.goto(live.authorization(prompt="consent"))
    visitor.sign_in(person)
    page.get_by_role("link", name="Use a recovery code").click()
    page.get_by_label("Recovery code").fill(codes[0].upper().replace("-", ""))
    visitor.decide("Confirm")
    visitor.heading("9 recovery codes are left")
    page.get_by_role("link", name="Continue").click()
    expect(page).to_have_title("Allow access – Doorward")


def test_the_pages_around_it(
    page: Page, visitor: Visitor, live: Live, look: Look, person: Person
) -> None:
    """Other ways, a recovery code, and a device that is trusted."""
    _, codes = set_up(page, visitor, live, person)
    page.goto(live.authorization(prompt="consent"))
    visitor.identify(person)
    page.get_by_role("link", name="Other ways to sign in").click()
    visitor.heading("Choose another way")
    look(page, "other-ways")
    page.get_by_role("link", name="Password").click()
    visitor.prove(person.password)
    expect(page.get_by_label("Trust this device")).to_be_visible()
    page.get_by_role("link", name="Use a recovery code").click()
    look(page)
    page.get_by_label("Recovery code").fill(codes[1])
    visitor.decide("Confirm")
    visitor.heading("9 recovery codes are left")
    look(page)


def test_the_first_administrator_sets_one_up_before_anything_else(
    page: Page, visitor: Visitor, live: Live, look: Look, live_services: Services
) -> None:
    """A one-time link, then a password, then a second step, and only then home."""
    boss = Person("boss@example.test", "an engine that weaves algebra patterns")
    link = live_services.administrators.issue_link(ORIGIN, OPERATOR)
    page.goto(f"{live.issuer}{link}")
    visitor.heading("Create the first administrator")
    page.get_by_label("Email").fill(boss.email)
    page.get_by_label("Name").fill("Mary Kenneth Keller")
    page.get_by_label("Password", exact=True).fill(boss.password)
    visitor.decide("Create the account")
    visitor.heading("Sign in")
    visitor.sign_in(boss)
    visitor.heading("Set up a second step")
    expect(page.get_by_text("Your role needs a sign-in with two factors")).to_be_visible()
    page.goto(live.issuer)
    visitor.heading("Welcome")
    page.goto(f"{live.issuer}/sign-in")
    visitor.sign_in(boss)
    visitor.decide("Use an app")
    look(page, "enrol-authenticator")  # it unfolds the key
    secret = page.locator("#authenticator-key").inner_text().replace(" ", "")
    page.get_by_label("Type the code that the app shows").press_sequentially(code(secret, 0))
    visitor.heading("Your second step is set up")
    page.get_by_role("link", name="Not now").click()
    visitor.heading("You are signed in")
