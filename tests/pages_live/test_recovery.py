"""A new account, a forgotten password and an invitation, with mail that really arrives."""

from itertools import count

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages_live.conftest import Look, Visitor
from tests.pages_live.live import Live
from tests.pages_live.mailbox import Mailbox, code_in, link_in, words
from tests.running.commands import Place
from tests.support.browserless import Person
from tests.support.chromium import Complaints
from tests.support.seeds import ADA

without_scripts = pytest.mark.browser_options(java_script_enabled=False)
BOTH = [pytest.param(True, id="scripts"), pytest.param(False, marks=without_scripts, id="without")]
FIRST = "four quite unrelated words"
SECOND = "seven green bottles on the wall"
NUMBERS = count(1)


@pytest.fixture
def newcomer() -> Person:
    """Somebody who has no account yet."""
    return Person(f"newcomer{next(NUMBERS)}@example.test", FIRST, "Nora New")


@pytest.fixture
def someone(newcomer: Person, live: Live) -> Person:
    """Somebody who has an account that no other test uses."""
    added = Place(live.database.parents[1]).run(
        *("users", "add", newcomer.email, "--name", newcomer.name, "--password-stdin"),
        environment={"IDP_ISSUER": live.issuer},
        stdin=f"{newcomer.password}\n",
    )
    assert added.returncode == 0, added.stderr
    return newcomer


def choose(page: Page, label: str, password: str, button: str) -> None:
    page.get_by_label(label, exact=True).fill(password)
    page.get_by_role("button", name=button, exact=True).click()


def type_code(page: Page, code: str, *, scripts: bool) -> None:
    """With scripts the page sends itself once all digits are there."""
    page.get_by_label("Six-digit code").fill(code)
    if not scripts:
        page.get_by_role("button", name="Continue", exact=True).click()


def ask_for_reset(page: Page, visitor: Visitor, live: Live, person: Person) -> None:
    page.goto(live.authorization())
    visitor.identify(person)
    page.get_by_role("link", name="Forgot password?").click()
    expect(page.get_by_label("Email", exact=True)).to_have_value(person.email)
    page.get_by_role("button", name="Send the mail").click()
    visitor.heading("Check your email")


@pytest.mark.parametrize("scripts", BOTH)
def test_a_new_account_by_the_code(
    page: Page, visitor: Visitor, live: Live, mailbox: Mailbox, newcomer: Person, scripts: bool
) -> None:
    page.goto(live.authorization(prompt="create"))
    visitor.heading("Create your account")
    visitor.identify(newcomer)
    visitor.heading("Check your email")
    type_code(page, code_in(mailbox.next(newcomer.email)), scripts=scripts)
    page.get_by_label("Name", exact=True).fill(newcomer.name)
    choose(page, "Password", newcomer.password, "Create the account")
    visitor.decide("Allow")
    assert visitor.arrives()["code"]


@pytest.mark.parametrize("scripts", BOTH)
def test_a_forgotten_password_by_the_link(
    page: Page, visitor: Visitor, live: Live, mailbox: Mailbox, someone: Person, scripts: bool
) -> None:
    ask_for_reset(page, visitor, live, someone)
    page.goto(link_in(mailbox.next(someone.email)))
    visitor.heading("Choose a new password")
    visitor.decide("Continue")
    choose(page, "New password", SECOND, "Change the password")
    expect(page.get_by_text("Your password was changed. Sign in with it.")).to_be_visible()
    assert "Your password was changed" in words(mailbox.next(someone.email))
    visitor.sign_in(Person(someone.email, SECOND))
    visitor.decide("Allow")
    assert visitor.arrives()["code"]


def test_a_forgotten_password_by_the_code_that_another_device_shows(
    page: Page,
    visitor: Visitor,
    live: Live,
    look: Look,
    mailbox: Mailbox,
    someone: Person,
    chromium: Browser,
    complaints: Complaints,
) -> None:
    complaints.expect("status of 400")
    page.goto(live.authorization())
    visitor.identify(someone)
    page.get_by_role("link", name="Forgot password?").click()
    visitor.heading("Forgot your password?")
    look(page, "forgot")
    page.get_by_role("button", name="Send the mail").click()
    mail = mailbox.next(someone.email)
    phone = chromium.new_page()
    phone.goto(link_in(mail))
    expect(phone.get_by_text("asked to change the password of your account")).to_be_visible()
    phone.get_by_role("button", name="It was me: show the code").click()
    expect(phone.get_by_text(f"{code_in(mail)[:3]} {code_in(mail)[3:]}")).to_be_visible()
    phone.close()
    type_code(page, code_in(mail), scripts=True)
    visitor.heading("Choose a new password")
    choose(page, "New password", f"{someone.email} is me", "Change the password")
    expect(page.get_by_label("New password", exact=True)).to_be_focused()
    look(page, "new-password")
    visitor.decide("Keep the old one")
    visitor.sign_in(someone)
    expect(page).to_have_title("Allow access – Doorward")


def test_a_new_account_by_the_link_and_how_its_pages_look(
    page: Page,
    visitor: Visitor,
    live: Live,
    look: Look,
    mailbox: Mailbox,
    newcomer: Person,
) -> None:
    page.goto(live.issuer)
    page.goto(f"{live.issuer}/sign-in")
    page.get_by_role("link", name="Create an account").click()
    visitor.heading("Create your account")
    look(page, "sign-up")
    visitor.identify(newcomer)
    page.goto(link_in(mailbox.next(newcomer.email)))
    visitor.heading("Confirm your address")
    visitor.decide("Confirm")
    page.get_by_label("Name", exact=True).fill(newcomer.name)
    look(page, "new-account")
    choose(page, "Password", newcomer.password, "Create the account")
    visitor.heading("You are signed in")
    expect(page.get_by_text(newcomer.email)).to_be_visible()


def test_who_has_an_account_is_told_by_mail_only(
    page: Page, visitor: Visitor, live: Live, mailbox: Mailbox
) -> None:
    page.goto(f"{live.issuer}/sign-up")
    visitor.identify(ADA)
    visitor.heading("Check your email")
    told = words(mailbox.next(ADA.email, "You have an account at"))
    assert "You have an account already" in told
    assert f"{live.issuer}/sign-in" in told


@pytest.mark.parametrize("scripts", BOTH)
def test_an_invitation(
    page: Page,
    visitor: Visitor,
    live: Live,
    look: Look,
    mailbox: Mailbox,
    newcomer: Person,
    scripts: bool,
) -> None:
    environment = {
        "IDP_ISSUER": live.issuer,
        "IDP_SIGN_UP": "invitation",
        "IDP_SMTP_URL": f"smtp://127.0.0.1:{mailbox.server.port}",
    }
    place = Place(live.database.parents[1])
    told = place.json("users", "invite", newcomer.email, environment=environment)
    link = link_in(mailbox.next(newcomer.email))
    assert link == told["link"]
    page.goto(link)
    visitor.heading("Create your account")
    if scripts:
        look(page, "invitation")
    page.get_by_label("Name", exact=True).fill(newcomer.name)
    choose(page, "Password", newcomer.password, "Create the account")
    expect(page.get_by_text("Your account is ready. Sign in with it.")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    visitor.prove(newcomer.password)
    visitor.heading("You are signed in")
