"""SECURITY group C: the token endpoint and client authentication."""

import base64
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from idp.domain.services import Services
from tests.abuse.answers import assert_error, callback, tokens
from tests.keys import forging
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register
from tests.support.raw_requests import Raw, RawRequests
from tests.support.refusals import Refused
from tests.support.seeds import FILES_API, NOTES_API, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient, basic

TOKEN, INTROSPECT, REVOKE = "/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"
ENDPOINTS = pytest.mark.parametrize("endpoint", [TOKEN, INTROSPECT, REVOKE])
CREDENTIALS = {"grant_type": "client_credentials", "token": "x"}
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
UNSIGNED = forging.unsigned(
    {"alg": "none", "typ": "JWT"},
    {"iss": "webapp", "sub": "webapp", "aud": "https://id.example.test", "jti": "1"},
)
NEVER_IN_A_URL = (
    "client_id",
    "client_secret",
    "grant_type",
    "code",
    "refresh_token",
    "token",
    "access_token",
    "scope",
    "client_assertion",
    "code_verifier",
    "username",
    "password",
)


def form(**values: str) -> bytes:
    return urlencode(values).encode()


def shown(answer: Raw) -> tuple[int, str]:
    return answer.status, answer.json["error"]


def event_of(endpoint: str) -> str:
    """How the audit log calls what this endpoint refuses."""
    return f"{endpoint.rpartition('/')[2]}.refused"


@ENDPOINTS
def test_case_028_nothing_is_taken_from_the_url(
    endpoint: str, service: TokenClient, raw: RawRequests, refused: Refused
) -> None:
    header = basic(service.client_id, service.client_secret)
    for name in NEVER_IN_A_URL:
        with refused(event_of(endpoint), times=1) as told:
            answer = raw.post(f"{endpoint}?{name}=x", form(**CREDENTIALS), Authorization=header)
        assert shown(answer) == (400, "invalid_request"), name
        assert told[0]["actor"] == "anyone"


def test_case_028_a_secret_in_the_url_proves_nobody(
    service: TokenClient, raw: RawRequests, refused: Refused
) -> None:
    query = urlencode({"client_id": service.client_id, "client_secret": service.client_secret})
    with refused("token.refused", times=1):
        answer = raw.post(f"{TOKEN}?{query}", form(grant_type="client_credentials"))
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


def test_case_028_other_parameters_of_the_url_are_not_read(
    service: TokenClient, raw: RawRequests
) -> None:
    header = basic(service.client_id, service.client_secret)
    target = f"{TOKEN}?resource={FILES_API}&redirect_uri=x&%ff=%00"
    answer = raw.post(target, form(grant_type="client_credentials"), Authorization=header)
    assert answer.status == 400  # the scopes belong to two, and nothing says which is meant
    body = form(grant_type="client_credentials", scope="notes:read")
    assert raw.post(target, body, Authorization=header).status == 200


TWO: dict[str, Mapping[str, str]] = {
    "the secret again": {"client_secret": "SECRET"},
    "another secret": {"client_secret": "dw_secret_x"},
    "another client": {"client_id": "stranger"},
    "the client and its secret again": {"client_id": "webapp", "client_secret": "SECRET"},
}


@ENDPOINTS
def test_case_029_two_mechanisms_in_one_request_are_refused(
    endpoint: str, webapp: TokenClient, raw: RawRequests, refused: Refused
) -> None:
    header = basic("webapp", webapp.client_secret)
    for name, more in TWO.items():
        sent = {key: value.replace("SECRET", webapp.client_secret) for key, value in more.items()}
        with refused(event_of(endpoint), times=1):
            answer = raw.post(endpoint, form(**CREDENTIALS, **sent), Authorization=header)
        assert shown(answer) == (400, "invalid_request"), name


@ENDPOINTS
def test_case_030_a_fake_assertion_beside_the_secret_is_refused(
    endpoint: str, webapp: TokenClient, raw: RawRequests, refused: Refused
) -> None:
    header = {"Authorization": basic("webapp", webapp.client_secret)}
    fields = {"client_id": "webapp", "client_secret": webapp.client_secret}
    for more in (
        {"client_assertion": UNSIGNED, "client_assertion_type": BEARER},
        {"client_assertion": UNSIGNED},
        {"client_assertion_type": BEARER},
    ):
        with refused(event_of(endpoint), times=2):
            for sent, named in ((fields, {}), ({}, header)):
                answer = raw.post(endpoint, form(**CREDENTIALS, **sent, **more), **named)
                assert shown(answer) == (400, "invalid_request")
        whole = len(more) == 2
        event = "client.authentication" if whole else event_of(endpoint)
        with refused(event, times=1):
            answer = raw.post(endpoint, form(**CREDENTIALS, **more))
        assert shown(answer) == (401, "invalid_client")


