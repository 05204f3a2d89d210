"""SECURITY group L: links and codes by mail. Their neighbours 024, 084 and 086 for mail, too."""

import re
from collections.abc import Callable
from urllib.parse import urljoin

import pytest

from idp.domain.services import Services
from tests.abuse_browser.clicking import click_twice
from tests.abuse_browser.test_group_k_passwords import watching, without_ids
from tests.support.application import ISSUER
from tests.support.browserless import Browserless, Page
from tests.support.by_mail import asking, latest, offered, press, somebody, token_of, type_code
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.refusals import Refused, contents, entries
from tests.support.seeds import ADA, OPERATOR, ORIGIN

pytestmark = pytest.mark.settings(smtp_url="smtp://127.0.0.1:1?tls=off", network_limit=100)
SENTENCE = "This link does not work any more"
BARE, SHUT, NOBODY = "bare@example.test", "shut@example.test", "nobody@example.test"


def link_of(services: Services) -> str:
    return str(latest(services).values["link"])


def code_of(services: Services) -> str:
    return str(latest(services).values["code"])


@pytest.fixture
def everybody(services: Services) -> dict[str, str]:
    """One of each kind of account."""
    services.accounts.add(BARE, origin=ORIGIN, actor=OPERATOR)
    services.accounts.add(SHUT, origin=ORIGIN, actor=OPERATOR)
    services.accounts.disable(SHUT, ORIGIN, OPERATOR)
    return {"usual": ADA.email, "unknown": NOBODY, "passwordless": BARE, "disabled": SHUT}


def test_the_link_signs_in_where_it_was_asked_for(
    deployment: Deployment, services: Services
) -> None:
    browser, _ = asking(deployment)
    page = browser.get(link_of(services))
    assert page.title.startswith("Sign in")
    page = press(browser, page, "confirm")
    assert "code" in browser.finish(page).callback


def test_the_code_signs_in_where_it_was_asked_for(
    deployment: Deployment, services: Services
) -> None:
    browser, page = asking(deployment)
    assert "code" in browser.finish(type_code(browser, page, code_of(services))).callback


def test_elsewhere_the_link_shows_a_code_to_carry_over(
    deployment: Deployment, services: Services
) -> None:
    browser, page = asking(deployment)
    phone = somebody(deployment)
    opened = phone.get(link_of(services))
    assert opened.title.startswith("Was it you?")
    code = code_of(services)
    assert code not in opened.response.text
    shown = press(phone, opened, "show")
    assert f"{code[:3]} {code[3:]}" in shown.text
    assert phone.get("/").title.startswith("Welcome"), "nobody is signed in there"
    typed = type_code(browser, page, f"{code[:3]} {code[3:]}")
    assert "code" in browser.finish(typed).callback


@pytest.mark.parametrize("kind", ["session", "interaction", "code", "access token", "nothing"])
def test_case_024_no_other_secret_passes_for_a_link(
    deployment: Deployment, services: Services, refused: Refused, kind: str
) -> None:
    browser, waiting = asking(deployment)
    client = deployment.client("webapp")
    other = deployment.browserless()
    tokens = client.sign_in(other, "openid email")
    secrets = {
        "session": next(iter(other.http.cookies)).value or "",
        "interaction": waiting.url.split("/")[-2],
        "code": other.authorize(client.authorization("openid email"))["code"],
        "access token": str(tokens["access_token"]),
        "nothing": "A" * 43,
    }
    presented = secrets[kind]
    page = browser.get(f"/mail/{presented}")
    assert (page.status, SENTENCE in page.title) == (404, True)
    form = dict(waiting.document.forms[0].values())
    with refused("sign_in", times=1):
        answer = browser.post(f"/mail/{presented}", form, waiting.url)
    assert (answer.status, SENTENCE in answer.title) == (404, True)


