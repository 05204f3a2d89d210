"""What changes while somebody signs in, and what a sign-in changes for others."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from idp.domain.services import Services
from tests.abuse_browser.asking import at_password
from tests.abuse_browser.clicking import click
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.refusals import entries
from tests.support.seeds import ADA, FILES_API, NOTES_API, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient

pytestmark = pytest.mark.every_database
NEW_PASSWORD = "another password that is long enough"


@pytest.mark.parametrize("what", ["password changed", "account disabled"])
def test_a_sign_in_during_which_the_account_changes_is_refused(
    browserless: Browserless,
    webapp: TokenClient,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    """The password was right when it was looked up, and is not any more when the hash is done."""
    page = at_password(browserless, browserless.start(webapp.authorization()))
    page.form.fill("current-password", ADA.password)
    matches = services.passwords.matches

    def change(stored: str | None, presented: str) -> bool:
        right = matches(stored, presented)
        if what == "password changed":
            services.accounts.set_password(ADA.email, NEW_PASSWORD, ORIGIN, OPERATOR)
        else:
            services.accounts.disable(ADA.email, ORIGIN, OPERATOR)
        return right

    monkeypatch.setattr(services.passwords, "matches", change)
    answer = click(browserless, page)
    assert answer.status_code == 400
    assert "match" in answer.text
    last = entries(services.store)[-1]
    assert (last["event"], last["outcome"]) == ("sign_in", "refused")
    if what == "account disabled":
        services.accounts.enable(ADA.email, ORIGIN, OPERATOR)
    assert browserless.get("/").title.startswith("Welcome")


def test_proving_it_again_signs_nobody_out_of_other_applications(
    browserless: Browserless, deployment: Deployment, webapp: TokenClient
) -> None:
    tokens = webapp.sign_in(browserless, "openid notes:read")
    cookies = dict(browserless.http.cookies)
    own = deployment.client("own")
    callback = browserless.authorize(own.authorization("openid", prompt="login"))
    assert "code" in callback
    assert dict(browserless.http.cookies) != cookies
    assert webapp.refresh(tokens["refresh_token"]).status_code == 200
    assert webapp.active(tokens["access_token"])


def test_a_second_click_does_not_leave_a_second_session(
    browserless: Browserless, webapp: TokenClient, services: Services
) -> None:
    page = at_password(browserless, browserless.start(webapp.authorization()))
    page.form.fill("current-password", ADA.password)
    before = dict(browserless.http.cookies)
    assert click(browserless, page).status_code == 303
    browserless.http.cookies.update(before)
    assert click(browserless, page).status_code == 303
    account = services.accounts.get(ADA.email)
    with services.store.reading() as connection:
        live = connection.exec_driver_sql(
            "SELECT count(*) FROM sessions WHERE ended_at IS NULL"
        ).scalar_one()
    assert live == 1
    assert account.email == ADA.email


def guess(deployment: Deployment, webapp: TokenClient, times: int) -> list[int]:
    """Try wrong passwords from a browser that nobody knows."""
    stranger = deployment.browserless()
    page = at_password(stranger, stranger.start(webapp.authorization()))
    statuses = []
    for number in range(times):
        page.form.fill("current-password", f"a wrong password, number {number}")
        statuses.append(click(stranger, page).status_code)
    return statuses


def test_strangers_who_guess_do_not_shut_the_owner_out(
    browserless: Browserless, deployment: Deployment, webapp: TokenClient
) -> None:
    """The browser in which somebody signed in before has a failure counter of its own."""
    webapp.sign_in(browserless, "openid")
    browserless.submit(browserless.get("/"))
    assert guess(deployment, webapp, 8)[-1] == 429
    assert "code" in browserless.authorize(webapp.authorization("openid"))
    fresh = deployment.browserless()
    page = at_password(fresh, fresh.start(webapp.authorization()))
    page.form.fill("current-password", ADA.password)
    assert click(fresh, page).status_code == 429


def test_the_owners_browser_can_be_guessed_in_no_faster(
    browserless: Browserless, webapp: TokenClient
) -> None:
    webapp.sign_in(browserless, "openid")
    browserless.submit(browserless.get("/"))
    page = at_password(browserless, browserless.start(webapp.authorization()))
    statuses = []
    for number in range(8):
        page.form.fill("current-password", f"a wrong password, number {number}")
        statuses.append(click(browserless, page).status_code)
    assert statuses[:5] == [400] * 5
    assert statuses[-1] == 429


def test_pictures_and_frames_begin_nothing(
    browserless: Browserless, webapp: TokenClient, services: Services
) -> None:
    for destination in ("image", "iframe", "empty", "script"):
        browserless.http.headers["Sec-Fetch-Dest"] = destination
        assert browserless.start(webapp.authorization()).status == 400
        assert browserless.get("/sign-in").status == 400
    browserless.http.headers["Sec-Fetch-Dest"] = "document"
    assert browserless.start(webapp.authorization()).status == 200


def test_a_hidden_frame_may_ask_without_a_prompt(
    browserless: Browserless, webapp: TokenClient
) -> None:
    """Silent renewal: nothing is begun by it."""
    webapp.sign_in(browserless, "openid")
    browserless.http.headers["Sec-Fetch-Dest"] = "iframe"
    assert "code" in browserless.authorize(webapp.authorization("openid", prompt="none"))


def test_a_request_leaves_little_with_us(browserless: Browserless, webapp: TokenClient) -> None:
    """Characters of four bytes count as four."""
    asked = webapp.authorization("openid", state="\N{GRINNING FACE}" * 2000, nonce="n" * 1000)
    assert browserless.start(asked).callback["error"] == "invalid_request"
    short = webapp.authorization("openid", state="s" * 1000, nonce="n" * 384)
    assert browserless.start(short).status == 200


def test_an_api_is_asked_for_even_without_a_scope(
    browserless: Browserless, webapp: TokenClient
) -> None:
    """A token names the API in its audience, so the person is told and asked, once."""
    assert "code" in browserless.authorize(webapp.authorization("openid"))
    asked = webapp.authorization("openid", resource=NOTES_API)
    page = browserless.start(asked)
    assert "Allow access" in page.title
    assert "Notes API" in page.text
    assert "code" in browserless.finish(page).callback
    again = webapp.authorization("openid", resource=NOTES_API, prompt="none")
    assert "code" in browserless.authorize(again)
    other = webapp.authorization("openid", resource=FILES_API, prompt="none")
    assert browserless.authorize(other)["error"] == "consent_required"


def test_introspection_names_an_address_only_where_it_was_allowed(
    browserless: Browserless, webapp: TokenClient, clock: HeldClock
) -> None:
    tokens = webapp.sign_in(browserless, "openid notes:read")
    assert "username" not in webapp.introspect(tokens["access_token"]).json()
    clock.advance(1)
    tokens = webapp.sign_in(browserless, "openid email")
    assert webapp.introspect(tokens["access_token"]).json()["username"] == ADA.email


@pytest.mark.settings(network_limit=20)
def test_a_public_client_can_make_us_write_only_so_much(
    browserless: Browserless, spa: TokenClient, services: Services
) -> None:
    """Whoever has an old refresh token could otherwise fill the audit log with its refusals."""
    tokens = spa.sign_in(browserless, "openid offline_access")
    assert spa.revoke(tokens["refresh_token"]).status_code == 200
    before = len(entries(services.store))
    statuses = [spa.refresh(tokens["refresh_token"]).status_code for _ in range(30)]
    assert statuses == [400] * 20 + [429] * 10
    assert len(entries(services.store)) - before == 20


def test_consent_twice_at_once_is_consent(services: Services) -> None:
    account = services.accounts.get(ADA.email)
    pairs = frozenset({("", "openid"), ("", "email")})

    def allow() -> None:
        with services.store.writing() as connection:
            services.consents.remember(connection, account.id, "webapp", pairs, ORIGIN)

    jobs: list[Callable[[], None]] = [allow] * 8
    with ThreadPoolExecutor(8) as pool:
        for job in [pool.submit(job) for job in jobs]:
            job.result()
    assert services.consents.find(account.id, "webapp") == pairs


@pytest.mark.settings(refresh_absolute_lifetime=120)
def test_the_last_access_token_lives_as_long_as_it_says(
    browserless: Browserless, webapp: TokenClient, clock: HeldClock
) -> None:
    tokens = webapp.sign_in(browserless, "openid offline_access")
    clock.advance(119)
    refreshed = webapp.refresh(tokens["refresh_token"]).json()
    clock.advance(2)
    assert webapp.refresh(refreshed["refresh_token"]).json()["error"] == "invalid_grant"
    clock.advance(590)
    assert webapp.active(refreshed["access_token"])
    clock.advance(10)
    assert not webapp.active(refreshed["access_token"])
