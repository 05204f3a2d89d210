"""The client registration endpoint: RFC 7591 section 3, OpenID Connect Registration section 3."""

import json
import re

import pytest
from flask import Flask

from idp.domain.services import Services
from tests.registration.conftest import InitialToken
from tests.registration.registrar import METADATA, Registrar
from tests.support.browserless import Browserless
from tests.support.held_clock import HeldClock
from tests.support.raw_requests import RawRequests
from tests.support.refusals import Refused, entries

anybody = pytest.mark.settings(registration="open")
with_a_token = pytest.mark.settings(registration="token")


@anybody
@pytest.mark.every_database
def test_a_registered_client_signs_people_in(
    registrar: Registrar, browserless: Browserless, services: Services
) -> None:
    answer = registrar.post(unheard_of="ignored")
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    told = answer.json()
    assert METADATA.items() <= told.items()
    assert "unheard_of" not in told
    assert re.fullmatch(r"dw_secret_[\w-]{43}", told["client_secret"])
    assert told["client_secret_expires_at"] == 0
    assert told["client_id_issued_at"] == 1_800_000_000
    # Every default is told (RFC 7591 section 3.2.1).
    assert told["token_endpoint_auth_method"] == "client_secret_basic"
    assert told["response_types"] == ["code"]
    assert re.fullmatch(r"dw_registration_[\w-]{43}", told["registration_access_token"])
    assert told["registration_client_uri"] == f"{registrar.endpoint}/{told['client_id']}"
    tokens = registrar.client(told).sign_in(browserless, METADATA["scope"])
    assert set(tokens["scope"].split()) == set(METADATA["scope"].split())
    client = services.clients.get(told["client_id"])
    assert (client.self_registered, client.trusted, client.first_party) == (True, False, False)
    added = [entry for entry in entries(services.store) if entry["event"] == "client.added"][-1]
    assert (added["actor"], added["client_id"]) == ("anyone", told["client_id"])


@anybody
def test_what_may_be_registered_is_bounded_and_told(
    registrar: Registrar, refused: Refused, services: Services
) -> None:
    def refusal(code: str, words: str, **changes: object) -> None:
        with refused("registration.refused", times=1) as written:
            answer = registrar.post(**changes)
        assert answer.status_code == 400, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        told = answer.json()
        assert told["error"] == code
        assert words in told["error_description"], told
        assert written[0]["detail"] == {"error": code, "reason": told["error_description"]}

    invalid, uri = "invalid_client_metadata", "invalid_redirect_uri"
    refusal(uri, "must hold at least one", redirect_uris=[])
    refusal(uri, "fragment", redirect_uris=["https://guide.example.test/#"])
    refusal(uri, "scheme javascript:", redirect_uris=["javascript:alert(1)"])
    refusal(invalid, "first_party is for the operator", first_party=True)
    refusal(invalid, "client_credentials", grant_types=["client_credentials"])
    refusal(invalid, "notes:read", scope="openid notes:read")
    refusal(invalid, "groups", scope="groups")
    refusal(invalid, "require_pkce must be true", require_pkce=False)
    refusal(invalid, "logo_uri", logo_uri="http://192.0.2.1/logo.png")
    defaults = registrar.registered({"redirect_uris": METADATA["redirect_uris"], "scope": None})
    assert defaults["scope"] == "openid profile email address phone"
    assert defaults["require_pkce"] is True
    public = registrar.registered(token_endpoint_auth_method="none")
    assert "client_secret" not in public
    assert services.clients.get(public["client_id"]).secrets == ()


@pytest.mark.settings(
    registration="open",
    registration_scopes="openid,notes:read",
    registration_redirect_hosts="guide.example.test,*.apps.example.test,com.example.guide:",
    registration_require_pkce=False,
)
def test_the_operator_bounds_open_registration(registrar: Registrar) -> None:
    told = registrar.registered(scope="openid notes:read", require_pkce=None)
    assert told["require_pkce"] is False
    for public in (
        registrar.registered(scope=None, token_endpoint_auth_method="none"),
        registrar.registered(scope=None, require_pkce=True),
    ):
        assert (public["require_pkce"], public["scope"]) == (True, "openid notes:read")
    allowed = ["https://one.apps.example.test/cb", "com.example.guide:/cb"]
    assert (
        registrar.registered(scope=None, redirect_uris=allowed, application_type="native")[
            "redirect_uris"
        ]
        == allowed
    )
    for elsewhere in (
        "https://apps.example.test/cb",
        "https://evilapps.example.test/cb",
        "https://guide.example.test.evil.test/cb",
        "http://localhost/cb",
        "com.example.guide.evil:/cb",
    ):
        answer = registrar.post(scope=None, redirect_uris=[elsewhere], application_type="native")
        assert answer.json()["error"] == "invalid_redirect_uri"
        assert elsewhere in answer.json()["error_description"]
    answer = registrar.post(scope=None, post_logout_redirect_uris=["https://evil.test/bye"])
    assert answer.json()["error"] == "invalid_client_metadata"
    # Browsers are sent there as well (OpenID Connect Core section 4).
    start = "https://guide.example.test/start"
    assert registrar.registered(scope=None, initiate_login_uri=start)["initiate_login_uri"] == start
    answer = registrar.post(scope=None, initiate_login_uri="https://evil.test/start")
    assert answer.json()["error"] == "invalid_client_metadata"
    assert "initiate_login_uri" in answer.json()["error_description"]


