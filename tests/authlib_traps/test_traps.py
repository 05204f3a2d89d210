"""The traps of Authlib 1.9 as a server: our endpoints do not fall into them.

Each trap has a number. `test_trap_NN_…` shows what ours do; `test_upstream_NN_…` shows that the
trap is still there: when such a test fails, Authlib has mended it and our way around it can go.

Not here, since nothing that is built can fall into them:

4, the second half: pushed and signed authorization requests both read `request_uri` (not built).
9: the device grant (not built).
10, for the device grant (not built).
11, for hybrid answers (there is no hybrid flow).
13: registration is tested in tests/registration; the endpoint is not built.
14: `form_post` (not built; another `response_mode` than `query` is refused, see trap 14 below).
15, the first half: client assertions (not built; refused, see SECURITY case 30).
20: `types-Authlib` is in the development lock; mypy --strict would fail without it.
"""

import hashlib
import inspect
import json
import logging
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlencode

import authlib
import pytest
from authlib.common.security import generate_token
from authlib.oauth2.rfc6749 import AuthorizationServer as AuthlibServer
from authlib.oauth2.rfc6749 import OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.authenticate_client import ClientAuthentication
from authlib.oauth2.rfc6749.errors import InsecureTransportError
from authlib.oauth2.rfc6749.grants import authorization_code
from authlib.oauth2.rfc6749.hooks import Hookable
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc9068.claims import JWTAccessTokenClaims
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants.util import generate_id_token
from authlib.oidc.core.util import create_half_hash
from joserfc import jws
from joserfc.jwk import OctKey

from idp.crypto import algorithms, jwk
from idp.domain.services import Services
from idp.web.context import SERVER
from tests.abuse import forgeries
from tests.abuse.answers import assert_error, callback, tokens, works
from tests.keys import forging
from tests.support.browserless import Browserless
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register
from tests.support.raw_requests import RawRequests
from tests.support.refusals import entries
from tests.support.seeds import NOTES_API, OPERATOR, ORIGIN
from tests.support.statements import counted
from tests.support.token_client import TokenClient, basic
from tests.support.token_parts import claims_of, header_of

TOKEN = "/oauth2/token"


def form(**values: str) -> bytes:
    return urlencode(values).encode()


# 1. What outsiders can make fail


@pytest.mark.parametrize("text", ['"', "é", "\\", "\0", "\r\n", "😀"])
def test_trap_01_odd_letters_are_an_error_page_and_no_crash(
    text: str, webapp: TokenClient, browserless: Browserless
) -> None:
    for name in ("redirect_uri", "response_type", "client_id"):
        asked = webapp.authorization() | {name: text}
        page = browserless.get("/oauth2/authorize", asked)
        assert page.status in {303, 400}
        if name != "response_type":
            assert (page.status, page.left_for) == (400, None)
        else:
            assert page.callback["error"] == "unsupported_response_type"
            assert text not in page.callback["error_description"]


def test_trap_01_a_basic_header_that_is_no_utf_8_is_an_error(raw: RawRequests) -> None:
    answer = raw.post(TOKEN, form(grant_type="client_credentials"), Authorization="Basic //4=")
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.settings(issuer="http://id.intranet.test:8000")
def test_trap_01_plain_http_elsewhere_is_no_crash(service: TokenClient) -> None:
    """`idp serve` does not start like this; another WSGI server would."""
    answer = service.credentials(scope="notes:read")
    assert answer.status_code < 500, answer.text


def test_upstream_01_odd_letters_still_raise() -> None:
    with pytest.raises(ValueError, match="forbidden characters"):
        OAuth2Error(description='"')
    with pytest.raises(UnicodeDecodeError):
        extract_basic_authorization({"Authorization": "Basic //4="})
    with pytest.raises(InsecureTransportError):
        OAuth2Request("POST", "http://id.intranet.test:8000/oauth2/token")


# 2. The token endpoint


def test_trap_02_the_token_endpoint_reads_the_body_alone_and_once(
    service: TokenClient, raw: RawRequests
) -> None:
    header = basic("service", service.client_secret)
    body = form(scope="notes:read")
    answer = raw.post(f"{TOKEN}?grant_type=client_credentials", body, Authorization=header)
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    body = form(grant_type="client_credentials", scope="notes:read")
    answer = raw.post(TOKEN, body + b"&scope=files:read", Authorization=header)
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    answer = raw.post(TOKEN, body + b"&client_id=webapp", Authorization=header)
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    answer = raw.post(TOKEN, body + b"&client_secret=x", Authorization=header)
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


