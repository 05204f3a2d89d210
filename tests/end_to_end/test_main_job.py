"""The main job on real input.

A person signs in with a real browser, through an application that uses a client library of somebody
else, and an API that knows nothing of the server but its address accepts the token.
"""

import pytest
import requests
from playwright.sync_api import Page, expect

from examples.webapp.signed_in import SignedIn
from idp.guard import Settings
from tests.end_to_end.conftest import ACCESS_TOKEN_SECONDS, FieldNotes
from tests.support.chromium import Complaints
from tests.support.seeds import ADA


def sign_in(page: Page, field_notes: FieldNotes) -> None:
    page.goto(field_notes.webapp_settings.public_url)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Email").fill(ADA.email)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Password", exact=True).fill(ADA.password)
    page.get_by_role("button", name="Sign in").click()
    expect(
        page.get_by_role("heading", name="Field Notes wants to use your account")
    ).to_be_visible()
    expect(page.get_by_text("Read your notes")).to_be_visible()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text(f"Signed in as {ADA.name}")).to_be_visible()


def add_note(page: Page, text: str) -> None:
    page.get_by_label("New note").fill(text)
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("listitem").filter(has_text=text)).to_be_visible()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def read(field_notes: FieldNotes, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{field_notes.webapp_settings.api_url}/notes"
    return requests.get(url, headers=headers, timeout=10).status_code


def write(field_notes: FieldNotes, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{field_notes.webapp_settings.api_url}/notes"
    return requests.post(url, json={"text": "late"}, headers=headers, timeout=10)


def journey(page: Page, field_notes: FieldNotes) -> None:
    sign_in(page, field_notes)
    add_note(page, "Owls at dusk")
    (signed_in,) = field_notes.sign_ins
    first = tokens(signed_in)

    page.get_by_role("button", name="Refresh the tokens").click()
    expect(page.get_by_text("The tokens are new.")).to_be_visible()
    add_note(page, "Two of them")
    last = tokens(signed_in)
    assert not set(first) & set(last)

    sign_out(page)
    assert_over(field_notes, *last)


def tokens(signed_in: SignedIn) -> tuple[str, str]:
    """Return the access token and the refresh token that the application holds now."""
    return str(signed_in.token["access_token"]), str(signed_in.token["refresh_token"])


def assert_over(field_notes: FieldNotes, access_token: str, refresh_token: str) -> None:
    """What was issued works no more: at once where the server is asked, at expiry where not."""
    refused = field_notes.client.refresh(refresh_token)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert field_notes.api.introspect(access_token).json() == {"active": False}

    answer = write(field_notes, access_token)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert read(field_notes, access_token) == 200
    field_notes.api_clock.ahead = ACCESS_TOKEN_SECONDS + Settings.leeway
    assert read(field_notes, access_token) == 401


def test_from_sign_in_to_sign_out(page: Page, field_notes: FieldNotes) -> None:
    journey(page, field_notes)


@pytest.mark.browser_options(java_script_enabled=False)
def test_from_sign_in_to_sign_out_without_scripts(page: Page, field_notes: FieldNotes) -> None:
    journey(page, field_notes)


def test_who_comes_back_is_not_asked_again(page: Page, field_notes: FieldNotes) -> None:
    sign_in(page, field_notes)
    page.context.clear_cookies(name="field-notes")
    page.goto(field_notes.webapp_settings.public_url)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(f"Signed in as {ADA.name}")).to_be_visible()


def test_who_says_no_is_told_that_nothing_happened(
    page: Page, field_notes: FieldNotes, complaints: Complaints
) -> None:
    complaints.expect("status of 400")
    page.goto(field_notes.webapp_settings.public_url)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Email").fill(ADA.email)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Password", exact=True).fill(ADA.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Not signed in")).to_be_visible()
    assert list(field_notes.sign_ins) == []
