"""Passkeys in a real browser, with the authenticator that its developers' tools bring."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, Response, expect

from idp.domain.audit import By
from idp.domain.services import Services
from tests.pages_live.conftest import PASSWORD, Look, Visitor
from tests.pages_live.live import Live
from tests.pages_live.mailbox import Mailbox, link_in, words
from tests.running.commands import Place
from tests.support.browserless import Person
from tests.support.chromium import Complaints
from tests.support.seeds import OPERATOR, ORIGIN

TWO = "urn:doorward:acr:two-factor"
ESSENTIAL = json.dumps({"id_token": {"acr": {"essential": True, "values": [TWO]}}})
pytestmark = pytest.mark.browser_options(viewport={"width": 1280, "height": 800})


class Device:
    """The virtual authenticator of one tab: it has a fingerprint reader that knows its owner."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session
        session.send("WebAuthn.enable", {"enableUI": False})
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._id = {"authenticatorId": made["authenticatorId"]}

    def passkeys(self) -> list[Any]:
        return list(self._session.send("WebAuthn.getCredentials", self._id)["credentials"])

    def recognises(self, *, owner: bool) -> None:
        """Let the next finger be the owner's, or somebody else's."""
        self._session.send("WebAuthn.setUserVerified", {**self._id, "isUserVerified": owner})

    def waits(self, *, present: bool) -> None:
        """Let somebody touch it, or nobody."""
        self._session.send(
            "WebAuthn.setAutomaticPresenceSimulation", {**self._id, "enabled": present}
        )


@pytest.fixture
def device(page: Page) -> Device:
    return Device(page.context.new_cdp_session(page))


@pytest.fixture
def with_passkey(
    page: Page, visitor: Visitor, live: Live, person: Person, device: Device
) -> Callable[[], Person]:
    """Make a passkey where an application needs two factors, and sign out."""

    def make() -> Person:
        page.goto(live.authorization(prompt="consent", claims=ESSENTIAL))
        visitor.sign_in(person)
        visitor.heading("Set up a second step")
        visitor.decide("Create a passkey")
        visitor.heading("Your second step is set up")
        page.get_by_role("link", name="Not now").click()
        expect(page).to_have_title("Allow access – Doorward")
        sign_out(page, live, visitor)
        return person

    return make


def sign_out(page: Page, live: Live, visitor: Visitor) -> None:
    page.goto(live.issuer)
    visitor.decide("Sign out")
    expect(page).to_have_title("Signed out – Doorward")


def accept_invitation(
    page: Page, visitor: Visitor, live: Live, mailbox: Mailbox, person: Person
) -> None:
    environment = {
        "IDP_ISSUER": live.issuer,
        "IDP_SIGN_UP": "invitation",
        "IDP_SMTP_URL": f"smtp://127.0.0.1:{mailbox.server.port}",
    }
    Place(live.database.parents[1]).json("users", "invite", person.email, environment=environment)
    page.goto(link_in(mailbox.next(person.email)))
    page.get_by_label("Name", exact=True).fill(person.name)
    page.get_by_label("Password", exact=True).fill(person.password)
    visitor.decide("Create the account")
    page.get_by_role("button", name="Continue", exact=True).click()
    visitor.prove(person.password)