def test_upstream_02_the_first_mechanism_that_fits_still_wins() -> None:
    known = SimpleNamespace(
        check_client_secret="right".__eq__,
        check_endpoint_auth_method=lambda *_: True,
    )
    request: Any = OAuth2Request("POST", "https://id.test/")
    request.headers = {"Authorization": basic("app", "right")}
    request._body = {"client_id": "another", "client_secret": "wrong"}
    find: Any = {"app": known}.get
    methods = ["client_secret_basic", "client_secret_post"]
    found: Any = ClientAuthentication(find)(request, methods)
    assert found is known


# 3. Repetition


def test_trap_03_any_parameter_that_is_repeated_is_refused(
    webapp: TokenClient, browserless: Browserless
) -> None:
    good = list(webapp.authorization("openid notes:read").items())
    for name in ("nonce", "prompt", "max_age", "code_challenge", "login_hint", "unknown", "scope"):
        page = browserless.get("/oauth2/authorize", [*good, (name, "0"), (name, "0")])
        assert page.callback["error"] == "invalid_request", name
    for name in ("client_id", "redirect_uri"):
        page = browserless.get("/oauth2/authorize", [*good, (name, dict(good)[name])])
        assert (page.status, page.left_for) == (400, None), name


# 4. Hooks


def test_trap_04_nothing_rests_on_the_order_of_hooks(services: Services, app: Any) -> None:
    server: Any = app.extensions[SERVER]
    assert not any(server._hooks.values())
    assert [extensions for _, extensions in server._token_grants if extensions] == []


def test_upstream_04_hooks_still_have_no_order() -> None:
    hookable: Any = Hookable()
    hookable.register_hook("event", print)
    assert isinstance(hookable._hooks["event"], set)


# 5 and 6. Keys and algorithms


def test_trap_05_the_one_active_key_signs(
    service: TokenClient, webapp: TokenClient, browserless: Browserless, services: Services
) -> None:
    active = {name: services.signing_keys.active(name).kid for name in ("ES256", "RS256")}
    whole = webapp.http.get(webapp.discovery["jwks_uri"]).json()["keys"]
    published = [key for key in whole if key["use"] == "sig"]
    assert len(published) == 2 * len(
        services.signing_keys.algorithms
    )  # the next key of each algorithm is there as well
    for _ in range(12):
        access = tokens(service.credentials(scope="notes:read"))["access_token"]
        assert header_of(access)["kid"] == active["ES256"]
    issued = webapp.sign_in(browserless)
    assert header_of(issued["id_token"])["kid"] == active["RS256"]


def test_trap_06_each_key_serves_the_algorithm_it_names() -> None:
    for name, algorithm in algorithms.ALGORITHMS.items():
        new = jwk.generate(name)
        private = jwk.load_private(new.kid, name, new.private)
        token = private.sign({"a": 1}, "JWT")
        assert header_of(token)["alg"] == name
        assert algorithm.accepts(jwk.load_public(new.public_jwk)._key)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_trap_06_an_id_token_has_the_half_hash_of_its_access_token(
    algorithm: str, register: Register, browserless: Browserless
) -> None:
    client = register("hashed", id_token_signed_response_alg=algorithm)
    issued = client.sign_in(browserless)
    half = hashlib.sha256(issued["access_token"].encode()).digest()[:16]
    assert claims_of(issued["id_token"])["at_hash"] == forging.encode(half)


def test_upstream_06_the_half_hash_of_ed25519_is_still_missing() -> None:
    assert create_half_hash("token", "Ed25519") is None


def test_upstream_06_joserfc_still_allows_hmac_by_itself() -> None:
    key = OctKey.import_key(b"a" * 32)
    signed = jws.serialize_compact({"alg": "HS256"}, b"{}", key)
    assert jws.deserialize_compact(signed, key).payload == b"{}"


# 7. PKCE


def test_trap_07_pkce_binds_confidential_clients_and_burns_the_code(
    webapp: TokenClient, browserless: Browserless
) -> None:
    found = callback(webapp, browserless)
    assert_error(webapp.redeem(found, code_verifier="a" * 43), 400, "invalid_grant")
    assert_error(webapp.redeem(found), 400, "invalid_grant")
    asked = webapp.authorization(code_challenge=None, code_challenge_method=None)
    assert browserless.start(asked).callback["error"] == "invalid_request"
    plain = webapp.authorization(code_challenge_method="plain")
    assert browserless.start(plain).callback["error"] == "invalid_request"


def test_upstream_07_plain_is_still_the_default() -> None:
    assert CodeChallenge.DEFAULT_CODE_CHALLENGE_METHOD == "plain"
    assert "plain" in CodeChallenge.SUPPORTED_CODE_CHALLENGE_METHOD


# 8. Consuming and issuing are one


