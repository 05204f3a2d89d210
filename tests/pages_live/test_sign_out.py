"""Signing out, and the front page."""

from playwright.sync_api import Page, expect

from tests.pages_live.conftest import Look, Visitor
from tests.pages_live.live import Live
from tests.support.seeds import ADA


def test_the_front_page(page: Page, visitor: Visitor, live: Live, look: Look) -> None:
    page.goto(live.issuer)
    visitor.heading("Welcome")
    look(page)
    page.get_by_role("link", name="Sign in").click()
    visitor.sign_in()
    visitor.heading("You are signed in")
    expect(page.get_by_text("since")).to_be_visible()
    expect(page.get_by_text(ADA.email)).to_be_visible()
    look(page, "home")
    visitor.decide("Sign out")
    visitor.heading("You are signed out")
    page.go_back()
    page.reload()
    visitor.heading("Welcome")


def test_without_a_hint_the_person_is_asked(
    page: Page, visitor: Visitor, live: Live, look: Look
) -> None:
    visitor.sign_in_here()
    page.goto(live.logout(client_id="field-notes"))
    visitor.heading("Sign out?")
    expect(page.get_by_text("Field Notes asks to sign you out")).to_be_visible()
    look(page, "sign-out")
    visitor.decide("Stay signed in")
    visitor.heading("You are signed in")
    page.goto(live.logout(client_id="field-notes"))
    visitor.decide("Sign out")
    visitor.heading("You are signed out")
    look(page, "signed-out")
    page.get_by_role("link", name="Continue to Field Notes").click()
    visitor.arrives()
    page.goto(live.issuer)
    visitor.heading("Welcome")


def test_afterwards_the_application_takes_over(page: Page, visitor: Visitor, live: Live) -> None:
    visitor.sign_in_here()
    back = f"{live.elsewhere}/bye"
    page.goto(live.logout(client_id="field-notes", post_logout_redirect_uri=back, state="s"))
    visitor.decide("Sign out")
    assert visitor.arrives() == {"state": "s"}


def test_nobody_to_sign_out(page: Page, visitor: Visitor, live: Live, look: Look) -> None:
    page.goto(live.logout())
    visitor.heading("You are signed out")
    look(page)
    page.get_by_role("link", name="Sign in again").click()
    visitor.heading("Sign in")
