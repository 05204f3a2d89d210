"""Sessions and devices: where somebody is signed in, ended there and on every node."""

import re

import pytest

from idp.config import Settings
from idp.domain.services import Services
from tests.abuse_browser.asking import signed_in
from tests.account.console import coming, events, forge, form_of, opened, send
from tests.support import in_process
from tests.support.application import Seeded, running
from tests.support.browserless import Browserless, Page
from tests.support.by_mail import PHONE, WINDOWS
from tests.support.deployment import Deployment
from tests.support.factors import factors
from tests.support.held_clock import HeldClock
from tests.support.refusals import Refused
from tests.support.seeds import ADA, GRACE

SESSIONS = "/account/sessions"
NOBODYS = "018f0000-0000-7000-8000-000000000000"
both_databases = pytest.mark.every_database


def on(deployment: Deployment, user_agent: str) -> Browserless:
    """Return a browser of that kind in which Ada is signed in."""
    browser = deployment.browserless()
    browser.http.headers["User-Agent"] = user_agent
    coming(browser, "/sign-in")
    return browser


def ends(page: Page) -> list[str]:
    """Return the paths that end one session."""
    paths = [form.action for form in page.document.forms]
    return [path for path in paths if re.fullmatch(r"/account/sessions/[0-9a-f-]{36}/end", path)]


@both_databases
def test_one_is_signed_out_and_this_one_is_marked(
    deployment: Deployment, services: Services
) -> None:
    phone, here = on(deployment, PHONE), on(deployment, WINDOWS)
    page = here.get(SESSIONS)
    assert "Firefox on Windows This one" in page.text
    assert "Safari on iOS" in page.text
    (end,) = ends(page)
    page = send(here, page, end)
    assert "That session has ended" in page.text
    assert ends(page) == []
    assert "/interaction/" in phone.get(SESSIONS).url
    assert events(services)[-1] == "session.ended"


def test_what_a_browser_calls_itself_is_not_repeated(deployment: Deployment) -> None:
    page = on(deployment, "<script>alert(1)</script>").get(SESSIONS)
    assert "an unknown browser" in page.text
    assert "alert(1)" not in page.response.text


@both_databases
def test_case_116_all_others_end_at_once_on_every_node(
    deployment: Deployment, settings: Settings, clock: HeldClock, seeded: Seeded
) -> None:
    others = [signed_in(deployment) for _ in range(2)]
    bound = deployment.client("own").sign_in(others[0])
    here, page = opened(deployment, SESSIONS)
    with running(settings, clock) as node:
        elsewhere = Deployment(
            settings.issuer, seeded.seeds, lambda: in_process.session(node, settings.issuer)
        )
        moved = []
        for one in (*others, here):
            browser = elsewhere.browserless()
            browser.http.cookies = one.http.cookies.copy()
            assert browser.get(SESSIONS).url.endswith(SESSIONS)
            moved.append(browser)
        assert "signed out everywhere else" in send(here, page, "/account/sessions/others/end").text
        for browser in (*others, *moved[:2]):
            assert "/interaction/" in browser.get(SESSIONS).url
        assert moved[2].get(SESSIONS).url.endswith(SESSIONS)
        assert not elsewhere.client("own").active(bound["access_token"])
    assert here.get(SESSIONS).url.endswith(SESSIONS)


@both_databases
def test_a_trusted_browser_is_trusted_no_more_and_a_known_one_forgotten(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    mine = factors(services, clock, ADA.email).with_app()
    browser = deployment.browserless()
    page = browser.answer(browser.answer(browser.get("/sign-in")))
    form = page.document.forms[0]
    form.named("code").value = mine.next_code()
    form.named("trust").attributes["checked"] = ""
    browser.submit(page, form=form)
    (device,) = services.devices.of(mine.account.id)
    assert device.trusted_until is not None
    page = browser.get(SESSIONS)
    assert "trusted until" in page.text
    page = send(browser, page, f"/account/devices/{device.id}/distrust")
    assert "not trusted any more" in page.text
    assert services.devices.of(mine.account.id)[0].trusted_until is None
    page = send(browser, page, f"/account/devices/{device.id}/forget")
    assert "was forgotten" in page.text
    assert services.devices.of(mine.account.id) == []
    assert events(services)[-2:] == ["device.distrusted", "device.forgotten"]


@both_databases
@pytest.mark.parametrize("path", ["sessions/{}/end", "devices/{}/forget", "devices/{}/distrust"])
def test_case_136_other_peoples_sessions_and_devices_are_not_there(
    path: str, deployment: Deployment, services: Services, refused: Refused
) -> None:
    grace = deployment.browserless(GRACE)
    coming(grace, "/sign-in")
    person = services.accounts.get(GRACE.email)
    kept = services.sessions if path.startswith("sessions") else services.devices
    (hers,) = kept.of(person.id)
    browser, page = opened(deployment, SESSIONS)
    for wanted in (hers.id, NOBODYS, "x", "%00", "x" * 300):
        with refused("access.refused", times=1) as told:
            assert forge(browser, page, f"/account/{path.format(wanted)}").status == 404
        assert told[0]["account_id"] == services.accounts.get(ADA.email).id
    assert kept.of(person.id) == [hers]
    assert grace.get(SESSIONS).url.endswith(SESSIONS)


def test_another_account_of_this_browser_is_gone_on_with_and_no_other(
    deployment: Deployment, services: Services
) -> None:
    browser, page = opened(deployment, "/account")
    grace = services.accounts.get(GRACE.email)
    page = forge(browser, page, "/account/switch", {"account": grace.id, "return_to": "//evil"})
    assert ADA.name in page.text, "Grace is not signed in here"
    browser.person = GRACE
    page = coming(browser, "/sign-in?another=1&next=/account")
    assert f"Hello, {GRACE.name}" in page.text
    assert form_of(page, "/account/switch").button("account", grace.id) is None
    page = send(browser, page, "/account/switch", account=services.accounts.get(ADA.email).id)
    assert f"Hello, {ADA.name}" in page.text
