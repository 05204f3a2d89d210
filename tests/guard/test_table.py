"""Item by item, what the kit answers: status, challenge and body, the same in each framework.

RFC 6750 section 3, RFC 9470 section 3, RFC 9728 section 5.1, RFC 9457. The tokens are the real
server's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from idp.domain.services import Services
from idp.guard import Guard
from tests.guard.applications import FRAMEWORKS, Ask, Sent, Told, bearer
from tests.guard.conftest import Engine
from tests.support.deployment import Deployment
from tests.support.guard_http import Wire
from tests.support.held_clock import HeldClock
from tests.support.seeds import FILES_API, NOTES_API
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

METADATA = "https://notes.example.test/.well-known/oauth-protected-resource/api"
ACR = "urn:doorward:acr:two-factor"
INVALID = "The access token is expired, revoked, altered or not meant for this service."
MALFORMED = "The Authorization header must hold one bearer token."
SCOPES = "notes:read notes:write"
STEP_UP = "This needs a stronger or a fresher sign-in."


def challenge(**facts: str) -> str:
    """Return a whole challenge of the service."""
    said = {"realm": "Notes", **facts, "resource_metadata": METADATA}
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in said.items())


def problem(name: str, status: int, title: str, detail: str, **more: Any) -> dict[str, Any]:
    """Return a whole body."""
    kind = f"urn:doorward:problem:{name}"
    return {"type": kind, "title": title, "status": status, "detail": detail, **more}


def with_error(error: str, description: str, **facts: str) -> str:
    """Return a challenge that names an error."""
    return challenge(error=error, error_description=description, **facts)


# What is expected: the challenge, and the body, which holds the status.
TOKEN_MISSING = (
    challenge(scope="notes:read"),
    problem(
        "token-missing",
        401,
        "An access token is needed",
        "Send an access token in the Authorization header.",
    ),
)
TOKEN_INVALID = (
    with_error("invalid_token", INVALID),
    problem("token-invalid", 401, "The access token is not good", INVALID),
)
REQUEST_MALFORMED = (
    with_error("invalid_request", MALFORMED),
    problem("malformed", 400, "The request is malformed", MALFORMED),
)
SCOPE_MISSING = (
    with_error("insufficient_scope", f"This needs a token with: {SCOPES}.", scope=SCOPES),
    problem(
        "scope-missing",
        403,
        "A scope is missing",
        f"This needs a token with: {SCOPES}.",
        scope=SCOPES,
    ),
)
ROLE_MISSING = (
    challenge(error_description="You do not have a role that may do this."),
    problem(
        "role-missing",
        403,
        "A role is missing",
        "You do not have a role that may do this.",
        roles=["editor", "chief editor"],
    ),
)
SIGN_IN_INSUFFICIENT = (
    with_error("insufficient_user_authentication", STEP_UP, acr_values=ACR, max_age="300"),
    problem(
        "sign-in-insufficient",
        401,
        "The sign-in is not enough",
        STEP_UP,
        acr_values=ACR,
        max_age=300,
    ),
)
DENIED = (
    challenge(error_description="You are not allowed to do this."),
    problem("denied", 403, "This is not allowed", "Only „Ada“ may read this."),
)
UNAVAILABLE = (
    "",
    problem(
        "unavailable",
        503,
        "Try again later",
        "Your permission cannot be checked at the moment.",
    ),
)


@dataclass
class World:
    """Where the rows of the table get their tokens from."""

    tokens: dict[str, Any]
    other: str
    webapp: TokenClient
    services: Services
    clock: HeldClock
    engine: Engine
    wire: Wire

    @property
    def good(self) -> str:
        """A token as it is issued."""
        return str(self.tokens["access_token"])

    def signed(self, typ: str = "at+jwt", **changes: Any) -> str:
        """Return a token by the server's own key that says something else; None: without it."""
        claims = {**claims_of(self.good), **changes}
        kept = {name: value for name, value in claims.items() if value is not None}
        return self.services.signing_keys.active("ES256").sign(kept, typ)

    def expired(self) -> str:
        """Return a token of ten minutes ago, and the leeway."""
        return self.signed(exp=int(self.clock()) - 10)

    def revoked(self) -> str:
        """Give a token up, and return it."""
        assert self.webapp.revoke(self.good).status_code == 200
        return self.good

    def denied(self) -> str:
        """Let the engine deny."""
        reasons = {"403": "Only „Ada“ may read this."}
        context = {"reason_admin": {"403": "policy 7"}, "reason_user": reasons}
        self.engine.says({"decision": False, "context": context})
        return self.good

    def engine_down(self) -> str:
        """Let the engine fail."""
        self.engine.says({"decision": True}, status=500)
        return self.good

    def server_down(self) -> str:
        """Cut the way to the authorization server, for a token that it was not asked about yet."""
        self.wire.cut = True
        return self.signed()


