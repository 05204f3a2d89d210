"""Request objects: OpenID Connect Core section 6, RFC 9101; SECURITY group I."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
import requests
from joserfc.jwk import Key

from idp.config import Settings
from idp.domain.services import Services
from idp.outbound.fetching import Fetcher
from tests.abuse_browser.asking import METHODS, ask, redirected, shown
from tests.keys import forging
from tests.support.browserless import Browserless
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register
from tests.support.refusals import Refused
from tests.support.signed import ALGORITHMS, new_key, public, sign
from tests.support.tls_site import Site
from tests.support.token_client import TokenClient

KEY = new_key()
JWT = "application/oauth-authz-req+jwt"
NOT_VALID = "The request object is not valid for this client."
Claims = dict[str, Any]


@pytest.fixture
def signer(register: Register) -> TokenClient:
    """A client that registered a key, and nothing of request objects."""
    return register("signer", jwks=public(KEY))


@pytest.fixture
def url(signer: TokenClient) -> str:
    return str(signer.discovery["authorization_endpoint"])


Refuse = Callable[..., None]


@pytest.fixture
def refuse(http: requests.Session, url: str, refused: Refused, settings: Settings) -> Refuse:
    """`refuse(client, sent, error, reason)`: the client is told the error, the log the reason."""

    def check(client: TokenClient, sent: Claims, error: str, reason: str = "") -> None:
        with refused("authorization.refused", times=1) as told:
            answer = ask(http, url, {k: v for k, v in sent.items() if v is not None})
            found = redirected(answer, client.redirect_uri, settings.issuer)
        assert found["error"] == error, found
        assert found.get("state") == sent.get("state")
        assert told[0]["detail"]["reason"] == (reason or found["error_description"])

    return check


def both(client: TokenClient, **more: Any) -> tuple[dict[str, str], Claims]:
    """Return what stands outside, as OpenID Connect wants it, and what goes inside."""
    asked = client.authorization("openid email", **more)
    outside = {name: asked[name] for name in ("client_id", "response_type", "scope")}
    return {**outside, "redirect_uri": client.redirect_uri}, dict(asked)


def sent(
    client: TokenClient, key: Key | str = KEY, algorithm: str = "ES256", **more: Any
) -> Claims:
    """Return a request with a signed object; `more` changes what is inside."""
    outside, inside = both(client)
    claims = {name: value for name, value in {**inside, **more}.items() if value is not None}
    return {**outside, "request": sign(claims, key, algorithm)}


def works(client: TokenClient, browser: Browserless, parameters: Claims) -> dict[str, str]:
    """Go through a request to its end, and return what the client was sent."""
    found = browser.authorize(parameters)
    assert "code" in found, found
    assert client.redeem(found).status_code == 200
    return found


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "HS256"])
def test_a_signed_request_is_taken_with_each_algorithm(
    algorithm: str, register: Register, browserless: Browserless
) -> None:
    registered: Claims = {"request_object_signing_alg": algorithm}
    key = None if algorithm == "HS256" else new_key(algorithm)
    if key:
        registered["jwks"] = public(key)
    client = register("chosen", **registered)
    asked = sent(client, key or client.client_secret, algorithm)
    found = works(client, browserless, asked)
    assert found["state"] in client.nonces


def test_what_is_signed_is_the_whole_request(
    signer: TokenClient, browserless: Browserless, refuse: Refuse, clock: HeldClock
) -> None:
    """RFC 9101 section 6.3; so its parameters win, whatever stands beside it."""
    outside, inside = both(signer)
    inside |= {"iss": "signer", "aud": browserless.origin, "exp": int(clock()) + 60, "max_age": 60}
    inside["claims"] = {"id_token": {"auth_time": {"essential": True}}}
    evil = {"state": "evil", "nonce": "evil", "scope": "openid profile", "prompt": "none"}
    evil |= {"redirect_uri": "https://evil.example.test/", "code_challenge": "evil"}
    for more in ({}, evil):
        found = works(signer, browserless, {**outside, **more, "request": sign(inside, KEY)})
        assert found["state"] == inside["state"]
    bare = {"client_id": "signer", "request": sign(inside, KEY, typ="oauth-authz-req+jwt")}
    works(signer, browserless, bare)
    multiple = {**inside, "aud": ["https://other.example.test", browserless.origin]}
    works(signer, browserless, {**outside, "request": sign(multiple, KEY, kid=None, typ=None)})
    del inside["code_challenge"], inside["state"]
    asked = {**outside, "code_challenge": "c" * 43, "request": sign(inside, KEY)}
    refuse(signer, asked, "invalid_request")


def test_an_unsigned_object_needs_a_registration_and_is_merged(
    register: Register, signer: TokenClient, browserless: Browserless, refuse: Refuse
) -> None:
    """OpenID Connect Core section 6.1: the object protects nothing, and its parameters win."""
    trusting = register("trusting", request_object_signing_alg="none")
    asked = trusting.authorization("openid email")
    inside = {"state": asked["state"], "redirect_uri": trusting.redirect_uri}
    outside = {**asked, "state": "outside", "redirect_uri": "https://evil.example.test/"}
    token = forging.unsigned({"alg": "none"}, inside)
    assert works(trusting, browserless, {**outside, "request": token})["state"] == asked["state"]
    plain = both(signer)[0]
    refuse(signer, {**plain, "request": token}, "request_not_supported")
    chosen = register("chosen", jwks=public(KEY), request_object_signing_alg="ES256")
    plain, inside_chosen = both(chosen)
    unsigned = forging.unsigned({"alg": "none"}, inside_chosen)
    another = "another algorithm than registered"
    refuse(chosen, {**plain, "request": unsigned}, "invalid_request_object", another)
    signed = {**both(trusting)[0], "request": sign(inside, KEY)}
    refuse(trusting, signed, "invalid_request_object", another)
    padded = {**both(trusting)[0], "request": forging.by_hmac({"alg": "none"}, inside, b"x")}
    wrong = "wrong signature of the request object"
    refuse(trusting, padded, "invalid_request_object", wrong)


EMPTY: list[Claims] = [{name: []} for name in ("state", "scope", "redirect_uri", "prompt")]
HALVES: list[Claims] = [{name: "\ud800"} for name in ("state", "nonce", "login_hint", "resource")]
WRONG: dict[str, list[Claims]] = {
    "the request object is for somebody else": [
        {"aud": "https://other.example.test"},
        {"aud": []},
        {"aud": ["https://other.example.test"]},
        {"aud": {}},
    ],
    "the request object is somebody else's": [{"iss": "webapp"}, {"iss": 5}],
    "the request object has a sub": [{"sub": "signer"}, {"sub": "anybody"}],
    "the request object has expired": [{"exp": 1_800_000_000 - 10}, {"exp": 0}],
    "the request object is not valid yet": [
        {"nbf": 1_800_000_000 + 60},
        {"iat": 1_800_000_000 + 60},
    ],
    "exp of the request object is not a time": [{"exp": "soon"}, {"exp": True}],
    "nbf of the request object is not a time": [{"nbf": [1]}],
    "a request object inside of a request object": [{"request": "x"}, {"request_uri": "x"}],
    "client_id is another inside": [{"client_id": "webapp"}, {"client_id": ["signer", "webapp"]}],
    "response_type is another inside": [{"response_type": "token"}],
    "a parameter that is no text": [{"prompt": True}, {"state": [5]}, {"max_age": 1.5}, *EMPTY],
    "claims: not JSON": [{"claims": {"id_token": {"\udfff": None}}}, *HALVES],
}


def test_group_i_a_wrong_object_is_refused_with_one_word(
    signer: TokenClient, refuse: Refuse, register: Register
) -> None:
    invalid = "invalid_request_object"
    for reason, changes in WRONG.items():
        for change in changes:
            refuse(signer, sent(signer, **change), invalid, reason)
    wrong = "wrong signature of the request object"
    refuse(signer, sent(signer, new_key()), invalid, wrong)
    refuse(signer, sent(signer, new_key(kid="other")), invalid, wrong)
    tampered = sent(signer)
    tampered["request"] = tampered["request"][:-8] + "AAAAAAAA"
    refuse(signer, tampered, invalid, wrong)
    outside, inside = both(signer)
    for typ in ("at+jwt", "client-authentication+jwt", "logout+jwt", "dpop+jwt"):
        token = sign(inside, KEY, typ=typ)
        refuse(signer, {**outside, "request": token}, invalid, "another type of token")
    for token, reason in {
        "a": "not three parts",
        "a.b.c": "not base64url",
        "e30.e30.": "alg and typ must be texts",
        "a" * 33_000: "too long",
        forging.unsigned(
            {"alg": "ES256", "crit": ["x"]}, {}
        ): "an extension that is not understood",
    }.items():
        refuse(signer, {**outside, "request": token}, invalid, reason)
    for algorithm in ("HS256", "HS512", "none ", "RS512"):
        token = forging.unsigned({"alg": algorithm}, inside)
        reason = "another algorithm than registered"
        refuse(signer, {**outside, "request": token}, invalid, reason)


def test_group_i_what_a_good_object_says_is_checked_like_any_request(
    signer: TokenClient, refuse: Refuse, http: requests.Session, url: str, refused: Refused
) -> None:
    asked = sent(signer, state="inside", prompt="none login")
    with refused("authorization.refused", times=1):
        told = redirected(ask(http, url, asked), signer.redirect_uri, "https://id.example.test")
    assert (told["error"], told["state"]) == ("invalid_request", "inside")
    for uri in ("https://evil.example.test/", f"{signer.redirect_uri}/", None):
        for method in METHODS:
            with refused("authorization.refused", times=1):
                assert shown(ask(http, url, sent(signer, redirect_uri=uri), method))
    # A broken object beside an address that is not proven leads nowhere.
    broken = {**sent(signer), "request": "a.b.c", "redirect_uri": "https://evil.example.test/"}
    for change in ({}, {"redirect_uri": ""}):
        with refused("authorization.refused", times=1) as entries:
            assert shown(ask(http, url, {**broken, **change})) == "invalid_request_object"
        assert entries[0]["detail"]["reason"] == "not base64url"


def test_case_053_case_074_objects_that_have_to_be_signed(
    register: Register, browserless: Browserless, refuse: Refuse, clock: HeldClock
) -> None:
    strict = register("strict", jwks=public(KEY), require_signed_request_object=True)
    works(strict, browserless, sent(strict))
    outside, inside = both(strict)
    refuse(strict, inside, "invalid_request")
    unsigned = forging.unsigned({"alg": "none"}, inside)
    refuse(strict, {**outside, "request": unsigned}, "request_not_supported")
    # What proves a client is no request (RFC 9101 section 10.8).
    assertion = {"iss": "strict", "sub": "strict", "jti": "1", "exp": int(clock()) + 60}
    asked = {**outside, "request": sign({**assertion, "aud": browserless.origin}, KEY)}
    refuse(strict, asked, "invalid_request_object", "the request object has a sub")


def test_one_object_only(signer: TokenClient, refuse: Refuse) -> None:
    asked = sent(signer)
    for more in ("https://app.example.test/r", "a"):
        refuse(signer, {**asked, "request_uri": more}, "invalid_request")


@pytest.fixture
def site(services: Services, tls_site: Site) -> Site:
    """The client's own server, which this one may fetch from."""
    trusting = services.settings.model_copy(
        update={
            "outbound_origins": (tls_site.origin(),),
            "outbound_ca_file": str(tls_site.authority),
        }
    )
    guarded = Fetcher(trusting)
    services.fetcher.__dict__.update(guarded.__dict__)
    return tls_site


