"""A forgotten password: a mailed proof allows a new one, in one browser, and nothing else."""

import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import pytest

from idp.domain.errors import DomainError, Invalid
from idp.domain.errors import Refused as NotAccepted
from idp.domain.services import Services
from tests.abuse_browser.asking import at_password, signed_in
from tests.abuse_browser.clicking import click, follow
from tests.abuse_browser.test_group_k_passwords import watching, without_ids
from tests.support.browserless import Browserless, Page, Person
from tests.support.deployment import Deployment
from tests.support.factors import factors, start_of
from tests.support.held_clock import HeldClock
from tests.support.mailed import kinds, latest, proven, type_mailed_code, visit_of
from tests.support.refusals import Refused, contents, entries
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient

pytestmark = pytest.mark.settings(development=True)
NEW = "seven green bottles on the wall"
TRIES = 6
BARE = Person("bare@example.test", "")
SHUT = Person("shut@example.test", "the right password of a disabled account")
NOBODY = Person("nobody@example.test", "")


def at_forgot(deployment: Deployment, person: Person = ADA) -> tuple[Browserless, Page]:
    browser = deployment.browserless(person)
    page = at_password(browser, browser.start(deployment.client("webapp").authorization()))
    return browser, browser.get(urljoin(page.url, page.document.links["Forgot password?"]))


def allowed(
    deployment: Deployment, services: Services, person: Person = ADA
) -> tuple[Browserless, Page]:
    """Return a browser whose person proved to read the mail, at the page that opened."""
    browser, page = at_forgot(deployment, person)
    browser.submit(page)
    code = latest(services, "reset_link")["code"]
    mailed = proven(services, browser, page, code)
    assert mailed.account
    services.password_reset.allow(visit_of(services, browser, page), mailed.account, mailed.use)
    page = browser.get(start_of(page))
    assert page.title.startswith("Choose a new password"), page
    return browser, page


def choose(browser: Browserless, page: Page, password: str = NEW) -> Page:
    page.form.fill("new-password", password)
    return browser.submit(page)


def password_works(services: Services, deployment: Deployment, person: Person) -> bool:
    browser = deployment.browserless(person)
    page = browser.start(deployment.client("webapp").authorization())
    return not browser.answer(at_password(browser, page)).title.startswith("Error")


def test_case_097_a_reset_changes_the_password_and_signs_nobody_in(
    deployment: Deployment, services: Services
) -> None:
    browser, page = allowed(deployment, services)
    assert ADA.email in page.text
    page = choose(browser, page)
    assert page.title.startswith("Sign in")
    assert "Your password was changed. Sign in with it." in page.text
    assert page.form.named("identifier").value == ADA.email
    assert services.sessions.all(visit_of(services, browser, page).cookie) == []
    assert "Welcome" in browser.get("/").text
    assert not password_works(services, deployment, ADA)
    browser.person = Person(ADA.email, NEW)
    assert browser.finish(page).callback["code"]


