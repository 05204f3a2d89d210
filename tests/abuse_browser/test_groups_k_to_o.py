"""SECURITY groups K to O: what the files of the single groups leave, to the end of each case: the
status, the error, the rows that did not change, and the entry in the audit log.
"""

import json
from collections.abc import Callable

import pytest

from idp.config import Settings
from idp.domain.audit import By
from idp.domain.services import Services
from tests.abuse_browser.asking import AUTHORIZE, at_password, signed_in
from tests.account.console import LONG_AGO, coming, forge, mails, send
from tests.support import in_process
from tests.support.application import ISSUER, Seeded, running
from tests.support.browserless import Browserless, Page
from tests.support.by_mail import asking, press, token_of, type_code
from tests.support.deployment import Deployment
from tests.support.factors import Factors, factors, options, present, start_of
from tests.support.factors import token_of as form_token
from tests.support.factors import type_code as type_second
from tests.support.held_clock import HeldClock
from tests.support.mailed import latest
from tests.support.refusals import Refused, contents, entries
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient

pytestmark = pytest.mark.settings(smtp_url="smtp://127.0.0.1:1?tls=off", network_limit=1000)
TWO = "urn:doorward:acr:two-factor"
STRONG = "urn:doorward:acr:phishing-resistant"
STRONGLY = json.dumps({"id_token": {"acr": {"essential": True, "values": [STRONG]}}})
SECURITY = "/account/security"
COOKIE, DEVICE = "__Host-doorward", "__Host-doorward-device"
CODE_PAGE = "/second-factor/code"


@pytest.fixture
def ada(services: Services, clock: HeldClock) -> Factors:
    return factors(services, clock, ADA.email)


def half(browser: Browserless, client: TokenClient, **changes: str) -> Page:
    """Prove the first factor."""
    page = browser.start(client.authorization("openid email", **changes))
    return browser.answer(at_password(browser, page))


def newest(services: Services, event: str) -> dict[str, object]:
    """Return what the newest entry of an event tells."""
    found = [one for one in entries(services.store) if one["event"] == event]
    return {name: found[-1][name] for name in ("outcome", "account_id", "detail")}


def test_case_090_a_forged_device_cookie_is_trusted_by_nobody(
    deployment: Deployment, webapp: TokenClient, ada: Factors, services: Services
) -> None:
    """Neither one made of what is known of person and browser, nor of another browser's row."""
    ada.with_app()
    trusted = deployment.browserless()
    page = type_second(trusted, half(trusted, webapp), ada.next_code(), trust=True)
    assert page.title.startswith("Allow access"), page
    (device,) = services.devices.of(ada.account.id)
    with services.store.reading() as connection:
        row = connection.exec_driver_sql("SELECT cookie_digest FROM devices").one()
    real = str(trusted.http.cookies[DEVICE])
    made = (device.id, ada.account.id, ada.account.subject, bytes(row[0]).hex())
    before = contents(services.store)["devices"]
    for value in (*made, "A" * 43, real[:-1], real[::-1], real.swapcase(), f"{real}A"):
        ada.clock.advance(901)
        browser = deployment.browserless()
        browser.http.cookies.set(DEVICE, value, domain="id.example.test", path="/")
        assert half(browser, webapp).url.endswith(CODE_PAGE), value
    assert contents(services.store)["devices"] == before
    (session,) = services.sessions.of(ada.account.id)
    assert session.acr == TWO, "the first one's"