Expected = tuple[str, dict[str, Any]]
Row = tuple[str, Callable[[World], str], Expected]
TABLE: dict[str, Row] = {
    "garbage": ("/notes", lambda _: "garbage", TOKEN_INVALID),
    "garbage in three parts": ("/notes", lambda _: "a.b.c", TOKEN_INVALID),
    "expired": ("/notes", World.expired, TOKEN_INVALID),
    "wrong audience": ("/notes", lambda world: world.other, TOKEN_INVALID),
    "no audience": ("/notes", lambda world: world.signed(aud=None), TOKEN_INVALID),
    "wrong issuer": ("/notes", lambda world: world.signed(iss="https://a.example"), TOKEN_INVALID),
    "wrong typ": ("/notes", lambda world: world.signed("JWT"), TOKEN_INVALID),
    "another typ": ("/notes", lambda world: world.signed("logout+jwt"), TOKEN_INVALID),
    "ID token": ("/notes", lambda world: str(world.tokens["id_token"]), TOKEN_INVALID),
    "ID token, asked": ("/live", lambda world: str(world.tokens["id_token"]), TOKEN_INVALID),
    "refresh token": ("/live", lambda world: str(world.tokens["refresh_token"]), TOKEN_INVALID),
    "bound to a key": ("/notes", lambda world: world.signed(cnf={"jkt": "x"}), TOKEN_INVALID),
    "missing scope": ("/both", lambda world: world.good, SCOPE_MISSING),
    "missing role": ("/desk", lambda world: world.good, ROLE_MISSING),
    "other role": ("/desk", lambda world: world.signed(roles=["author"]), ROLE_MISSING),
    "weak sign-in": ("/strong", lambda world: world.good, SIGN_IN_INSUFFICIENT),
    "old sign-in": (
        "/strong",
        lambda world: world.signed(acr=ACR, auth_time=int(world.clock()) - 301),
        SIGN_IN_INSUFFICIENT,
    ),
    "nobody signed in": (
        "/strong",
        lambda world: world.signed(acr=ACR, auth_time=None),
        SIGN_IN_INSUFFICIENT,
    ),
    "policy deny": ("/notes/7", World.denied, DENIED),
    "engine down": ("/notes/7", World.engine_down, UNAVAILABLE),
    # From here on nothing is good.
    "revoked": ("/live", World.revoked, TOKEN_INVALID),
    "server down": ("/live", World.server_down, UNAVAILABLE),
}
HEADERS: dict[str, tuple[Sent, Expected]] = {
    "no token": ([], TOKEN_MISSING),
    "an empty header": ([("Authorization", "")], TOKEN_MISSING),
    "another scheme": ([("Authorization", "Basic YTpi")], TOKEN_MISSING),
    "a scheme that begins so": ([("Authorization", "Bearers abc")], TOKEN_MISSING),
    "a token without a scheme": ([("Authorization", "abc")], TOKEN_MISSING),
    "no token after the scheme": ([("Authorization", "Bearer")], REQUEST_MALFORMED),
    "two words": ([("Authorization", "Bearer a b")], REQUEST_MALFORMED),
    "two in one": ([("Authorization", "Bearer a, Bearer b")], REQUEST_MALFORMED),
    "quoted": ([("Authorization", 'Bearer "a"')], REQUEST_MALFORMED),
    "no ASCII": ([("Authorization", "Bearer \xe4")], REQUEST_MALFORMED),
    "two headers": ([*bearer("a"), *bearer("b")], REQUEST_MALFORMED),
}