def test_case_097_the_second_factor_stays_needed(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    mine = factors(services, clock, ADA.email).with_app()
    browser, page = allowed(deployment, services)
    page = choose(browser, page)
    browser.person = Person(ADA.email, NEW)
    page = browser.answer(at_password(browser, page))
    assert page.title.startswith("Confirm it’s you")
    assert services.sessions.all(visit_of(services, browser, page).cookie) == []
    assert services.authenticators.of(mine.account.id)


@pytest.mark.every_database
def test_everything_that_was_open_is_shut(
    deployment: Deployment, services: Services, webapp: TokenClient
) -> None:
    elsewhere = signed_in(deployment)
    tokens = webapp.sign_in(elsewhere, "openid offline_access")
    browser, page = allowed(deployment, services)
    choose(browser, page)
    assert "Welcome" in elsewhere.get("/").text
    assert webapp.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert not webapp.active(tokens["access_token"])
    told = latest(services, "password_changed")
    assert told["reset"] is True
    ada = services.accounts.get(ADA.email)
    found = [one for one in entries(services.store) if one["event"].startswith("password.reset")]
    assert [(one["event"], one["outcome"], one["actor"]) for one in found] == [
        ("password.reset_allowed", "done", "anyone"),
        ("password.reset", "done", f"account:{ada.id}"),
    ]


def test_devices_are_trusted_no_more(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    mine = factors(services, clock, ADA.email).with_app()
    browser = deployment.browserless()
    page = browser.start(deployment.client("webapp").authorization())
    page = browser.answer(at_password(browser, page))
    form = page.document.forms[0]
    form.named("code").value = mine.next_code()
    form.named("trust").attributes["checked"] = ""
    browser.submit(page, form=form)
    assert [one.trusted_until for one in services.devices.of(mine.account.id)] != [None]
    choose(*allowed(deployment, services))
    assert [one.trusted_until for one in services.devices.of(mine.account.id)] == [None]


def test_no_other_browser_and_no_other_interaction_may(
    deployment: Deployment, services: Services
) -> None:
    browser, page = allowed(deployment, services)
    other = deployment.browserless()
    assert other.get(page.url).status == 404
    again = browser.start(deployment.client("webapp").authorization())
    page = browser.get(f"{start_of(again)}/new-password")
    assert page.title.startswith("Sign in")


@pytest.mark.parametrize("what", ["time", "disabled", "password", "reset elsewhere"])
def test_it_is_taken_back(
    deployment: Deployment,
    services: Services,
    clock: HeldClock,
    refused: Refused,
    what: str,
) -> None:
    browser, page = allowed(deployment, services)
    visit = visit_of(services, browser, page)
    ada = services.accounts.get(ADA.email)
    match what:
        case "time":
            clock.advance(600)
        case "disabled":
            services.accounts.disable(ada.id, ORIGIN, OPERATOR)
        case "password":
            services.accounts.set_password(ada.id, "another one of their own choice", ORIGIN, "x")
        case _:
            choose(*allowed(deployment, services), "what the other browser chose")
    with refused("password.reset", times=1), pytest.raises(NotAccepted):
        services.password_reset.complete(visit, NEW)
    before = contents(services.store)
    assert choose(browser, page).title.startswith("Sign in")
    assert contents(services.store) == before


def test_just_in_time(deployment: Deployment, services: Services, clock: HeldClock) -> None:
    browser, page = allowed(deployment, services)
    clock.advance(599)
    assert "Your password was changed" in choose(browser, page).text


@pytest.mark.every_database
def test_of_many_at_once_one_sets_it(deployment: Deployment, services: Services) -> None:
    browser, page = allowed(deployment, services)
    visit, start = visit_of(services, browser, page), threading.Barrier(TRIES, timeout=30)

    def one(number: int) -> bool:
        start.wait()
        for _ in range(20):
            try:
                services.password_reset.complete(visit, f"{NEW}, number {number}")
            except NotAccepted:
                return False
            except DomainError:
                continue
            return True
        return False

    with ThreadPoolExecutor(TRIES) as pool:
        assert sum(pool.map(one, range(TRIES))) == 1
    assert kinds(services).count("password_changed") == 1


def test_a_second_click_changes_nothing(deployment: Deployment, services: Services) -> None:
    browser, page = allowed(deployment, services)
    choose(browser, page)
    before = contents(services.store)
    page.form.fill("new-password", "another one, which comes too late")
    answer = click(browser, page)
    assert "Your password was changed" in follow(browser, answer).text
    assert contents(services.store) == before


def test_unfit_ones_are_refused_and_nothing_is_lost(
    deployment: Deployment, services: Services
) -> None:
    browser, page = allowed(deployment, services)
    before = contents(services.store)
    for unfit, said in (("short", "at least 15"), ("", "at least 15"), ("p" * 300, "at most 256")):
        page = choose(browser, page, unfit)
        assert page.status == 400
        assert said in page.text
    assert page.form.editable("new-password")
    assert contents(services.store) == before
    assert "Your password was changed" in choose(browser, page).text


def test_beside_a_second_factor_eight_characters_do(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    factors(services, clock, ADA.email).with_app()
    browser, page = allowed(deployment, services)
    assert "At least 8 characters" in page.text
    assert "Your password was changed" in choose(browser, page, "kV9#xw2q").text


def test_the_old_password_may_stay(deployment: Deployment, services: Services) -> None:
    browser, page = allowed(deployment, services)
    page = browser.submit(page, page.form.button("decision", "keep"))
    assert page.title.startswith("Sign in")
    assert browser.get(f"{start_of(page)}/new-password").title.startswith("Sign in")
    assert password_works(services, deployment, ADA)


def test_an_account_without_password_gets_one(deployment: Deployment, services: Services) -> None:
    services.accounts.add(BARE.email, origin=ORIGIN, actor=OPERATOR)
    choose(*allowed(deployment, services, BARE))
    assert password_works(services, deployment, Person(BARE.email, NEW))


def test_case_084_every_kind_of_account_is_mailed_alike(
    deployment: Deployment, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for person in (BARE, SHUT):
        password = person.password or None
        services.accounts.add(person.email, password=password, origin=ORIGIN, actor=OPERATOR)
    services.accounts.disable(SHUT.email, ORIGIN, OPERATOR)
    seen, sent = {}, {}
    for person in (ADA, BARE, SHUT, NOBODY):
        browser, page = at_forgot(deployment, person)
        before = len(kinds(services))
        with watching(services, monkeypatch) as work:
            answer = click(browser, page)
        text = without_ids(follow(browser, answer).response.text)
        for part in (person.email, f"{person.email[0]}•••"):
            text = text.replace(part, "somebody")
        assert len(kinds(services)) == before + 1
        sent[person.email] = kinds(services)[0]
        seen[person.email] = (answer.status_code, text, work.hashes, work.statements)
    assert sent == {
        ADA.email: "reset_link",
        BARE.email: "reset_link",
        SHUT.email: "sign_in_no_account",
        NOBODY.email: "sign_in_no_account",
    }
    for email, work_done in seen.items():
        assert work_done == seen[ADA.email], email


def test_case_086_who_was_disabled_meanwhile_proves_nothing(
    deployment: Deployment, services: Services
) -> None:
    browser, page = at_forgot(deployment)
    browser.submit(page)
    code = latest(services, "reset_link")["code"]
    mailed = proven(services, browser, page, code)
    services.accounts.disable(ADA.email, ORIGIN, OPERATOR)
    assert mailed.account
    with pytest.raises(NotAccepted):
        services.password_reset.allow(visit_of(services, browser, page), mailed.account, mailed.use)
    assert services.password_reset.allowed(visit_of(services, browser, page)) is None


def test_case_093_looking_at_the_link_allows_nothing(
    deployment: Deployment, services: Services
) -> None:
    browser, page = at_forgot(deployment)
    browser.submit(page)
    link = latest(services, "reset_link")["link"]
    before = contents(services.store)
    for method in ("HEAD", "GET", "OPTIONS"):
        assert browser.http.request(method, link, allow_redirects=False).status_code == 200
    assert contents(services.store) == before
    assert services.password_reset.allowed(visit_of(services, browser, page)) is None
    page = browser.get(link)
    assert page.title.startswith("Choose a new password")
    page = browser.submit(page, page.form.button("decision", "confirm"))
    assert page.form.editable("new-password")


def test_case_092_a_proof_works_once_and_not_after_a_change(
    deployment: Deployment, services: Services, clock: HeldClock, refused: Refused
) -> None:
    browser, page = at_forgot(deployment)
    browser.submit(page)
    waiting = visit_of(services, browser, page)
    mailed = proven(services, browser, page, latest(services, "reset_link")["code"])
    assert mailed.account
    clock.advance(1)
    choose(*allowed(deployment, services))
    with refused("password.reset", times=1), pytest.raises(NotAccepted):
        services.password_reset.allow(waiting, mailed.account, mailed.use)


def test_case_098_a_link_is_for_its_account_and_its_deed_only(
    deployment: Deployment, services: Services
) -> None:
    browser, page = at_forgot(deployment)
    page = browser.submit(page)
    link, code = (latest(services, "reset_link")[name] for name in ("link", "code"))
    for path in ("invitation", "setup/administrator"):
        assert deployment.browserless().get(f"/{path}/{link.rpartition('/')[2]}").status == 404
    start = browser.get(f"{start_of(page)}/sign-in")
    start.form.fill("username", GRACE.email)
    browser.submit(start)
    page = browser.get(f"{start_of(page)}/mail")
    assert not [form for form in page.document.forms if form.editable("one-time-code")]
    with pytest.raises(NotAccepted):
        proven(services, browser, page, code)
    assert browser.get(link).status == 404
    assert services.password_reset.allowed(visit_of(services, browser, page)) is None


def test_case_098_whoever_names_somebody_else_begins_anew(
    deployment: Deployment, services: Services
) -> None:
    browser, page = allowed(deployment, services)
    start = browser.get(f"{start_of(page)}/sign-in")
    start.form.fill("username", GRACE.email)
    browser.submit(start)
    assert choose(browser, page).title.startswith("Sign in")
    for person in (ADA, GRACE):
        assert password_works(services, deployment, person)


@pytest.mark.settings(development=False)
def test_without_mail_there_is_no_reset(browserless: Browserless, webapp: TokenClient) -> None:
    page = at_password(browserless, browserless.start(webapp.authorization()))
    assert "Forgot password?" not in page.document.links
    assert browserless.get(f"{start_of(page)}/forgot").title.startswith("Sign in")


def test_who_is_signed_in_resets_no_other_account(
    deployment: Deployment, services: Services
) -> None:
    browser = signed_in(deployment)
    page = browser.start(deployment.client("webapp").authorization(prompt="login"))
    assert page.title.startswith("Confirm it’s you")
    page = browser.get(f"{start_of(page)}/forgot")
    assert page.form.editable("username") is None
    fields = [*page.form.values(), ("identifier", GRACE.email)]
    browser.post(f"{start_of(page)}/forgot", fields, page.url)
    assert services.outbox.latest(1)[0].to == ADA.email


def test_the_journey_by_the_typed_code(deployment: Deployment, services: Services) -> None:
    browser, page = at_forgot(deployment)
    page = browser.submit(page)
    page = type_mailed_code(browser, page, latest(services, "reset_link")["code"])
    assert page.title.startswith("Choose a new password"), page
    with pytest.raises(Invalid):
        services.password_reset.complete(visit_of(services, browser, page), "short")
    assert "Your password was changed" in choose(browser, page).text


def test_the_well_known_address_leads_to_the_console(deployment: Deployment) -> None:
    http = deployment.new_http()
    answer = http.get(f"{deployment.issuer}/.well-known/change-password", allow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/account/security/password"
