"""The example API: what it accepts, and how it refuses (RFC 6750, RFC 9068 section 4)."""

import base64
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from examples.api.app import Settings, create_app
from idp.domain.services import Services
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.guard_http import Wire
from tests.support.held_clock import HeldClock
from tests.support.seeds import ADA, FILES_API, NOTES_API, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient

BOTH_SCOPES = "openid notes:read notes:write"


@pytest.fixture
def wire(deployment: Deployment) -> Wire:
    """The way of the API to the authorization server."""
    return Wire(deployment.new_http())


@pytest.fixture
def api(deployment: Deployment, wire: Wire, clock: HeldClock) -> FlaskClient:
    settings = Settings(deployment.issuer, NOTES_API, *deployment.seeds.credentials[NOTES_API])
    return create_app(settings, wire, clock).test_client()


@pytest.fixture
def token(browserless: Browserless, webapp: TokenClient) -> str:
    return str(webapp.sign_in(browserless, BOTH_SCOPES)["access_token"])


def read(api: FlaskClient, token: str) -> TestResponse:
    return api.get("/notes", headers={"Authorization": f"Bearer {token}"})


def write(api: FlaskClient, token: str, text: Any = "Owls at dusk") -> TestResponse:
    headers = {"Authorization": f"Bearer {token}"}
    return api.post("/notes", headers=headers, json={"text": text})


def challenge(answer: TestResponse) -> str:
    return answer.headers["WWW-Authenticate"]


def test_a_good_token_reads_and_writes(api: FlaskClient, token: str) -> None:
    assert read(api, token).json == {"notes": []}
    assert write(api, token).status_code == 201
    assert read(api, token).json == {"notes": ["Owls at dusk"]}


def test_notes_belong_to_who_wrote_them(api: FlaskClient, token: str, service: TokenClient) -> None:
    write(api, token)
    other = service.credentials(scope="notes:read").json()["access_token"]
    assert read(api, other).json == {"notes": []}


def test_who_brings_no_token_is_asked_for_one_and_told_of_no_error(api: FlaskClient) -> None:
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": ""}):
        answer = api.get("/notes", headers=headers)
        assert answer.status_code == 401
        assert challenge(answer) == 'Bearer realm="Field Notes", scope="notes:read"'


@pytest.mark.parametrize("header", ["Bearer ", "Bearer a b", "Bearer ü", "Bearer a,Bearer b"])
def test_a_malformed_header_is_a_bad_request(api: FlaskClient, header: str) -> None:
    answer = api.get("/notes", headers={"Authorization": header})
    assert answer.status_code == 400
    assert 'error="invalid_request"' in challenge(answer)


def test_a_missing_scope_is_named(
    api: FlaskClient, browserless: Browserless, webapp: TokenClient
) -> None:
    reader = webapp.sign_in(browserless, "openid notes:read")["access_token"]
    answer = write(api, reader)
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in challenge(answer)
    assert 'scope="notes:write"' in challenge(answer)


def assert_invalid(answer: TestResponse) -> None:
    assert answer.status_code == 401
    assert 'error="invalid_token"' in challenge(answer)


def test_a_token_for_another_api_is_refused_by_both_checks(
    api: FlaskClient, browserless: Browserless, webapp: TokenClient
) -> None:
    other = webapp.sign_in(browserless, "openid files:read", resource=FILES_API)["access_token"]
    assert_invalid(read(api, other))
    assert_invalid(write(api, other))


def test_an_id_token_is_no_access_token(
    api: FlaskClient, browserless: Browserless, webapp: TokenClient
) -> None:
    id_token = webapp.sign_in(browserless, BOTH_SCOPES)["id_token"]
    assert_invalid(read(api, id_token))
    assert_invalid(write(api, id_token))


def test_a_token_is_good_until_it_expires_and_some_seconds_more(
    api: FlaskClient, token: str, clock: HeldClock
) -> None:
    clock.advance(609)
    assert read(api, token).status_code == 200
    clock.advance(1)
    assert_invalid(read(api, token))