def test_case_029_naming_the_client_again_is_no_second_mechanism(service: TokenClient) -> None:
    tokens(service.credentials(client_id="service", scope="notes:read"))
    tokens(service.credentials(client_id="", client_secret="", scope="notes:read"))


OTHER_METHODS = [
    ("webapp", "client_secret_post"),
    ("webapp", "none"),
    ("stranger", "client_secret_basic"),
    ("stranger", "none"),
    ("spa", "client_secret_basic"),
    ("spa", "client_secret_post"),
]


@ENDPOINTS
def test_case_030_only_the_registered_method_is_taken(
    endpoint: str, deployment: Deployment, raw: RawRequests, refused: Refused
) -> None:
    for name, method in OTHER_METHODS:
        secret = deployment.client(name).client_secret or "x"
        values, headers = dict(CREDENTIALS), {}
        if method == "client_secret_basic":
            headers = {"Authorization": basic(name, secret)}
        elif method == "client_secret_post":
            values |= {"client_id": name, "client_secret": secret}
        else:
            values |= {"client_id": name}
        with refused("client.authentication", times=1) as told:
            answer = raw.post(endpoint, form(**values), **headers)
        assert shown(answer) == (401, "invalid_client"), (name, method)
        assert told[0]["client_id"] == name
        assert told[0]["detail"]["method"] == method


@pytest.mark.parametrize("endpoint", [TOKEN, REVOKE])
def test_an_empty_header_of_a_public_client_is_not_none(
    endpoint: str, raw: RawRequests, refused: Refused
) -> None:
    with refused("client.authentication", times=1):
        answer = raw.post(endpoint, form(**CREDENTIALS), Authorization=basic("spa", ""))
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


def encoded(octets: bytes) -> str:
    return "Basic " + base64.b64encode(octets).decode()


MALFORMED = {
    "nothing": "",
    "a scheme alone": "Basic",
    "a scheme and a space": "Basic ",
    "not base64": "Basic %zz",
    "base64url": "Basic d2ViYXBwOn9_-_8=",
    "without padding": "Basic YTpiYw",
    "spare text": encoded(b"webapp:x") + " x",
    "not ASCII": "Basic \xff\xfe",
    "no colon": encoded(b"webapp"),
    "nothing in it": encoded(b""),
    "a colon alone": encoded(b":"),
    "no name": encoded(b":secret"),
    "no UTF-8": encoded(b"\xff\xfe:\xff"),
    "half a surrogate": encoded(b"\xed\xa0\x80:x"),
    "escaped no UTF-8": encoded(b"%ff%fe:%ff"),
    "escaped half a surrogate": encoded(b"%ed%a0%80:x"),
    "long": "Basic " + "A" * 4092,
    "1 MB": "Basic " + "A" * 1_000_000,
    "another scheme": "Digest username=webapp",
    "a bearer token": "Bearer x",
    "no scheme": "webapp",
}
NAMING_NOBODY = {
    "bad escapes": encoded(b"%zz:%zz%"),
    "NUL": encoded(b"web\0app:\0"),
    "escaped NUL": encoded(b"web%00app:%00"),
    "a line's end": encoded(b"webapp\r\n:x"),
    "another script": encoded("w\u0435bapp:x".encode()),
    "long": encoded(b"a" * 2000 + b":" + b"b" * 900),
}


@ENDPOINTS
def test_case_034_a_malformed_header_is_an_error_and_no_crash(
    endpoint: str, raw: RawRequests, refused: Refused
) -> None:
    for name, header in MALFORMED.items():
        with refused(event_of(endpoint), times=1):
            answer = raw.post(endpoint, form(**CREDENTIALS), Authorization=header)
        assert shown(answer) == (401, "invalid_client"), name
        assert answer.headers["Www-Authenticate"].startswith("Basic realm=")


@ENDPOINTS
def test_case_034_strange_names_are_nobodys(
    endpoint: str, raw: RawRequests, refused: Refused
) -> None:
    for name, header in NAMING_NOBODY.items():
        with refused("client.authentication", times=1):
            answer = raw.post(endpoint, form(**CREDENTIALS), Authorization=header)
        assert shown(answer) == (401, "invalid_client"), name


def test_case_034_two_headers_are_refused(
    service: TokenClient, raw: RawRequests, refused: Refused
) -> None:
    header = basic(service.client_id, service.client_secret)
    for joined in (f"{header}, {header}", f"{header},Basic eDp5"):
        with refused("token.refused", times=1):
            answer = raw.post(TOKEN, form(**CREDENTIALS), Authorization=joined)
        assert (answer.status, answer.json["error"]) == (401, "invalid_client")


