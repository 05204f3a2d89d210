"""SECURITY group M over HTTP: what is presented as a passkey on the pages of a sign-in."""

import json
from collections.abc import Callable

import pytest

from idp.domain.services import Services
from tests.abuse_browser.asking import at_password, signed_in
from tests.support.application import ISSUER
from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.factors import Factors, factors, options, present, start_of, token_of
from tests.support.held_clock import HeldClock
from tests.support.refusals import Refused, contents
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN
from tests.support.software_authenticator import BE, BS, UP, UV, decoded
from tests.support.token_client import TokenClient

NOT_HERE = "That passkey can’t be used here"
STRONGLY = json.dumps(
    {
        "id_token": {
            "acr": {"essential": True, "values": ["urn:doorward:acr:phishing-resistant"]},
        }
    }
)


@pytest.fixture
def ada(services: Services, clock: HeldClock) -> Factors:
    return factors(services, clock, ADA.email).with_passkey()


@pytest.fixture
def grace(services: Services, clock: HeldClock) -> Factors:
    return factors(services, clock, GRACE.email).with_passkey()


@pytest.fixture
def page(browserless: Browserless, webapp: TokenClient) -> Page:
    """The first page of a sign-in."""
    return browserless.start(webapp.authorization("openid email"))


def nobody(browser: Browserless, answer: Page) -> None:
    """The page says no, and nobody is signed in."""
    assert answer.status == 400, answer
    assert NOT_HERE in answer.text
    assert browser.get("/").title.startswith("Welcome")


def test_case_100_an_assertion_works_once(
    deployment: Deployment,
    browserless: Browserless,
    webapp: TokenClient,
    page: Page,
    ada: Factors,
    refused: Refused,
) -> None:
    answer = ada.device.get(options(browserless, page), ISSUER)
    assert "Allow access" in present(browserless, page, answer).title
    again = browserless.start(webapp.authorization("openid", prompt="login"))
    with refused("sign_in") as entries:
        assert present(browserless, again, answer).status == 400
    assert entries[0]["detail"]["factor"] == "passkey"
    other = deployment.browserless()
    start = other.start(webapp.authorization("openid"))
    with refused("sign_in"):
        nobody(other, present(other, start, answer))


def test_case_100_a_challenge_of_another_browser_is_none(
    deployment: Deployment,
    browserless: Browserless,
    webapp: TokenClient,
    page: Page,
    ada: Factors,
    refused: Refused,
) -> None:
    other = deployment.browserless()
    asked = options(other, other.start(webapp.authorization("openid")))
    assert len(decoded(json.loads(asked)["challenge"])) >= 16
    with refused("sign_in"):
        nobody(browserless, present(browserless, page, ada.device.get(asked, ISSUER)))


def test_case_100_a_challenge_is_short_lived(
    browserless: Browserless, page: Page, ada: Factors, clock: HeldClock, refused: Refused
) -> None:
    answer = ada.device.get(options(browserless, page), ISSUER)
    clock.advance(300)
    with refused("sign_in"):
        nobody(browserless, present(browserless, page, answer))


def test_case_100_a_challenge_of_the_other_ceremony_is_none(
    deployment: Deployment, services: Services, webapp: TokenClient, clock: HeldClock
) -> None:
    """One to make a passkey signs nobody in, and one to sign in makes none."""
    ada = factors(services, clock, ADA.email)
    browser = deployment.browserless()
    page = browser.start(webapp.authorization("openid", claims=STRONGLY))
    page = browser.answer(at_password(browser, page))
    making = options(browser, page, "enrol/passkey/options")
    made = ada.device.create(making, ISSUER)
    assert "Recovery codes" in present(browser, page, made, "enrol/passkey").title
    using = json.loads(making) | {"rpId": json.loads(making)["rp"]["id"]}
    other = deployment.browserless()
    start = other.start(webapp.authorization("openid"))
    nobody(other, present(other, start, ada.device.get(json.dumps(using), ISSUER)))
    asked = json.loads(options(other, start))
    forged = json.loads(making) | {"challenge": asked["challenge"]}
    again = deployment.browserless(GRACE)
    page = again.start(webapp.authorization("openid", claims=STRONGLY))
    page = again.answer(at_password(again, page))
    fresh = factors(services, clock, GRACE.email)
    answer = present(again, page, fresh.device.create(json.dumps(forged), ISSUER), "enrol/passkey")
    assert answer.status == 400
    assert services.passkeys.of(fresh.account.id) == []


@pytest.mark.parametrize(
    "said",
    [
        {"origin": "https://evil.test"},
        {"origin": "https://evil.id.example.test"},
        {"origin": f"{ISSUER}.evil.test"},
        {"origin": "http://id.example.test"},
        {"rp_id": "example.test"},
        {"rp_id": "evil.test"},
        {"client_data": {"crossOrigin": True}},
        {"client_data": {"topOrigin": "https://evil.test"}},
        {"type": "webauthn.create"},
    ],
    ids=str,
)
def test_case_101_another_page_than_ours(
    browserless: Browserless, page: Page, ada: Factors, refused: Refused, said: dict[str, object]
) -> None:
    asked = options(browserless, page)
    more = {"origin": ISSUER} | said
    answer = ada.device.get(asked, str(more.pop("origin")), **more)
    with refused("sign_in"):
        nobody(browserless, present(browserless, page, answer))