@pytest.mark.only_on("sqlite")
def test_trap_08_a_code_is_used_up_in_the_transaction_that_issues(
    webapp: TokenClient, browserless: Browserless, services: Services
) -> None:
    webapp.sign_in(browserless, "openid offline_access")  # the client's first use of the day
    found = callback(webapp, browserless, "openid offline_access")
    with counted(services.store) as statements:
        issued = tokens(webapp.redeem(found))
    assert one_transaction(statements) == ["one_time", "refresh_tokens", "audit_entries"]
    with counted(services.store) as statements:
        tokens(webapp.refresh(issued["refresh_token"]))
    assert one_transaction(statements) == ["refresh_tokens", "refresh_tokens", "audit_entries"]


def one_transaction(statements: list[str]) -> list[str]:
    """Return the tables that are written, which has to happen in one transaction."""
    words = [statement.split() for statement in statements]
    begun = [number for number, each in enumerate(words) if each[:2] == ["BEGIN", "IMMEDIATE"]]
    ended = [number for number, each in enumerate(words) if each[0] == "COMMIT"]
    assert len(begun) == len(ended) == 1, statements
    writing = [each for each in words[begun[0] : ended[0]] if each[0] in {"UPDATE", "INSERT"}]
    assert len(writing) == sum(each[0] in {"UPDATE", "INSERT"} for each in words)
    return [each[1] if each[0] == "UPDATE" else each[2] for each in writing]


def test_upstream_08_authlib_still_saves_before_it_consumes() -> None:
    text = inspect.getsource(authorization_code)
    assert text.index("self.save_token(token)") < text.index("self.delete_authorization_code(")


# 10. When the person signed in


def test_trap_10_a_refreshed_id_token_tells_of_the_sign_in(
    webapp: TokenClient, browserless: Browserless, clock: HeldClock
) -> None:
    first = webapp.sign_in(browserless, "openid offline_access")
    clock.advance(3600)
    second = tokens(webapp.refresh(first["refresh_token"]))
    told = [claims_of(each["id_token"]) for each in (first, second)]
    for name in ("auth_time", "acr", "amr", "sub", "iss", "aud"):
        assert told[0][name] == told[1][name], name
    assert told[1]["iat"] == told[0]["iat"] + 3600


def test_upstream_10_auth_time_is_still_now_by_itself() -> None:
    key: Any = OctKey.import_key(b"a" * 32)
    person = UserInfo(sub="ada")
    token = generate_id_token({}, person, key, "https://id.test", ["a"], alg="HS256")
    assert claims_of(token)["auth_time"] >= time.time() - 60


# 11. Who answers


@pytest.mark.parametrize(
    "wrong",
    [
        {"response_type": "token"},
        {"scope": '"'},
        {"prompt": "maybe"},
        {"max_age": "x"},
        {"code_challenge": "short"},
        {"request": "x.y.z"},
        {"prompt": "none"},
    ],
)
def test_trap_11_every_redirect_names_the_issuer(
    wrong: dict[str, str], webapp: TokenClient, browserless: Browserless
) -> None:
    answer = browserless.start(webapp.authorization() | wrong).callback
    assert answer["error"]
    assert answer["iss"] == webapp.discovery.issuer


def test_trap_11_so_does_the_code(webapp: TokenClient, browserless: Browserless) -> None:
    assert callback(webapp, browserless)["iss"] == webapp.discovery.issuer


# 12. Lifetimes


def test_trap_12_an_access_token_lives_ten_minutes(
    service: TokenClient, webapp: TokenClient, browserless: Browserless
) -> None:
    for issued in (tokens(service.credentials(scope="notes:read")), webapp.sign_in(browserless)):
        claims = claims_of(issued["access_token"])
        assert issued["expires_in"] == claims["exp"] - claims["iat"] == 600


def test_upstream_12_ten_days_are_still_the_default() -> None:
    assert BearerTokenGenerator.GRANT_TYPES_EXPIRES_IN["authorization_code"] == 864_000


# 14. The mode of the answer


@pytest.mark.parametrize("mode", ["jwt", "query.jwt", "web_message"])
def test_trap_14_a_mode_that_does_not_exist_is_refused(
    mode: str, webapp: TokenClient, browserless: Browserless
) -> None:
    answer = browserless.start(webapp.authorization(response_mode=mode)).callback
    assert answer["error"] == "invalid_request"


def test_trap_14_the_code_comes_in_the_mode_that_was_asked_for(
    webapp: TokenClient, browserless: Browserless
) -> None:
    """The page of `form_post` is looked at in tests/protocol/test_response_types.py."""
    page = browserless.finish(browserless.start(webapp.authorization(response_mode="fragment")))
    assert page.left_for
    address, _, fragment = page.left_for.partition("#")
    assert address == webapp.redirect_uri
    assert parse_qs(fragment).keys() >= {"code", "state", "iss"}


# 15 and 16. Looking at tokens