def test_case_034_an_assertion_well_formed_or_not_is_refused(
    raw: RawRequests, refused: Refused
) -> None:
    for assertion in ("x", "a.b.c", "..", "a.b.c.d.e", "\0", "\ufffd", "{}", "a" * 16_000):
        sent = {"client_assertion": assertion, "client_assertion_type": BEARER}
        with refused("token.refused", times=1):
            answer = raw.post(TOKEN, form(**CREDENTIALS, **sent))
        assert shown(answer) == (401, "invalid_client"), assertion


def test_credentials_are_escaped_before_they_are_joined(
    service: TokenClient, raw: RawRequests
) -> None:
    escaped = "".join(f"%{octet:02x}" for octet in service.client_secret.encode())
    header = encoded(f"%73ervice:{escaped}".encode())
    body = form(grant_type="client_credentials", scope="notes:read")
    assert raw.post(TOKEN, body, Authorization=header).status == 200
    assert raw.post(TOKEN, body, Authorization=header.replace("Basic", "bAsIc")).status == 200


# Grant types


@pytest.mark.parametrize(
    ("name", "grant_type"),
    [
        ("service", "authorization_code"),
        ("service", "refresh_token"),
        ("webapp", "client_credentials"),
        ("spa", "client_credentials"),
    ],
)
def test_case_036_a_grant_type_that_is_not_the_clients_is_refused(
    name: str, grant_type: str, deployment: Deployment, refused: Refused
) -> None:
    with refused("token.refused", times=1) as told:
        answer = deployment.client(name).token({"grant_type": grant_type, "code": "x"})
    assert_error(answer, 400, "unauthorized_client")
    assert told[0]["actor"] == f"client:{name}"


OTHER_GRANT_TYPES = (
    "password",
    "implicit",
    "code",
    "none",
    "Client_Credentials",
    "client_credentials ",
    "client_credentials authorization_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    '"',
    "é",
    "\0",
    "x" * 16_000,
)


def test_case_036_there_are_no_other_grant_types(service: TokenClient, refused: Refused) -> None:
    for grant_type in OTHER_GRANT_TYPES:
        parameters = {"grant_type": grant_type, "username": "ada@example.test", "password": "x"}
        with refused("token.refused", times=1):
            answer = service.token(parameters)
        assert_error(answer, 400, "unsupported_grant_type")


@pytest.mark.parametrize("grant_type", [None, ""])
def test_a_missing_grant_type_is_an_invalid_request(
    grant_type: str | None, service: TokenClient, refused: Refused
) -> None:
    with refused("token.refused", times=1):
        assert_error(service.credentials(grant_type=grant_type), 400, "invalid_request")


