"""A client's own error log: what its developer is told of each refusal, exactly."""

from collections.abc import Sequence
from typing import Any

import pytest
import requests

from idp.config import Settings
from idp.domain.client_errors import ClientError, Kind
from idp.domain.services import Services
from tests.abuse.answers import callback, tokens
from tests.abuse_browser.asking import ask
from tests.registration.registrar import Registrar
from tests.support import seeds
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register
from tests.support.signed import AssertingClient, new_key, public, sign
from tests.support.token_client import TokenClient, basic

pytestmark = pytest.mark.settings(network_limit=10_000, registration="open")
CALLBACK = "https://app.example.test/callback"
BYE = "https://app.example.test/bye"
Row = tuple[dict[str, str], str, Kind, str, str, str, str]


class Log:
    """The log of a client, of which each entry is looked at once."""

    def __init__(self, services: Services, client_id: str) -> None:
        self._errors = services.client_errors
        self._client_id = client_id

    def entries(self) -> Sequence[ClientError]:
        return self._errors.latest(self._client_id)

    def only(self, endpoint: str, error: str, kind: Kind) -> ClientError:
        """Return the only entry of a kind."""
        found = [each for each in self.entries() if each.told.fault.kind is kind]
        assert len(found) == 1, self.entries()
        assert (found[0].told.endpoint, found[0].told.error) == (endpoint, error)
        return found[0]


@pytest.fixture
def log(services: Services) -> Log:
    return Log(services, "webapp")


def told(entry: ClientError) -> tuple[str, str, str, str]:
    """Return the parameter, what was sent, the likeliest right value, and the difference."""
    fault = entry.told.fault
    return fault.parameter, fault.sent, next(iter(fault.expected), ""), fault.difference


ADDRESSES = {
    f"{CALLBACK}/": "only by a trailing slash.",
    "http://app.example.test/callback": "only by http instead of https.",
    "https://app.example.test:8443/callback": "only by an added port.",
    "https://app.example.test/Callback": "only by upper and lower case of the path.",
    "https://App.example.test/callback": "only by upper and lower case of the host.",
    "https://app.example.org/callback": "only by another host.",
    "https://app.example.test/other": "only by another path.",
}


def test_the_difference_of_a_redirect_uri(
    webapp: TokenClient, http: requests.Session, settings: Settings, log: Log
) -> None:
    for sent in ADDRESSES:
        asked = webapp.authorization(redirect_uri=sent)
        assert ask(http, f"{settings.issuer}/oauth2/authorize", asked).status_code == 400
    found = {entry.told.fault.sent: entry for entry in log.entries()}
    assert found.keys() == ADDRESSES.keys()
    for sent, difference in ADDRESSES.items():
        assert found[sent].told.fault.expected == (CALLBACK,)
        assert found[sent].told.fault.difference.endswith(difference)
        assert found[sent].told.fault.kind is Kind.REDIRECT_URI
        assert not found[sent].proven  # anybody can write a link


AUTHORIZE: Sequence[Row] = (
    (
        {"scope": "calendar:write files:destroy"},
        "invalid_scope",
        Kind.SCOPE,
        "scope",
        "calendar:write files:destroy",
        "address",
        "Not allowed: calendar:write files:destroy.",
    ),
    (
        {"response_type": "token"},
        "unsupported_response_type",
        Kind.RESPONSE_TYPE,
        "response_type",
        "token",
        "code",
        "",
    ),
    (
        {"response_mode": "carrier_pigeon"},
        "invalid_request",
        Kind.RESPONSE_MODE,
        "response_mode",
        "carrier_pigeon",
        "",
        "",
    ),
    (
        {"code_challenge_method": "plain"},
        "invalid_request",
        Kind.CODE_CHALLENGE,
        "code_challenge_method",
        "plain",
        "S256",
        "",
    ),
    (
        {"resource": "https://nobody.example.test/"},
        "invalid_target",
        Kind.RESOURCE,
        "resource",
        "https://nobody.example.test/",
        "",
        "",
    ),
    ({"max_age": "soon"}, "invalid_request", Kind.PARAMETER, "max_age", "soon", "", ""),
    ({"id_token_hint": "a.b.c"}, "invalid_request", Kind.ID_TOKEN_HINT, "", "", "", ""),
    (
        {"request_uri": "https://app.example.test/r"},
        "request_uri_not_supported",
        Kind.REQUEST_URI,
        "request_uri",
        "",
        "",
        "",
    ),
)


