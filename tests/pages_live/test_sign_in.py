"""Signing in through the real pages, up to an application at another origin.

The browser's console has nothing to complain of: in particular no policy stops the redirect that
follows the last click.
"""

import pytest
from playwright.sync_api import Page, expect

from tests.pages_live.conftest import Look, Visitor
from tests.pages_live.live import BARE_CLIENT, Live
from tests.support.browserless import Person
from tests.support.chromium import Complaints
from tests.support.seeds import ADA, GRACE

ALLOWED = {"code", "state", "iss", "session_state"}


def test_from_sign_in_to_the_application(
    page: Page, visitor: Visitor, live: Live, look: Look
) -> None:
    page.goto(live.authorization(prompt="consent"))
    expect(page).to_have_title("Sign in – Doorward")
    look(page, "sign-in")
    visitor.identify()
    expect(page).to_have_title("Enter your password – Doorward")
    look(page, "password")
    visitor.prove()
    expect(page).to_have_title("Allow access – Doorward")
    expect(page.get_by_text("Read your notes")).to_be_visible()
    expect(page.get_by_text(live.elsewhere)).to_be_visible()
    look(page, "consent")
    visitor.decide("Allow")
    answer = visitor.arrives()
    assert answer.keys() == ALLOWED
    assert answer["iss"] == live.issuer
    assert answer["state"] == "state-of-the-application"


@pytest.mark.browser_options(java_script_enabled=False)
def test_all_of_it_without_scripts(page: Page, visitor: Visitor, live: Live) -> None:
    page.goto(live.authorization(prompt="consent"))
    visitor.sign_in()
    visitor.decide("Allow")
    expect(page).to_have_title("Field Notes")
    page.goto(
        live.logout(client_id="field-notes", post_logout_redirect_uri=f"{live.elsewhere}/bye")
    )
    visitor.decide("Sign out")
    expect(page).to_have_title("Field Notes")
    page.goto(live.issuer)
    visitor.heading("Welcome")


def test_a_wrong_password(
    page: Page, visitor: Visitor, live: Live, look: Look, complaints: Complaints
) -> None:
    complaints.expect("status of 400")
    page.goto(live.authorization(prompt="consent"))
    visitor.identify()
    visitor.prove("not the password of anybody")
    expect(page).to_have_title("Error: Enter your password – Doorward")
    expect(page.get_by_role("alert")).to_have_text("That email and password don’t match.")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    look(page)
    visitor.prove()
    expect(page).to_have_title("Allow access – Doorward")


def test_too_many_wrong_passwords(
    page: Page, visitor: Visitor, live: Live, look: Look, complaints: Complaints
) -> None:
    complaints.expect("status of 400")
    complaints.expect("status of 429")
    page.goto(live.authorization())
    visitor.identify(Person("nobody@example.test", ""))
    for _ in range(20):
        visitor.prove("a guess that is long enough")
        if page.title().startswith("Error: Too many"):
            break
    visitor.heading("Too many tries")
    expect(page.get_by_text("You can try again")).to_be_visible()
    look(page)
    page.get_by_role("link", name="Back to sign-in").click()
    visitor.heading("Enter your password")


@pytest.mark.parametrize("where", ["Sign in", "Enter your password", "Allow access"])
def test_cancel_tells_the_application(page: Page, visitor: Visitor, live: Live, where: str) -> None:
    page.goto(live.authorization(prompt="consent"))
    if where != "Sign in":
        visitor.identify()
    if where == "Allow access":
        visitor.prove()
    expect(page).to_have_title(f"{where} – Doorward")
    page.get_by_text("Cancel", exact=True).click()
    assert visitor.arrives()["error"] == "access_denied"


def test_a_new_sign_in_is_really_one(page: Page, visitor: Visitor, live: Live, look: Look) -> None:
    visitor.sign_in_here()
    page.goto(live.authorization(prompt="login consent"))
    visitor.heading("Confirm it’s you")
    expect(page.get_by_text(ADA.email)).to_be_visible()
    look(page)
    visitor.prove(button="Confirm")
    expect(page).to_have_title("Allow access – Doorward")


