"""SECURITY group N over HTTP: codes that are guessed, half sign-ins, step-up, trusted browsers."""

import json
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest

from idp.domain.audit import By
from idp.domain.interactions import Progress
from idp.domain.services import Services
from tests.abuse_browser.asking import AUTHORIZE, at_password, signed_in, try_password
from tests.support.application import ISSUER
from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.factors import Factors, factors, start_of, token_of, type_code, use_passkey
from tests.support.held_clock import HeldClock
from tests.support.refusals import Refused, contents, entries
from tests.support.seeds import ADA, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

ONE = "urn:doorward:acr:one-factor"
TWO = "urn:doorward:acr:two-factor"
STRONG = "urn:doorward:acr:phishing-resistant"
CODE_PAGE = "/second-factor/code"


def essential(acr: str) -> str:
    return json.dumps({"id_token": {"acr": {"essential": True, "values": [acr]}}})


@pytest.fixture
def ada(services: Services, clock: HeldClock) -> Factors:
    return factors(services, clock, ADA.email).with_app()


def half(browser: Browserless, client: TokenClient, **changes: str) -> Page:
    """Prove the first factor, and stand before the second."""
    page = browser.start(client.authorization("openid email", **changes))
    return browser.answer(at_password(browser, page))


def whole(browser: Browserless, client: TokenClient, ada: Factors, *, trust: bool = False) -> None:
    """Sign in with both."""
    browser.finish(type_code(browser, half(browser, client), ada.next_code(), trust=trust))


def told(browser: Browserless, client: TokenClient, page: Page) -> dict[str, object]:
    """Return what the ID token says."""
    answer = client.redeem(browser.finish(page).callback)
    assert answer.status_code == 200, answer.text
    claims: dict[str, object] = claims_of(answer.json()["id_token"])
    return claims


def sign_out(browser: Browserless) -> None:
    browser.submit(browser.get("/"))


def test_case_108_correct_passwords_do_not_reset_the_counter(
    deployment: Deployment, webapp: TokenClient, ada: Factors
) -> None:
    """Each guess from a new browser, each after a correct password."""
    statuses = []
    for _ in range(12):
        browser = deployment.browserless()
        page = browser.start(webapp.authorization("openid"))
        page = at_password(browser, page)
        page = try_password(browser, page, ADA.password)
        if page.status == 429:
            statuses.append(429)
            continue
        statuses.append(type_code(browser, page, ada.wrong_code()).status)
    assert statuses.count(400) <= 5
    assert statuses[-1] == 429
    ada.clock.advance(901)
    browser = deployment.browserless()
    page = half(browser, webapp)
    assert "Allow access" in type_code(browser, page, ada.next_code()).title


def test_case_108_the_wait_holds_the_right_code_back_too(
    browserless: Browserless, webapp: TokenClient, ada: Factors
) -> None:
    page = half(browserless, webapp)
    statuses = [type_code(browserless, page, ada.wrong_code()).status for _ in range(6)]
    assert 429 in statuses
    assert type_code(browserless, page, ada.code()).status == 429
    assert ada.services.sessions.of(ada.account.id) == []


def test_case_108_codes_and_recovery_codes_share_the_counter(
    browserless: Browserless, webapp: TokenClient, ada: Factors
) -> None:
    ada.recovery_codes()
    page = half(browserless, webapp)
    recovery = browserless.get(f"{start_of(page)}/second-factor/recovery")
    statuses = []
    for _ in range(4):
        statuses.append(type_code(browserless, page, ada.wrong_code()).status)
        statuses.append(type_code(browserless, recovery, "0000-0000-0000").status)
    assert statuses.count(400) <= 5
    assert statuses[-1] == 429


def everywhere(browser: Browserless, client: TokenClient) -> Iterator[tuple[str, Page]]:
    """Every place that could take a half sign-in for a whole one."""
    for prompt in ("none", None):
        yield AUTHORIZE, browser.start(client.authorization("openid", prompt=prompt))
    for path in ("/", "/account", "/account/security", "/admin"):
        yield path, browser.get(path)


def test_case_109_pending_is_not_signed_in(
    browserless: Browserless, webapp: TokenClient, ada: Factors
) -> None:
    page = half(browserless, webapp)
    assert page.url.endswith(CODE_PAGE)
    for where, answer in everywhere(browserless, webapp):
        assert "code" not in (answer.callback if answer.left_for else {}), where
        assert ADA.email not in answer.text, where
        assert ADA.name not in answer.text, where
    own = start_of(page)
    for path in ("consent", "account", "switch", "recovery-codes", "enrol", "sign-in", "password"):
        assert browserless.get(f"{own}/{path}").url == page.url, path
        fields = {"csrf_token": token_of(page), "decision": "allow", "code": "", "password": "x"}
        assert browserless.post(f"{own}/{path}", fields, page.url).url == page.url, path
    userinfo = browserless.http.get(browserless.discovery["userinfo_endpoint"])
    assert userinfo.status_code == 401
    assert ada.services.sessions.of(ada.account.id) == []
    with ada.services.store.reading() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM authorizations").scalar_one()
    assert count == 0


