"""Making an account of one's own: nothing exists before the address is proven."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from idp.domain.errors import DomainError
from idp.domain.errors import Refused as NotAccepted
from idp.domain.services import Services
from tests.abuse_browser.asking import signed_in
from tests.abuse_browser.clicking import click, click_twice, follow
from tests.abuse_browser.test_group_k_passwords import watching, without_ids
from tests.support.browserless import Browserless, Page, Person
from tests.support.deployment import Deployment
from tests.support.factors import start_of
from tests.support.held_clock import HeldClock
from tests.support.mailed import kinds, latest, proven, type_mailed_code, visit_of
from tests.support.refusals import Refused, contents, entries
from tests.support.seeds import ADA, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

pytestmark = pytest.mark.settings(sign_up="open", development=True)
EMAIL = "new@example.test"
PASSWORD = "four quite unrelated words"
SHUT = "shut@example.test"
TRIES = 6


def at_sign_up(deployment: Deployment) -> tuple[Browserless, Page]:
    """Return a browser that a client sent to make an account."""
    browser = deployment.browserless(None)
    page = browser.start(deployment.client("webapp").authorization(prompt="create"))
    assert page.title.startswith("Create your account"), page
    return browser, page


def ask(browser: Browserless, page: Page, email: str = EMAIL) -> Page:
    page.form.fill("username", email)
    return browser.submit(page)


def prove(services: Services, browser: Browserless, page: Page) -> Page:
    """Prove the address behind the pages, and return the page that opened."""
    mailed = proven(services, browser, page, latest(services, "sign_up_link")["code"])
    services.sign_up.prove(visit_of(services, browser, page), mailed.email, mailed.use)
    return browser.get(start_of(page))


def at_new_account(deployment: Deployment, services: Services) -> tuple[Browserless, Page]:
    browser, page = at_sign_up(deployment)
    ask(browser, page)
    page = prove(services, browser, page)
    assert page.form.editable("new-password"), page
    return browser, page


def make(browser: Browserless, page: Page, password: str = PASSWORD) -> Page:
    page.form.fill("name", "Nora New")
    page.form.fill("new-password", password)
    return browser.submit(page)


def exists(services: Services, email: str = EMAIL) -> bool:
    return any(account.email == email for account in services.accounts.page())


@pytest.mark.every_database
def test_the_account_is_made_after_the_proof_and_its_person_is_signed_in(
    deployment: Deployment, services: Services, webapp: TokenClient
) -> None:
    browser = deployment.browserless(None)
    page = browser.start(webapp.authorization("openid email profile", prompt="create"))
    ask(browser, page)
    assert not exists(services)
    page = prove(services, browser, page)
    assert not exists(services)
    assert EMAIL in page.text
    page = make(browser, page)
    assert page.title.startswith("Allow access"), page
    answer = webapp.redeem(browser.finish(page).callback)
    said = claims_of(answer.json()["id_token"])
    assert (said["amr"], said["acr"]) == (["email"], "urn:doorward:acr:one-factor")
    account = services.accounts.get(EMAIL)
    assert (account.email_verified, account.name) == (True, "Nora New")
    told = webapp.userinfo(answer.json()["access_token"]).json()
    assert (told["sub"], told["email"], told["email_verified"]) == (account.subject, EMAIL, True)
    own = [one["event"] for one in entries(services.store) if one["account_id"] == account.id]
    for event in ("account.added", "sign_up", "sign_in"):
        assert own.count(event) == 1, event


def test_the_sign_in_is_as_old_as_the_proof_of_the_address(
    deployment: Deployment, services: Services, webapp: TokenClient, clock: HeldClock
) -> None:
    """`auth_time` is never younger than the truth."""
    browser = deployment.browserless(None)
    page = browser.start(webapp.authorization(prompt="create"))
    ask(browser, page)
    proven_at = int(clock())
    page = prove(services, browser, page)
    clock.advance(300)
    page = make(browser, page)
    (session,) = services.sessions.of(services.accounts.get(EMAIL).id)
    assert (session.proofs, session.auth_time) == ({"mail": proven_at}, proven_at)
    said = claims_of(webapp.redeem(browser.finish(page).callback).json()["id_token"])
    assert said["auth_time"] == proven_at


def test_the_password_works_afterwards(deployment: Deployment, services: Services) -> None:
    make(*at_new_account(deployment, services))
    other = deployment.browserless(Person(EMAIL, PASSWORD))
    assert other.authorize(deployment.client("webapp").authorization())["code"]


def test_case_084_an_address_with_an_account_is_answered_alike(
    deployment: Deployment, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.accounts.add(SHUT, origin=ORIGIN, actor=OPERATOR)
    services.accounts.disable(SHUT, ORIGIN, OPERATOR)
    seen, sent = {}, {}
    for email in (EMAIL, ADA.email, SHUT):
        browser, page = at_sign_up(deployment)
        page.form.fill("username", email)
        with watching(services, monkeypatch) as work:
            answer = click(browser, page)
        text = without_ids(follow(browser, answer).response.text)
        for part in (email, f"{email[0]}•••"):
            text = text.replace(part, "somebody")
        seen[email] = (answer.status_code, text, work.hashes, work.statements)
        sent[email] = kinds(services)[0]
    assert sent == {
        EMAIL: "sign_up_link",
        ADA.email: "sign_up_exists",
        SHUT: "sign_up_exists",
    }
    for email, answered in seen.items():
        assert answered == seen[EMAIL], email
    told = latest(services, "sign_up_exists")
    assert told["sign_in_link"] == f"{services.settings.issuer}/sign-in"
    assert not {"link", "code"} & set(told)


def test_nobody_proves_an_address_that_has_an_account(
    deployment: Deployment, services: Services
) -> None:
    browser, page = at_sign_up(deployment)
    ask(browser, page, ADA.email)
    for code in range(5):
        with pytest.raises(NotAccepted):
            proven(services, browser, page, f"{code:06}")
    assert not browser.get(start_of(page)).document.forms[0].editable("new-password")


def test_it_is_bound_to_the_browser_and_to_time(
    deployment: Deployment, services: Services, clock: HeldClock, refused: Refused
) -> None:
    browser, page = at_new_account(deployment, services)
    assert deployment.browserless(None).get(page.url).status == 404
    clock.advance(600)
    visit = visit_of(services, browser, page)
    with refused("sign_up", times=1), pytest.raises(NotAccepted):
        services.sign_up.create(visit, "Nora", PASSWORD)
    before = contents(services.store)
    assert make(browser, page).form.editable("username")
    assert contents(services.store) == before


@pytest.mark.parametrize("password", ["short", "p" * 300, EMAIL])
def test_unfit_passwords_are_refused_and_nothing_is_lost(
    deployment: Deployment, services: Services, password: str
) -> None:
    browser, page = at_new_account(deployment, services)
    page = make(browser, page, password)
    assert page.status == 400
    assert page.form.named("name").value == "Nora New"
    assert not exists(services)
    make(browser, page)
    assert exists(services)


def test_a_second_click_makes_no_second_account(deployment: Deployment, services: Services) -> None:
    browser, page = at_new_account(deployment, services)
    page.form.fill("new-password", PASSWORD)
    first, second = click_twice(browser, page)
    assert first.status_code == second.status_code == 303
    assert follow(browser, second).title.startswith("Allow access")
    assert sum(account.email == EMAIL for account in services.accounts.page()) == 1


@pytest.mark.every_database
def test_of_many_at_once_one_makes_it(deployment: Deployment, services: Services) -> None:
    browser, page = at_new_account(deployment, services)
    visit, start = visit_of(services, browser, page), threading.Barrier(TRIES, timeout=30)

    def one(number: int) -> bool:
        start.wait()
        try:
            return services.sign_up.create(visit, f"Number {number}", PASSWORD) is not None
        except DomainError:
            return False

    with ThreadPoolExecutor(TRIES) as pool:
        assert sum(pool.map(one, range(TRIES))) == 1
    assert exists(services)


def test_an_account_made_meanwhile_is_told_to_whoever_reads_its_mail(
    deployment: Deployment, services: Services
) -> None:
    browser, page = at_new_account(deployment, services)
    services.accounts.add(EMAIL, origin=ORIGIN, actor=OPERATOR)
    page = make(browser, page)
    assert "There is an account with this address already." in page.text
    assert page.form.editable("username")


def test_case_092_a_proof_works_once(
    deployment: Deployment, services: Services, refused: Refused
) -> None:
    browser, page = at_sign_up(deployment)
    ask(browser, page)
    mailed = proven(services, browser, page, latest(services, "sign_up_link")["code"])
    services.sign_up.prove(visit_of(services, browser, page), mailed.email, mailed.use)
    with refused("sign_up", times=1), pytest.raises(NotAccepted):
        services.sign_up.prove(visit_of(services, browser, page), mailed.email, mailed.use)


def test_from_the_sign_in_page_and_without_a_client(
    deployment: Deployment, services: Services
) -> None:
    browser = deployment.browserless(None)
    page = browser.get("/sign-in")
    page = browser.get(page.document.links["Create an account"])
    ask(browser, page)
    assert "Nora New" in make(browser, prove(services, browser, page)).text
    again = browser.get("/sign-up")
    assert again.title.startswith("Create your account")


def test_who_is_signed_in_may_make_another_account(
    deployment: Deployment, services: Services
) -> None:
    browser = signed_in(deployment)
    page = browser.get("/sign-up")
    ask(browser, page)
    make(browser, prove(services, browser, page))
    cookie = visit_of(services, browser, browser.get("/sign-up")).cookie
    assert {one.account.email for one in services.sessions.all(cookie)} == {EMAIL, ADA.email}


def test_what_is_no_address_is_told(deployment: Deployment, services: Services) -> None:
    browser, page = at_sign_up(deployment)
    for typed in ("", "nobody", "a b@example.test", "a@b\r\nBcc: x@example.test"):
        page = ask(browser, page, typed)
        assert page.status == 400
        assert "Enter your email address." in page.text
    assert kinds(services) == []


def no_way_in(deployment: Deployment) -> None:
    browser = deployment.browserless(None)
    client = deployment.client("webapp")
    page = browser.start(client.authorization())
    assert "Create an account" not in page.document.links
    for path in ("sign-up", "new-account"):
        assert browser.get(f"{start_of(page)}/{path}").title.startswith("Sign in")
    assert browser.get("/sign-up").title.startswith("Sign in")
    refusal = browser.start(client.authorization(prompt="create"))
    assert refusal.callback["error"] == "invalid_request"
    metadata = browser.http.get(f"{deployment.issuer}/.well-known/openid-configuration").json()
    assert "create" not in metadata["prompt_values_supported"]


@pytest.mark.settings(sign_up="closed", development=True)
def test_a_closed_server_has_no_such_page(deployment: Deployment) -> None:
    no_way_in(deployment)


@pytest.mark.settings(sign_up="invitation", development=True)
def test_a_server_for_the_invited_has_no_such_page(deployment: Deployment) -> None:
    no_way_in(deployment)


@pytest.mark.settings(sign_up="open")
def test_without_mail_there_is_no_such_page(deployment: Deployment) -> None:
    no_way_in(deployment)


def test_the_journey_by_the_typed_code(deployment: Deployment, services: Services) -> None:
    browser, page = at_sign_up(deployment)
    page = ask(browser, page)
    page = type_mailed_code(browser, page, latest(services, "sign_up_link")["code"])
    assert browser.finish(make(browser, page)).callback["code"]