def test_choosing_an_account(page: Page, visitor: Visitor, live: Live, look: Look) -> None:
    visitor.sign_in_here()
    page.goto(live.authorization(prompt="select_account consent"))
    visitor.heading("Choose an account")
    look(page)
    page.get_by_role("button", name=ADA.email).click()
    expect(page).to_have_title("Allow access – Doorward")

    page.goto(live.authorization(prompt="consent", login_hint=GRACE.email))
    visitor.heading("Choose an account")
    expect(page.get_by_text(f"asks for {GRACE.email}")).to_be_visible()
    look(page)
    visitor.decide("Use another account")
    visitor.heading("Sign in")
    expect(page.get_by_label("Email", exact=True)).to_have_value(GRACE.email)
    visitor.sign_in(GRACE)
    expect(page.get_by_text(GRACE.name)).to_be_visible()


def test_not_you(page: Page, visitor: Visitor, live: Live, look: Look) -> None:
    visitor.sign_in_here()
    page.goto(live.authorization(prompt="consent"))
    page.get_by_role("link", name="Not you?").click()
    visitor.heading("Switch account?")
    look(page)
    visitor.decide("Cancel")
    expect(page).to_have_title("Allow access – Doorward")
    page.get_by_role("link", name="Not you?").click()
    visitor.decide("Switch account")
    visitor.heading("Sign in")
    visitor.sign_in(GRACE)
    expect(page.get_by_text(GRACE.name)).to_be_visible()
    visitor.decide("Allow")
    assert visitor.arrives().keys() == ALLOWED


def test_a_sign_in_that_took_too_long(
    page: Page, visitor: Visitor, live: Live, look: Look, complaints: Complaints
) -> None:
    complaints.expect("status of 404")
    page.goto(live.authorization())
    visitor.identify()
    live.let_time_pass()
    visitor.prove()
    visitor.heading("This sign-in took too long")
    expect(page.get_by_text("Start again at Field Notes.")).to_be_visible()
    look(page)
    page.get_by_role("link", name="Go to Field Notes").click()
    visitor.arrives()

    page.goto(live.authorization(BARE_CLIENT))
    live.let_time_pass()
    visitor.identify()
    expect(page.get_by_text("Start again at Bare Bones.")).to_be_visible()


def test_somebody_elses_sign_in_says_nothing(
    page: Page, visitor: Visitor, live: Live, complaints: Complaints
) -> None:
    complaints.expect("status of 404")
    page.goto(live.authorization())
    page.context.clear_cookies()
    page.reload()
    visitor.heading("This sign-in took too long")
    expect(page.get_by_text("Field Notes")).to_have_count(0)


@pytest.mark.browser_options(java_script_enabled=False)
def test_a_double_click_is_one_sign_in(page: Page, visitor: Visitor, live: Live) -> None:
    page.goto(live.authorization(prompt="consent"))
    visitor.identify()
    page.get_by_label("Password", exact=True).fill(ADA.password)
    page.get_by_role("button", name="Sign in").dblclick()
    expect(page).to_have_title("Allow access – Doorward")
    page.get_by_role("button", name="Allow").dblclick()
    expect(page).to_have_title("Field Notes")
    assert "code=" in page.url


def test_the_back_button_repeats_nothing(page: Page, visitor: Visitor, live: Live) -> None:
    page.goto(live.authorization(prompt="consent"))
    visitor.sign_in()
    visitor.decide("Allow")
    first = visitor.arrives()
    page.go_back()
    if page.title() != "Field Notes":
        visitor.decide("Allow")
    assert visitor.arrives() == first


def test_a_form_of_before_the_sign_in_goes_on_where_it_stands(
    page: Page, visitor: Visitor, live: Live
) -> None:
    page.goto(live.authorization(prompt="consent"))
    other = page.context.new_page()
    other.goto(page.url)
    visitor.sign_in()
    other.get_by_label("Email", exact=True).fill(GRACE.email)
    other.get_by_role("button", name="Continue").click()
    expect(other).to_have_title("Allow access – Doorward")
    expect(other.get_by_text(ADA.name)).to_be_visible()