def digest_of(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def test_an_object_is_fetched_from_where_it_was_registered(
    register: Register, site: Site, browserless: Browserless, refuse: Refuse, clock: HeldClock
) -> None:
    uris = [site.url("/r"), f"{site.url('/hashed')}#{digest_of('')}"]
    client = register("referring", jwks=public(KEY), request_uris=uris)
    outside, inside = both(client)
    token = sign(inside, KEY)
    site.put("/r", token, JWT)
    assert works(client, browserless, {**outside, "request_uri": uris[0]})["state"]
    assert len(site.asked) == 1
    # The fragment is the digest of what is there now (section 6.2).
    site.put("/hashed", token, JWT)
    hashed = f"{site.url('/hashed')}#{digest_of(token)}"
    works(client, browserless, {**outside, "request_uri": hashed})
    newer = sign({**inside, "max_age": 9999}, KEY)
    site.put("/hashed", newer, JWT)
    works(client, browserless, {**outside, "request_uri": hashed})
    assert len(site.asked) == 2, "what has this digest can't have changed"
    hashed = f"{site.url('/hashed')}#{digest_of(newer)}"
    works(client, browserless, {**outside, "request_uri": hashed})
    assert len(site.asked) == 3
    other = f"{site.url('/hashed')}#{digest_of('other')}"
    refuse(
        client, {**outside, "request_uri": other}, "invalid_request_uri", "its digest is another"
    )
    assert len(site.asked) == 4
    # Without a digest it may change at any time; nobody makes us ask all the time.
    clock.advance(5)
    site.put("/r", "no token", JWT)
    asked = {**outside, "request_uri": uris[0]}
    for _ in range(3):
        refuse(client, asked, "invalid_request_object", "not three parts")
    assert len(site.asked) == 5


def test_what_comes_from_a_registered_address_may_be_unsigned_unless_the_client_says_more(
    register: Register, site: Site, browserless: Browserless, refuse: Refuse
) -> None:
    """Without request_object_signing_alg any algorithm will do (OpenID Connect Registration section
    2), and TLS says whose the object is (Core section 6.2). By value nothing does.
    """
    usual: Claims = {"jwks": public(KEY), "request_uris": [site.url("/unsigned")]}
    client = register("referring", **usual)
    signing = register("signing", **usual, request_object_signing_alg="ES256")
    strict = register("strict", **usual, require_signed_request_object=True)
    another, wrong = "another algorithm than registered", "wrong signature of the request object"
    for each, reason in ((client, ""), (signing, another), (strict, wrong)):
        outside, inside = both(each)
        token = forging.unsigned({"alg": "none"}, {**inside, "aud": browserless.origin})
        at = f"{site.url('/unsigned')}#{digest_of(token)}"
        site.put("/unsigned", token, JWT)
        if reason:
            refuse(each, {**outside, "request_uri": at}, "invalid_request_object", reason)
        else:
            found = works(each, browserless, {**outside, "request_uri": at})
            assert found["state"] == inside["state"]
            refuse(each, {**outside, "request": token}, "request_not_supported")


def test_case_076_only_registered_addresses_are_fetched_and_all_failures_look_alike(
    register: Register, site: Site, refuse: Refuse, refused: Refused, signer: TokenClient
) -> None:
    metadata = "https://169.254.169.254/latest/meta-data"
    paths = ("/absent", "/moved", "/html", "/huge")
    uris = [metadata, *(site.url(path) for path in paths)]
    client = register("referring", jwks=public(KEY), request_uris=uris)
    outside, inside = both(client)
    for uri in (
        "http://169.254.169.254/",
        "https://169.254.169.254/",
        "https://[::1]/",
        "file:///etc/passwd",
        "urn:ietf:params:oauth:request_uri:x",
        site.url("/other"),
        f"{site.url('/absent')}?more",
        f"{site.url('/absent')}/",
        "x" * 3000,
    ):
        asked = {**outside, "request_uri": uri}
        refuse(client, asked, "invalid_request_uri", "it is not registered")
    assert site.asked == []
    site.put("/html", sign(inside, KEY), "text/html")
    site.put("/huge", "a" * 40_000, JWT)
    site.answers["/moved"] = moved_to(site.put("/good", sign(inside, KEY), JWT))
    expected = {
        metadata: "an address of special use",
        site.url("/absent"): "status 404",
        site.url("/moved"): "status 302",
        site.url("/html"): "another content type",
        site.url("/huge"): "a body that is too large",
    }
    for uri, reason in expected.items():
        for _ in range(2):
            refuse(client, {**outside, "request_uri": uri}, "invalid_request_uri", reason)
    assert [asked.path for asked in site.asked] == ["/absent", "/moved", "/html", "/huge"]
    plain = {**both(signer)[0], "request_uri": site.url("/absent")}
    refuse(signer, plain, "request_uri_not_supported")


def moved_to(target: str) -> Callable[[Any], None]:
    def answer(handler: Any) -> None:
        handler.send_response_only(302)
        handler.send_header("Location", target)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer
