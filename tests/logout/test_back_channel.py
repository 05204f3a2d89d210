"""OpenID Connect Back-Channel Logout 1.0: who is told of which end, by what token, how often."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from joserfc import jwk, jwt

from idp.app import logout_delivery_of
from idp.config import Settings
from idp.domain.accounts import Account
from idp.domain.audit import By
from idp.domain.logout_delivery import PAUSES, LogoutDelivery
from idp.domain.services import Services
from tests.abuse_browser.asking import signed_in
from tests.logout.conftest import Told
from tests.support.application import Seeded, settings_for
from tests.support.browserless import Browserless
from tests.support.checkout import ROOT
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register
from tests.support.refusals import entries
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN
from tests.support.tls_site import Site, say
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of, header_of

Notices = Callable[[], list[dict[str, Any]]]
URI = "https://told.example.test/logged-out?at=doorward"
ME = By(OPERATOR, ORIGIN)
ROUNDS = 8


@pytest.fixture
def client(register: Register) -> TokenClient:
    """A client that wants to be told."""
    return register("told", backchannel_logout_uri=URI, first_party=True)


def here(services: Services) -> Account:
    return services.accounts.get(ADA.email)


def session_id(services: Services) -> str:
    return services.sessions.of(here(services).id)[0].id


def shut_out(services: Services) -> None:
    with services.store.writing() as connection:
        services.changes.removed(connection, here(services), "passkey", "Key", ME)


def delete(services: Services) -> None:
    account = here(services)
    services.own.deletion.plan(account, account.email, ME)
    clock: Any = services.clock
    clock.advance(services.settings.deletion_grace)
    assert services.own.deletion.delete_due() == 1


Ends = dict[str, Callable[[Browserless, Services, str], object]]
ENDS: Ends = {
    "our own page": lambda browser, _, __: browser.submit(browser.get("/")),
    "a client": lambda browser, _, hint: browser.get("/oauth2/logout", {"id_token_hint": hint}),
    "the account console": lambda _, parts, __: parts.sessions.end_one(
        session_id(parts), here(parts).id, ORIGIN, f"account:{here(parts).id}"
    ),
    "everywhere else": lambda _, parts, __: parts.sessions.end_others(
        here(parts).id, "", ORIGIN, OPERATOR
    ),
    "a password": lambda _, parts, __: parts.accounts.set_password(
        ADA.email, ADA.password, ORIGIN, OPERATOR
    ),
    "a factor that is removed": lambda _, parts, __: shut_out(parts),
    "an account that is disabled": lambda _, parts, __: (
        parts.accounts.disable(ADA.email, ORIGIN, OPERATOR),
        parts.accounts.enable(ADA.email, ORIGIN, OPERATOR),
    ),
    "an account that is deleted": lambda _, parts, __: delete(parts),
}


@pytest.mark.every_database
def test_whatever_ends_a_session_tells_its_clients(
    deployment: Deployment,
    services: Services,
    client: TokenClient,
    notices: Notices,
    register: Register,
) -> None:
    """In the same transaction; nobody else, and of no other session."""
    deaf, absent = deployment.client("own"), register("absent", backchannel_logout_uri=URI)
    elsewhere = deployment.browserless(GRACE)
    client.sign_in(elsewhere)
    absent.sign_in(elsewhere)
    seen: set[str] = set()
    for name, end in ENDS.items():
        browser = deployment.browserless()
        token = client.sign_in(browser)["id_token"]
        again = client.sign_in(browser)["id_token"]
        other = deaf.sign_in(browser)["id_token"]
        sid, account = claims_of(token)["sid"], here(services)
        assert sid not in seen
        assert sid == claims_of(again)["sid"] != claims_of(other)["sid"]
        assert sid not in {session.id for session in services.sessions.of(account.id)}
        assert {one["sid"] for one in notices()} == seen, name
        end(browser, services, token)
        new = [one for one in notices() if one["sid"] not in seen]
        assert [(one["sid"], one["client_id"]) for one in new] == [(sid, "told")], name
        assert (new[0]["subject"], new[0]["account_id"]) == (account.subject, account.id)
        seen.add(sid)


def test_sessions_are_ended_in_no_other_place() -> None:
    """What is found here tells the clients: whatever ends sessions elsewhere would forget them."""
    ends = re.compile(r"ended_at ?= ?(?!None)|delete\(_SESSIONS\)|DELETE FROM sessions")
    found = {
        str(path.relative_to(ROOT / "idp"))
        for path in (ROOT / "idp").rglob("*.py")
        if ends.search(path.read_text("utf-8"))
    }
    assert found == {"store/sessions.py", "store/backup.py"}


@pytest.mark.every_database
def test_who_comes_in_while_the_session_ends_is_told_or_gets_nothing(
    deployment: Deployment, services: Services, register: Register, notices: Notices
) -> None:
    """What a client is handed at the last moment names a session of whose end it learns."""
    client = register("late", backchannel_logout_uri=URI, first_party=True)
    for _ in range(ROUNDS):
        browser = signed_in(deployment)
        ending = session_id(services)
        before = {one["sid"] for one in notices()}
        start = threading.Barrier(2, timeout=30)

        def come(browser: Browserless = browser, start: threading.Barrier = start) -> str | None:
            start.wait()
            return browser.start(client.authorization(prompt="none")).left_for

        def leave(ending: str = ending, start: threading.Barrier = start) -> None:
            start.wait()
            services.sessions.end_one(ending, here(services).id, ORIGIN, OPERATOR)

        with ThreadPoolExecutor(2) as pool:
            came, _ = pool.submit(come), pool.submit(leave).result()
        new = [one for one in notices() if one["sid"] not in before]
        opened = "code=" in (came.result() or "")
        assert len(new) == opened
        for one in new:
            assert one["client_id"] == "late"


def test_who_loses_its_access_is_told_that_the_session_is_over_for_it(
    deployment: Deployment,
    services: Services,
    browserless: Browserless,
    register: Register,
    notices: Notices,
) -> None:
    """The session goes on, under another name when the client comes back."""
    register("other", backchannel_logout_uri=URI).sign_in(browserless)
    client = register("left", backchannel_logout_uri=URI)
    first = claims_of(client.sign_in(browserless, "openid offline_access")["id_token"])["sid"]
    services.consents.withdraw(here(services).id, "left", ORIGIN, OPERATOR)
    assert [(one["sid"], one["client_id"]) for one in notices()] == [(first, "left")]
    assert browserless.get("/").title.startswith("Your account")
    second = claims_of(client.sign_in(browserless)["id_token"])["sid"]
    assert second != first
    browserless.submit(browserless.get("/"))
    assert {one["sid"] for one in notices()} > {first, second}
    assert len(notices()) == 3


def test_the_logout_token(
    deployment: Deployment,
    services: Services,
    client: TokenClient,
    register: Register,
    delivery: LogoutDelivery,
    told: Told,
    clock: HeldClock,
) -> None:
    """Section 2.4: its claims, its type, signed like the client's ID tokens, new for each try."""
    elliptic = register(
        "elliptic",
        backchannel_logout_uri=URI,
        id_token_signed_response_alg="ES256",
        first_party=True,
    )
    browser = deployment.browserless()
    hint = client.sign_in(browser)["id_token"]
    other = elliptic.sign_in(browser)["id_token"]
    browser.submit(browser.get("/"))
    told.answers = [503, 503]
    assert delivery.run_once() == 2
    clock.advance(PAUSES[0])
    assert delivery.run_once() == 2
    assert {url for url, _ in told.posts} == {URI}
    keys = jwk.KeySet.import_key_set(client.http.get(client.discovery["jwks_uri"]).json())
    tokens = {claims_of(token)["aud"]: token for _, token in told.posts[2:]}
    for name, known, algorithm in (("told", hint, "RS256"), ("elliptic", other, "ES256")):
        token = jwt.decode(tokens[name], keys, algorithms=[algorithm])
        now = int(clock())
        assert token.header.keys() == {"alg", "kid", "typ"}
        assert (token.header["typ"], token.header["alg"]) == ("logout+jwt", algorithm)
        assert token.claims == {
            "iss": deployment.issuer,
            "sub": claims_of(known)["sub"],
            "aud": name,
            "iat": now,
            "exp": now + 120,
            "jti": token.claims["jti"],
            "sid": claims_of(known)["sid"],
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }
    assert len({claims_of(token)["jti"] for _, token in told.posts}) == 4
    page = browser.get("/oauth2/logout", {"id_token_hint": tokens["told"]})
    assert page.status == 400, "it is no ID token (SECURITY case 53)"


