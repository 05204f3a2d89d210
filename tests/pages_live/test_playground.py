"""The playground from start to sign-out: what it shows is what was sent and answered."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet
from playwright.sync_api import Browser, Page, expect

from tests.pages_live.conftest import Look, Visitor
from tests.pages_live.live import Live
from tests.support.chromium import Complaints
from tests.support.seeds import ADA

VERDICT = "Signature and claims are right"


def shown(page: Page) -> dict[str, str]:
    """The rows of the first table of explanations."""
    table = page.locator("dl.explained").first
    names = table.locator("dt").all_inner_texts()
    return dict(zip(names, table.locator(".value").all_inner_texts(), strict=True))


def statuses(page: Page) -> list[str]:
    """How the last step's requests were answered."""
    return page.locator("section > .pad.stack .tag").all_inner_texts()


def step(page: Page, name: str, expected: Sequence[str]) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.locator("h2").first).to_contain_text(name)
    assert statuses(page) == list(expected)


def get_tokens(page: Page, visitor: Visitor) -> None:
    """From the first page of a run to its tokens."""
    visitor.decide("Start sign-in")
    if page.title().startswith("Sign in"):
        visitor.sign_in()
    visitor.decide("Allow")
    visitor.decide("Exchange the code")
    visitor.heading("Tokens, opened up")


def raw(page: Page, number: int) -> str:
    return page.locator(f"#raw-{number}").text_content() or ""


def verified(live: Live, token: str, algorithm: str) -> dict[str, Any]:
    """Check a token with another library than the server's own code, against the JWKS."""
    published = requests.get(f"{live.issuer}/.well-known/jwks.json", timeout=10).json()
    keys = KeySet.import_key_set(published)
    return dict(jwt.decode(token, keys, algorithms=[algorithm]).claims)


def test_a_run_from_start_to_sign_out(page: Page, visitor: Visitor, live: Live, look: Look) -> None:
    page.goto(f"{live.issuer}/playground")
    visitor.heading("Watch a sign-in happen")
    asked = shown(page)
    look(page, "playground")
    visitor.decide("Start sign-in")
    visitor.sign_in()
    visitor.heading("Playground wants to use your account")
    expect(page.get_by_text("Only continue if you started this")).to_be_visible()
    visitor.decide("Allow")

    visitor.heading("Back with a code")
    answer = dict(parse_qsl(urlsplit(page.url).query))
    assert answer == shown(page)
    assert answer["state"] == asked["state"]
    assert page.locator(".verdicts li.good").count() == 2
    look(page, "playground-callback")
    visitor.decide("Exchange the code")

    visitor.heading("Tokens, opened up")
    assert "code" not in page.url
    look(page, "playground-tokens")
    assert page.locator(".verdict.good").all_inner_texts() == [VERDICT, VERDICT]
    identity = verified(live, raw(page, 1), "RS256")
    assert identity["nonce"] == asked["nonce"]
    assert identity["aud"] == "playground"
    access = verified(live, raw(page, 2), "ES256")
    assert access["scope"] == asked["scope"]

    step(page, "Userinfo", ["200 OK"])
    expect(page.locator("#response-1")).to_contain_text(ADA.email)
    step(page, "Introspect", ["200 OK", "401 Unauthorized"])
    expect(page.locator("#response-1")).to_contain_text('"active": true')
    step(page, "Refresh", ["200 OK"])
    assert verified(live, raw(page, 2), "ES256")["jti"] != access["jti"]
    assert page.locator(".verdict.good").count() == 2
    look(page)

    visitor.decide("Sign out")
    expect(page.get_by_text("You are signed out")).to_be_visible()
    page.get_by_role("link", name="See what became of the tokens").click()
    step(page, "Refresh", ["400 Bad Request"])
    step(page, "Introspect", ["200 OK", "401 Unauthorized"])
    expect(page.locator("#response-1")).to_contain_text('"active": false')
    page.goto(live.issuer)
    visitor.heading("Welcome")