def test_a_revoked_token_writes_no_more_and_reads_until_it_expires(
    api: FlaskClient, token: str, webapp: TokenClient, clock: HeldClock
) -> None:
    assert webapp.revoke(token).status_code == 200
    assert_invalid(write(api, token))
    assert read(api, token).status_code == 200
    clock.advance(611)
    assert_invalid(read(api, token))


def altered(
    token: str, header: dict[str, Any], claims: dict[str, Any]
) -> tuple[dict[str, Any], ...]:
    parts = [json.loads(_decoded(part)) for part in token.split(".")[:2]]
    return {**parts[0], **header}, {**parts[1], **claims}


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_an_altered_token_is_refused(api: FlaskClient, token: str) -> None:
    header, claims = altered(token, {}, {"scope": "notes:read notes:write admin"})
    changed = ".".join([_encoded(header), _encoded(claims), token.rpartition(".")[2]])
    assert_invalid(read(api, changed))


def test_case_049_an_unsigned_token_is_refused(api: FlaskClient, token: str) -> None:
    header, claims = altered(token, {"alg": "none"}, {})
    assert_invalid(read(api, f"{_encoded(header)}.{_encoded(claims)}."))


def test_a_token_signed_by_somebody_else_is_refused(api: FlaskClient, token: str) -> None:
    key = ECKey.generate_key("P-256")
    for more in ({}, {"kid": "unknown"}, {"jwk": key.as_dict(private=False)}):
        header, claims = altered(token, more, {})
        assert_invalid(read(api, jwt.encode(header, claims, key)))


@pytest.mark.parametrize("nonsense", ["a", "a.b.c", "..", "e30.e30.e30", "x" * 9000])
def test_nonsense_is_refused(api: FlaskClient, nonsense: str) -> None:
    assert_invalid(read(api, nonsense))
    assert_invalid(write(api, nonsense))


def test_the_offline_check_asks_once_for_many_tokens(
    api: FlaskClient, token: str, wire: Wire
) -> None:
    for _ in range(5):
        assert read(api, token).status_code == 200
    assert wire.paths == ["/.well-known/oauth-authorization-server", "/.well-known/jwks.json"]


def test_the_key_set_is_fetched_anew_when_its_time_is_over(
    api: FlaskClient, token: str, wire: Wire, clock: HeldClock
) -> None:
    read(api, token)
    clock.advance(299)
    read(api, token)
    clock.advance(2)
    read(api, token)
    assert wire.paths.count("/.well-known/jwks.json") == 2


def test_made_up_keys_do_not_make_it_ask_each_time(
    api: FlaskClient, token: str, wire: Wire, clock: HeldClock
) -> None:
    header, claims = altered(token, {"kid": "unknown"}, {})
    forged = jwt.encode(header, claims, ECKey.generate_key("P-256"))
    for _ in range(5):
        assert_invalid(read(api, forged))
    assert wire.paths.count("/.well-known/jwks.json") == 1
    clock.advance(10)
    assert_invalid(read(api, forged))
    assert wire.paths.count("/.well-known/jwks.json") == 2


def test_an_authorization_server_that_is_away_is_not_the_callers_fault(
    api: FlaskClient, token: str, wire: Wire
) -> None:
    read(api, token)
    wire.cut = True
    assert read(api, token).status_code == 200
    answer = write(api, token)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("text", ["", "x" * 501, 7, None])
def test_a_note_has_a_text(api: FlaskClient, token: str, text: Any) -> None:
    assert write(api, token, text).status_code == 422


def test_a_disabled_person_writes_no_more(api: FlaskClient, token: str, services: Services) -> None:
    services.accounts.disable(ADA.email, ORIGIN, OPERATOR)
    assert_invalid(write(api, token))


def test_all_that_is_missing_is_named_at_start() -> None:
    with pytest.raises(SystemExit, match="RESOURCE, INTROSPECTION_ID, INTROSPECTION_SECRET"):
        Settings.of({"ISSUER": "https://id.example.test"})