def test_a_passkey_is_made_where_one_is_needed(
    page: Page, visitor: Visitor, live: Live, look: Look, person: Person, device: Device
) -> None:
    page.goto(live.authorization(prompt="consent", claims=ESSENTIAL))
    visitor.sign_in(person)
    visitor.heading("Set up a second step")
    look(page, "enrol")
    visitor.decide("Create a passkey")
    visitor.heading("Your second step is set up")
    assert len(device.passkeys()) == 1
    look(page, "recovery-codes-offered")
    visitor.decide("Get recovery codes")
    visitor.heading("Save your recovery codes")
    codes = page.locator("#recovery-codes").inner_text().split()
    assert len(codes) == 10
    look(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_text().split()[-10:] == codes
    page.get_by_role("link", name="I saved them").click()
    expect(page).to_have_title("Allow access – Doorward")
    visitor.decide("Allow")
    assert "code" in visitor.arrives()


def test_signing_in_by_the_button(
    page: Page,
    visitor: Visitor,
    live: Live,
    look: Look,
    device: Device,
    with_passkey: Callable[[], Person],
) -> None:
    person = with_passkey()
    device.waits(present=False)  # so that the suggestions of the field do not answer by themselves
    page.goto(live.authorization(prompt="consent"))
    button = page.get_by_role("button", name="Sign in with a passkey")
    expect(button).to_be_visible()
    expect(button).to_contain_text("Last used")
    look(page)
    page.get_by_label("Keep me signed in").check()
    device.waits(present=True)
    button.click()
    expect(page).to_have_title("Allow access – Doorward")
    expect(page.get_by_text(person.email)).to_be_visible()


def test_signing_in_by_autofill(
    page: Page,
    visitor: Visitor,
    live: Live,
    with_passkey: Callable[[], Person],
) -> None:
    """The virtual authenticator picks the passkey that the field suggests."""
    person = with_passkey()
    page.goto(live.authorization(prompt="consent"))
    expect(page).to_have_title("Allow access – Doorward")
    expect(page.get_by_text(person.email)).to_be_visible()


def test_as_a_second_step_and_to_confirm_it(
    page: Page,
    visitor: Visitor,
    live: Live,
    look: Look,
    device: Device,
    with_passkey: Callable[[], Person],
) -> None:
    person = with_passkey()
    device.waits(present=False)
    page.goto(live.authorization(prompt="consent"))
    visitor.sign_in(person)
    visitor.heading("Confirm it’s you")
    look(page, "passkey")
    device.waits(present=True)
    visitor.decide("Use a passkey")
    expect(page).to_have_title("Allow access – Doorward")
    page.goto(live.authorization(prompt="login consent"))
    visitor.heading("Confirm it’s you")
    expect(page.get_by_text("asks whether you are still here")).to_be_visible()
    visitor.decide("Use a passkey")
    expect(page).to_have_title("Allow access – Doorward")


def test_what_went_wrong_is_told_apart(
    page: Page,
    visitor: Visitor,
    live: Live,
    live_services: Services,
    device: Device,
    complaints: Complaints,
    with_passkey: Callable[[], Person],
) -> None:
    """A finger that is not the owner's; a passkey that the server does not know any more."""
    complaints.expect("status of 400")
    person = with_passkey()
    device.recognises(owner=False)
    page.goto(live.authorization(prompt="consent"))
    button = page.get_by_role("button", name="Sign in with a passkey")
    asked: list[Response] = []

    def offered_again(answer: Response) -> bool:
        """The page asks for the button, and then for its field again: that one must not get the
        owner's finger, or it leaves the page below the next click.
        """
        asked.extend([answer] if answer.url.endswith("/options") else [])
        return len(asked) == 2

    with page.expect_response(offered_again):
        button.click()
    expect(page.get_by_role("status").filter(has_text="Nothing was sent")).to_be_visible()
    visitor.heading("Sign in")
    account = live_services.accounts.get(person.email)
    (passkey,) = live_services.passkeys.of(account.id)
    live_services.passkeys.remove(account, passkey.id, By(OPERATOR, ORIGIN))
    device.recognises(owner=True)
    button.click()
    expect(page.get_by_role("alert")).to_contain_text("We don’t know this passkey")
    assert device.passkeys() == [], "the browser was told that it is gone"
    page.get_by_role("link", name="Use your email address").click()
    visitor.heading("Sign in")


def test_one_is_offered_to_who_made_an_account(
    page: Page,
    visitor: Visitor,
    live: Live,
    look: Look,
    mailbox: Mailbox,
    device: Device,
) -> None:
    """By an invitation, at home: it is made, named, and signs in the next time. Who says no is let
    alone.
    """
    newcomer = Person("offered@example.test", PASSWORD, "Nora New")
    accept_invitation(page, visitor, live, mailbox, newcomer)
    visitor.heading("Create a passkey?")
    look(page, "offer-passkey")
    visitor.decide("Create a passkey")
    visitor.heading("Your passkey is ready")
    assert len(device.passkeys()) == 1
    look(page, "name-passkey")
    page.get_by_label("Name", exact=True).fill("My laptop")
    visitor.decide("Continue")
    visitor.heading("Your second step is set up")
    page.get_by_role("link", name="Not now").click()
    visitor.heading("You are signed in")
    assert "passkey" in str(words(mailbox.next(newcomer.email)))
    page.goto(f"{live.issuer}/account/security")
    expect(page.get_by_role("link", name="Rename My laptop")).to_be_visible()
    sign_out(page, live, visitor)
    page.goto(f"{live.issuer}/sign-in")
    visitor.heading("You are signed in")
    sign_out(page, live, visitor)
    other = Person("declines@example.test", PASSWORD, "Dora No")
    device.waits(present=False)
    accept_invitation(page, visitor, live, mailbox, other)
    visitor.heading("Create a passkey?")
    visitor.decide("Not now")
    visitor.heading("You are signed in")
    expect(page.get_by_text(other.email)).to_be_visible()


@pytest.mark.browser_options(java_script_enabled=False)
def test_without_scripts_nothing_of_it_is_in_the_way(
    page: Page, visitor: Visitor, live: Live, person: Person
) -> None:
    page.goto(live.authorization(prompt="consent"))
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)
    visitor.sign_in(person)
    expect(page).to_have_title("Allow access – Doorward")