def test_case_120_a_client_that_can_not_be_reached_holds_nobody_up(
    register: Register,
    client: TokenClient,
    deployment: Deployment,
    delivery: LogoutDelivery,
    told: Told,
    clock: HeldClock,
) -> None:
    """Signing out again and again at a dead address must not fill the line for all others."""
    dead = register("dead", backchannel_logout_uri="https://dead.example.test/", first_party=True)
    for _ in range(ROUNDS + 4):
        browser = deployment.browserless()
        dead.sign_in(browser)
        browser.submit(browser.get("/"))
    client.sign_in(browser)
    browser.submit(browser.get("/"))
    told.answers = ["it took too long"] * (ROUNDS + 4)
    assert delivery.run_once() == ROUNDS + 5
    asked = [url for url, _ in told.posts]
    assert asked.count("https://dead.example.test/") <= ROUNDS, "those that began together"
    assert URI in asked
    # The rest is not given up: it is told with the next try.
    told.posts.clear()
    told.answers.clear()
    clock.advance(PAUSES[0])
    while delivery.run_once():
        clock.advance(1)
    assert len(told.posts) >= ROUNDS + 4


def test_a_client_is_asked_five_times_in_an_hour(
    services: Services,
    browserless: Browserless,
    client: TokenClient,
    delivery: LogoutDelivery,
    told: Told,
    notices: Notices,
    clock: HeldClock,
) -> None:
    client.sign_in(browserless)
    browserless.submit(browserless.get("/"))
    told.answers = ["it took too long", 500, 302, 404, 503, 200]
    began, tried = clock.now, []
    while (due := notices()[0]["next_try_at"]) is not None:
        tried.append(due - int(began))
        clock.now = float(due)
        assert delivery.run_once() == 1
        assert delivery.run_once() == 0
    assert tried == [0, 20, 120, 600, 3600]
    assert (notices()[0]["problem"], notices()[0]["sent_at"]) == ("status 503", None)
    last = entries(services.store)[-1]
    assert (last["event"], last["outcome"], last["client_id"]) == ("logout.told", "refused", "told")
    assert last["account_id"] == here(services).id
    assert last["detail"]["problem"] == "status 503"
    for answer, problem in ((400, "status 400"), (204, None), (200, None)):
        client.sign_in(browserless)
        browserless.submit(browserless.get("/"))
        told.answers = [answer]
        assert delivery.run_once() == 1
        clock.advance(1)
        assert [one["problem"] for one in notices()][-1] == problem
        assert delivery.run_once() == 0, "it was told, or will not listen"
        last = entries(services.store)[-1]
        assert last["outcome"] == ("refused" if problem else "done")