def test_every_other_refusal_at_the_authorization_endpoint(
    webapp: TokenClient, http: requests.Session, settings: Settings, log: Log
) -> None:
    url = f"{settings.issuer}/oauth2/authorize"
    for changes, error, kind, *expected in AUTHORIZE:
        ask(http, url, webapp.authorization(**changes), "POST")
        entry = log.only("authorize", error, kind)
        assert list(told(entry))[:3] == expected[:3], entry
        assert not expected[3] or entry.told.fault.difference == expected[3]
    before = log.entries()
    for prompt in ("none", "login"):  # an answer that was asked for, and no error at all
        ask(http, url, webapp.authorization(prompt=prompt))
    assert log.entries() == before


def test_a_disabled_client_is_told_in_its_log_alone(
    webapp: TokenClient, http: requests.Session, services: Services, log: Log, clock: HeldClock
) -> None:
    services.clients.disable("webapp", origin=seeds.ORIGIN, actor=seeds.OPERATOR)
    answer = ask(http, webapp.discovery["authorization_endpoint"], webapp.authorization())
    assert "Field Notes" not in answer.text
    assert log.only("authorize", "invalid_client", Kind.UNKNOWN_CLIENT)
    assert webapp.credentials().status_code == 401
    assert {entry.told.endpoint for entry in log.entries()} == {"authorize", "token"}


@pytest.mark.settings(network_limit=3)
def test_a_sign_in_that_can_go_on_no_more(
    webapp: TokenClient, browserless: Browserless, services: Services, log: Log, clock: HeldClock
) -> None:
    page = browserless.start(webapp.authorization())
    services.clients.disable("webapp", origin=seeds.ORIGIN, actor=seeds.OPERATOR)
    clock.advance(10)
    page = browserless.get(page.url)
    assert page.callback["error"] == "unauthorized_client"
    entry = log.only("authorize", "unauthorized_client", Kind.OTHER)
    assert entry.told.description == "This client is disabled."
    for _ in range(4):
        browserless.start(webapp.authorization())
    assert sum(entry.times for entry in log.entries()) == 3


def test_codes(
    webapp: TokenClient,
    deployment: Deployment,
    browserless: Browserless,
    log: Log,
    clock: HeldClock,
    services: Services,
) -> None:
    def refused(kind: Kind, **changes: str | None) -> ClientError:
        assert webapp.redeem(back, **changes).status_code == 400
        return log.only("token", "invalid_grant", kind)

    back = callback(webapp, browserless)
    sent = f"{CALLBACK}/?email=ada@example.test"
    entry = refused(Kind.CODE_REDIRECT_URI, redirect_uri=sent)
    assert told(entry)[:3] == ("redirect_uri", f"{CALLBACK}/?email=…", CALLBACK)
    assert "a trailing slash and an added query" in entry.told.fault.difference
    assert entry.proven
    back = callback(webapp, browserless)
    entry = refused(Kind.CODE_VERIFIER, code_verifier="v" * 43)
    assert told(entry)[:2] == ("code_verifier", "")
    assert "not the code_challenge" in entry.told.fault.difference
    back = callback(webapp, browserless)
    tokens(webapp.redeem(back))
    refused(Kind.CODE_USED)
    back = callback(webapp, browserless)
    clock.advance(61)
    refused(Kind.CODE_EXPIRED)
    # Nobody learns from a log whether what was stolen is somebody's.
    stranger = deployment.client("stranger")
    for code in (callback(webapp, browserless)["code"], "made-up"):
        form = {"grant_type": "authorization_code", "code": code}
        assert stranger.token(form).status_code == 400
    entry = Log(services, "stranger").only("token", "invalid_grant", Kind.CODE_UNKNOWN)
    assert entry.times == 2