@pytest.fixture
def world(
    deployment: Deployment,
    webapp: TokenClient,
    services: Services,
    clock: HeldClock,
    engine: Engine,
    wire: Wire,
) -> World:
    browser = deployment.browserless()
    scope = "openid offline_access notes:read"
    tokens = webapp.sign_in(browser, scope, resource=NOTES_API, prompt="consent")
    other = webapp.sign_in(browser, "openid files:read", resource=FILES_API)["access_token"]
    return World(tokens, str(other), webapp, services, clock, engine, wire)


@pytest.fixture(params=FRAMEWORKS)
def ask(request: pytest.FixtureRequest, guard: Guard) -> Ask:
    """The service in one framework."""
    return FRAMEWORKS[request.param](guard)


def assert_told(name: str, told: Told, expected: Expected) -> None:
    said, body = expected
    assert (name, told.status, told.challenge, told.json) == (name, body["status"], said, body)
    assert told.headers["content-type"] == "application/problem+json"
    assert told.headers["cache-control"] == "no-store"
    assert int(told.headers["content-length"]) == len(told.body)
    assert told.headers.get("retry-after") == ("5" if told.status == 503 else None)


def test_each_request_is_answered_as_specified(ask: Ask, world: World) -> None:
    for name, (path, token, expected) in TABLE.items():
        assert_told(name, ask("GET", path, bearer(token(world))), expected)


def test_each_header_is_answered_as_specified(ask: Ask) -> None:
    for name, (sent, expected) in HEADERS.items():
        assert_told(name, ask("GET", "/notes", sent), expected)
    # Where it is let in, it says so in the header alone (RFC 9700 section 4.3.2).
    assert_told("in the query", ask("GET", "/notes?access_token=a", []), TOKEN_MISSING)


def test_what_is_good_enough_is_let_in(ask: Ask, world: World) -> None:
    subject = {"subject": claims_of(world.good)["sub"]}
    for path in ("/notes", "/live"):
        told = ask("GET", path, bearer(world.good))
        assert (path, told.status, told.json) == (path, 200, subject)
    assert ask("GET", "/notes", [("Authorization", f"bEARER  {world.good}")]).status == 200
    for roles in (["editor"], ["chief editor", "x"], [{"value": "editor"}]):
        assert ask("GET", "/desk", bearer(world.signed(roles=roles))).status == 200
    fresh = world.signed(acr=ACR, auth_time=int(world.clock()) - 300)
    assert ask("GET", "/strong", bearer(fresh)).status == 200
    world.engine.says({"decision": True})
    assert ask("GET", "/notes/7", bearer(world.good)).status == 200
    assert ask("GET", "/health", []).body == b"well"
    # A head has the answer's headers and no body.
    told = ask("HEAD", "/notes", [])
    assert (told.status, told.challenge, told.body) == (401, TOKEN_MISSING[0], b"")


def test_the_metadata_is_where_challenges_point(ask: Ask) -> None:
    path = METADATA.removeprefix("https://notes.example.test")
    told = ask("GET", path, [])
    assert told.status == 200
    assert told.headers["content-type"] == "application/json"
    assert told.headers["access-control-allow-origin"] == "*"
    assert told.json == {
        "resource": NOTES_API,
        "authorization_servers": ["https://id.example.test"],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["notes:read", "notes:write"],
        "resource_name": "Notes API",
    }
