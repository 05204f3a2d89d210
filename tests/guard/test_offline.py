"""What the kit takes for an access token of the server: RFC 9068 section 4, RFC 8725, RFC 7515."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import ECKey

from idp.domain.services import Services
from idp.guard import Granted, Guard, Needs, Refused, Request
from idp.guard.offline import NEEDED
from tests.abuse import forgeries
from tests.keys import forging
from tests.support import signed
from tests.support.deployment import Deployment
from tests.support.guard_http import Wire
from tests.support.held_clock import HeldClock
from tests.support.seeds import NOTES_API
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of, header_of

# Where the server keeps its tokens changes nothing here.
pytestmark = pytest.mark.only_on("sqlite")

Sign = Callable[..., str]


@pytest.fixture
def token(deployment: Deployment, webapp: TokenClient) -> str:
    """An access token of Ada's."""
    browser = deployment.browserless()
    return str(webapp.sign_in(browser, "openid notes:read", resource=NOTES_API)["access_token"])


@pytest.fixture
def sign(token: str, services: Services) -> Sign:
    """Signs what differs from a good token; None leaves a claim out."""

    def make(typ: str = "at+jwt", **changes: Any) -> str:
        claims = {**claims_of(token), **changes}
        kept = {name: value for name, value in claims.items() if value is not None}
        return services.signing_keys.active("ES256").sign(kept, typ)

    return make


def answer(guard: Guard, token: str) -> str:
    """Return what becomes of a token: "granted", or the name of the problem."""
    outcome = guard.check(Request("GET", "/", (f"Bearer {token}",)), Needs())
    return outcome.problem if isinstance(outcome, Refused) else "granted"


def test_a_token_says_who_may_do_what(guard: Guard, token: str, sign: Sign) -> None:
    roles = ["editor", {"value": "author", "primary": True}, {"display": "x"}, 7, ""]
    made = sign(roles=roles, groups=["staff"], entitlements="none of these")
    outcome = guard.check(Request("GET", "/", (f"Bearer {made}",)), Needs())
    assert isinstance(outcome, Granted)
    claims, said = claims_of(token), outcome.token
    assert (said.subject, said.client_id) == (claims["sub"], "webapp")
    assert said.scopes == {"openid", "notes:read"}
    assert said.roles == {"editor", "author"}
    assert (said.groups, said.entitlements) == (frozenset({"staff"}), frozenset())
    assert (said.acr, said.amr) == (claims["acr"], tuple(claims["amr"]))
    assert (said.expires_at, said.auth_time) == (claims["exp"], claims["auth_time"])
    assert said.claims["jti"] == claims["jti"]
    assert not said.is_client
    assert made not in repr(outcome)


def test_a_client_acts_for_itself(guard: Guard, service: TokenClient) -> None:
    token = service.credentials(scope="notes:read").json()["access_token"]
    outcome = guard.check(Request("GET", "/", (f"Bearer {token}",)), Needs("notes:read"))
    assert isinstance(outcome, Granted)
    assert (outcome.token.is_client, outcome.token.auth_time) == (True, None)


def test_times_have_a_leeway(guard: Guard, sign: Sign, clock: HeldClock) -> None:
    now = int(clock())
    for name, good, bad in (
        ("exp", now - 9, now - 10),
        ("iat", now + 10, now + 11),
        ("nbf", now + 10, now + 11),
    ):
        assert answer(guard, sign(**{name: good})) == "granted", name
        assert answer(guard, sign(**{name: bad})) == "token-invalid", name


def test_claims_have_their_types(guard: Guard, sign: Sign) -> None:
    odd: dict[str, list[Any]] = {
        "iss": ["", "https://id.example.test/", "HTTPS://id.example.test", ["x"], 7],
        "aud": ["", [], {}, [NOTES_API, 7], NOTES_API + "/", f"{NOTES_API} x", 7],
        "exp": [True, "1900000000", [], {}, -1, 0],
        "iat": [True, "1"],
        "nbf": ["1", [], True],
        "sub": ["", 7, ["ada"]],
        "client_id": ["", 7],
        "jti": [""],
        "scope": [7, ["notes:read"]],
        "acr": [1],
        "amr": [[1], {}],
        "auth_time": ["1", False, []],
        "cnf": [{}, {"jkt": "x"}],
    }
    assert answer(guard, sign(aud=["https://other.example", NOTES_API])) == "granted"
    for name in NEEDED:
        assert answer(guard, sign(**{name: None})) == "token-invalid", name
    for name, values in odd.items():
        for value in values:
            assert answer(guard, sign(**{name: value})) == "token-invalid", (name, value)


