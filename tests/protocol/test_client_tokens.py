"""Tokens in the form that their client registered: OpenID Connect Core sections 5.3.2 and 10.1, RFC
7518 section 3.2.
"""

import hashlib
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey

from idp.crypto import jwt as ours
from idp.domain.services import Services
from tests.abuse import forgeries
from tests.keys import forging
from tests.protocol.conftest import Compare, without
from tests.support.browserless import Browserless
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register, change
from tests.support.refusals import Refused
from tests.support.seeds import OPERATOR, ORIGIN
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of, header_of

LOGOUT = "/oauth2/logout"
RANDOM = ("sub", "sid", "nonce", "at_hash", "kid")


@pytest.fixture
def keyed(register: Register) -> TokenClient:
    """A client whose ID tokens are signed with its secret."""
    return register("keyed", id_token_signed_response_alg="HS256")


def checked(token: str, secret: str) -> dict[str, Any]:
    """Verify with another library and return the claims."""
    assert header_of(token) == {"alg": "HS256", "typ": "JWT"}
    return dict(jwt.decode(token, OctKey.import_key(secret), algorithms=["HS256"]).claims)


def told(client: TokenClient, browser: Browserless, hint: str) -> str:
    """Return what a request with a hint gives: "code", or an error."""
    callback = browser.start(client.authorization(id_token_hint=hint, prompt="none")).callback
    return callback.get("error", "code")


def test_the_secret_of_the_client_signs(
    keyed: TokenClient, browserless: Browserless, golden: Compare
) -> None:
    assert "HS256" in keyed.discovery["id_token_signing_alg_values_supported"]
    issued = keyed.sign_in(browserless, "openid offline_access")
    claims = checked(issued["id_token"], keyed.client_secret)
    golden("id_token_hs256", without(claims, *RANDOM))
    digest = hashlib.sha256(issued["access_token"].encode()).digest()
    assert claims["at_hash"] == forging.encode(digest[:16])
    again = keyed.refresh(issued["refresh_token"]).json()["id_token"]
    assert checked(again, keyed.client_secret)["sub"] == claims["sub"]
    assert told(keyed, browserless, issued["id_token"]) == "code"
    # Its sid names the session, so nobody is asked.
    page = browserless.get(LOGOUT, {"id_token_hint": issued["id_token"]})
    assert page.title.startswith("Signed out")


def test_the_newest_secret_signs_and_a_hint_is_good_as_long_as_its_secret(
    keyed: TokenClient, browserless: Browserless, services: Services, clock: HeldClock
) -> None:
    before, old = keyed.sign_in(browserless)["id_token"], keyed.client_secret
    new = services.clients.rotate_secret("keyed", 60, origin=ORIGIN, actor=OPERATOR)
    after = keyed.sign_in(browserless)["id_token"]
    checked(after, new)
    assert [told(keyed, browserless, hint) for hint in (before, after)] == ["code", "code"]
    clock.advance(60)
    assert told(keyed, browserless, before) == "invalid_request"
    assert told(keyed, browserless, after) == "code"
    assert old != new


@pytest.mark.settings(front_channel_tokens=True)
def test_without_a_secret_to_sign_with_there_is_no_token_of_another_form(
    register: Register, browserless: Browserless, services: Services, refused: Refused
) -> None:
    """The client's developer is told, and so is the log."""
    hybrid = {
        "grant_types": ["authorization_code", "implicit"],
        "response_types": ["code", "code id_token"],
    }
    client = register("hasty", **hybrid)
    issued = client.sign_in(browserless)
    algorithms = {"id_token_signed_response_alg": "HS256", "userinfo_signed_response_alg": "HS256"}
    change(services, "hasty", **algorithms)
    services.clients.forget()
    text = "The client has no secret any more that HS256 could use."
    error = {"error": "invalid_client_metadata", "error_description": text}
    callback = browserless.authorize(client.authorization())
    with refused("token.refused", times=1) as first:
        answer = client.redeem(callback)
    with refused("userinfo.refused", times=1) as second:
        told_nothing = client.userinfo(issued["access_token"])
    for one, entries in ((answer, first), (told_nothing, second)):
        assert (one.status_code, one.json()) == (400, error)
        assert entries[0]["detail"]["reason"] == text
    with refused("authorization.refused", times=1):
        asked = client.authorization(response_type="code id_token")
        found = browserless.authorize(asked)
    assert found.items() >= {**error, "state": asked["state"]}.items()
    assert not {"code", "id_token"} & found.keys()