@pytest.mark.parametrize("flags", [UP | BE | BS, BE | BS, UV | BE | BS])
def test_case_102_presence_alone_proves_nobody(
    browserless: Browserless, page: Page, ada: Factors, refused: Refused, flags: int
) -> None:
    asked = options(browserless, page)
    assert json.loads(asked)["userVerification"] == "required"
    with refused("sign_in"):
        answer = ada.device.get(asked, ISSUER, flags=flags)
        nobody(browserless, present(browserless, page, answer))


def second_step(browser: Browserless, page: Page) -> Page:
    return browser.answer(at_password(browser, page))


def test_case_104_another_persons_passkey_is_no_second_step(
    browserless: Browserless, page: Page, ada: Factors, grace: Factors, refused: Refused
) -> None:
    """Neither with options for Ada, nor with those that anybody gets on the first page."""
    open_to_all = options(browserless, page)
    step = second_step(browserless, page)
    for_ada = options(browserless, step)
    assert len(json.loads(for_ada)["allowCredentials"]) == 1
    for asked in (for_ada, open_to_all):
        with refused("sign_in"):
            nobody(browserless, present(browserless, step, grace.device.get(asked, ISSUER)))
    as_ada = grace.device.get(for_ada, ISSUER, user_handle=ada.account.subject.encode())
    nobody(browserless, present(browserless, step, as_ada))


@pytest.mark.parametrize("handle", [b"", b"somebody else"])
def test_case_104_the_user_handle_has_to_be_its_owners(
    browserless: Browserless, page: Page, ada: Factors, refused: Refused, handle: bytes
) -> None:
    asked = options(browserless, page)
    with refused("sign_in"):
        answer = ada.device.get(asked, ISSUER, user_handle=handle)
        nobody(browserless, present(browserless, page, answer))


def test_case_104_the_passkey_of_a_disabled_account_is_refused(
    browserless: Browserless, page: Page, ada: Factors
) -> None:
    asked = options(browserless, page)
    ada.services.accounts.disable(ADA.email, ORIGIN, OPERATOR)
    nobody(browserless, present(browserless, page, ada.device.get(asked, ISSUER)))


def making_app(browser: Browserless, page: Page) -> int:
    fields = {"csrf_token": token_of(page), "decision": "authenticator"}
    answer = browser.http.post(
        f"{start_of(page)}/enrol", data=fields, headers={"Referer": page.url}, allow_redirects=False
    )
    return answer.status_code


def making_passkey(browser: Browserless, page: Page) -> int:
    answer = browser.http.post(
        f"{start_of(page)}/enrol/passkey/options",
        headers={"X-CSRFToken": token_of(page), "Referer": page.url},
        allow_redirects=False,
    )
    return answer.status_code


@pytest.mark.parametrize("make", [making_app, making_passkey])
@pytest.mark.parametrize("claims", [None, STRONGLY])
def test_case_106_a_first_factor_alone_enrols_nothing_beside_a_second(
    browserless: Browserless,
    webapp: TokenClient,
    services: Services,
    clock: HeldClock,
    make: Callable[[Browserless, Page], int],
    claims: str | None,
) -> None:
    """Not where no factor is asked for, and not where one has to be made."""
    ada = factors(services, clock, ADA.email).with_app()
    page = browserless.start(webapp.authorization("openid", claims=claims))
    step = second_step(browserless, page)
    assert step.url.endswith("/second-factor/code")
    before = contents(services.store)
    assert make(browserless, step) in {303, 403}
    assert contents(services.store) == before
    made = ada.device.create(services.passkeys.creation_options(ada.account, b"x" * 32), ISSUER)
    present(browserless, step, made, "enrol/passkey")
    assert services.passkeys.of(ada.account.id) == []
    assert browserless.get("/").title.startswith("Welcome")


def test_case_106_a_second_factor_that_comes_meanwhile_closes_the_door(
    browserless: Browserless, webapp: TokenClient, services: Services, clock: HeldClock
) -> None:
    """Somebody who knows the password waits at the page; its owner enrols an app first."""
    ada = factors(services, clock, ADA.email)
    page = browserless.start(webapp.authorization("openid", claims=STRONGLY))
    page = second_step(browserless, page)
    made = ada.device.create(options(browserless, page, "enrol/passkey/options"), ISSUER)
    ada.with_app()
    answer = present(browserless, page, made, "enrol/passkey")
    assert answer.url.endswith("/second-factor/code") or answer.status == 400
    assert services.passkeys.of(ada.account.id) == []
    assert browserless.get("/").title.startswith("Welcome")


def test_case_106_an_old_session_enrols_nothing(
    deployment: Deployment, services: Services, webapp: TokenClient, clock: HeldClock
) -> None:
    browser = signed_in(deployment)
    page = browser.start(webapp.authorization("openid", claims=STRONGLY))
    assert page.title.startswith("Set up a passkey")
    clock.advance(601)
    assert making_passkey(browser, page) == 403
    assert browser.get(f"{start_of(page)}/enrol").title.startswith("Confirm it’s you")
    assert services.passkeys.of(services.accounts.get(ADA.email).id) == []
