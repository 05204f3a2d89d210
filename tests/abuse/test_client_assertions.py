"""SECURITY group C: clients that prove themselves by signed assertions (RFC 7523)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from joserfc.jwk import Key, RSAKey

from idp.domain.services import Services
from tests.abuse.answers import assert_error, callback, tokens
from tests.keys import forging
from tests.support.browserless import Browserless
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register
from tests.support.refusals import Refused
from tests.support.seeds import ORIGIN
from tests.support.signed import ALGORITHMS, AssertingClient, new_key, public, sign
from tests.support.token_client import TokenClient

ENDPOINTS = ("token_endpoint", "introspection_endpoint", "revocation_endpoint")
GRANTS = ["authorization_code", "refresh_token", "client_credentials"]
Asserting = Callable[..., AssertingClient]


@pytest.fixture
def asserting(register: Register, clock: HeldClock, services: Services) -> Asserting:
    """`asserting("ES256")` is a client with a key, `asserting("HS256")` one with a secret."""

    def add(algorithm: str = "ES256", name: str = "signer", **metadata: Any) -> AssertingClient:
        key: Key | str = "" if algorithm == "HS256" else new_key(algorithm)
        usual: dict[str, Any] = {"token_endpoint_auth_method": "client_secret_jwt"}
        if isinstance(key, Key):
            usual = {"token_endpoint_auth_method": "private_key_jwt", "jwks": public(key)}
        client = register(name, **{"grant_types": GRANTS, **usual, **metadata})
        return AssertingClient(client, key or client.client_secret, algorithm, clock)

    return add


def refuses(
    refused: Refused, reason: str, client: AssertingClient, assertion: str, **changes: str
) -> None:
    """Check that an assertion proves nobody, and that the log knows why."""
    with refused("client.authentication", times=1) as told:
        answer = client.send(assertion, **changes)
    assert_error(answer, 401, "invalid_client")
    assert told[0]["detail"]["reason"] == reason


def worked(answer: requests.Response) -> None:
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "Ed25519", "HS256"])
def test_an_assertion_proves_its_client_at_each_endpoint(
    algorithm: str, asserting: Asserting, browserless: Browserless
) -> None:
    client = asserting(algorithm)
    for endpoint in ENDPOINTS:
        worked(client.send(client.assertion(), endpoint))
    worked(client.send(client.assertion(), client_id="signer"))
    worked(client.send(client.assertion(aud=client.client.discovery["token_endpoint"])))
    worked(client.send(client.assertion(iat=None)))
    flow = client.client
    back = callback(flow, browserless, "openid offline_access")
    redeemed = client.send(
        client.assertion(),
        grant_type="authorization_code",
        scope=None,
        code=back["code"],
        code_verifier=flow.verifiers[back["state"]],
        redirect_uri=flow.redirect_uri,
    )
    assert tokens(redeemed)["id_token"]


def test_the_key_decides_not_the_claims(asserting: Asserting, refused: Refused) -> None:
    client, other = asserting(), asserting(name="another")
    forged = sign(client.claims(), other.key)
    refuses(refused, "wrong signature of the assertion", client, forged)
    claims = client.claims(iss="another", sub="another")
    refuses(refused, "wrong signature of the assertion", client, sign(claims, client.key))
    broken = client.assertion()[:-8] + "AAAAAAAA"
    refuses(refused, "wrong signature of the assertion", client, broken)
    claims = client.claims(sub="nobody", iss="nobody")
    refuses(refused, "unknown client", client, sign(claims, client.key))


def test_case_030_only_the_registered_mechanism_proves_the_client(
    asserting: Asserting, webapp: TokenClient, refused: Refused
) -> None:
    by_key, by_secret = asserting(), asserting("HS256", "secretive")
    another = "another mechanism than registered"
    for client, secret in ((by_key, "x"), (by_secret, by_secret.client.client_secret)):
        name = client.client.client_id
        for method in ("client_secret_post", "client_secret_basic", "none"):
            plain = TokenClient(client.client.http, client.client.discovery, name, secret)
            plain.method = method
            with refused("client.authentication", times=1) as told:
                answer = plain.credentials()
            assert_error(answer, 401, "invalid_client")
            assert told[0]["detail"] == {"method": method, "reason": another}
    claims = by_key.claims()
    refuses(refused, another, by_key, sign(claims, "s" * 43, "HS256"))
    refuses(refused, another, by_secret, sign(by_secret.claims(), new_key()))
    claims = by_key.claims(iss="webapp", sub="webapp")
    refuses(refused, another, by_key, sign(claims, webapp.client_secret, "HS256"))
    refuses(refused, another, by_key, sign(claims, by_key.key))


def test_case_049_case_050_the_algorithm_is_the_registered_one(
    asserting: Asserting, refused: Refused
) -> None:
    rsa = RSAKey.generate_key(2048, {"kid": "first"})
    free = asserting(jwks=public(rsa))
    free.key, free.algorithm = rsa, "RS256"
    worked(free.send(free.assertion()))
    worked(free.send(sign(free.claims(), rsa, "PS256")))
    bound = asserting(
        name="bound",
        jwks=public(rsa, new_key("ES256", "second")),
        token_endpoint_auth_signing_alg="PS256",
    )
    worked(bound.send(sign(bound.claims(), rsa, "PS256")))
    another = "another algorithm than registered"
    refuses(refused, another, bound, sign(bound.claims(), rsa, "RS256"))
    refuses(refused, another, bound, forging.unsigned({"alg": "none"}, bound.claims()))
    for algorithm in ("RS512", "ES512", "HS512", "none", "None", "rs256", ""):
        token = forging.unsigned({"alg": algorithm, "typ": "JWT"}, free.claims())
        refuses(refused, another, free, token)
    public_pem = rsa.as_pem(private=False)
    token = forging.by_hmac({"alg": "HS256"}, free.claims(), public_pem)
    refuses(refused, "another mechanism than registered", free, token)
    secretive = asserting("HS256", "secretive", jwks=public(rsa))
    token = forging.by_hmac({"alg": "HS256"}, secretive.claims(), public_pem)
    refuses(refused, "wrong signature of the assertion", secretive, token)


def test_case_032_an_assertion_works_once(
    asserting: Asserting, clock: HeldClock, refused: Refused, services: Services
) -> None:
    """Also inside the skew, after the other endpoints, and when what was asked for failed."""
    client = asserting()
    used = "the assertion was used before"
    assertion = client.assertion()
    worked(client.send(assertion))
    refuses(refused, used, client, assertion)
    refuses(refused, used, client, client.assertion(jti=client_jti(client, "once")))
    assertion = client.assertion(exp=int(clock()) + 60)
    assert_error(client.send(assertion, grant_type="password"), 400, "unsupported_grant_type")
    assert client.send(assertion, "introspection_endpoint").status_code in {200, 401}
    clock.advance(69)
    services.housekeeping.run_once()
    with refused("client.authentication", times=1):
        assert_error(client.send(assertion), 401, "invalid_client")
    clock.advance(1)
    refuses(refused, "the assertion has expired, or never does", client, assertion)


def client_jti(client: AssertingClient, jti: str) -> str:
    """Use a `jti`, and return it."""
    worked(client.send(client.assertion(jti=jti)))
    return jti


def test_case_032_another_clients_jti_is_another(asserting: Asserting) -> None:
    one, other = asserting(), asserting(name="another")
    for jti in ("same", "\0 ü \U0001f4a9 \n"):
        worked(one.send(one.assertion(jti=jti)))
        worked(other.send(other.assertion(jti=jti)))
    # Half a character is no text that two readers see the same in (RFC 8259 section 8.2).
    assert_error(one.send(one.assertion(jti="\ud800")), 401, "invalid_client")


WRONG: dict[str, list[dict[str, Any]]] = {
    "the assertion is for somebody else": [
        {"aud": None},
        {"aud": "https://other.example.test"},
        {"aud": "ISSUER/"},
        {"aud": ["ISSUER"]},
        {"aud": ["ISSUER", "https://other.example.test"]},
        {"aud": "ISSUER/oauth2/par"},
        {"aud": "ISSUER/oauth2/introspect"},
        {"aud": "ISSUER/oauth2/revoke"},
        {"aud": 5},
    ],
    "iss and sub of the assertion must be the client's id": [
        {"iss": None},
        {"iss": "webapp"},
        {"iss": ["signer"]},
    ],
    "the assertion has no jti": [{"jti": None}, {"jti": ""}, {"jti": 7}, {"jti": "j" * 257}],
    "the assertion has expired, or never does": [
        {"exp": None},
        {"exp": -10},
        {"exp": -300},
        {"exp": -(10**9)},
    ],
    "the assertion lives too long": [{"exp": 3611}, {"exp": 10 * 365 * 86400}],
    "the assertion is not valid yet": [{"nbf": 11}, {"nbf": 60}, {"iat": 60}, {"iat": 11}],
    "exp of the assertion is not a time": [{"exp": "soon"}, {"exp": True}, {"exp": 10.0**13}],
    "nbf of the assertion is not a time": [{"nbf": "now"}, {"nbf": []}],
    "iat of the assertion is not a time": [{"iat": {}}],
}


def settled(changes: dict[str, Any], issuer: str, now: int) -> dict[str, Any]:
    """Put the issuer's name where it is meant, and make times of seconds from now."""
    found = json.loads(json.dumps(changes).replace("ISSUER", issuer))
    for name in {"exp", "nbf", "iat"} & found.keys():
        found[name] = now + found[name] if type(found[name]) is int else found[name]
    return dict(found)