@pytest.mark.parametrize("settings_name", ["closed"])
@pytest.mark.only_on("sqlite")
def test_closed_registration_is_not_there(
    registrar: Registrar, initial_token: InitialToken, settings_name: str
) -> None:
    assert (
        "registration_endpoint"
        not in registrar.http.get(f"{registrar.issuer}/.well-known/openid-configuration").json()
    )
    for token in ("", initial_token()):
        registrar.initial_token = token
        assert registrar.post().status_code == 404
        assert registrar.post().json()["error"] == "not_found"


@with_a_token
@pytest.mark.every_database
def test_an_initial_access_token_opens_as_often_as_it_says(
    registrar: Registrar, initial_token: InitialToken, refused: Refused, clock: HeldClock
) -> None:
    document = registrar.http.get(f"{registrar.issuer}/.well-known/openid-configuration").json()
    assert document["registration_endpoint"] == registrar.endpoint
    answer = registrar.post()
    assert answer.status_code == 401
    # Without a token there is no error code in the challenge (RFC 6750 section 3.1).
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="registration"'
    for wrong in ("wrong", "dw_initial_\N{SNOWMAN}".encode().decode("latin-1"), "x" * 4000):
        registrar.initial_token = wrong
        with refused("registration.refused", times=1):
            answer = registrar.post()
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    registrar.initial_token = initial_token(uses=2, lifetime=60)
    with refused("registration.refused"):
        assert registrar.post(redirect_uris=[]).status_code == 400  # costs no use
    assert [registrar.post().status_code for _ in range(3)] == [201, 201, 401]
    registrar.initial_token = initial_token(uses=2, lifetime=60)
    clock.advance(60)
    assert registrar.post().status_code == 401


@anybody
def test_a_wrong_initial_access_token_is_not_overlooked_where_none_is_needed(
    registrar: Registrar, initial_token: InitialToken
) -> None:
    registrar.initial_token = "wrong"
    assert registrar.post().status_code == 401
    registrar.initial_token = initial_token(scopes=("notes:read",))
    assert registrar.registered(scope=None)["scope"] == "notes:read"


@with_a_token
def test_an_initial_access_token_carries_its_own_bounds(
    registrar: Registrar, initial_token: InitialToken, services: Services
) -> None:
    registrar.initial_token = initial_token(
        uses=9,
        scopes=("notes:read", "openid"),
        grant_types=("client_credentials",),
        auth_methods=("client_secret_post",),
        redirect_hosts=("nowhere.example.test",),
        trusted=True,
    )
    told = registrar.registered(
        {"grant_types": ["client_credentials"], "client_name": "Nightly Export"}
    )
    assert told["token_endpoint_auth_method"] == "client_secret_post"
    assert told["scope"] == "notes:read"
    assert services.clients.get(told["client_id"]).trusted
    client = registrar.client(told)
    assert client.token({"grant_type": "client_credentials", "scope": "notes:read"}).ok
    for changes in (
        {"grant_types": ["authorization_code"], "redirect_uris": ["https://a.example/cb"]},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"scope": "notes:write"},
    ):
        answer = registrar.post({"grant_types": ["client_credentials"], **changes})
        assert answer.json()["error"] == "invalid_client_metadata"
    # The bounds go with the client: its own changes stay within them.
    changed = registrar.put(told, grant_types=["client_credentials"], scope="notes:write")
    assert changed.status_code == 400
    assert registrar.put(told, grant_types=["client_credentials"]).json()["scope"] == "notes:read"


ODD_BODIES = {
    "no JSON": b"{",
    "nothing": b"",
    "a list": b"[]",
    "a text": b'"client"',
    "a name twice": b'{"redirect_uris": ["https://a.example/cb"], "redirect_uris": []}',
    "no UTF-8": b'{"client_name": "\xff"}',
    "NaN": b'{"default_max_age": NaN}',
    "infinite": b'{"jwks": {"keys": [], "x": 1e999}}',
    "too many digits": b'{"default_max_age": ' + b"9" * 5000 + b"}",
    "too deep": b'{"jwks": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "too deep in an open text": b'{"a": "' + b'\\"' * 20000 + b"[" * 20,
    "half a character": b'{"client_name": "\\ud800"}',
    "NUL": b'{"client_name": "a\\u0000b"}',
}


@anybody
def test_bodies_are_read_strictly(app: Flask, registrar: Registrar, refused: Refused) -> None:
    raw = RawRequests(app, registrar.issuer)
    for name, body in ODD_BODIES.items():
        with refused("registration.refused", times=1):
            answer = raw.post("/oauth2/register", body, content_type="application/json")
        assert (answer.status, answer.json["error"]) == (400, "invalid_client_metadata"), name
    body = json.dumps(METADATA).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = raw.post("/oauth2/register", body, content_type=kind)
        assert (answer.status, answer.json["error"]) == (400, "invalid_request"), kind
    answer = raw.post("/oauth2/register", body, content_type="application/json; charset=UTF-8")
    assert answer.status == 201
    large = b'{"client_name": "' + b"a" * 300_000 + b'"}'
    answer = raw.post("/oauth2/register", large, content_type="application/json")
    assert (answer.status, answer.json["error"]) == (413, "invalid_request")


@pytest.mark.settings(registration="open", registration_limit=3)
def test_one_network_registers_only_so_many(
    registrar: Registrar, initial_token: InitialToken, clock: HeldClock
) -> None:
    assert [registrar.post().status_code for _ in range(4)] == [201, 201, 201, 429]
    registrar.initial_token = initial_token()
    assert registrar.post().status_code == 201
    registrar.initial_token = ""
    clock.advance(3600)
    assert registrar.post().status_code == 201
