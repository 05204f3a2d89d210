"""SECURITY group V: what is too large or too much is refused before it costs anything."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from idp.crypto import passwords as hashing
from idp.domain.services import Services
from tests.abuse_browser.asking import (
    AUTHORIZE,
    LOGOUT,
    ask,
    at_password,
    redirected,
    shown,
    try_password,
)
from tests.abuse_browser.clicking import click
from tests.support.browserless import Person
from tests.support.deployment import Deployment
from tests.support.refusals import Refused, contents
from tests.support.seeds import ADA
from tests.support.serving import Serve
from tests.support.token_client import TokenClient

AT_ONCE = 200
IN_LINE = 20
PEOPLE = 40
MANY = 100_000


class _Counting:
    """Stands in for the hasher: remembers how long the texts were."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def verify(self, _hashed: str, text: str) -> bool:
        self.lengths.append(len(text))
        return False


@pytest.fixture
def hasher(monkeypatch: pytest.MonkeyPatch, services: Services) -> _Counting:
    counting = _Counting()
    monkeypatch.setattr(hashing, "_HASHER", counting)
    return counting


def test_case_153_a_huge_password_is_not_hashed(
    deployment: Deployment, services: Services, hasher: _Counting
) -> None:
    browser = deployment.browserless()
    page = at_password(browser, browser.start(deployment.client("webapp").authorization()))
    before = contents(services.store)
    for size, status in ((10_000_000, 413), (300_000, 413), (100_000, 400), (4097, 400)):
        page.form.fill("current-password", "p" * size)
        assert click(browser, page).status_code == status
        assert hasher.lengths == []
    for size in (4096, 257, 256):
        page.form.fill("current-password", "p" * size)
        assert click(browser, page).status_code == 400
    assert hasher.lengths == [257, 257, 256]
    assert contents(services.store) == before


def test_case_153_a_password_that_begins_like_the_right_one_is_another(
    deployment: Deployment,
) -> None:
    browser = deployment.browserless()
    page = at_password(browser, browser.start(deployment.client("webapp").authorization()))
    for wrong in (ADA.password + "x", ADA.password[:-1], ADA.password + " " * 300):
        page.form.fill("current-password", wrong)
        assert click(browser, page).status_code == 400
    page.form.fill("current-password", ADA.password)
    assert click(browser, page).status_code == 303


@pytest.mark.only_on("sqlite")
def test_case_153_two_hundred_sign_ins_at_once_leave_the_keys_within_reach(serve: Serve) -> None:
    """They wait in line. Who does not find a place there is told to come back; everybody else is
    answered as ever.
    """
    serving = serve(network_limit=100_000, hash_slots=1, hash_queue=1, hash_line=IN_LINE)
    deployment = serving.deployment
    client = deployment.client("webapp")
    forms = []
    for number in range(PEOPLE):
        browser = deployment.browserless(Person(f"somebody{number}@example.test", "wrong"))
        page = at_password(browser, browser.start(client.authorization()))
        page.form.fill("current-password", f"a wrong password {number}")
        forms.append((browser, page))
    start = threading.Barrier(AT_ONCE + 1)
    over = threading.Event()

    def sign_in(number: int) -> requests.Response:
        browser, page = forms[number % PEOPLE]
        http = deployment.new_http()
        http.cookies = browser.http.cookies.copy()
        start.wait()
        return http.post(
            serving.issuer + page.form.action,
            data=page.form.values(),
            headers={"Referer": page.url},
            allow_redirects=False,
        )

    def ask_for_keys() -> list[int]:
        http, seen = deployment.new_http(), []
        start.wait()
        while not over.is_set():
            seen.append(http.get(f"{serving.issuer}/.well-known/jwks.json").status_code)
        return seen

    with ThreadPoolExecutor(AT_ONCE + 1) as threads:
        keys = threads.submit(ask_for_keys)
        answers = list(threads.map(sign_in, range(AT_ONCE)))
        over.set()
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {400, 429, 503}, set(statuses)
    assert statuses.count(503) > AT_ONCE // 4
    assert statuses.count(400) + statuses.count(429) > IN_LINE
    for answer in answers:
        if answer.status_code == 503:
            assert answer.headers["Retry-After"] == "2"
            assert "Too busy right now" in answer.text
    assert set(keys.result()) == {200}
    assert "code" in deployment.browserless().authorize(client.authorization())