def test_case_053_only_access_tokens_are(guard: Guard, sign: Sign) -> None:
    assert answer(guard, sign("AT+JWT")) == "granted"
    assert answer(guard, sign("application/at+jwt")) == "granted"
    for typ in ("JWT", "jwt", "", "logout+jwt", "at+jwt+x", "application/JWT", "x/at+jwt"):
        assert answer(guard, sign(typ)) == "token-invalid", typ


def test_forgeries_are_refused(
    guard: Guard, token: str, services: Services, deployment: Deployment
) -> None:
    header, claims = header_of(token), claims_of(token)
    jwks = deployment.new_http().get(f"{deployment.issuer}/.well-known/jwks.json").json()
    own = ECKey.generate_key("P-256", {"kid": header["kid"]})
    forged = {
        **forgeries.unsigned(token),
        **forgeries.extended(services, token),
        **forgeries.monsters(token),
        "our kid, another key": signed.sign(claims, own, typ="at+jwt"),
        "its own key": signed.sign(claims, own, typ="at+jwt", jwk=own.as_dict(private=False)),
        "its own address": signed.sign(claims, own, typ="at+jwt", jku="https://evil.example"),
        "another curve": signed.sign(
            claims, signed.new_key("ES384", header["kid"]), "ES384", typ="at+jwt"
        ),
        "altered": f"{forging.part(header)}.{forging.part({**claims, 'scope': 'admin'})}."
        + token.rpartition(".")[2],
        "twice": forgeries.signed_by_us(
            services, "ES256", header, json.dumps(claims).encode()[:-1] + b',"scope":"admin"}'
        ),
        "NaN": forgeries.signed_by_us(
            services, "ES256", header, json.dumps({**claims, "exp": float("nan")}).encode()
        ),
        "no object": forgeries.signed_by_us(services, "ES256", header, b"[]"),
        "signed by RS256": forgeries.signed_by_us(
            services,
            "RS256",
            {**header, "alg": "RS256", "kid": services.signing_keys.active("RS256").kid},
            json.dumps(claims).encode(),
        ),
    }
    for name, key in forgeries.public_keys(jwks).items():
        by_hmac = forging.by_hmac({**header, "alg": "HS256"}, claims, key)
        forged[f"HS256 by {name}"] = by_hmac
        # The kit must not take the algorithm from the token where the key says nothing.
        forged[f"HS256 as ES256 by {name}"] = forging.by_hmac(header, claims, key)
    for name, value in forged.items():
        assert answer(guard, value) in ("token-invalid", "malformed"), name
    assert answer(guard, token) == "granted"


def test_other_algorithms_where_they_are_allowed(
    make_guard: Callable[..., Guard], token: str, wire: Wire
) -> None:
    for algorithm in ("RS256", "PS256", "ES384", "EdDSA", "Ed25519"):
        key = signed.new_key(algorithm)
        jwk = {**key.as_dict(private=False), "use": "sig"}
        published = {"keys": [{"kty": "oct", "k": "AAAA", "kid": "first"}, {"kty": "new"}, 7, jwk]}
        wire.documents["/.well-known/jwks.json"] = published
        made = signed.sign(claims_of(token), key, algorithm, typ="at+jwt")
        assert answer(make_guard(algorithms=(algorithm,)), made) == "granted", algorithm
        assert answer(make_guard(algorithms=("ES256",)), made) == "token-invalid", algorithm
        altered = made[:-8] + ("A" * 8 if made[-8:] != "A" * 8 else "B" * 8)
        assert answer(make_guard(algorithms=(algorithm,)), altered) == "token-invalid", algorithm
        # A key that was published for something else does not serve.
        for more in ({"use": "enc"}, {"key_ops": ["encrypt"]}, {"alg": "ES512"}, {"kid": "second"}):
            published["keys"] = [{**jwk, **more}]
            said = answer(make_guard(algorithms=(algorithm,)), made)
            assert said == "token-invalid", (algorithm, more)