def test_case_109_a_code_without_a_first_factor_is_nothing(
    browserless: Browserless, webapp: TokenClient, ada: Factors
) -> None:
    page = browserless.start(webapp.authorization("openid"))
    before = contents(ada.services.store)
    for path in ("second-factor", "second-factor/code", "second-factor/recovery"):
        url = f"{start_of(page)}/{path}"
        assert browserless.get(url).url == page.url
        if path != "second-factor":
            fields = {"csrf_token": token_of(page), "code": ada.code()}
            assert browserless.post(url, fields, page.url).url == page.url
    assert contents(ada.services.store) == before


def test_case_110_an_acr_is_reached_by_a_real_second_step(
    deployment: Deployment, webapp: TokenClient, services: Services, clock: HeldClock
) -> None:
    """The session of before is weaker; what it lacks is asked for, and told as it is."""
    browser = signed_in(deployment)
    ada = factors(services, clock, ADA.email).with_app()
    began = int(clock())
    clock.advance(60)
    page = browser.start(webapp.authorization("openid", acr_values=TWO))
    assert page.url.endswith(CODE_PAGE)
    assert "Your account is protected by a second step" in page.text
    said = told(browser, webapp, type_code(browser, page, ada.next_code()))
    assert (said["acr"], said["amr"]) == (TWO, ["pwd", "otp", "mfa"])
    assert said["auth_time"] == began, "the older of the two proofs"


def test_case_110_a_weaker_answer_says_that_it_is_weaker(
    browserless: Browserless, webapp: TokenClient
) -> None:
    """Ada has one factor; the level is asked for, but not essential."""
    page = browserless.start(webapp.authorization("openid", acr_values=TWO))
    said = told(browserless, webapp, browserless.answer(at_password(browserless, page)))
    assert said["acr"] == ONE
    assert said["amr"] == ["pwd"]


@pytest.mark.parametrize("acr", [TWO, STRONG])
def test_case_110_an_essential_acr_is_reached_or_refused(
    browserless: Browserless, webapp: TokenClient, acr: str
) -> None:
    silent = browserless.authorize(
        webapp.authorization("openid", claims=essential(acr), prompt="none")
    )
    assert silent["error"] == "login_required"
    page = half(browserless, webapp, claims=essential(acr))
    fields = {"csrf_token": token_of(page)}
    ended = browserless.post(f"{start_of(page)}/cancel", fields, page.url)
    assert ended.callback["error"] == "unmet_authentication_requirements"


def test_case_110_a_code_does_not_reach_what_only_a_passkey_does(
    browserless: Browserless, webapp: TokenClient, ada: Factors
) -> None:
    ada.with_passkey()
    page = half(browserless, webapp, claims=essential(STRONG))
    assert page.url.endswith("/passkey")
    code = browserless.get(f"{start_of(page)}{CODE_PAGE}")
    assert code.url == page.url
    assert "recovery" not in " ".join(page.document.links.values())
    fields = {"csrf_token": token_of(page), "code": ada.next_code()}
    assert browserless.post(f"{start_of(page)}{CODE_PAGE}", fields, page.url).url == page.url
    said = told(browserless, webapp, use_passkey(browserless, page, ada))
    assert said["acr"] == STRONG


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "59"}])
def test_case_110_really_asked_again(
    browserless: Browserless,
    webapp: TokenClient,
    ada: Factors,
    clock: HeldClock,
    asked: dict[str, str],
) -> None:
    whole(browserless, webapp, ada)
    clock.advance(60)
    page = browserless.start(webapp.authorization("openid", **asked))
    assert page.title.startswith("Confirm it’s you")
    assert page.form.editable("current-password")
    page = browserless.answer(page)
    assert page.url.endswith(CODE_PAGE)
    assert type_code(browserless, page, ada.wrong_code()).status == 400
    page = type_code(browserless, page, ada.next_code())
    said = told(browserless, webapp, page)
    assert (said["acr"], said["amr"]) == (TWO, ["pwd", "otp", "mfa"])
    assert int(clock()) - int(str(said["auth_time"])) <= 30


def test_case_110_a_code_alone_makes_nothing_fresh(
    browserless: Browserless, webapp: TokenClient, ada: Factors, clock: HeldClock
) -> None:
    whole(browserless, webapp, ada)
    clock.advance(60)
    page = browserless.start(webapp.authorization("openid", prompt="login"))
    for path in ("second-factor/code", "second-factor/recovery", "passkey"):
        fields = {"csrf_token": token_of(page), "code": ada.next_code()}
        answer = browserless.post(f"{start_of(page)}/{path}", fields, page.url)
        assert answer.title.startswith("Confirm it’s you")
        assert answer.form.editable("current-password")