@pytest.mark.every_database
@pytest.mark.parametrize("way", ["code", "link"])
def test_case_097_a_mailed_proof_leaves_the_second_factor_needed(
    way: str, deployment: Deployment, services: Services, ada: Factors
) -> None:
    ada.with_app()
    browser, page = asking(deployment)
    if way == "code":
        page = type_code(browser, page, str(latest(services, "sign_in_link")["code"]))
    else:
        page = press(browser, browser.get(f"/mail/{token_of(services)}"), "confirm")
    assert (page.status, page.url) == (200, f"{start_of(page)}{CODE_PAGE}")
    assert services.sessions.of(ada.account.id) == []
    assert newest(services, "sign_in.factor") == {
        "outcome": "done",
        "account_id": ada.account.id,
        "detail": {"factor": "mail", "missing": "second"},
    }
    silent = browser.start(deployment.client("webapp").authorization(prompt="none"))
    assert silent.callback["error"] == "login_required"
    type_second(browser, page, ada.next_code())
    (session,) = services.sessions.of(ada.account.id)
    assert (session.acr, session.amr) == (TWO, ("email", "otp", "mfa"))


def test_case_098_a_used_link_of_a_reset_is_refused_and_recorded(
    deployment: Deployment, services: Services, refused: Refused
) -> None:
    """Used, and the password changed by it: its second use is refused in every browser."""
    browser = deployment.browserless()
    page = at_password(browser, browser.start(deployment.client("webapp").authorization()))
    page = browser.get(f"{start_of(page)}/forgot")
    browser.submit(page)
    token = token_of(services)
    page = press(browser, browser.get(f"/mail/{token}"), "confirm")
    page.form.fill("new-password", "seven green bottles on the wall")
    assert "Your password was changed" in browser.submit(page).text
    stranger = deployment.browserless(None)
    blank = stranger.get("/sign-in")
    for who, where in ((browser, browser.get("/sign-in")), (stranger, blank)):
        fields = {"csrf_token": form_token(where), "decision": "confirm"}
        with refused("sign_in", times=1) as told:
            answer = who.post(f"/mail/{token}", fields, where.url)
        assert (answer.status, "does not work any more" in answer.title) == (404, True)
        assert told[0]["account_id"] == services.accounts.get(ADA.email).id


def test_case_098_a_link_of_a_sign_in_proves_no_new_address_and_the_reverse(
    deployment: Deployment, services: Services
) -> None:
    grace = deployment.browserless(GRACE)
    page = send(grace, coming(grace, "/account/email"), "/account/email", email="new@example.test")
    link = str(latest(services, "prove_address")["link"])
    asking(deployment)
    token, before = token_of(services), contents(services.store)
    for path in (f"/mail/{link.rpartition('/')[2]}", f"/account/email/link/{token}"):
        answer = grace.get(path)
        assert answer.status in {400, 404}, path
        assert forge(grace, page, path).status in {400, 404}, path
    assert contents(services.store) == before
    assert services.accounts.get(GRACE.email).email == GRACE.email


def test_case_100_a_challenge_to_make_a_passkey_signs_nobody_in(
    deployment: Deployment, services: Services, webapp: TokenClient, ada: Factors, refused: Refused
) -> None:
    """Ada's own, unused, in her own browser: it is for the other ceremony."""
    browser = signed_in(deployment)
    ada.with_passkey()
    page = coming_by_passkey(browser, ada, f"{SECURITY}/passkeys/add")
    answer = browser.http.post(
        f"{ISSUER}{SECURITY}/passkeys/options",
        headers={"X-CSRFToken": form_token(page), "Referer": page.url},
    )
    making = json.loads(answer.text)
    forged = json.dumps(making | {"rpId": making["rp"]["id"]})
    again = browser.start(webapp.authorization("openid", prompt="login"))
    response = ada.device.get(forged, ISSUER)
    with refused("sign_in", times=1) as told:
        assert present(browser, again, response).status == 400
    assert told[0]["detail"]["factor"] == "passkey"


def coming_by_passkey(browser: Browserless, mine: Factors, path: str) -> Page:
    """Open a page of the console by way of a passkey."""
    page = browser.get(path)
    assert page.url.endswith("/passkey"), page
    answer = mine.device.get(options(browser, page), ISSUER)
    page = present(browser, page, answer)
    assert page.url.endswith(path), page
    return page


def making_app(browser: Browserless, page: Page) -> Page:
    fields = {"csrf_token": form_token(page), "decision": "authenticator"}
    return browser.post(f"{start_of(page)}/enrol", fields, page.url)


def making_passkey(browser: Browserless, page: Page) -> Page:
    fields = {"csrf_token": form_token(page)}
    return browser.post(f"{start_of(page)}/enrol/passkey/options", fields, page.url)


def test_case_106_an_old_session_makes_nothing_and_that_is_recorded(
    deployment: Deployment,
    webapp: TokenClient,
    ada: Factors,
    clock: HeldClock,
    refused: Refused,
) -> None:
    browser = signed_in(deployment)
    page = browser.start(webapp.authorization("openid", claims=STRONGLY))
    assert page.title.startswith("Set up a passkey"), page
    clock.advance(LONG_AGO)
    browser.get("/")
    with refused("access.refused", times=1) as told:
        assert making_passkey(browser, page).status == 403
    assert told[0]["account_id"] == ada.account.id
    assert told[0]["detail"] == {"action": "account/enrol_credentials"}


@pytest.mark.parametrize("make", [making_app, making_passkey])
def test_case_106_half_a_sign_in_makes_nothing(
    make: Callable[[Browserless, Page], Page],
    browserless: Browserless,
    webapp: TokenClient,
    ada: Factors,
    services: Services,
) -> None:
    """It is not its turn, so it leads back to the second step, and there is nothing to record."""
    ada.with_app()
    page = half(browserless, webapp, claims=STRONGLY)
    before = contents(services.store)
    answer = make(browserless, page)
    assert answer.url.endswith(CODE_PAGE) or answer.status == 403, answer
    assert contents(services.store) == before
    assert services.sessions.of(ada.account.id) == []


def test_case_108_every_guess_is_recorded_and_changes_nothing(
    browserless: Browserless, webapp: TokenClient, ada: Factors, refused: Refused
) -> None:
    ada.with_app()
    page = half(browserless, webapp)
    for _ in range(5):
        with refused("sign_in", times=1) as told:
            assert type_second(browserless, page, ada.wrong_code()).status == 400
        assert told[0]["account_id"] == ada.account.id
        assert told[0]["detail"] == {"factor": "authenticator"}
    before = contents(ada.services.store)
    waits = type_second(browserless, page, ada.code())
    assert waits.status == 429
    assert int(waits.response.headers["Retry-After"]) >= 1
    assert contents(ada.services.store) == before


@pytest.mark.every_database
def test_case_112_an_app_goes_after_a_step_up_only_and_its_person_is_told(
    deployment: Deployment, services: Services, ada: Factors
) -> None:
    browser = signed_in(deployment)
    ada.with_app()
    (app,) = services.authenticators.of(ada.account.id)
    path = f"{SECURITY}/authenticators/{app.id}/remove"
    before = contents(services.store)
    page = forge(browser, browser.get("/account/profile"), path)
    assert page.url.endswith(CODE_PAGE), page
    after = contents(services.store)
    assert {name for name in after if after[name] != before[name]} == {"one_time"}, "the visit"
    assert mails(services)[0] == ("credential_added", ADA.email)
    page = type_second(browser, page, ada.next_code())
    assert "Nothing was changed yet" in page.text
    assert "It was removed" in send(browser, page, path).text
    assert services.authenticators.of(ada.account.id) == []
    assert mails(services)[0] == ("credential_removed", ADA.email)
    assert newest(services, "authenticator.removed")["account_id"] == ada.account.id