def test_case_154_a_list_of_a_hundred_thousand_is_refused(
    http: requests.Session, deployment: Deployment, webapp: TokenClient, refused: Refused
) -> None:
    """In a body, since no query is that long; and that large a body only up to its limit."""
    for name in ("scope", "prompt", "acr_values", "ui_locales", "claims_locales"):
        values = {**webapp.authorization(), name: "a " * MANY}
        with refused("authorization.refused", times=1):
            answer = ask(http, deployment.issuer + AUTHORIZE, values, "POST")
            told = redirected(answer, webapp.redirect_uri, deployment.issuer)
        assert told["error"] == "invalid_request", name


def test_case_154_lists_that_just_fit_are_bounded_too(
    http: requests.Session, deployment: Deployment, webapp: TokenClient, refused: Refused
) -> None:
    url = deployment.issuer + AUTHORIZE
    for scope in (" ".join(f"s{n}" for n in range(51)), "s" * 4000, "a " * 2000 + "b"):
        with refused("authorization.refused", times=1):
            told = redirected(
                ask(http, url, webapp.authorization(scope), "POST"),
                webapp.redirect_uri,
                deployment.issuer,
            )
        assert told["error"] == "invalid_scope", scope[:20]


def test_case_154_parameters_without_end_are_refused(
    http: requests.Session, deployment: Deployment, webapp: TokenClient, refused: Refused
) -> None:
    url = deployment.issuer + AUTHORIZE
    values = list(webapp.authorization().items())
    for more, errors in (
        ([("resource", "a")] * 20_000, {"invalid_target"}),
        ([("state", "a")] * 20_000, {"invalid_request"}),
        ([(f"n{number}", "") for number in range(20_000)], {"invalid_request"}),
    ):
        with refused("authorization.refused", times=1):
            answer = ask(http, url, [*values, *more], "POST")
            told = redirected(answer, webapp.redirect_uri, deployment.issuer)
        assert told["error"] in errors, more[0]
    for name in ("client_id", "redirect_uri"):
        with refused("authorization.refused", times=1):
            answer = ask(http, url, [*values, *([(name, "a")] * 15_000)], "POST")
            assert shown(answer) == "invalid_request"


def test_case_154_a_body_beyond_the_limit_is_not_read(
    http: requests.Session, deployment: Deployment, services: Services
) -> None:
    before = contents(services.store)
    for path in (AUTHORIZE, LOGOUT, "/sign-out"):
        answer = http.post(deployment.issuer + path, data={"x": "y" * 300_000})
        assert answer.status_code == 413, path
        assert answer.headers["Cache-Control"] == "no-store"
    parts = {f"n{number}": (None, "x") for number in range(2000)}
    answer = http.post(deployment.issuer + AUTHORIZE, files=parts)
    assert answer.status_code == 413
    assert contents(services.store) == before


@pytest.mark.settings(network_limit=3)
def test_what_a_stranger_can_make_us_store_is_bounded(
    http: requests.Session, deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    """Interactions, by each of the ways to open one."""
    ways: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("GET", AUTHORIZE, webapp.authorization()),
        ("POST", AUTHORIZE, webapp.authorization()),
        ("POST", LOGOUT, {"client_id": "webapp"}),
        ("GET", "/sign-in", {}),
    )
    for method, path, values in ways[:3]:
        assert ask(http, deployment.issuer + path, values, method).status_code == 303
    before = contents(services.store)
    for method, path, values in ways:
        answer = ask(http, deployment.issuer + path, values, method)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) <= 60
    assert contents(services.store) == before


@pytest.mark.settings(network_limit=3)
def test_names_that_nobody_has_fill_no_table(
    deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    """Each name has a counter of its own: a network that has to wait makes no more of them."""
    browser = deployment.browserless()
    page = at_password(browser, browser.start(webapp.authorization()))
    statuses, numbers = [], []
    for number in range(9):
        named = browser.get(page.url.replace("/password", "/sign-in"))
        named.form.fill("username", f"nobody{number}@example.test")
        statuses.append(try_password(browser, browser.submit(named), "a wrong one").status)
        with services.store.reading() as connection:
            counted = connection.exec_driver_sql("SELECT count(*) FROM counters").scalar_one()
        numbers.append(counted)
    assert statuses == [400] * 3 + [429] * 6
    assert numbers[3:] == [numbers[3]] * 6
