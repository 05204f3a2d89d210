"""Signing in by a mailed link: here, and by a code carried over from another device."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages_live.conftest import Look, Visitor
from tests.pages_live.live import Live
from tests.pages_live.mailbox import Mailbox, code_in, link_in, words
from tests.support.browserless import Person
from tests.support.chromium import Complaints

BOTH = [
    pytest.param(True, id="scripts"),
    pytest.param(False, id="plain", marks=pytest.mark.browser_options(java_script_enabled=False)),
]


def ask(page: Page, visitor: Visitor, live: Live, person: Person) -> None:
    """Ask for a mail on the way to an application."""
    page.goto(live.authorization())
    visitor.identify(person)
    page.get_by_role("link", name="Other ways to sign in").click()
    page.get_by_role("link", name="Link or code by email").click()
    visitor.heading("Sign in by email")
    visitor.decide("Email me a link")
    visitor.heading("Check your email")


@pytest.mark.parametrize("_scripts", BOTH)
def test_the_link_in_the_same_browser(
    page: Page,
    visitor: Visitor,
    live: Live,
    mailbox: Mailbox,
    person: Person,
    _scripts: bool,
) -> None:
    """Once: afterwards it says that it is over."""
    ask(page, visitor, live, person)
    mail = mailbox.next(person.email)
    assert "Open the link to go on to Field Notes." in words(mail)
    tab = page.context.new_page()
    tab.goto(link_in(mail))
    expect(tab.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
    tab.get_by_role("button", name="Sign in", exact=True).click()
    tab.get_by_role("button", name="Allow", exact=True).click()
    expect(tab).to_have_title("Field Notes")
    assert "code=" in tab.url


@pytest.mark.parametrize("scripts", BOTH)
def test_the_code_of_another_device(
    page: Page,
    visitor: Visitor,
    live: Live,
    mailbox: Mailbox,
    person: Person,
    chromium: Browser,
    scripts: bool,
) -> None:
    ask(page, visitor, live, person)
    mail = mailbox.next(person.email)
    code = code_in(mail)
    context = chromium.new_context(java_script_enabled=scripts)
    phone = context.new_page()
    phone.goto(link_in(mail))
    expect(phone.get_by_role("heading", level=1, name="Was it you?")).to_be_visible()
    expect(phone.get_by_text(code[:3])).to_have_count(0)
    expect(phone.get_by_text("Field Notes")).to_be_visible()
    phone.get_by_role("button", name="It was me: show the code").click()
    shown = phone.locator(".relay").inner_text()
    assert shown == f"{code[:3]} {code[3:]}"
    context.close()
    page.get_by_label("Six-digit code").fill(shown)
    if not scripts:
        page.get_by_role("button", name="Continue", exact=True).click()
    visitor.decide("Allow")
    assert visitor.arrives()["code"]


def test_that_was_not_me(
    page: Page,
    visitor: Visitor,
    live: Live,
    look: Look,
    mailbox: Mailbox,
    person: Person,
    chromium: Browser,
    complaints: Complaints,
) -> None:
    complaints.expect("status of 400")
    ask(page, visitor, live, person)
    look(page, "check-email")
    mail = mailbox.next(person.email)
    context = chromium.new_context()
    victim = context.new_page()
    victim.goto(link_in(mail))
    look(victim, "mailed-elsewhere")
    victim.get_by_role("button", name="It was me: show the code").click()
    expect(victim.locator(".relay")).to_be_visible()
    look(victim, "mailed-code")
    victim.get_by_role("button", name="That wasn’t me").click()
    expect(victim.get_by_role("heading", name="Thank you for telling us")).to_be_visible()
    victim.goto(link_in(mail))
    expect(victim.get_by_role("heading", name="This link does not work any more")).to_be_visible()
    look(victim)
    context.close()
    page.get_by_label("Six-digit code").fill(code_in(mail))
    expect(page.get_by_text("That code does not work any more.")).to_be_visible()


def test_an_impatient_reader_is_told_how_long_to_wait(
    page: Page,
    visitor: Visitor,
    live: Live,
    look: Look,
    mailbox: Mailbox,
    person: Person,
    complaints: Complaints,
) -> None:
    complaints.expect("status of 429")
    ask(page, visitor, live, person)
    mail = mailbox.next(person.email)
    expect(page.get_by_text("You can ask for another mail in")).to_be_visible()
    visitor.decide("Send another mail")
    expect(page.get_by_text("A mail is on its way.")).to_be_visible()
    look(page)
    page.get_by_label("Six-digit code").fill(code_in(mail))
    visitor.decide("Allow")
    assert visitor.arrives()["code"]


def test_a_wrong_code_can_be_typed_again(
    page: Page,
    visitor: Visitor,
    live: Live,
    mailbox: Mailbox,
    person: Person,
    complaints: Complaints,
) -> None:
    complaints.expect("status of 400")
    ask(page, visitor, live, person)
    code = code_in(mailbox.next(person.email))
    field = page.get_by_label("Six-digit code")
    field.fill(f"{(int(code) + 1) % 1_000_000:06}")
    expect(page.get_by_text("That code doesn’t match.")).to_be_visible()
    expect(field).to_be_focused()
    field.fill(code)
    visitor.decide("Allow")
    assert visitor.arrives()["code"]


def test_case_093_a_program_that_runs_scripts_uses_nothing_up(
    page: Page,
    visitor: Visitor,
    live: Live,
    mailbox: Mailbox,
    person: Person,
    chromium: Browser,
) -> None:
    """A scanner opens what it finds in the mail and waits until nothing happens any more."""
    ask(page, visitor, live, person)
    mail = mailbox.next(person.email)
    scanner = chromium.new_context()
    for _ in range(3):
        tab = scanner.new_page()
        tab.goto(link_in(mail), wait_until="networkidle")
        assert code_in(mail) not in tab.content()
    scanner.close()
    page.goto(link_in(mail), wait_until="networkidle")
    visitor.heading("Sign in")
    visitor.decide("Sign in")
    visitor.decide("Allow")
    assert visitor.arrives()["code"]