def test_trap_15_introspection_and_revocation_look_at_the_database(
    webapp: TokenClient, service: TokenClient, browserless: Browserless, services: Services
) -> None:
    issued = webapp.sign_in(browserless, "openid offline_access")
    own = tokens(service.credentials(scope="notes:read"))["access_token"]
    for client, token in ((webapp, issued["access_token"]), (service, own)):
        assert client.active(token)
        client.revoke(token)
        assert not client.active(token)
    services.clients.disable("service", origin=ORIGIN, actor=OPERATOR)
    assert_error(service.introspect(own), 401, "invalid_client")


def test_trap_16_a_token_without_a_type_is_none(
    webapp: TokenClient, browserless: Browserless, services: Services
) -> None:
    access = webapp.sign_in(browserless)["access_token"]
    header = {name: value for name, value in header_of(access).items() if name != "typ"}
    claims = json.dumps(claims_of(access)).encode()
    bare = forgeries.signed_by_us(services, "ES256", header, claims)
    assert not works(webapp, bare)
    typed = forgeries.signed_by_us(services, "ES256", header_of(access), claims)
    assert works(webapp, typed)


def test_trap_16_an_unknown_hint_is_ignored(webapp: TokenClient, browserless: Browserless) -> None:
    issued = webapp.sign_in(browserless)
    for hint in ("pkce", "id_token", '"'):
        assert webapp.introspect(issued["access_token"], token_type_hint=hint).json()["active"]
    assert webapp.revoke(issued["access_token"], token_type_hint="pkce").status_code == 200
    assert not works(webapp, issued["access_token"])


def test_upstream_16_a_token_without_a_type_still_passes() -> None:
    JWTAccessTokenClaims({}, {"alg": "ES256"}, {}, {}).validate()


@pytest.mark.parametrize("endpoint", [IntrospectionEndpoint, RevocationEndpoint])
def test_upstream_16_an_unknown_hint_is_still_refused(endpoint: Any) -> None:
    request: Any = OAuth2Request("POST", "https://id.test/")
    request._body = {"token": "x", "token_type_hint": "pkce"}
    with pytest.raises(OAuth2Error, match="unsupported_token_type"):
        endpoint(AuthlibServer()).check_params(request, None)


# 17. What a token rests on


def test_trap_17_tokens_carry_what_they_rest_on(
    webapp: TokenClient, browserless: Browserless, services: Services
) -> None:
    issued = webapp.sign_in(browserless, "openid notes:read", resource=NOTES_API)
    claims = claims_of(issued["access_token"])
    assert claims["aud"] == [NOTES_API, webapp.discovery.issuer]
    told = [each for each in entries(services.store) if each["event"] == "token.issued"]
    assert told[0]["detail"]["jti"] == claims["jti"]
    assert told[0]["detail"]["authorization"] == claims["authorization_id"]
    assert claims["auth_time"] == claims_of(issued["id_token"])["auth_time"]


# 18. What is issued is not logged


def test_trap_18_no_secret_is_logged_at_debug(
    webapp: TokenClient, browserless: Browserless, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        found = callback(webapp, browserless, "openid offline_access")
        first = tokens(webapp.redeem(found))
        second = tokens(webapp.refresh(first["refresh_token"]))
        webapp.introspect(second["access_token"])
        webapp.revoke(second["refresh_token"])
    for each in (first, second):
        for name in ("access_token", "id_token", "refresh_token"):
            assert each[name] not in caplog.text
    assert found["code"] not in caplog.text
    assert webapp.client_secret not in caplog.text


def test_upstream_18_authlib_still_logs_what_it_issues() -> None:
    assert 'log.debug("Issue token %r to %r"' in inspect.getsource(authorization_code)
    assert "for _ in range(length)" in inspect.getsource(generate_token)  # letter by letter


# 19. Keys are parsed once


def test_trap_19_a_key_is_parsed_once(
    service: TokenClient, notes_api: TokenClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = tokens(service.credentials(scope="notes:read"))["access_token"]
    assert notes_api.active(access)
    parsed: list[str] = []
    monkeypatch.setattr(jwk, "load_private", lambda kid, *_: parsed.append(kid))
    monkeypatch.setattr(jwk, "load_public", lambda named: parsed.append(named["kid"]))
    for _ in range(3):
        assert notes_api.active(tokens(service.credentials(scope="notes:read"))["access_token"])
    assert parsed == []


# 20. Types


def test_upstream_20_authlib_still_has_no_types_of_its_own() -> None:
    folder = Path(os.fspath(authlib.__file__)).parent
    assert not (folder / "py.typed").exists()


def test_these_traps_were_looked_for_in_this_version() -> None:
    assert authlib.__version__.startswith("1.9."), "Look again: other versions have other traps."
