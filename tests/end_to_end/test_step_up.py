"""The API wants a stronger sign-in, and the application gets it (RFC 9470)."""

import time

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.conftest import FieldNotes
from tests.end_to_end.test_main_job import add_note, sign_in
from tests.support.seeds import ADA


def set_up_app(page: Page, issuer: str) -> str:
    """Set up an authenticator app in the account console; return its key."""
    page.goto(f"{issuer}/account/security")
    page.get_by_role("link", name="Add an app").click()
    page.get_by_text("Can’t scan it? Type the key").click()
    secret = page.locator("#authenticator-key").inner_text().replace(" ", "")
    page.get_by_label("Type the code that the app shows").fill(code(secret, 0))
    page.get_by_role("button", name="Confirm").click()
    return secret


def code(secret: str, steps: int) -> str:
    """Return a code of now or of the next time step: each works once, in this order, and still does
    if the step ends meanwhile.
    """
    return pyotp.TOTP(secret).at(int(time.time()) + 30 * steps)


@pytest.mark.browser_options(java_script_enabled=False)
def test_all_notes_go_only_after_a_second_step(page: Page, field_notes: FieldNotes) -> None:
    sign_in(page, field_notes)
    add_note(page, "Owls at dusk")
    secret = set_up_app(page, field_notes.serving.issuer)
    page.goto(field_notes.webapp_settings.public_url)
    page.get_by_role("button", name="Delete all notes").click()
    expect(page.get_by_role("heading", name="Confirm it’s you")).to_be_visible()
    expect(page.get_by_text(ADA.email).first).to_be_visible()
    page.get_by_label("Code from your authenticator app").fill(code(secret, 1))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Owls at dusk")).to_be_visible()
    page.get_by_role("button", name="Delete all notes").click()
    expect(page.get_by_text("None yet.")).to_be_visible()