@pytest.mark.browser_options(java_script_enabled=False)
def test_the_same_without_scripts(page: Page, visitor: Visitor, live: Live) -> None:
    page.goto(f"{live.issuer}/playground")
    get_tokens(page, visitor)
    step(page, "Refresh", ["200 OK"])
    step(page, "Revoke", ["200 OK"])
    step(page, "Introspect", ["200 OK", "401 Unauthorized"])
    expect(page.locator("#response-1")).to_contain_text('"active": false')
    step(page, "Userinfo", ["401 Unauthorized"])
    step(page, "Refresh", ["400 Bad Request"])
    visitor.decide("Sign out")
    expect(page.get_by_text("You are signed out")).to_be_visible()


def test_what_is_chosen_is_what_is_sent(page: Page, visitor: Visitor, live: Live) -> None:
    page.goto(f"{live.issuer}/playground")
    before = shown(page)
    page.get_by_label("email", exact=False).first.uncheck()
    page.get_by_label("Prompt").select_option("none")
    page.get_by_label("Oldest sign-in").fill("60")
    visitor.decide("Show request")
    after = shown(page)
    assert after["prompt"] == "none"
    assert after["max_age"] == "60"
    assert after["state"] == before["state"]
    with page.expect_request(re.compile("/oauth2/authorize")) as sent:
        visitor.decide("Start sign-in")
    assert dict(parse_qsl(urlsplit(sent.value.url).query)) == after
    visitor.heading("Back, but without a code")
    assert shown(page)["error"] == "login_required"
    expect(page.get_by_role("alert")).to_contain_text("nobody may be asked")


def test_a_choice_that_makes_no_request(
    page: Page, visitor: Visitor, live: Live, look: Look, complaints: Complaints
) -> None:
    complaints.expect("status of 400")
    page.goto(f"{live.issuer}/playground")
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
    page.get_by_label("Oldest sign-in").fill("soon")
    visitor.decide("Start sign-in")
    expect(page).to_have_title("Error: Playground: ask – Doorward")
    expect(page.get_by_text("Choose at least one.")).to_be_visible()
    expect(page.get_by_text("Enter a whole number of seconds")).to_be_visible()
    look(page)


@pytest.mark.browser_options(java_script_enabled=False)
def test_a_second_click_gets_what_the_first_one_got(
    page: Page, visitor: Visitor, live: Live
) -> None:
    page.goto(f"{live.issuer}/playground")
    visitor.decide("Start sign-in")
    visitor.sign_in()
    visitor.decide("Allow")
    callback = page.url
    page.get_by_role("button", name="Exchange the code").dblclick()
    visitor.heading("Tokens, opened up")
    page.goto(callback)
    page.get_by_role("link", name="See what became of the code").click()
    visitor.heading("Tokens, opened up")
    step(page, "Userinfo", ["200 OK"])


def test_an_answer_that_nobody_asked_for_is_thrown_away(
    page: Page, visitor: Visitor, live: Live, look: Look, complaints: Complaints
) -> None:
    complaints.expect("status of 400")
    page.goto(f"{live.issuer}/playground/callback?code=planted&state=planted&iss={live.issuer}")
    visitor.heading("An answer nobody asked for")
    expect(page.get_by_role("button", name="Exchange the code")).to_have_count(0)
    look(page)


def test_a_run_belongs_to_one_browser_and_one_sign_in(
    page: Page, visitor: Visitor, live: Live, chromium: Browser, complaints: Complaints
) -> None:
    complaints.expect("status of 404")
    page.goto(f"{live.issuer}/playground")
    get_tokens(page, visitor)
    run = page.url
    stranger = chromium.new_page()
    answer = stranger.goto(run)
    assert answer is not None
    assert answer.status == 404
    stranger.close()
    page.goto(live.authorization(prompt="login"))
    visitor.prove(button="Confirm")
    page.goto(run)
    visitor.heading("This run is over")
    page.get_by_role("link", name="Start again").click()
    visitor.heading("Watch a sign-in happen")
