"""SECURITY group K: what can be learnt by guessing passwords, and how fast."""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from idp.crypto import passwords as hashing
from idp.domain.services import Services
from idp.store.statements import Statement
from tests.abuse_browser.asking import AUTHORIZE, at_password, signed_in, try_password
from tests.abuse_browser.clicking import click
from tests.support import in_process
from tests.support.application import ISSUER
from tests.support.browserless import Browserless, Page, Person
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.refusals import Refused, entries
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient

WRONG = "not the password of anybody here"
NOBODY = Person("nobody@example.test", WRONG)
BARE = Person("bare@example.test", WRONG)
SHUT = Person("shut@example.test", "the right password of a disabled account")


@dataclass
class Work:
    """What one request made the server do."""

    hashes: int = 0
    statements: list[str] = field(default_factory=list)


class _Counting:
    """Stands in for the hasher and counts."""

    def __init__(self, hasher: Any, work: Work) -> None:
        self._hasher = hasher
        self._work = work

    def verify(self, hashed: str, text: str) -> bool:
        self._work.hashes += 1
        return bool(self._hasher.verify(hashed, text))

    def hash(self, text: str) -> str:
        self._work.hashes += 1
        return str(self._hasher.hash(text))

    def check_needs_rehash(self, hashed: str) -> bool:
        return bool(self._hasher.check_needs_rehash(hashed))


