"""Tokens that the server is asked about: RFC 7662."""

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest

from idp.domain.services import Services
from idp.guard import Answer, Credentials, Granted, Guard, Needs, Refused, Request
from tests.support.deployment import Deployment
from tests.support.guard_http import Wire
from tests.support.held_clock import HeldClock
from tests.support.seeds import ADA, NOTES_API, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient

PATH = "/oauth2/introspect"
LIVE = Needs("notes:read", live=True)
OPAQUE = "an-opaque-token"


@pytest.fixture
def token(deployment: Deployment, webapp: TokenClient) -> str:
    """An access token of Ada's."""
    browser = deployment.browserless()
    return str(webapp.sign_in(browser, "openid notes:read", resource=NOTES_API)["access_token"])


def answer(guard: Guard, token: str, needs: Needs = LIVE) -> str:
    outcome = guard.check(Request("GET", "/", (f"Bearer {token}",)), needs)
    return outcome.problem if isinstance(outcome, Refused) else "granted"


def test_what_was_revoked_is_refused_at_once_where_it_counts(
    guard: Guard, token: str, webapp: TokenClient, wire: Wire
) -> None:
    for _ in range(3):
        assert answer(guard, token) == "granted"
    assert wire.paths.count(PATH) == 3
    assert webapp.revoke(token).status_code == 200
    for _ in range(3):
        assert answer(guard, token) == "token-invalid"
    # That it is not active may be remembered: it keeps people out, never in.
    assert wire.paths.count(PATH) == 4
    assert answer(guard, token, Needs("notes:read")) == "granted"


def test_a_disabled_person_is_kept_out_until_enabled_again(
    guard: Guard, token: str, services: Services, clock: HeldClock
) -> None:
    assert answer(guard, token) == "granted"
    services.accounts.disable(ADA.email, ORIGIN, OPERATOR)
    assert answer(guard, token) == "token-invalid"
    clock.advance(5)
    assert answer(guard, token) == "token-invalid"


def test_what_is_made_up_costs_the_server_nothing(guard: Guard, token: str, wire: Wire) -> None:
    for made_up in (f"{token}x", "a.b.c", token.rpartition(".")[0] + ".AAAA"):
        assert answer(guard, made_up) == "token-invalid"
    assert PATH not in wire.paths


def said(clock: HeldClock, **changes: Any) -> dict[str, Any]:
    """Return what a server says of a good token."""
    usual = {
        "active": True,
        "iss": "https://id.example.test",
        "aud": NOTES_API,
        "sub": "ada",
        "client_id": "webapp",
        "scope": "notes:read",
        "exp": int(clock()) + 60,
        "token_type": "Bearer",
    }
    claims = {**usual, **changes}
    return {name: value for name, value in claims.items() if value is not None}


def test_a_token_that_only_the_server_reads(guard: Guard, wire: Wire, clock: HeldClock) -> None:
    wire.documents[PATH] = said(clock, roles=["editor"], acr="strong", auth_time=7)
    outcome = guard.check(
        Request("GET", "/", (f"Bearer {OPAQUE}",)), Needs("notes:read", roles="editor")
    )
    assert isinstance(outcome, Granted)
    assert (outcome.token.subject, outcome.token.acr, outcome.token.auth_time) == (
        "ada",
        "strong",
        7,
    )


def test_an_answer_is_remembered_for_some_seconds(
    guard: Guard, wire: Wire, clock: HeldClock
) -> None:
    any_token = Needs("notes:read")
    wire.documents[PATH] = said(clock)
    for _ in range(3):
        assert answer(guard, OPAQUE, any_token) == "granted"
    assert wire.paths.count(PATH) == 1
    wire.cut = True
    clock.advance(4)
    assert answer(guard, OPAQUE, any_token) == "granted"
    assert answer(guard, OPAQUE, LIVE) == "unavailable"
    clock.advance(1)
    assert answer(guard, OPAQUE, any_token) == "unavailable"
    wire.cut = False
    wire.documents[PATH] = {"active": False}
    assert answer(guard, OPAQUE, any_token) == "token-invalid"
    assert answer(guard, "another", any_token) == "token-invalid"
    assert wire.paths.count(PATH) == 3