def test_case_024_a_link_is_no_code_and_no_interaction(
    deployment: Deployment, services: Services, refused: Refused
) -> None:
    browser, page = asking(deployment)
    token = token_of(services)
    with refused("sign_in", changes=["one_time"], times=1):
        answer = type_code(browser, page, token)
    assert answer.status == 400
    assert "That code doesn’t match." in answer.text
    assert browser.get(f"/interaction/{token}").status == 404
    assert browser.get(f"/setup/administrator/{token}").status == 404
    assert browser.get(f"/invitation/{token}").status == 404
    client = deployment.client("webapp")
    redeemed = client.redeem({"code": token})
    assert (redeemed.status_code, redeemed.json()["error"]) == (400, "invalid_grant")


def test_case_024_a_code_is_no_link(
    deployment: Deployment, services: Services, refused: Refused
) -> None:
    browser, waiting = asking(deployment)
    form = dict(waiting.document.forms[0].values())
    with refused("sign_in", times=1):
        answer = browser.post(f"/mail/{code_of(services)}", form, waiting.url)
    assert (answer.status, SENTENCE in answer.title) == (404, True)


def test_case_084_asking_for_a_mail_is_alike_for_every_kind_of_account(
    deployment: Deployment,
    services: Services,
    everybody: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same words, status, statements and number of mails; only the mail itself tells."""
    seen, mails = {}, {}
    for kind, email in everybody.items():
        browser = deployment.browserless()
        start = browser.start(deployment.client("webapp").authorization())
        page = offered(browser, start, email)
        before = {mail.id for mail in services.outbox.latest(100)}
        with watching(services, monkeypatch) as work:
            sent = press(browser, page, "send")
        (mail,) = [mail for mail in services.outbox.latest(100) if mail.id not in before]
        mails[kind] = (mail.kind, mail.to, "code" in mail.values)
        text = re.sub(r"[a-z]•••", "…", without_ids(sent.response.text))
        seen[kind] = (sent.status, text.replace(email, "somebody"), work.statements)
    assert "Check your email" in seen["usual"][1]
    for kind in everybody:
        assert seen[kind] == seen["usual"], kind
    assert mails == {
        "usual": ("sign_in_link", ADA.email, True),
        "unknown": ("sign_in_no_account", NOBODY, False),
        "passwordless": ("sign_in_link", BARE, True),
        "disabled": ("sign_in_no_account", SHUT, False),
    }


def test_case_084_a_wrong_code_is_refused_alike_for_every_kind_of_account(
    deployment: Deployment,
    services: Services,
    everybody: dict[str, str],
    clock: HeldClock,
    refused: Refused,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = {}
    for kind, email in everybody.items():
        browser, page = asking(deployment, email)
        code = latest(services).values.get("code", "123456")
        wrong = f"{(int(code) + 1) % 1_000_000:06}"
        answers = []
        for _ in range(7):
            with watching(services, monkeypatch) as work:
                answer = type_code(browser, page, wrong)
            text = re.sub(r"[a-z]•••", "…", without_ids(answer.response.text))
            text = text.replace(email, "somebody")
            retry = answer.response.headers.get("Retry-After")
            answers.append((answer.status, retry, text, work.statements))
        seen[kind] = answers
    assert [status for status, *_ in seen["usual"]] == [400] * 7
    assert ["Ask for another mail" in text for _, _, text, _ in seen["usual"]] == [
        *([False] * 4),
        *([True] * 3),
    ]
    for kind in everybody:
        assert seen[kind] == seen["usual"], kind


@pytest.mark.parametrize("way", ["code", "link"])
def test_case_086_no_mail_gets_a_disabled_account_in(
    deployment: Deployment, services: Services, refused: Refused, way: str
) -> None:
    browser, page = asking(deployment)
    opened = browser.get(link_of(services))
    services.accounts.disable(ADA.email, ORIGIN, OPERATOR)
    changes = ["one_time"] if way == "code" else []
    with refused("sign_in", changes=changes, times=1):
        if way == "code":
            answer = type_code(browser, page, code_of(services))
        else:
            answer = press(browser, opened, "confirm")
    assert answer.status in {400, 404}
    assert browser.get("/").title.startswith("Welcome")
    assert SENTENCE in browser.get(link_of(services)).title
    assert SENTENCE in somebody(deployment).get(link_of(services)).title


Kill = Callable[[Browserless, Page, Services, HeldClock], None]


def use_it(browser: Browserless, page: Page, services: Services, _clock: HeldClock) -> None:
    type_code(browser, page, code_of(services))


def wait(_browser: Browserless, _page: Page, _services: Services, clock: HeldClock) -> None:
    clock.advance(600)


def ask_again(browser: Browserless, page: Page, _services: Services, clock: HeldClock) -> None:
    clock.advance(30)
    press(browser, page, "send")


def change_password(_: Browserless, _page: Page, services: Services, clock: HeldClock) -> None:
    clock.advance(1)
    services.accounts.set_password(ADA.email, "an owl in 9 Elm Row", ORIGIN, OPERATOR)


def be_another(browser: Browserless, page: Page, _services: Services, _: HeldClock) -> None:
    page = browser.get(page.url.replace("/mail", "/sign-in"))
    page.form.fill("username", NOBODY)
    browser.submit(page)


def disown(_: Browserless, _page: Page, services: Services, _clock: HeldClock) -> None:
    services.magic_links.disown(token_of(services), ORIGIN)


DEATHS: dict[str, Kill] = {
    "used": use_it,
    "too old": wait,
    "superseded": ask_again,
    "password changed": change_password,
    "another name": be_another,
    "disowned": disown,
}


@pytest.mark.parametrize("death", DEATHS)
def test_case_092_a_dead_link_opens_a_safe_page_everywhere(
    deployment: Deployment,
    services: Services,
    clock: HeldClock,
    refused: Refused,
    death: str,
) -> None:
    browser, page = asking(deployment)
    link, opened = link_of(services), browser.get(link_of(services))
    phone = somebody(deployment)
    elsewhere = phone.get(link)
    DEATHS[death](browser, page, services, clock)
    clock.advance(61 if death == "used" else 0)
    for visitor in (browser, phone):
        over = visitor.get(link)
        assert (over.status, SENTENCE in over.title) == (404, True)
        assert over.document.links["Start again"] == "/sign-in"
    form = dict(browser.get("/sign-in").document.forms[0].values())
    with refused("sign_in", times=1) as told:
        over = browser.post(link, form, opened.url)
    assert (over.status, SENTENCE in over.title) == (404, True)
    assert told[0]["detail"] == {"factor": "mail"}
    for decision in ("show", "disown"):
        with refused("sign_in", times=1):
            over = press(phone, elsewhere, decision)
        assert (over.status, SENTENCE in over.title) == (404, True)


def test_case_092_a_second_click_goes_on_where_the_first_one_led(
    deployment: Deployment, services: Services
) -> None:
    browser, _ = asking(deployment)
    opened = browser.get(link_of(services))
    first, second = click_twice(browser, opened, opened.form.button("decision", "confirm"))
    assert first.headers["Location"] == second.headers["Location"]
    assert "Set-Cookie" in first.headers
    told = [(entry["event"], entry["outcome"]) for entry in entries(services.store)]
    assert told.count(("sign_in", "done")) == 1
    assert ("sign_in", "refused") not in told


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_case_093_whoever_opens_the_link_first_uses_nothing(
    deployment: Deployment, services: Services, clock: HeldClock, method: str
) -> None:
    """A program that reads mails, with and without the cookie of who asked, ever so often."""
    browser, page = asking(deployment)
    link = link_of(services)
    scanner = deployment.new_http()
    before, told = contents(services.store), len(entries(services.store))
    for http in (scanner, browser.http):
        for _ in range(20):
            answer = http.request(method, link, allow_redirects=False)
            assert answer.status_code == 200
            assert code_of(services) not in answer.text
    assert contents(services.store) == before
    assert len(entries(services.store)) == told
    assert "code" in browser.finish(type_code(browser, page, code_of(services))).callback


def test_case_093_no_page_of_a_link_sends_itself(
    deployment: Deployment, services: Services
) -> None:
    """What runs there disables buttons; nothing presses them."""
    browser, _ = asking(deployment)
    for visitor in (browser, somebody(deployment)):
        text = visitor.get(link_of(services)).response.text
        scripts = re.findall(r"<script[^>]*src=\"([^\"]+)\"", text)
        assert [script.rpartition("/")[2] for script in scripts] == ["submit-once.js"]
        assert "http-equiv" not in text


def test_case_094_the_browser_that_asked_gets_nothing_by_a_click_elsewhere(
    deployment: Deployment, services: Services
) -> None:
    """An attacker asks in the victim's name; the victim opens the link and even confirms."""
    attacker, page = asking(deployment)
    victim = somebody(deployment)
    opened = victim.get(link_of(services))
    for fact in ("Field Notes", "Firefox on Windows", "just now", "127.0.0.1"):
        assert fact in opened.text
    shown = press(victim, opened, "show")
    assert code_of(services)[:3] in shown.text
    assert "never give it to anybody" in shown.text
    again = attacker.get(page.url)
    assert again.title.startswith("Check your email")
    assert code_of(services) not in again.response.text
    assert attacker.get("/").title.startswith("Welcome")
    assert victim.get("/").title.startswith("Welcome")


def test_case_094_a_confirmation_from_elsewhere_signs_nobody_in(
    deployment: Deployment, services: Services
) -> None:
    attacker, _ = asking(deployment)
    victim = somebody(deployment)
    opened = victim.get(link_of(services))
    form = dict(opened.form.values()) | {"decision": "confirm"}
    before = contents(services.store)
    answer = victim.post(opened.url, form, opened.url)
    assert answer.title.startswith("Was it you?")
    assert contents(services.store) == before
    assert victim.get("/").title.startswith("Welcome")
    assert attacker.get("/").title.startswith("Welcome")


def test_case_094_that_was_not_me(deployment: Deployment, services: Services) -> None:
    attacker, page = asking(deployment)
    code = code_of(services)
    victim = somebody(deployment)
    thanks = press(victim, victim.get(link_of(services)), "disown")
    assert thanks.title.startswith("Thank you")
    told = entries(services.store)[-1]
    assert (told["event"], told["outcome"]) == ("magic_link.disowned", "done")
    answer = type_code(attacker, page, code)
    assert answer.status == 400
    assert attacker.get("/").title.startswith("Welcome")
    assert "Ask for another mail" in answer.text


def test_case_094_a_stolen_interaction_without_its_cookie_is_nothing(
    deployment: Deployment, services: Services
) -> None:
    _, page = asking(deployment)
    other = deployment.browserless()
    form = dict(other.get("/sign-in").document.forms[0].values()) | {"code": code_of(services)}
    assert other.get(page.url).status == 404
    answer = other.post(page.url, form, page.url)
    assert answer.status == 404


POISON = {
    "host": {"Host": "evil.example"},
    "forwarded": {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"},
    "standard": {"Forwarded": "host=evil.example;proto=http"},
    "original": {"X-Original-Host": "evil.example", "X-Host": "evil.example"},
    "rewritten": {"X-Rewrite-URL": "https://evil.example/", "X-Original-URL": "//evil.example/"},
    "origin": {"Origin": "https://evil.example", "Referer": "https://evil.example/"},
}


@pytest.mark.parametrize("poison", POISON)
@pytest.mark.parametrize("email", [ADA.email, NOBODY])
def test_case_096_no_request_chooses_where_a_mailed_link_leads(
    deployment: Deployment, services: Services, poison: str, email: str
) -> None:
    browser = deployment.browserless()
    page = offered(browser, browser.start(deployment.client("webapp").authorization()), email)
    headers = {"Referer": page.url, **POISON[poison]}
    target = urljoin(page.url, page.form.action)
    fields = page.form.values(page.form.button("decision", "send"))
    answer = browser.http.post(target, data=fields, headers=headers, allow_redirects=False)
    mails = services.outbox.latest(10)
    if poison in {"host", "origin"}:
        assert mails == []
        assert answer.status_code == 400 or "evil" not in answer.headers["Location"]
        return
    (mail,) = mails
    assert "evil" not in str(mail.values)
    for name, value in mail.values.items():
        if name.endswith("link"):
            assert value == "" or value.startswith(f"{ISSUER}/"), name
