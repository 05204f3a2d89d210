"""SECURITY case 89 for the pages of passkeys, the second step and enrolment: at each stage, out of
turn, nothing gets further.
"""

import json

import pytest

from idp.domain.services import Services
from tests.abuse_browser.asking import at_password
from tests.abuse_browser.test_case_089_stages import BODIES, STAGES, handle_of
from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.factors import factors
from tests.support.held_clock import HeldClock
from tests.support.refusals import contents, entries
from tests.support.seeds import ADA

pytestmark = pytest.mark.settings(network_limit=10_000)
ESSENTIAL = json.dumps(
    {"id_token": {"acr": {"essential": True, "values": ["urn:doorward:acr:two-factor"]}}}
)
POSTS = (
    "second-factor/code",
    "second-factor/recovery",
    "enrol",
    "enrol/authenticator",
    "enrol/passkey",
    "enrol/passkey/options",
    "recovery-codes",
)
ANYBODY = ("passkey", "passkey/options", "other-ways")
"""Part of the turn in which it is open who signs in."""
EARLIER = ("sign-in", "password", "account", "switch", "consent")
MORE_BODIES = (
    {"code": "000000"},
    {"decision": "authenticator"},
    {"response": "{}"},
    {"trust": "yes"},
)


def nothing_happens(browser: Browserless, page: Page, names: tuple[str, ...]) -> None:
    """Ask and answer each page; each leads back into the interaction."""
    start = f"{browser.origin}/interaction/{handle_of(page)}"
    token = {"csrf_token": page.document.forms[0].named("csrf_token").value}
    for name in names:
        url = f"{start}/{name}"
        if not name.endswith("options"):
            answer = browser.http.get(url, allow_redirects=False)
            assert answer.status_code == 303, f"{name}: {answer.status_code}"
            assert answer.headers["Location"].startswith("/interaction/"), name
        for body in (*BODIES, *MORE_BODIES):
            answer = browser.http.post(
                url, data={**token, **body}, headers={"Referer": page.url}, allow_redirects=False
            )
            wanted = {303, 405} if name == "other-ways" else {303}
            assert answer.status_code in wanted, f"{name} {body}: {answer.status_code}"
            location = answer.headers.get("Location", "/interaction/")
            assert location.startswith("/interaction/"), f"{name} {body}"
    assert browser.get(start).url == page.url


@pytest.mark.parametrize("stage", [name for name in STAGES if name != "password"])
def test_case_089_a_second_step_out_of_turn(
    stage: str, deployment: Deployment, services: Services
) -> None:
    """Before a first factor was proven, and after nothing is missing any more."""
    browser, page = STAGES[stage](deployment)
    open_to_all = stage in {"sign-in", "visit"}
    asked_again = stage == "fresh"
    before = contents(services.store)
    names = POSTS if open_to_all or asked_again else POSTS + ANYBODY
    nothing_happens(browser, page, names)
    if not asked_again:
        assert contents(services.store) == before
    factors_made = ("passkey.", "authenticator.", "recovery_codes.")
    assert not [one for one in entries(services.store) if one["event"].startswith(factors_made)]


@pytest.mark.parametrize("stage", ["second", "enrol"])
def test_case_089_an_earlier_page_at_the_second_step(
    stage: str, deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    """The way back is closed, too: what was proven stays, and nobody else takes it over."""
    if stage == "second":
        factors(services, clock, ADA.email).with_app()
    browser = deployment.browserless()
    request = deployment.client("webapp").authorization("openid", claims=ESSENTIAL)
    page = browser.answer(at_password(browser, browser.start(request)))
    before = contents(services.store)
    other = ("passkey", "enrol", "enrol/authenticator") if stage == "second" else POSTS[:2]
    nothing_happens(browser, page, (*EARLIER, *other, "recovery-codes"))
    assert contents(services.store) == before
    assert services.sessions.of(services.accounts.get(ADA.email).id) == []
    stranger = deployment.browserless(None)
    for name in (*POSTS, *ANYBODY, "second-factor"):
        url = f"{browser.origin}/interaction/{handle_of(page)}/{name}"
        if not name.endswith("options"):
            assert stranger.http.get(url, allow_redirects=False).status_code == 404, name
        if name != "second-factor":
            fields = {"csrf_token": page.document.forms[0].named("csrf_token").value}
            answer = stranger.http.post(
                url, data=fields, headers={"Referer": page.url}, allow_redirects=False
            )
            assert answer.status_code in {303, 404, 405}, name
    assert contents(services.store) == before