def test_case_033_case_052_an_assertion_is_for_us_and_for_now(
    asserting: Asserting, clock: HeldClock, refused: Refused
) -> None:
    client = asserting()

    def made(changes: dict[str, Any]) -> str:
        return client.assertion(**settled(changes, client.issuer, int(clock())))

    for reason, changed in WRONG.items():
        for changes in changed:
            refuses(refused, reason, client, made(changes))
    for changes in ({"nbf": 8}, {"iat": 8}, {"exp": -8}, {"exp": 3600}, {"exp": 3608}):
        worked(client.send(made(changes)))
    # Without sub nobody is named at all.
    for subject in (None, 5, "", "s" * 101, "a\nb", "\ud800"):
        with refused("token.refused", times=1):
            assert_error(client.send(client.assertion(sub=subject)), 401, "invalid_client")
    for header in ({"crit": ["x"], "x": 1}, {"b64": True}, {"typ": 5}, {"kid": 5}, {"kid": ""}):
        token = forging.unsigned({"alg": "ES256", **header}, client.claims())
        with refused("token.refused", times=1):
            assert_error(client.send(token), 401, "invalid_client")


def test_case_053_no_other_token_is_an_assertion(asserting: Asserting, refused: Refused) -> None:
    client = asserting()
    for typ in ("at+jwt", "logout+jwt", "oauth-authz-req+jwt", "dpop+jwt", "application/at+jwt"):
        token = sign(client.claims(), client.key, typ=typ)
        refuses(refused, "another type of token", client, token)
    for known in (None, "JWT", "jwt", "client-authentication+jwt"):
        worked(client.send(sign(client.claims(), client.key, typ=known)))