@contextmanager
def watching(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    work = Work()

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        work.statements.append(" ".join(statement.split()))

    worded = Statement._wording

    def note_worded(statement: Statement, connection: Any) -> Any:
        work.statements.append(" ".join(str(statement._clause).split()))
        return worded(statement, connection)

    with monkeypatch.context() as patched:
        patched.setattr(hashing, "_HASHER", _Counting(hashing._HASHER, work))
        patched.setattr(Statement, "_wording", note_worded)
        event.listen(services.store.engine, "before_cursor_execute", note)
        yield work
        event.remove(services.store.engine, "before_cursor_execute", note)


@pytest.fixture
def everybody(services: Services) -> dict[str, Person]:
    """One of each kind of account, each with a password that will not do."""
    for person in (BARE, SHUT):
        password = person.password if person is SHUT else None
        services.accounts.add(person.email, password=password, origin=ORIGIN, actor=OPERATOR)
    services.accounts.disable(SHUT.email, ORIGIN, OPERATOR)
    wrong = Person(ADA.email, WRONG)
    return {"wrong": wrong, "unknown": NOBODY, "passwordless": BARE, "disabled": SHUT}


def asked_for_password(deployment: Deployment, person: Person) -> tuple[Browserless, Page]:
    browser = deployment.browserless(person)
    client = deployment.client("webapp")
    return browser, at_password(browser, browser.start(client.authorization()))


def without_ids(text: str) -> str:
    """Return a page without what differs from request to request."""
    return re.sub(r"[A-Za-z0-9_.-]{43,}|[0-9a-f]{16}", "…", text)


def test_case_084_every_kind_of_account_is_refused_alike(
    deployment: Deployment,
    services: Services,
    everybody: dict[str, Person],
    refused: Refused,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = {}
    for kind, person in everybody.items():
        browser, page = asked_for_password(deployment, person)
        page.form.fill("current-password", person.password)
        with refused("sign_in", times=1) as told, watching(services, monkeypatch) as work:
            answer = click(browser, page)
        assert work.hashes == 1, kind
        headers = [(name, without_ids(value)) for name, value in answer.headers.items()]
        text = answer.text.replace(person.email, "somebody")
        headers = [each for each in headers if each[0] != "Content-Length"]
        seen[kind] = (answer.status_code, headers, without_ids(text), work.statements)
        assert told[0]["detail"] == {"factor": "password"}
        assert told[0]["actor"] == "anyone"
        assert len(told) == 1
    assert seen["wrong"][0] == 400
    assert len(seen["wrong"][3]) >= 5
    assert "That email and password don’t match." in seen["wrong"][2]
    for kind in everybody:
        assert seen[kind] == seen["wrong"], kind


def test_case_084_the_first_page_says_nothing_of_who_there_is(
    deployment: Deployment,
    services: Services,
    everybody: dict[str, Person],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = {}
    for kind, person in everybody.items():
        browser = deployment.browserless(person)
        page = browser.start(deployment.client("webapp").authorization())
        page.form.fill("username", person.email)
        with watching(services, monkeypatch) as work:
            answer = click(browser, page)
            shown = browser.get(answer.headers["Location"])
        text = without_ids(shown.response.text).replace(person.email, "somebody")
        seen[kind] = (answer.status_code, shown.status, text, work.hashes, work.statements)
    assert len({repr(each) for each in seen.values()}) == 1


def test_case_084_waiting_is_the_same_for_every_kind_of_account(
    deployment: Deployment, everybody: dict[str, Person], clock: HeldClock
) -> None:
    seen = {}
    for kind, person in everybody.items():
        browser, page = asked_for_password(deployment, person)
        clock.advance(120)
        answers = []
        for _ in range(7):
            page.form.fill("current-password", person.password)
            answers.append(click(browser, page))
        seen[kind] = [(each.status_code, each.headers.get("Retry-After")) for each in answers]
    assert [status for status, _ in seen["wrong"]] == [400] * 6 + [429]
    for kind in everybody:
        assert seen[kind] == seen["wrong"], kind


ALIASES = (
    "ada@example.test",
    "ADA@EXAMPLE.TEST",
    "  Ada@Example.Test ",
    "\uff41\uff44\uff41@example.test",
)


def test_case_085_each_wait_is_twice_the_one_before(
    deployment: Deployment, clock: HeldClock
) -> None:
    """Aliases are one account; after five free tries come 2, 4, 8 … seconds, at most 900."""
    waits: list[int] = []
    for number in range(18):
        browser, page = asked_for_password(deployment, Person(ALIASES[number % 4], WRONG))
        page.form.fill("current-password", WRONG)
        answer = click(browser, page)
        if answer.status_code == 429:
            waits.append(int(answer.headers["Retry-After"]))
            clock.advance(waits[-1] - 1)
            assert click(browser, page).status_code == 429
            clock.advance(1)
            answer = click(browser, page)
        assert answer.status_code == 400, number
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_case_085_the_right_password_waits_too_and_then_all_is_forgotten(
    deployment: Deployment, clock: HeldClock, refused: Refused
) -> None:
    browser, page = asked_for_password(deployment, ADA)
    for _ in range(6):
        try_password(browser, page, WRONG)
    page.form.fill("current-password", ADA.password)
    answer = click(browser, page)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    assert "Set-Cookie" not in answer.headers
    assert browser.get("/").title.startswith("Welcome")
    clock.advance(2)
    assert "code" in browser.finish(try_password(browser, page, ADA.password)).callback
    browser, page = asked_for_password(deployment, ADA)
    for _ in range(5):
        assert try_password(browser, page, WRONG).status == 400, "counted from the beginning"


def test_case_085_failures_are_forgotten_after_a_day(
    deployment: Deployment, clock: HeldClock
) -> None:
    browser, page = asked_for_password(deployment, ADA)
    for _ in range(6):
        try_password(browser, page, WRONG)
    assert try_password(browser, page, WRONG).status == 429
    clock.advance(86_400)
    browser, page = asked_for_password(deployment, ADA)
    statuses = [try_password(browser, page, WRONG).status for _ in range(7)]
    assert statuses == [400] * 6 + [429]


def test_case_085_waiting_binds_only_passwords(deployment: Deployment) -> None:
    """Whoever guesses at somebody's account shuts nobody out who is signed in."""
    browser, client = deployment.browserless(), deployment.client("webapp")
    tokens = client.sign_in(browser, "openid email")
    callback = browser.authorize(client.authorization("openid email"))
    guesser, page = asked_for_password(deployment, ADA)
    statuses = [try_password(guesser, page, WRONG).status for _ in range(8)]
    assert statuses[-1] == 429
    assert client.redeem(callback).status_code == 200
    assert client.refresh(tokens["refresh_token"]).status_code == 200
    assert "code" in browser.authorize(client.authorization("openid email"))


@pytest.mark.every_database
@pytest.mark.settings(network_limit=10_000, hash_queue=100)
def test_case_085_fifty_tries_at_once_are_counted_one_by_one(
    deployment: Deployment, services: Services
) -> None:
    """Of all that begin before the first ends, no more are checked than one after another."""
    pages = [asked_for_password(deployment, Person(email, WRONG)) for email in ALIASES]
    start = threading.Barrier(50)

    def one(number: int) -> int:
        browser, page = pages[number % len(pages)]
        http = deployment.new_http()
        http.cookies = browser.http.cookies.copy()
        fields = [
            (name, WRONG if name == "password" else value) for name, value in page.form.values()
        ]
        start.wait()
        answer = http.post(
            deployment.issuer + page.form.action, data=fields, headers={"Referer": page.url}
        )
        return answer.status_code

    with ThreadPoolExecutor(50) as threads:
        statuses = list(threads.map(one, range(50)))
    assert sorted(statuses) == [400] * 6 + [429] * 44
    told = [entry for entry in entries(services.store) if entry["event"] == "sign_in"]
    assert len(told) == 6


def test_case_086_a_disabled_account_gets_in_by_no_path(
    deployment: Deployment, services: Services, refused: Refused
) -> None:
    browser, client = deployment.browserless(), deployment.client("webapp")
    tokens = client.sign_in(browser, "openid email offline_access")
    callback = browser.authorize(client.authorization("openid email offline_access"))
    pending = browser.start(client.authorization("openid phone"))
    waiting, page = asked_for_password(deployment, ADA)
    services.accounts.disable(ADA.email, ORIGIN, OPERATOR)
    with refused("code.refused", changes=["one_time"]):
        answer = client.redeem(callback)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    with refused("refresh.refused"):
        answer = client.refresh(tokens["refresh_token"])
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert not client.active(tokens["access_token"])
    with refused("userinfo"):
        answer = client.userinfo(tokens["access_token"])
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    with refused("sign_in", times=1):
        page = try_password(waiting, page, ADA.password)
    assert (page.status, page.title) == (400, "Error: Enter your password – Doorward")
    assert browser.get("/").title.startswith("Welcome")
    silent = browser.get(AUTHORIZE, client.authorization(prompt="none"))
    assert silent.callback["error"] == "login_required"
    allow = pending.form.button("decision", "allow")
    assert browser.submit(pending, allow).title.startswith("Sign in")


def test_case_086_a_disabled_client_gets_no_code_of_a_request_that_was_begun(
    deployment: Deployment, services: Services, webapp: TokenClient
) -> None:
    browser = signed_in(deployment)
    page = browser.start(webapp.authorization("openid email"))
    services.clients.disable("webapp", origin=ORIGIN, actor=OPERATOR)
    done = browser.submit(page, page.form.button("decision", "allow"))
    assert "code" not in (done.left_for or "")
    assert not services.consents.find(services.accounts.get(ADA.email).id, "webapp")


Spoof = Callable[[int], str]
SPOOFS: dict[str, Spoof] = {
    "other addresses": lambda number: f"198.51.100.{number}",
    "lists": lambda number: f"203.0.113.{number}, 198.51.100.{number}",
    "nonsense": lambda number: f"unknown-{number}",
    "empty": lambda number: "," * number,
    "with ports": lambda number: f"198.51.100.7:{1000 + number}",
    "long": lambda number: ", ".join(["198.51.100.7"] * 300 + [str(number)]),
}


def sent_from(app: Flask, address: str, forwarded: str) -> int:
    http = in_process.session(app, ISSUER, address)
    headers = {"X-Forwarded-For": forwarded, "Forwarded": f"for={forwarded}"}
    values = {"client_id": "nobody"}
    return http.get(ISSUER + AUTHORIZE, params=values, headers=headers).status_code


@pytest.mark.settings(network_limit=5)
@pytest.mark.parametrize("spoof", SPOOFS)
def test_case_088_nobody_chooses_the_network_that_is_counted(app: Flask, spoof: str) -> None:
    """Without trusted proxies the headers are not read at all."""
    statuses = [sent_from(app, "192.0.2.1", SPOOFS[spoof](number)) for number in range(1, 9)]
    assert statuses == [400] * 5 + [429] * 3
    assert sent_from(app, "192.0.2.2", "192.0.2.1") == 400


TRUSTING = {"network_limit": 5, "trusted_proxies": "192.0.2.0/24"}


@pytest.mark.settings(**TRUSTING)
def test_case_088_a_trusted_proxy_is_believed_about_its_own_client(app: Flask) -> None:
    """What stands left of the address that our proxy saw was written by that client."""
    statuses = [
        sent_from(app, "192.0.2.1", f"203.0.113.{number}, 198.51.100.7, 192.0.2.9")
        for number in range(1, 9)
    ]
    assert statuses == [400] * 5 + [429] * 3
    assert sent_from(app, "192.0.2.1", "203.0.113.1, 198.51.100.8") == 400
    assert sent_from(app, "192.0.2.1", "203.0.113.1") == 400, "nobody was counted in its name"


@pytest.mark.settings(**TRUSTING)
@pytest.mark.parametrize("spoof", ["nonsense", "with ports", "empty", "long"])
def test_case_088_what_cannot_be_read_counts_as_the_proxy(app: Flask, spoof: str) -> None:
    statuses = [sent_from(app, "192.0.2.1", SPOOFS[spoof](number)) for number in range(1, 9)]
    assert statuses == [400] * 5 + [429] * 3


@pytest.mark.settings(**TRUSTING)
def test_case_088_a_stranger_is_not_believed_about_a_proxy(app: Flask) -> None:
    statuses = [sent_from(app, "203.0.113.5", f"192.0.2.{number}") for number in range(1, 9)]
    assert statuses == [400] * 5 + [429] * 3


@pytest.mark.settings(network_limit=5)
def test_case_088_one_try_each_at_many_accounts_is_one_network(
    deployment: Deployment, app: Flask, clock: HeldClock
) -> None:
    statuses = []
    for number in range(8):
        clock.advance(7)
        browser = deployment.browserless(Person(f"somebody{number}@example.test", WRONG))
        page = browser.start(deployment.client("webapp").authorization())
        if page.status != 200:
            statuses.append(page.status)
            continue
        page = at_password(browser, page)
        statuses.append(try_password(browser, page, WRONG).status)
    assert statuses == [400] * 5 + [429] * 3


@pytest.mark.settings(network_limit=2)
def test_case_088_many_networks_together_are_slowed_down_too(
    deployment: Deployment, app: Flask
) -> None:
    """Fifty networks at their limit make everybody wait; then it is over with the minute."""
    statuses = []
    for number in range(102):
        http = in_process.session(app, ISSUER, f"198.51.{number // 2}.1")
        browser = Browserless(http, deployment.browserless().discovery, GRACE)
        page = at_password(browser, browser.start(deployment.client("webapp").authorization()))
        page.form.fill("current-password", f"{WRONG}{number}")
        statuses.append(click(browser, page).status_code)
    assert statuses.count(400) <= 6
    assert statuses[-2:] == [429, 429]


@pytest.mark.settings(network_limit=5)
def test_case_088_an_ipv6_network_is_one(app: Flask) -> None:
    statuses = [sent_from(app, f"2001:db8:0:1::{number:x}", "") for number in range(1, 9)]
    assert statuses == [400] * 5 + [429] * 3
    assert sent_from(app, "2001:db8:0:2::1", "") == 400
    mapped = [sent_from(app, f"::ffff:198.51.100.{n}", "") for n in (1, 1, 1, 1, 1, 2)]
    assert mapped == [400] * 6