def test_what_is_remembered_expires_too(
    make_guard: Callable[..., Guard], wire: Wire, clock: HeldClock
) -> None:
    guard = make_guard(remembered=3600)
    wire.documents[PATH] = said(clock)
    assert answer(guard, OPAQUE, Needs()) == "granted"
    clock.advance(69)
    assert answer(guard, OPAQUE, Needs()) == "granted"
    clock.advance(1)
    assert answer(guard, OPAQUE, Needs()) == "token-invalid"
    assert wire.paths.count(PATH) == 1


def test_every_part_of_an_answer_counts(
    make_guard: Callable[..., Guard], wire: Wire, clock: HeldClock
) -> None:
    guard = make_guard(remembered=0)
    now = int(clock())
    for good in ({"iss": None}, {"exp": None}, {"token_type": None}, {"token_type": "bearer"}):
        wire.documents[PATH] = said(clock, **good)
        assert answer(guard, OPAQUE) == "granted", good
    odd: list[dict[str, Any]] = [
        {"active": "true"},
        {"active": 1},
        {"active": None},
        {"iss": "https://other.example.test"},
        {"aud": None},
        {"aud": "https://other.example.test"},
        {"aud": {NOTES_API: 1}},
        {"exp": now - 10},
        {"exp": "soon"},
        {"nbf": now + 11},
        {"sub": None},
        {"sub": 7},
        {"scope": ["notes:read"]},
        {"token_type": "DPoP"},
        {"token_type": "N_A"},
        {"cnf": {"x5t#S256": "x"}},
    ]
    for change in odd:
        wire.documents[PATH] = said(clock, **change)
        assert answer(guard, OPAQUE) == "token-invalid", change
    wire.documents[PATH] = said(clock, scope=None)
    assert answer(guard, OPAQUE) == "scope-missing"


def test_the_server_may_say_less_than_the_token_never_more(
    guard: Guard, token: str, wire: Wire, clock: HeldClock
) -> None:
    from_server = guard.check(Request("GET", "/", (f"Bearer {token}",)), Needs())
    assert isinstance(from_server, Granted)
    same = {"sub": from_server.token.subject, "scope": "openid notes:write", "roles": []}
    wire.documents[PATH] = said(clock, **same)
    assert answer(guard, token) == "scope-missing"
    assert answer(guard, token, Needs("notes:write", live=True)) == "scope-missing"
    wire.documents[PATH] = said(clock, **{**same, "scope": None})
    assert answer(guard, token) == "granted"
    wire.documents[PATH] = said(clock, sub="grace")
    assert answer(guard, token) == "token-invalid"


class Recording:
    """Answers what introspection needs, and keeps what it was sent."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.sent: list[tuple[str, Any, bytes | None]] = []

    def send(self, method: str, url: str, headers: Any, body: bytes | None, _: float) -> Answer:
        self.sent.append((f"{method} {url}", headers, body))
        issuer = "https://id.example.test"
        document = f'{{"issuer": "{issuer}", "introspection_endpoint": "{issuer}/ask"}}'
        status = self.status if body else 200
        return Answer(status, {"content-type": "application/json"}, document.encode())


def test_how_the_kit_proves_itself(settings_of_api: Callable[..., Any], clock: HeldClock) -> None:
    """RFC 6749 section 2.3.1: name and secret are form-encoded first."""
    http = Recording(401)
    settings = settings_of_api(credentials=Credentials("a:b c", "é%+/="))
    # A server that does not know us is no reason to call the caller's token bad.
    assert answer(Guard(settings, http, clock), OPAQUE) == "unavailable"
    where, headers, body = http.sent[-1]
    assert where == "POST https://id.example.test/ask"
    scheme, _, pair = headers["Authorization"].partition(" ")
    name, _, secret = base64.b64decode(pair).decode().partition(":")
    assert (scheme, unquote_plus(name), unquote_plus(secret)) == ("Basic", "a:b c", "é%+/=")
    assert body is not None
    assert parse_qs(body.decode()) == {"token": [OPAQUE], "token_type_hint": ["access_token"]}
    assert "é%+/=" not in repr(settings)


def test_without_credentials_only_jwts_are_read(
    make_guard: Callable[..., Guard], token: str, wire: Wire
) -> None:
    guard = make_guard(credentials=None, engine="")
    assert answer(guard, token, Needs("notes:read")) == "granted"
    assert answer(guard, OPAQUE, Needs("notes:read")) == "token-invalid"
    assert PATH not in wire.paths