def test_case_036_there_is_no_implicit_flow(
    webapp: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    for response_type in ("token", "id_token", "code token", "none", "code code"):
        with refused("authorization.refused", times=1):
            page = browserless.start(webapp.authorization(response_type=response_type))
        assert page.callback["error"] == "unsupported_response_type", response_type
        assert not {"access_token", "id_token", "code"} & page.callback.keys()


def test_case_036_a_client_without_the_code_grant_gets_no_code(
    service: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    with refused("authorization.refused", times=1):
        page = browserless.start(service.authorization(redirect_uri="https://x.example.test/cb"))
    assert (page.status, page.left_for) == (400, None)


# client_credentials


NO_SCOPES_OF_THE_SERVICE = (
    "openid",
    "offline_access",
    "profile",
    "notes:read openid",
    "notes:read offline_access",
    "notes:write",
    "unknown",
    '"',
    "a\0b",
    "é",
    " ".join(f"s{number}" for number in range(51)),
)


def test_case_037_scopes_of_people_and_of_others_are_refused(
    service: TokenClient, refused: Refused
) -> None:
    for scope in NO_SCOPES_OF_THE_SERVICE:
        with refused("token.refused", times=1):
            assert_error(service.credentials(scope=scope), 400, "invalid_scope")


def test_case_037_what_is_issued_has_no_person(
    service: TokenClient, notes_api: TokenClient
) -> None:
    issued = tokens(service.credentials(scope="notes:read notes:write unknown"))
    assert issued["scope"] == "notes:read"
    assert issued.keys() == {"access_token", "token_type", "expires_in", "scope"}
    found = notes_api.introspect(issued["access_token"]).json()
    assert found["sub"] == found["client_id"] == "service"
    assert not {"username", "auth_time", "acr", "amr"} & found.keys()
    assert service.userinfo(issued["access_token"]).status_code == 401


def test_case_037_a_client_of_no_api_gets_no_token(register: Register, refused: Refused) -> None:
    grants = {"grant_types": ["client_credentials"], "redirect_uris": []}
    client = register("idle", **grants, scope="openid profile")
    with refused("token.refused", times=1):
        assert_error(client.credentials(), 400, "invalid_target")


def test_case_037_a_resource_that_is_not_the_clients_is_refused(
    service: TokenClient, refused: Refused
) -> None:
    for resource in ("https://unknown.example.test", "x", "\0", "é"):
        with refused("token.refused", times=1):
            assert_error(service.credentials(resource=resource), 400, "invalid_target")


def test_case_037_a_scope_of_another_resource_is_refused(
    service: TokenClient, refused: Refused
) -> None:
    with refused("token.refused", times=1):
        answer = service.credentials(resource=NOTES_API, scope="files:read")
    assert_error(answer, 400, "invalid_target")


# What was taken away


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [
        ("service", "token_endpoint"),
        ("service", "introspection_endpoint"),
        ("service", "revocation_endpoint"),
        ("stranger", "token_endpoint"),
        ("spa", "token_endpoint"),
        ("spa", "revocation_endpoint"),
    ],
)
def test_case_038_a_disabled_client_is_refused(
    name: str,
    endpoint: str,
    deployment: Deployment,
    services: Services,
    refused: Refused,
) -> None:
    services.clients.disable(name, origin=ORIGIN, actor=OPERATOR)
    client = deployment.client(name)
    with refused("client.authentication", times=1) as told:
        assert_error(client.post(endpoint, dict(CREDENTIALS)), 401, "invalid_client")
    assert told[0]["detail"]["reason"] == "disabled"


def test_case_038_a_client_that_is_enabled_again_goes_on(
    service: TokenClient, services: Services
) -> None:
    services.clients.disable("service", origin=ORIGIN, actor=OPERATOR)
    services.clients.enable("service", origin=ORIGIN, actor=OPERATOR)
    tokens(service.credentials(scope="notes:read"))


def test_case_038_a_secret_ends_with_its_second(
    service: TokenClient, services: Services, clock: HeldClock, refused: Refused
) -> None:
    new = services.clients.rotate_secret("service", 60, origin=ORIGIN, actor=OPERATOR)
    clock.advance(59.9)
    tokens(service.credentials(scope="notes:read"))
    clock.advance(0.1)
    with refused("client.authentication", times=1) as told:
        assert_error(service.credentials(scope="notes:read"), 401, "invalid_client")
    assert told[0]["detail"]["reason"] == "wrong secret"
    service.client_secret = new
    tokens(service.credentials(scope="notes:read"))


def test_case_038_a_secret_that_is_replaced_at_once_is_refused_at_once(
    service: TokenClient, services: Services, refused: Refused
) -> None:
    services.clients.rotate_secret("service", origin=ORIGIN, actor=OPERATOR)
    with refused("client.authentication", times=1):
        assert_error(service.credentials(scope="notes:read"), 401, "invalid_client")


def test_case_038_a_token_of_a_client_disabled_since_is_dead(
    service: TokenClient, notes_api: TokenClient, services: Services
) -> None:
    access = tokens(service.credentials(scope="notes:read"))["access_token"]
    assert notes_api.active(access)
    services.clients.disable("service", origin=ORIGIN, actor=OPERATOR)
    assert not notes_api.active(access)


def test_wrong_secrets_are_throttled_and_right_ones_are_not(service: TokenClient) -> None:
    right, service.client_secret = service.client_secret, "dw_secret_wrong"
    answers = [service.credentials().status_code for _ in range(125)]
    assert answers == [401] * 120 + [429] * 5
    assert int(service.credentials().headers["Retry-After"]) > 0
    service.client_secret = right
    tokens(service.credentials(scope="notes:read"))


def test_refusals_are_throttled_and_what_is_right_is_not(
    webapp: TokenClient, browserless: Browserless
) -> None:
    found = callback(webapp, browserless)
    answers = [webapp.refresh("x" * 43).status_code for _ in range(125)]
    assert answers == [400] * 120 + [429] * 5
    tokens(webapp.redeem(found))


def test_who_names_a_resource_and_no_scope_gets_its_own_scopes_there(
    service: TokenClient, notes_api: TokenClient
) -> None:
    """RFC 8707 section 2.2; the client has a scope at another resource too."""
    for resource, scope in ((NOTES_API, "notes:read"), (FILES_API, "files:read")):
        issued = tokens(service.credentials(resource=resource))
        assert issued["scope"] == scope
    found = notes_api.introspect(tokens(service.credentials(resource=NOTES_API))["access_token"])
    assert (found.json()["aud"], found.json()["scope"]) == (NOTES_API, "notes:read")