def test_refresh_tokens_and_grants(
    webapp: TokenClient,
    service: TokenClient,
    browserless: Browserless,
    log: Log,
    services: Services,
    clock: HeldClock,
    deployment: Deployment,
) -> None:
    found = webapp.sign_in(browserless, "openid offline_access notes:read")
    refresh = found["refresh_token"]
    assert deployment.client("stranger").refresh(refresh).status_code == 400
    strangers = Log(services, "stranger")
    assert strangers.only("token", "invalid_grant", Kind.REFRESH_UNKNOWN)
    assert webapp.refresh(refresh, scope="openid email").status_code == 400
    entry = log.only("token", "invalid_scope", Kind.SCOPE)
    assert told(entry)[3] == "Not allowed: email."
    assert set(entry.told.fault.expected) == {"openid", "offline_access", "notes:read"}
    tokens(webapp.refresh(refresh))
    clock.advance(60)
    assert webapp.refresh(refresh).status_code == 400
    log.only("token", "invalid_grant", Kind.REFRESH_REUSED)
    assert webapp.refresh("made-up").status_code == 400
    log.only("token", "invalid_grant", Kind.REFRESH_UNKNOWN)
    assert webapp.credentials().status_code == 400
    entry = log.only("token", "unauthorized_client", Kind.GRANT_TYPE)
    assert told(entry)[:3] == ("grant_type", "client_credentials", "authorization_code")
    service.token({"grant_type": "password"})
    services_log = Log(services, "service")
    entry = services_log.only("token", "unsupported_grant_type", Kind.GRANT_TYPE)
    assert told(entry)[:3] == ("grant_type", "password", "client_credentials")


def test_client_authentication(
    webapp: TokenClient, log: Log, services: Services, register: Register, clock: HeldClock
) -> None:
    url = webapp.discovery["token_endpoint"]
    form = {"grant_type": "client_credentials"}
    wrong = {"Authorization": basic("webapp", "dw_secret_" + "x" * 43)}
    for endpoint in ("token_endpoint", "introspection_endpoint", "revocation_endpoint"):
        answer = webapp.http.post(webapp.discovery[endpoint], data=form, headers=wrong)
        assert answer.status_code == 401
    found = [entry for entry in log.entries() if entry.told.fault.kind is Kind.CLIENT_SECRET]
    assert {entry.told.endpoint for entry in found} == {"token", "introspect", "revoke"}
    assert not any(entry.proven for entry in found)
    post = form | {"client_id": "webapp", "client_secret": webapp.client_secret}
    assert webapp.http.post(url, data=post).status_code == 401
    entry = log.only("token", "invalid_client", Kind.AUTHENTICATION_METHOD)
    assert told(entry)[:3] == ("", "client_secret_post", "client_secret_basic")
    right = {"Authorization": basic("webapp", webapp.client_secret)}
    assert webapp.http.post(url, json=form, headers=right).status_code == 400
    log.only("token", "invalid_request", Kind.REQUEST_FORM)
    assert webapp.http.post(url, data={"code": "x"}, headers=right).status_code == 400
    assert told(log.only("token", "invalid_request", Kind.PARAMETER))[0] == "grant_type"

    metadata: dict[str, Any] = {"token_endpoint_auth_method": "private_key_jwt"}
    key = new_key()
    client = register("signer", jwks=public(key), grant_types=["client_credentials"], **metadata)
    signer = AssertingClient(client, key, "ES256", clock)
    theirs = Log(services, "signer")
    issuer, now = webapp.discovery.issuer, int(clock())
    for assertion, sent, expected, difference in (
        (signer.assertion(aud="https://other.test/"), "https://other.test/", issuer, "somebody"),
        (signer.assertion(exp=now - 600), "", "", "has expired"),
        (sign(signer.claims(), new_key()), "", "", "wrong signature"),
        (signer.assertion(jti=None), "", "", "no jti"),
    ):
        assert signer.send(assertion).status_code == 401
        entry = theirs.entries()[0]
        assert entry.told.fault.kind is Kind.CLIENT_ASSERTION
        assert told(entry)[:3] == ("client_assertion", sent, expected)
        assert difference in entry.told.fault.difference.lower()
        clock.advance(1)


