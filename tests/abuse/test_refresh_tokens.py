"""SECURITY group D: refresh tokens."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from urllib.parse import urlencode

import pytest

from idp.config import Settings
from idp.domain.authorizations import Issued
from idp.domain.errors import Refused as DomainRefused
from idp.domain.services import Services
from tests.abuse.answers import assert_error, tokens, works
from tests.support import in_process
from tests.support.application import running
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.more_clients import change
from tests.support.raw_requests import Raw, RawRequests
from tests.support.refusals import Refused, entries
from tests.support.seeds import ADA, FILES_API, GRACE, NOTES_API, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient, basic

OFFLINE = "openid offline_access"
MANY = 50


def at_once(work: Callable[[int], Raw], count: int = MANY) -> list[Raw]:
    """Do the same in many threads that start together."""
    together = Barrier(count)

    def begin(number: int) -> Raw:
        together.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def refreshing(client: TokenClient, raw: RawRequests, token: str) -> Callable[[int], Raw]:
    body = urlencode({"grant_type": "refresh_token", "refresh_token": token}).encode()
    header = basic(client.client_id, client.client_secret)
    return lambda _: raw.post("/oauth2/token", body, Authorization=header)


def assert_dead(client: TokenClient, issued: dict[str, Any], refused: Refused) -> None:
    """Fail if anything of an answer is still good."""
    assert not works(client, issued["access_token"])
    assert not client.active(issued["refresh_token"])
    with refused("refresh.refused", times=1):
        assert_error(client.refresh(issued["refresh_token"]), 400, "invalid_grant")


def test_case_041_what_ends_between_the_look_and_the_lock_counts(
    webapp: TokenClient, browserless: Browserless, services: Services, refused: Refused
) -> None:
    token = webapp.sign_in(browserless, OFFLINE)["refresh_token"]
    found = services.refresh_tokens.find(token)
    assert found is not None
    assert found.authorization.open
    webapp.revoke(token)
    successor = services.refresh_tokens.successor_of(token)
    issued = Issued("refresh_token", "webapp", ("openid",), (), "jti", successor)
    with refused("refresh.refused", times=1), pytest.raises(DomainRefused):
        services.refresh_tokens.rotate(token, found.authorization, issued, ORIGIN)
    assert not webapp.active(successor)


@pytest.mark.settings(refresh_retry_window=0)
def test_case_040_of_fifty_parallel_refreshes_one_wins(
    webapp: TokenClient, browserless: Browserless, raw: RawRequests, refused: Refused
) -> None:
    token = webapp.sign_in(browserless, OFFLINE)["refresh_token"]
    answers = at_once(refreshing(webapp, raw, token))
    won = [answer.json for answer in answers if answer.status == 200]
    lost = [answer.json["error"] for answer in answers if answer.status == 400]
    assert len(won) == 1
    assert lost == ["invalid_grant"] * (MANY - 1)
    # Reuse ends the family: there is no live child at all.
    assert_dead(webapp, won[0], refused)


def test_case_040_within_the_retry_window_all_get_one_child(
    webapp: TokenClient, browserless: Browserless, raw: RawRequests, services: Services
) -> None:
    token = webapp.sign_in(browserless, OFFLINE)["refresh_token"]
    answers = at_once(refreshing(webapp, raw, token))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["refresh_token"] for answer in answers}) == 1
    assert len({answer.json["access_token"] for answer in answers}) == MANY
    told = [entry["event"] for entry in entries(services.store)]
    assert told.count("token.issued") == MANY + 1


@pytest.mark.parametrize("how", ["refresh token", "session"])
def test_case_041_after_the_acknowledged_end_nothing_of_it_lives(
    how: str,
    webapp: TokenClient,
    browserless: Browserless,
    raw: RawRequests,
    services: Services,
    refused: Refused,
) -> None:
    issued = webapp.sign_in(browserless, "openid")
    refresh = refreshing(webapp, raw, issued["refresh_token"])
    revoking = urlencode({"token": issued["refresh_token"]}).encode()
    header = basic(webapp.client_id, webapp.client_secret)
    cookie = next(iter(browserless.http.cookies)).value or ""
    account = services.accounts.get(ADA.email)

    def work(number: int) -> Raw:
        if number != 4:
            return refresh(number)
        if how == "refresh token":
            return raw.post("/oauth2/revoke", revoking, Authorization=header)
        services.sessions.end(cookie, account.id, ORIGIN)
        return raw.send("GET", "/health/live")

    answers = at_once(work, 12)
    assert answers[4].status == 200
    others = [answer for number, answer in enumerate(answers) if number != 4]
    for answer in others:
        if answer.status == 200:
            assert not works(webapp, answer.json["access_token"])
            assert not webapp.active(answer.json["refresh_token"])
        else:
            assert answer.json["error"] == "invalid_grant"
    assert_dead(webapp, issued, refused)


def test_case_042_a_restart_makes_no_used_token_good_again(
    webapp: TokenClient,
    browserless: Browserless,
    settings: Settings,
    clock: HeldClock,
    deployment: Deployment,
    refused: Refused,
) -> None:
    first = webapp.sign_in(browserless, OFFLINE)["refresh_token"]
    second = tokens(webapp.refresh(first))
    with running(settings, clock) as restarted:
        webapp.http = in_process.session(restarted, settings.issuer)
        again = tokens(webapp.refresh(first))
        assert again["refresh_token"] == second["refresh_token"]  # a retry over the restart
        clock.advance(10)
        with refused("refresh.refused", changes=["authorizations"], times=1) as told:
            assert_error(webapp.refresh(first), 400, "invalid_grant")
        assert {entry["event"] for entry in told} == {"refresh.refused", "authorization.revoked"}
        assert_dead(webapp, second, refused)


def test_case_042_a_restart_makes_no_used_code_good_again(
    webapp: TokenClient,
    browserless: Browserless,
    settings: Settings,
    clock: HeldClock,
    refused: Refused,
) -> None:
    found = browserless.authorize(webapp.authorization(OFFLINE))
    issued = tokens(webapp.redeem(found))
    with running(settings, clock) as restarted:
        webapp.http = in_process.session(restarted, settings.issuer)
        with refused("code.refused", changes=["authorizations"], times=1):
            assert_error(webapp.redeem(found), 400, "invalid_grant")
        assert_dead(webapp, issued, refused)


# The retry window


@pytest.mark.parametrize("seconds", [0, 9, 9.9])
def test_a_retry_within_the_window_gets_the_same_successor(
    seconds: float, webapp: TokenClient, browserless: Browserless, clock: HeldClock
) -> None:
    first = webapp.sign_in(browserless, OFFLINE)["refresh_token"]
    second = tokens(webapp.refresh(first))
    clock.advance(seconds)
    again = tokens(webapp.refresh(first))
    assert again["refresh_token"] == second["refresh_token"]
    assert works(webapp, second["access_token"])
    assert works(webapp, again["access_token"])
    tokens(webapp.refresh(second["refresh_token"]))


@pytest.mark.parametrize("seconds", [10, 11, 3600])
def test_a_retry_after_the_window_is_reuse(
    seconds: float,
    webapp: TokenClient,
    browserless: Browserless,
    clock: HeldClock,
    refused: Refused,
) -> None:
    first = webapp.sign_in(browserless, OFFLINE)["refresh_token"]
    second = tokens(webapp.refresh(first))
    clock.advance(seconds)
    with refused("refresh.refused", changes=["authorizations"], times=1) as told:
        assert_error(webapp.refresh(first), 400, "invalid_grant")
    assert "reused" in {entry["detail"].get("reason") for entry in told}
    assert_dead(webapp, second, refused)


@pytest.mark.settings(refresh_retry_window=0)
def test_without_a_window_each_repeat_is_reuse(
    webapp: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    first = webapp.sign_in(browserless, OFFLINE)["refresh_token"]
    second = tokens(webapp.refresh(first))
    with refused("refresh.refused", changes=["authorizations"], times=1):
        assert_error(webapp.refresh(first), 400, "invalid_grant")
    assert_dead(webapp, second, refused)


@pytest.mark.settings(refresh_retry_window=0)
def test_who_looked_at_the_clock_before_the_winner_did_comes_too_late_all_the_same(
    webapp: TokenClient, browserless: Browserless, clock: HeldClock, refused: Refused
) -> None:
    """Of two that wait for the lock, the later one by the clock may get it first."""
    first = webapp.sign_in(browserless, OFFLINE)["refresh_token"]
    clock.advance(1)
    second = tokens(webapp.refresh(first))
    clock.advance(-1)
    with refused("refresh.refused", changes=["authorizations"], times=1):
        assert_error(webapp.refresh(first), 400, "invalid_grant")
    assert_dead(webapp, second, refused)


def test_the_first_use_of_the_successor_closes_the_window(
    webapp: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    first = webapp.sign_in(browserless, OFFLINE)["refresh_token"]
    second = tokens(webapp.refresh(first))["refresh_token"]
    third = tokens(webapp.refresh(second))
    with refused("refresh.refused", changes=["authorizations"], times=1):
        assert_error(webapp.refresh(first), 400, "invalid_grant")
    assert_dead(webapp, third, refused)


def test_a_used_token_is_not_active_even_within_the_window(
    webapp: TokenClient, browserless: Browserless
) -> None:
    first = webapp.sign_in(browserless, OFFLINE)["refresh_token"]
    second = tokens(webapp.refresh(first))["refresh_token"]
    assert not webapp.active(first)
    assert webapp.active(second)


@pytest.mark.parametrize("which", ["first", "second"])
def test_case_044_the_window_is_no_way_around_a_revocation(
    which: str, webapp: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    issued = {"first": webapp.sign_in(browserless, OFFLINE)}
    issued["second"] = tokens(webapp.refresh(issued["first"]["refresh_token"]))
    assert webapp.revoke(issued[which]["refresh_token"]).status_code == 200
    assert_dead(webapp, issued["first"], refused)
    assert_dead(webapp, issued["second"], refused)


# What a refresh gives


MORE = ("openid email", "email", "openid notes:write", "unknown", "openid offline_access profile")
MALFORMED = ('"', "a\0b", "é", "\ufffd", "x" * 101)


def test_case_045_no_scope_is_added(
    webapp: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    token = webapp.sign_in(browserless, "openid notes:read offline_access")["refresh_token"]
    for scope in (*MORE, *MALFORMED):
        with refused("token.refused", times=1) as told:
            assert_error(webapp.refresh(token, scope=scope), 400, "invalid_scope")
        assert told[0]["client_id"] == "webapp"
    tokens(webapp.refresh(token))


@pytest.mark.parametrize("authorized", [None, NOTES_API])
def test_case_045_no_resource_is_added(
    authorized: str | None, webapp: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    issued = webapp.sign_in(browserless, "openid notes:read offline_access", resource=authorized)
    for other in (FILES_API, f"{NOTES_API}/", "https://unknown.example.test", "x", "\0"):
        with refused("token.refused", times=1):
            answer = webapp.refresh(issued["refresh_token"], resource=other)
        assert_error(answer, 400, "invalid_target")
    for same in (None, "", NOTES_API):
        issued = tokens(webapp.refresh(issued["refresh_token"], resource=same))
        found = webapp.introspect(issued["access_token"]).json()
        assert found["aud"] == [NOTES_API, webapp.discovery.issuer]


def test_case_045_a_resource_that_nobody_was_asked_about_is_refused(
    webapp: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    token = webapp.sign_in(browserless, OFFLINE)["refresh_token"]
    with refused("token.refused", times=1):
        assert_error(webapp.refresh(token, resource=NOTES_API), 400, "invalid_target")
    found = webapp.introspect(tokens(webapp.refresh(token))["access_token"]).json()
    assert found["aud"] == webapp.discovery.issuer


def test_case_045_less_for_one_token_is_no_less_for_the_next(
    webapp: TokenClient, browserless: Browserless
) -> None:
    scope = "openid notes:read offline_access"
    issued = webapp.sign_in(browserless, scope)
    less = tokens(webapp.refresh(issued["refresh_token"], scope="notes:read"))
    assert less["scope"] == "notes:read"
    assert "id_token" not in less
    assert webapp.introspect(less["access_token"]).json()["aud"] == NOTES_API
    assert webapp.userinfo(less["access_token"]).status_code == 403
    assert tokens(webapp.refresh(less["refresh_token"]))["scope"] == scope


def test_case_045_scopes_that_the_client_lost_disappear(
    webapp: TokenClient,
    browserless: Browserless,
    services: Services,
    clock: HeldClock,
    refused: Refused,
) -> None:
    issued = webapp.sign_in(browserless, "openid notes:read email offline_access")
    change(services, "webapp", scope="openid email offline_access")
    clock.advance(5)
    issued = tokens(webapp.refresh(issued["refresh_token"]))
    assert issued["scope"] == "openid email offline_access"
    found = webapp.introspect(issued["access_token"]).json()
    assert found["aud"] == webapp.discovery.issuer
    with refused("token.refused", times=1):
        answer = webapp.refresh(issued["refresh_token"], scope="notes:read")
    assert_error(answer, 400, "invalid_scope")


def test_case_045_a_client_that_lost_all_scopes_gets_nothing(
    webapp: TokenClient,
    browserless: Browserless,
    services: Services,
    clock: HeldClock,
    refused: Refused,
) -> None:
    token = webapp.sign_in(browserless, "openid notes:read")["refresh_token"]
    change(services, "webapp", scope="notes:write", default_resource=NOTES_API)
    clock.advance(5)
    with refused("token.refused", times=1):
        assert_error(webapp.refresh(token), 400, "invalid_scope")


@pytest.mark.parametrize("scope", ["openid", OFFLINE])
def test_case_046_offline_access_that_is_taken_away_counts(
    scope: str,
    webapp: TokenClient,
    browserless: Browserless,
    services: Services,
    clock: HeldClock,
    refused: Refused,
) -> None:
    token = webapp.sign_in(browserless, scope)["refresh_token"]
    change(services, "webapp", scope="openid")
    clock.advance(5)
    if scope == "openid":
        tokens(webapp.refresh(token))
        return
    with refused("refresh.refused", times=1) as told:
        assert_error(webapp.refresh(token), 400, "invalid_grant")
    assert told[0]["detail"]["reason"] == "offline access withdrawn"


def test_case_046_the_refresh_grant_that_is_taken_away_counts(
    webapp: TokenClient,
    browserless: Browserless,
    services: Services,
    clock: HeldClock,
    refused: Refused,
) -> None:
    token = webapp.sign_in(browserless, OFFLINE)["refresh_token"]
    change(services, "webapp", grant_types=["authorization_code"])
    clock.advance(5)
    with refused("token.refused", times=1):
        assert_error(webapp.refresh(token), 400, "unauthorized_client")


def test_case_046_withdrawn_consent_counts_at_once(
    webapp: TokenClient, browserless: Browserless, services: Services, refused: Refused
) -> None:
    issued = webapp.sign_in(browserless, OFFLINE)
    account = services.accounts.get(ADA.email)
    services.consents.withdraw(account.id, "webapp", ORIGIN, OPERATOR)
    assert_dead(webapp, issued, refused)


@pytest.mark.parametrize("scope", ["openid", OFFLINE])
@pytest.mark.parametrize("what", ["disabled", "new password"])
def test_case_048_what_happens_to_the_account_ends_its_tokens(
    what: str,
    scope: str,
    webapp: TokenClient,
    browserless: Browserless,
    services: Services,
    refused: Refused,
) -> None:
    issued = webapp.sign_in(browserless, scope)
    if what == "disabled":
        services.accounts.disable(ADA.email, ORIGIN, OPERATOR)
    else:
        services.accounts.set_password(ADA.email, "quite another long one", ORIGIN, OPERATOR)
    assert_dead(webapp, issued, refused)
    if what == "disabled":
        services.accounts.enable(ADA.email, ORIGIN, OPERATOR)
        assert_dead(webapp, issued, refused)


# Whose they are, and how long they live


def test_a_token_of_another_client_is_refused_and_its_family_lives(
    webapp: TokenClient, deployment: Deployment, browserless: Browserless, refused: Refused
) -> None:
    issued = webapp.sign_in(browserless, OFFLINE)
    for name in ("stranger", "spa"):
        with refused("refresh.refused", times=1) as told:
            answer = deployment.client(name).refresh(issued["refresh_token"])
        assert_error(answer, 400, "invalid_grant")
        assert told[0]["client_id"] == name
        assert told[0]["detail"]["reason"] == "another client's"
    tokens(webapp.refresh(issued["refresh_token"]))


def test_what_is_no_token_of_ours_is_refused(webapp: TokenClient, refused: Refused) -> None:
    for token in ("x", "x" * 43, "\0", "é", "\ufffd", "a.b.c", " ", "x" * 16_384, "' OR 1=1 --"):
        with refused("token.refused", times=1):
            assert_error(webapp.refresh(token), 400, "invalid_grant")


@pytest.mark.parametrize("token", [None, ""])
def test_a_missing_token_is_an_invalid_request(
    token: str | None, webapp: TokenClient, refused: Refused
) -> None:
    with refused("token.refused", times=1):
        answer = webapp.token({"grant_type": "refresh_token"}, refresh_token=token)
    assert_error(answer, 400, "invalid_request")


def test_authorizations_of_one_person_are_independent(
    webapp: TokenClient,
    deployment: Deployment,
    browserless: Browserless,
    clock: HeldClock,
    refused: Refused,
) -> None:
    grace = deployment.browserless(GRACE)
    others = [
        (webapp, webapp.sign_in(browserless, OFFLINE)),
        (webapp, webapp.sign_in(grace, OFFLINE)),
        (spa := deployment.client("spa"), spa.sign_in(browserless, OFFLINE)),
    ]
    first = webapp.sign_in(browserless, OFFLINE)
    second = tokens(webapp.refresh(first["refresh_token"]))
    clock.advance(10)
    with refused("refresh.refused", changes=["authorizations"], times=1):
        assert_error(webapp.refresh(first["refresh_token"]), 400, "invalid_grant")
    assert_dead(webapp, second, refused)
    for client, issued in others:
        assert client.userinfo(issued["access_token"]).status_code == 200
        tokens(client.refresh(issued["refresh_token"]))


@pytest.mark.settings(refresh_idle_lifetime=60)
def test_an_unused_token_dies_with_its_second(
    webapp: TokenClient, browserless: Browserless, clock: HeldClock, refused: Refused
) -> None:
    token = webapp.sign_in(browserless, OFFLINE)["refresh_token"]
    clock.advance(59)
    token = tokens(webapp.refresh(token))["refresh_token"]
    clock.advance(59)
    assert webapp.active(token)
    clock.advance(1)
    assert not webapp.active(token)
    with refused("refresh.refused", times=1) as told:
        assert_error(webapp.refresh(token), 400, "invalid_grant")
    assert told[0]["detail"]["reason"] == "expired"


@pytest.mark.settings(refresh_idle_lifetime=60, refresh_absolute_lifetime=100)
def test_no_use_carries_a_token_beyond_its_absolute_end(
    webapp: TokenClient, browserless: Browserless, clock: HeldClock, refused: Refused
) -> None:
    token = webapp.sign_in(browserless, OFFLINE)["refresh_token"]
    for seconds in (50, 49):
        clock.advance(seconds)
        token = tokens(webapp.refresh(token))["refresh_token"]
    clock.advance(1)
    with refused("refresh.refused", times=1):
        assert_error(webapp.refresh(token), 400, "invalid_grant")


@pytest.mark.settings(session_idle_lifetime=600, session_absolute_lifetime=600)
def test_tokens_of_a_session_that_expired_and_was_purged(
    webapp: TokenClient,
    browserless: Browserless,
    services: Services,
    clock: HeldClock,
    refused: Refused,
) -> None:
    bound = webapp.sign_in(browserless, "openid")
    offline = webapp.sign_in(browserless, OFFLINE)
    clock.advance(599)
    assert works(webapp, bound["access_token"])
    clock.advance(1)
    with refused("refresh.refused", times=1):
        assert_error(webapp.refresh(bound["refresh_token"]), 400, "invalid_grant")
    clock.advance(3601)
    services.housekeeping.run_once()
    with refused("refresh.refused", times=1):
        assert_error(webapp.refresh(bound["refresh_token"]), 400, "invalid_grant")
    assert works(webapp, tokens(webapp.refresh(offline["refresh_token"]))["access_token"])


def test_signing_out_ends_what_is_bound_to_the_session_alone(
    webapp: TokenClient, browserless: Browserless, services: Services, refused: Refused
) -> None:
    offline = webapp.sign_in(browserless, OFFLINE)
    bound = webapp.sign_in(browserless, "openid")
    cookie = next(iter(browserless.http.cookies)).value or ""
    services.sessions.end(cookie, services.accounts.get(ADA.email).id, ORIGIN)
    assert_dead(webapp, bound, refused)
    assert works(webapp, tokens(webapp.refresh(offline["refresh_token"]))["access_token"])