def test_who_does_not_want_to_be_told_any_more_is_not(
    services: Services,
    browserless: Browserless,
    client: TokenClient,
    delivery: LogoutDelivery,
    told: Told,
    notices: Notices,
) -> None:
    client.sign_in(browserless)
    browserless.submit(browserless.get("/"))
    services.clients.disable("told", origin=ORIGIN, actor=OPERATOR)
    assert delivery.run_once() == 1
    assert told.posts == []
    assert notices()[0]["next_try_at"] is None
    services.housekeeping.run_once()
    assert notices()


class TestThroughTheGuardedWayOut:
    """SECURITY case 120: the application's own delivery, over TLS, to servers on loopback."""

    @pytest.fixture
    def settings(self, seeded: Seeded, tls_site: Site, tmp_path: Any) -> Settings:
        return settings_for(
            seeded.database,
            tmp_path / "keys",
            outbound_origins=tls_site.origin(),
            outbound_ca_file=str(tls_site.authority),
        )

    def test_case_120_a_sign_out_waits_for_nobody_and_nothing_inside_is_asked(
        self,
        app: Flask,
        deployment: Deployment,
        services: Services,
        register: Register,
        notices: Notices,
        tls_site: Site,
        seeded: Seeded,
    ) -> None:
        tls_site.answers["/out"] = lambda handler: say(handler, 200, {"Content-Length": "0"})
        elsewhere = {"Location": tls_site.url("/inside"), "Content-Length": "0"}
        tls_site.answers["/moved"] = lambda handler: say(handler, 302, elsewhere)
        addresses = {
            "good": tls_site.url("/out"),
            "moved": tls_site.url("/moved"),
            "inside": f"https://localhost:{tls_site.port}/out",
            "metadata": "https://169.254.169.254/latest",
        }
        browser = deployment.browserless()
        for name, address in addresses.items():
            register(name, backchannel_logout_uri=address, first_party=True).sign_in(browser)
        assert browser.submit(browser.get("/")).title.startswith("Signed out")
        assert tls_site.asked == [], "whoever signs out waits for no client"
        assert [one["tries"] for one in notices()] == [0] * 4
        assert logout_delivery_of(app).run_once() == 4
        problems = {one["client_id"]: one["problem"] for one in notices()}
        assert problems == {
            "good": None,
            "moved": "status 302",
            "inside": "an address of special use",
            "metadata": "an address of special use",
        }
        assert sorted(asked.path for asked in tls_site.asked) == ["/moved", "/out"]
        for asked in tls_site.asked:
            assert asked.method == "POST"
            assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
            name, _, token = asked.body.decode().partition("=")
            assert name == "logout_token"
            assert header_of(token)["typ"] == "logout+jwt"