def test_case_029_an_assertion_stands_alone(asserting: Asserting, refused: Refused) -> None:
    client = asserting()
    for more in (
        {"client_secret": "x"},
        {"client_id": "webapp"},
    ):
        with refused("token.refused", times=1):
            answer = client.send(client.assertion(), **more)
        assert_error(answer, 400, "invalid_request")
    saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
    halves: list[dict[str, Any]] = [
        {"client_assertion_type": saml},
        {"client_assertion_type": None},
        {"client_assertion": None},
    ]
    for half in halves:
        with refused("token.refused", times=1):
            answer = client.send(client.assertion(), **half)
        assert_error(answer, 401, "invalid_client")


def test_a_disabled_client_proves_nothing_and_uses_nothing_up(
    asserting: Asserting, services: Services, refused: Refused
) -> None:
    client = asserting()
    assertion = client.assertion()
    services.clients.disable("signer", origin=ORIGIN, actor="operator:tests")
    refuses(refused, "disabled", client, assertion)
    services.clients.enable("signer", origin=ORIGIN, actor="operator:tests")
    worked(client.send(assertion))


def test_both_secrets_of_a_rotation_make_macs(
    asserting: Asserting, services: Services, clock: HeldClock, refused: Refused
) -> None:
    client = asserting("HS256")
    old = client.key
    new = services.clients.rotate_secret("signer", 60, origin=ORIGIN, actor="operator:tests")
    for secret in (old, new):
        worked(client.send(sign(client.claims(), secret, "HS256")))
    clock.advance(60)
    worked(client.send(sign(client.claims(), new, "HS256")))
    token = sign(client.claims(), old, "HS256")
    refuses(refused, "wrong signature of the assertion", client, token)