def test_case_112_a_factor_is_removed_by_a_recent_and_full_sign_in_only(
    browserless: Browserless, webapp: TokenClient, ada: Factors, services: Services
) -> None:
    """The visit that the console begins: a password alone does not open it."""
    whole(browserless, webapp, ada)
    ada.clock.advance(601)
    page = visit(browserless, services, "account/change_credentials")
    assert page.form.editable("current-password")
    page = browserless.answer(page)
    assert page.url.endswith(CODE_PAGE)
    assert "Confirm your second step" in page.text
    assert "Trust this device" not in page.text
    page = type_code(browserless, page, ada.next_code())
    assert page.url == f"{ISSUER}/"


def visit(browser: Browserless, services: Services, action: str) -> Page:
    """Begin a visit of our own pages, as the console does."""
    from_console = services.interactions.open(
        Progress(action=action, return_to="/"), cookie_of(browser), ORIGIN
    )
    return browser.get(urljoin(ISSUER, f"/interaction/{from_console}"))


def cookie_of(browser: Browserless) -> str:
    return next(
        cookie.value or "" for cookie in browser.http.cookies if not cookie.name.endswith("-device")
    )


def test_a_trusted_browser_counts_for_ordinary_people_only(
    browserless: Browserless, webapp: TokenClient, ada: Factors, services: Services
) -> None:
    whole(browserless, webapp, ada, trust=True)
    sign_out(browserless)
    assert "Allow access" in half(browserless, webapp, prompt="consent").title
    sign_out(browserless)
    services.memberships.grant(ADA.email, roles=["operator"], origin=ORIGIN, actor=OPERATOR)
    assert half(browserless, webapp).url.endswith(CODE_PAGE)


def test_a_trusted_browser_is_no_step_up(
    browserless: Browserless, webapp: TokenClient, ada: Factors, services: Services
) -> None:
    whole(browserless, webapp, ada, trust=True)
    sign_out(browserless)
    assert half(browserless, webapp, acr_values=TWO).url.endswith(CODE_PAGE)
    half(browserless, webapp)
    ended = browserless.get(ISSUER)
    assert ended.title.startswith("Your account")
    page = visit(browserless, services, "account/change_credentials")
    assert page.url.endswith(CODE_PAGE)


def test_trust_that_is_taken_back_is_gone_at_once(
    browserless: Browserless, webapp: TokenClient, ada: Factors, services: Services
) -> None:
    whole(browserless, webapp, ada, trust=True)
    sign_out(browserless)
    (device,) = services.devices.of(ada.account.id)
    services.devices.distrust(ada.account.id, device.id, By(OPERATOR, ORIGIN))
    assert half(browserless, webapp).url.endswith(CODE_PAGE)


def test_trust_ends(
    browserless: Browserless, webapp: TokenClient, ada: Factors, clock: HeldClock
) -> None:
    whole(browserless, webapp, ada, trust=True)
    sign_out(browserless)
    clock.advance(30 * 86400)
    assert half(browserless, webapp).url.endswith(CODE_PAGE)


def test_a_cookie_copied_before_the_trust_is_worth_nothing(
    deployment: Deployment, browserless: Browserless, webapp: TokenClient, ada: Factors
) -> None:
    whole(browserless, webapp, ada)
    sign_out(browserless)
    copied = browserless.http.cookies.copy()
    whole(browserless, webapp, ada, trust=True)
    thief = deployment.browserless()
    thief.http.cookies.update(copied)
    assert half(thief, webapp).url.endswith(CODE_PAGE)
    assert "device.trusted" in [entry["event"] for entry in entries(ada.services.store)]


def test_a_wrong_second_step_is_recorded_and_changes_nothing(
    browserless: Browserless, webapp: TokenClient, ada: Factors, refused: Refused
) -> None:
    page = half(browserless, webapp)
    with refused("sign_in", times=1) as found:
        type_code(browserless, page, ada.wrong_code())
    assert found[0]["detail"]["factor"] == "authenticator"
    assert found[0]["account_id"] == ada.account.id


def test_of_several_wishes_the_first_that_the_person_can_reach_is_asked_for(
    deployment: Deployment, webapp: TokenClient, ada: Factors
) -> None:
    """A trusted browser would do without; the client likes a passkey best, which Ada has not."""
    browser = deployment.browserless()
    whole(browser, webapp, ada, trust=True)
    sign_out(browser)
    page = half(browser, webapp, acr_values=f"{STRONG} {TWO}")
    assert page.url.endswith(CODE_PAGE)
    assert told(browser, webapp, type_code(browser, page, ada.next_code()))["acr"] == TWO