def test_case_114_a_step_up_has_a_new_cookie_and_the_old_one_is_dead(
    deployment: Deployment, webapp: TokenClient, ada: Factors, services: Services
) -> None:
    """Also where a role came meanwhile: what it may do is for the cookie of the step-up."""
    browser = signed_in(deployment)
    ada.with_app()
    before = browser.http.cookies.copy()
    services.memberships.grant(ADA.email, roles=["auditor"], origin=ORIGIN, actor=OPERATOR)
    page = browser.get("/admin")
    assert page.url.endswith(CODE_PAGE), page
    page = type_second(browser, page, ada.next_code())
    assert page.url.startswith(f"{ISSUER}/admin"), page
    assert browser.http.cookies[COOKIE] != before[COOKIE]
    thief = deployment.browserless(None)
    thief.http.cookies = before
    assert thief.get("/").title.startswith("Welcome")
    assert "/interaction/" in thief.get("/admin").url
    silent = thief.get(AUTHORIZE, webapp.authorization(prompt="none"))
    assert silent.callback["error"] == "login_required"


def killed(services: Services, clock: HeldClock) -> None:
    """End it in the admin console."""
    services.memberships.grant(GRACE.email, roles=["administrator"], origin=ORIGIN, actor=OPERATOR)
    by = By(f"account:{services.accounts.get(GRACE.email).id}", ORIGIN)
    services.people.end_sessions(services.accounts.get(ADA.email).id, by)


def deleted(services: Services, clock: HeldClock) -> None:
    """Delete the account, after its time of grace."""
    account = services.accounts.get(ADA.email)
    services.own.deletion.plan(account, ADA.email, By(f"account:{account.id}", ORIGIN))
    clock.advance(services.settings.deletion_grace)
    assert services.own.deletion.delete_due() == 1


ENDS: dict[str, tuple[Callable[[Services, HeldClock], None], str]] = {
    "killed": (killed, "session.ended"),
    "deleted": (deleted, "account.deleted"),
}


@pytest.mark.settings(deletion_grace=3600)
@pytest.mark.every_database
@pytest.mark.parametrize("end", ENDS)
def test_case_116_a_session_that_others_ended_is_refused_at_once_on_every_node(
    end: str,
    deployment: Deployment,
    services: Services,
    settings: Settings,
    clock: HeldClock,
    seeded: Seeded,
) -> None:
    """By an administrator, and with the whole account."""
    browser = signed_in(deployment)
    bound = deployment.client("own").sign_in(browser)
    deed, event = ENDS[end]
    deed(services, clock)
    assert newest(services, event)["outcome"] == "done"
    with running(settings, clock) as other:
        elsewhere = Deployment(
            settings.issuer, seeded.seeds, lambda: in_process.session(other, settings.issuer)
        )
        for place in (deployment, elsewhere):
            late = place.browserless(None)
            late.http.cookies = browser.http.cookies.copy()
            assert late.get("/").title.startswith("Welcome")
            assert "/interaction/" in late.get("/account").url
            client = place.client("own")
            assert client.refresh(bound["refresh_token"]).json()["error"] == "invalid_grant"
            assert not client.active(bound["access_token"])


@pytest.mark.every_database
def test_case_114_the_cookie_of_before_and_the_password_are_no_second_factor(
    deployment: Deployment, webapp: TokenClient, ada: Factors, services: Services
) -> None:
    """Somebody planted the cookie and knows the password; the second step was Ada's alone."""
    ada.with_app()
    browser = deployment.browserless()
    page = half(browser, webapp)
    thief = deployment.browserless()
    thief.http.cookies = browser.http.cookies.copy()
    page = type_second(browser, page, ada.next_code())
    assert page.title.startswith("Allow access"), page
    blank = thief.get("/")
    fields = {"csrf_token": form_token_of_menus(blank), "password": ADA.password}
    answer = thief.post(f"{start_of(page)}/password", fields, blank.url)
    assert not answer.title.startswith("Allow access"), answer
    assert thief.get("/").title.startswith("Welcome"), "nobody is signed in there"
    assert browser.get("/").title.startswith("Your account")
    assert "code" in browser.finish(browser.get(page.url)).callback


def form_token_of_menus(page: Page) -> str:
    """Return the form token of a page, of whatever form it has."""
    return [*page.document.forms, *page.document.menus][0].named("csrf_token").value
