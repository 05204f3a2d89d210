"""Pages that say what went wrong, and the one that only the operator gets."""

from playwright.sync_api import Page, expect

from tests.pages_live.conftest import Look, Visitor
from tests.pages_live.live import Live
from tests.support.chromium import Complaints
from tests.support.seeds import ADA


def test_a_request_that_cannot_be_answered(
    page: Page, visitor: Visitor, live: Live, look: Look, complaints: Complaints
) -> None:
    complaints.expect("status of 400")
    page.goto(live.authorization(redirect_uri=f"{live.elsewhere}/callback/"))
    expect(page).to_have_title("Error: Field Notes couldn’t start sign-in – Doorward")
    expect(page.get_by_text("only by a trailing slash")).to_be_visible()
    request_id = page.locator("#request-id").inner_text()
    assert len(request_id) == 16
    look(page, "protocol-error")

    page.goto(live.authorization("nobody-we-know"))
    visitor.heading("The application couldn’t start sign-in")
    look(page)


def test_a_sign_out_that_cannot_be_answered(
    page: Page, visitor: Visitor, live: Live, complaints: Complaints
) -> None:
    complaints.expect("status of 400")
    page.goto(live.logout(client_id="field-notes", post_logout_redirect_uri="https://evil.test/"))
    visitor.heading("Field Notes couldn’t sign you out")


def test_the_wrong_address(
    page: Page, visitor: Visitor, live: Live, look: Look, complaints: Complaints
) -> None:
    complaints.expect("status of 400")
    opened = live.issuer.replace("localhost", "127.0.0.1")
    page.goto(f"{opened}/playground")
    visitor.heading("This is the wrong address")
    expect(page.get_by_text("IDP_ISSUER")).to_be_visible()
    look(page)
    page.get_by_role("link", name="Go to the right address").click()
    assert page.url == f"{live.issuer}/playground"


def test_nothing_here(
    page: Page, visitor: Visitor, live: Live, look: Look, complaints: Complaints
) -> None:
    complaints.expect("status of 404")
    page.goto(f"{live.issuer}/nowhere")
    visitor.heading("There is nothing here")
    look(page)
    page.get_by_role("link", name="Go to the start page").click()
    visitor.heading("Welcome")


def test_the_first_administrator(
    page: Page, visitor: Visitor, live: Live, look: Look, complaints: Complaints
) -> None:
    complaints.expect("status of 400")
    complaints.expect("status of 404")
    link = live.block["Administrator"].split()[0]
    page.goto(link)
    visitor.heading("Create the first administrator")
    look(page)
    page.get_by_label("Email").fill(ADA.email)
    page.get_by_label("Name").fill("Charles Babbage")
    page.get_by_label("Password", exact=True).fill("a difference engine, number two")
    visitor.decide("Create the account")
    expect(page).to_have_title("Error: Create the first administrator – Doorward")
    look(page)
    page.get_by_label("Email").fill("charles@example.test")
    page.get_by_label("Password", exact=True).fill("a difference engine, number two")
    visitor.decide("Create the account")
    visitor.heading("Sign in")
    page.goto(link)
    visitor.heading("There is nothing here")
    expect(page.get_by_text("idp admin login-link")).to_be_visible()
