"""The passkey that is offered after an account was made or got into again."""

import pytest

from idp.domain.enrolling import NOT_NOW_SECONDS
from idp.domain.services import Services
from tests.factors.test_invitations import Invite, invite
from tests.factors.test_reset import NEW, allowed
from tests.factors.test_sign_up import EMAIL, PASSWORD, at_new_account, make
from tests.support.application import ISSUER
from tests.support.browserless import Browserless, Page, Person
from tests.support.by_mail import press
from tests.support.deployment import Deployment
from tests.support.factors import Factors, factors, options, present, start_of, token_of, type_code
from tests.support.held_clock import HeldClock
from tests.support.refusals import contents, entries
from tests.support.seeds import ADA, ORIGIN

pytestmark = pytest.mark.settings(sign_up="open", development=True)
__all__ = ["invite"]
OFFER = "Create a passkey? – Doorward"
READY = "Your passkey is ready – Doorward"


def say_able(page: Page) -> Page:
    """Fill in what the page's script does where the device makes passkeys."""
    (form,) = [form for form in page.document.forms if form.named("passkeys")]
    form.named("passkeys").value = "yes"
    return page


def signed_up(deployment: Deployment, services: Services) -> tuple[Browserless, Page]:
    browser, page = at_new_account(deployment, services)
    return browser, make(browser, say_able(page))


@pytest.mark.every_database
def test_after_a_sign_up_it_is_made_named_and_counts_as_proven(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    browser, page = signed_up(deployment, services)
    assert page.title == OFFER
    nora = factors(services, clock, EMAIL)
    made = nora.device.create(options(browser, page, "passkey/offer/options"), ISSUER)
    page = present(browser, page, made, "passkey/offer")
    assert page.title == READY
    (passkey,) = services.passkeys.of(nora.account.id)
    assert page.form.named("name").value == str(passkey.name) == "Google Password Manager"
    page.form.named("name").value = ""
    refused = browser.submit(page)
    assert refused.status == 400
    refused.form.named("name").value = "Nora’s phone"
    page = browser.submit(refused)
    assert page.title.startswith("Recovery codes")
    assert [str(one.name) for one in services.passkeys.of(nora.account.id)] == ["Nora’s phone"]
    page = browser.get(start_of(page))
    assert page.title.startswith("Allow access")
    assert "code" in browser.finish(page).callback
    (session,) = services.sessions.of(nora.account.id)
    assert session.acr == "urn:doorward:acr:phishing-resistant"
    own = [one["event"] for one in entries(services.store) if one["account_id"] == nora.account.id]
    assert own.count("passkey.added") == 1
    kinds = [mail.kind for mail in services.outbox.latest(9) if mail.to == EMAIL]
    assert kinds.count("credential_added") == 1


@pytest.mark.every_database
def test_who_does_not_want_it_is_let_alone(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    """Not now: a day of rest, and no passkey is made behind anybody's back meanwhile. Never."""
    browser, page = signed_up(deployment, services)
    page = press(browser, page, "later")
    assert page.title.startswith("Allow access")
    (session,) = services.sessions.of(services.accounts.get(EMAIL).id)
    offered = services.enrolling.offerable
    assert not offered(session, "", ORIGIN.address)
    clock.advance(NOT_NOW_SECONDS)
    fresh = deployment.browserless(Person(EMAIL, PASSWORD))
    page = fresh.get("/sign-in")
    while page.form.action != "/sign-out":
        page = fresh.answer(page)
    assert "data-upgrade" in page.response.text
    mine = services.sessions.of(services.accounts.get(EMAIL).id)[0]
    assert offered(mine, "", ORIGIN.address)
    services.enrolling.decline(mine, ORIGIN, ever=True)
    assert "data-upgrade" not in fresh.get("/").response.text
    clock.advance(400 * 86_400)
    later = services.accounts.get(EMAIL).passkey_quiet_until
    assert later is not None
    assert later > clock()


def test_without_scripts_or_a_device_nobody_is_asked(
    deployment: Deployment, services: Services
) -> None:
    browser, page = at_new_account(deployment, services)
    assert page.document.forms[0].named("passkeys").value == ""
    assert make(browser, page).title.startswith("Allow access")


def test_after_a_forgotten_password(deployment: Deployment, services: Services) -> None:
    browser, page = allowed(deployment, services)
    say_able(page).form.fill("new-password", NEW)
    page = browser.submit(page)
    browser.person = Person(ADA.email, NEW)
    while "/passkey/offer" not in page.url:
        page = browser.answer(page)
    assert page.title == OFFER
    page = press(browser, page, "never")
    assert page.title.startswith("Allow access")
    assert "data-upgrade" not in page.response.text
    last = [one for one in entries(services.store) if one["event"] == "passkey.declined"]
    assert [one["detail"] for one in last] == [{"asked_again": "never"}]


def test_after_an_invitation_and_after_a_recovery_code(
    deployment: Deployment, services: Services, clock: HeldClock, invite: Invite
) -> None:
    browser = deployment.browserless(Person(EMAIL, PASSWORD))
    page = make(browser, say_able(browser.get(f"/invitation/{invite()}")))
    while "/passkey/offer" not in page.url:
        page = browser.answer(page)
    assert press(browser, page, "later").url == f"{ISSUER}/"
    ada = factors(services, clock, ADA.email).with_app()
    code = ada.recovery_codes()[0]
    browser = deployment.browserless()
    page = at_recovery(browser, deployment)
    page = type_code(browser, say_able(page), code)
    page = browser.get(start_of(page))
    assert page.title == OFFER
    ada.with_passkey()
    assert browser.get(page.url).title.startswith("Allow access")


def at_recovery(browser: Browserless, deployment: Deployment) -> Page:
    page = browser.start(deployment.client("webapp").authorization("openid email"))
    while "/second-factor" not in page.url:
        page = browser.answer(page)
    return browser.get(f"{start_of(page)}/second-factor/recovery")


def test_nobody_who_was_not_asked_gets_one_here(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    """Neither who has one, nor who waited too long, nor whose turn it is not."""
    ada: Factors = factors(services, clock, ADA.email)
    browser = deployment.browserless()
    page = browser.start(deployment.client("webapp").authorization("openid email"))
    while "/consent" not in page.url:
        page = browser.answer(page)
    before = contents(services.store)
    for path in ("passkey/offer", "passkey/offer/options", "passkey/name"):
        fields = {"csrf_token": token_of(page), "response": "{}", "name": "x"}
        assert browser.post(f"{start_of(page)}/{path}", fields, page.url).url == page.url
    assert contents(services.store) == before
    browser, page = signed_up(deployment, services)
    nora = factors(services, clock, EMAIL)
    made = nora.device.create(options(browser, page, "passkey/offer/options"), ISSUER)
    assert present(browser, page, "{}", "passkey/offer").status == 400
    clock.advance(601)
    late = present(browser, page, made, "passkey/offer")
    assert late.title.startswith("Allow access")
    assert services.passkeys.of(nora.account.id) == []
    assert services.passkeys.of(ada.account.id) == []