@pytest.mark.settings(network_limit=1000)
def test_case_049_case_050_no_other_key_makes_a_hint(
    keyed: TokenClient,
    webapp: TokenClient,
    register: Register,
    browserless: Browserless,
    refused: Refused,
) -> None:
    asserting = register("asserting", token_endpoint_auth_method="client_secret_jwt")
    claims = claims_of(keyed.sign_in(browserless)["id_token"])
    header = {"alg": "HS256", "typ": "JWT"}
    jwks = keyed.http.get(keyed.discovery["jwks_uri"]).json()
    secret = keyed.client_secret.encode()
    forged = {
        **forgeries.unsigned(forging.by_hmac({**header, "kid": "1"}, claims, secret)),
        **{
            name: forging.by_hmac(header, claims, key)
            for name, key in forgeries.public_keys(jwks).items()
        },
        "nothing": forging.by_hmac(header, claims, b""),
        "another client's secret": forging.by_hmac(header, claims, webapp.client_secret.encode()),
        # A client whose tokens are signed by our keys can't make one with its secret.
        "another client": forging.by_hmac(
            header, {**claims, "aud": "webapp"}, webapp.client_secret.encode()
        ),
        "a secret for assertions": forging.by_hmac(
            header, {**claims, "aud": "asserting"}, asserting.client_secret.encode()
        ),
        "a stranger": forging.by_hmac(header, {**claims, "aud": "nobody"}, secret),
        "two": forging.by_hmac(header, {**claims, "aud": ["keyed", "webapp"]}, secret),
        "another type": forging.by_hmac({**header, "typ": "logout+jwt"}, claims, secret),
        "another digest": forging.by_hmac({**header, "alg": "HS512"}, claims, secret),
        "an assertion": forging.by_hmac(header, {"iss": "keyed", "aud": "keyed"}, secret),
        "another issuer": forging.by_hmac(header, {**claims, "iss": "keyed"}, secret),
    }
    with refused("logout.refused", times=len(forged)):
        for name, token in forged.items():
            assert browserless.get(LOGOUT, {"id_token_hint": token}).status == 400, name
    good = forging.by_hmac(header, claims, secret)
    assert browserless.get(LOGOUT, {"id_token_hint": good}).title.startswith("Signed out")


def test_a_short_secret_signs_nothing() -> None:
    """RFC 7518 section 3.2."""
    with pytest.raises(ValueError, match="too short"):
        ours.signed_with("s" * 31, {}, "JWT")
    checked(ours.signed_with("s" * 32, {}, "JWT"), "s" * 32)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")
@pytest.mark.settings(signing_algorithms="RS256, ES256, PS256, ES384, EdDSA, HS256, none")
def test_userinfo_is_signed_as_registered(
    register: Register, browserless: Browserless, golden: Compare
) -> None:
    """Section 5.3.2: a JWT with iss and aud, application/jwt; without a registration JSON."""
    plain = register("plain")
    issued = plain.sign_in(browserless, "openid email")
    usual = plain.userinfo(issued["access_token"])
    assert usual.headers["Content-Type"] == "application/json"
    offered = plain.discovery["userinfo_signing_alg_values_supported"]
    assert offered == plain.discovery["id_token_signing_alg_values_supported"]
    keys = KeySet.import_key_set(plain.http.get(plain.discovery["jwks_uri"]).json())
    for algorithm in offered:
        client = register(algorithm, userinfo_signed_response_alg=algorithm)
        issued = client.sign_in(browserless, "openid email")
        answer = client.userinfo(issued["access_token"])
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/jwt")
        assert answer.headers["Cache-Control"] == "no-store"
        header = header_of(answer.text)
        assert (header["alg"], header["typ"]) == (algorithm, "JWT")
        if algorithm == "HS256":
            claims = checked(answer.text, client.client_secret)
        elif algorithm == "none":
            claims = claims_of(answer.text)
            assert answer.text.endswith(".")
        else:
            claims = dict(jwt.decode(answer.text, keys, algorithms=[algorithm]).claims)
        assert claims["sub"] == claims_of(issued["id_token"])["sub"]
        assert claims == {**usual.json(), "iss": client.discovery.issuer, "aud": algorithm}
        if algorithm == "RS256":
            golden(
                "userinfo_signed",
                {"header": without(header, "kid"), "claims": without(claims, "sub")},
            )
        # It lacks what an ID token has (SECURITY case 53).
        assert told(client, browserless, answer.text) == "invalid_request"


def test_case_064_what_is_refused_at_userinfo_is_never_signed(
    register: Register, refused: Refused
) -> None:
    client = register("signed", userinfo_signed_response_alg="RS256")
    with refused("userinfo", times=1):
        answer = client.userinfo("none of ours")
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/json")