def test_logout_and_registration(
    http: requests.Session,
    settings: Settings,
    log: Log,
    services: Services,
    deployment: Deployment,
) -> None:
    url = f"{settings.issuer}/oauth2/logout"
    there = {"client_id": "webapp", "post_logout_redirect_uri": f"{BYE}/"}
    assert ask(http, url, there).status_code == 400
    entry = log.only("logout", "invalid_request", Kind.POST_LOGOUT_REDIRECT_URI)
    assert told(entry)[:3] == ("post_logout_redirect_uri", f"{BYE}/", BYE)
    assert "trailing slash" in entry.told.fault.difference
    assert ask(http, url, {"client_id": "webapp", "id_token_hint": "x"}).status_code == 400
    log.only("logout", "invalid_request", Kind.ID_TOKEN_HINT)

    registrar = Registrar(http, settings.issuer)
    registered = registrar.registered()
    theirs = Log(services, registered["client_id"])
    assert registrar.put(registered, redirect_uris=["https://a.test/#"]).status_code == 400
    entry = theirs.only("register", "invalid_redirect_uri", Kind.REGISTRATION)
    assert "fragment" in entry.told.description
    assert entry.proven
    assert registrar.get(registered, "made-up").status_code == 401
    assert not theirs.only("register", "invalid_token", Kind.REGISTRATION_TOKEN).proven


def test_case_061_a_log_is_no_oracle_for_what_belongs_to_another_client(
    webapp: TokenClient, deployment: Deployment, browserless: Browserless, services: Services
) -> None:
    stranger, theirs = deployment.client("stranger"), Log(services, "stranger")
    back = callback(webapp, browserless, "openid offline_access")
    used = tokens(webapp.redeem(back))
    fresh = callback(webapp, browserless)
    for code in (back["code"], fresh["code"], "made-up"):
        form = {"grant_type": "authorization_code", "code": code}
        assert stranger.token(form).status_code == 400
    for token in (used.get("refresh_token", ""), "made-up"):
        assert stranger.refresh(token).status_code == 400
    assert [(each.told.fault.kind, each.times) for each in theirs.entries()] in (
        [(Kind.REFRESH_UNKNOWN, 2), (Kind.CODE_UNKNOWN, 3)],
        [(Kind.CODE_UNKNOWN, 3), (Kind.REFRESH_UNKNOWN, 2)],
    )


def test_case_080_a_log_does_not_tell_what_the_server_can_reach(
    register: Register, http: requests.Session, services: Services, clock: HeldClock
) -> None:
    key = new_key()
    metadata = {
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
    }
    seen = set()
    for number, host in enumerate(("127.0.0.1", "10.0.0.1", "[::ffff:169.254.169.254]")):
        name = f"prober-{number}"
        client = register(name, jwks_uri=f"https://{host}/keys", **metadata)
        signer = AssertingClient(client, key, "ES256", clock)
        assert signer.send(signer.assertion()).status_code == 401
        entry = Log(services, name).only("token", "invalid_client", Kind.CLIENT_ASSERTION)
        seen.add(entry.told)
        name = f"reader-{number}"
        address = f"https://{host}/request"
        reader = register(name, request_uris=[address])
        ask(
            http,
            reader.discovery["authorization_endpoint"],
            reader.authorization(request_uri=address),
        )
        entry = Log(services, name).only("authorize", "invalid_request_uri", Kind.REQUEST_URI)
        seen.add(entry.told)
    assert len(seen) == 2, seen
