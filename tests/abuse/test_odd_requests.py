"""Neighbours of SECURITY cases 10, 28, 34 and 54: what no client sends, at every machine endpoint.

Whatever comes, the answer is an error in JSON, never a 500, and nothing changes.
"""

import json
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.protocol.machine_request import FORM
from tests.support.browserless import Browserless
from tests.support.raw_requests import Raw, RawRequests
from tests.support.refusals import Refused
from tests.support.token_client import TokenClient, basic

FORMS = ("/oauth2/token", "/oauth2/introspect", "/oauth2/revoke")
USERINFO = "/oauth2/userinfo"
DOCUMENTS = (
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwks.json",
)
PARAMETERS = (
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "scope",
    "resource",
    "token",
    "token_type_hint",
    "client_id",
    "client_secret",
    "client_assertion",
    "access_token",
    "unknown",
)
VALUES = {
    "NUL": b"%00",
    "NUL inside": b"a%00b",
    "half a surrogate": b"%ed%a0%80",
    "both halves": b"%ed%a0%bd%ed%b8%80",
    "no UTF-8": b"%ff%fe",
    "raw no UTF-8": b"\xff\xfe",
    "raw NUL": b"\0",
    "overlong": b"%c0%80",
    "a bad escape": b"%zz%",
    "line ends": b"%0d%0aX-Evil:%201",
    "a quote": b"%22%27%5c",
    "a newline and ANSI": b"%0a%1b[31m",
    "beyond the first plane": "😀".encode(),
    "long": b"a" * 17_000,
    "much": b"a" * 1_000_000,
}
GENEROUS = pytest.mark.settings(network_limit=1_000_000)


def assert_json_error(answer: Raw, *statuses: int) -> None:
    """Fail unless it is an error as a machine understands it."""
    assert answer.status in (statuses or (400, 401, 413)), answer
    assert answer.headers["Content-Type"] == "application/json", answer
    body = json.loads(answer.body)
    assert isinstance(body["error"], str)
    assert body["error"] != "server_error"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", [*FORMS, USERINFO])
@GENEROUS
def test_no_value_of_any_parameter_breaks_anything(
    path: str, service: TokenClient, raw: RawRequests
) -> None:
    header = {} if path == USERINFO else {"Authorization": basic("service", service.client_secret)}
    for name in PARAMETERS:
        for value in VALUES.values():
            body = b"grant_type=refresh_token&" if name != "grant_type" else b""
            body += name.encode() + b"=" + value
            answer = raw.post(path, body, **header)
            # A token that is none is inactive, and revoked already.
            if name != "token" or answer.status != 200:
                assert_json_error(answer)


@pytest.mark.parametrize("path", [*FORMS, USERINFO])
@GENEROUS
def test_no_name_of_a_parameter_breaks_anything(path: str, raw: RawRequests) -> None:
    for value in VALUES.values():
        assert_json_error(raw.post(path, value + b"=1"))
        assert_json_error(raw.post(path, b"client_id=spa&" + value))


@pytest.mark.parametrize("path", [*FORMS, USERINFO, *DOCUMENTS])
@GENEROUS
def test_no_header_breaks_anything(path: str, raw: RawRequests) -> None:
    values = ["", "\0", "\xff\xfe", "a" * 1_000_000, "😀".encode().decode("latin-1"), "%00", ","]
    names = ("Authorization", "User_Agent", "Accept", "Cookie", "Origin", "If_None_Match")
    for name in (*names, "X_Forwarded_For", "Content_Type", "Referer", "Range", "Expect"):
        for value in values:
            method = "GET" if path in DOCUMENTS else "POST"
            answer = raw.send(
                method, path, b"client_id=spa&token=x", **{"Content_Type": FORM, name: value}
            )
            assert answer.status in {200, 304, 400, 401}, (name, value[:20], answer)
            if answer.status >= 400:
                assert_json_error(answer)


@pytest.mark.parametrize("path", [*FORMS, USERINFO])
def test_a_parameter_that_is_sent_twice_is_refused(
    path: str, service: TokenClient, raw: RawRequests, refused: Refused
) -> None:
    header = {} if path == USERINFO else {"Authorization": basic("service", service.client_secret)}
    for name in PARAMETERS:
        if name != "resource":
            for twice in (f"{name}=x&{name}=x", f"{name}=x&{name}=y", f"{name}=&{name}="):
                with refused(f"{path.rpartition('/')[2]}.refused", times=1):
                    answer = raw.post(path, twice.encode(), **header)
                assert (answer.status, answer.json["error"]) == (400, "invalid_request"), twice


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "text/plain",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded-x",
        "\xff",
    ],
)
def test_only_forms_are_read(
    content_type: str, path: str, service: TokenClient, raw: RawRequests, refused: Refused
) -> None:
    body = b"grant_type=client_credentials&scope=notes:read&token=x"
    header = basic("service", service.client_secret)
    with refused(f"{path.rpartition('/')[2]}.refused", times=1):
        answer = raw.post(path, body, content_type=content_type, Authorization=header)
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "content_type", [f"{FORM};charset=UTF-8", FORM.upper(), f"{FORM}; charset=utf-16; x"]
)
def test_a_form_is_utf_8_whatever_it_says(
    content_type: str, service: TokenClient, raw: RawRequests
) -> None:
    body = b"grant_type=client_credentials&scope=notes:read"
    header = basic("service", service.client_secret)
    assert raw.post(FORMS[0], body, content_type=content_type, Authorization=header).status == 200


def test_a_form_of_very_many_parameters_is_refused(raw: RawRequests, refused: Refused) -> None:
    for path in FORMS:
        for body in (
            b"&".join(b"p%d=1" % number for number in range(101)),
            b"&".join([b"resource=x"] * 101),
            b"a&" * 100_000,
            b"a=" + b"a" * 250_000,
        ):
            with refused(f"{path.rpartition('/')[2]}.refused", times=1):
                assert_json_error(raw.post(path, body), 400)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "X"])
def test_other_methods_are_told_so_in_json(method: str, raw: RawRequests) -> None:
    paths = (*FORMS, *(() if method in {"GET", "HEAD"} else (USERINFO, *DOCUMENTS)))
    for path in paths:
        answer = raw.send(method, path, b"")
        assert answer.status == 405, path
        assert answer.headers["Content-Type"] == "application/json"
        assert "Allow" in answer.headers
        if method != "HEAD":
            assert json.loads(answer.body)["error"] == "method_not_allowed"


def test_head_shows_what_get_does(raw: RawRequests) -> None:
    for path in DOCUMENTS:
        shown, head = raw.send("GET", path), raw.send("HEAD", path)
        assert (shown.status, head.status, head.body) == (200, 200, b"")
        assert head.headers["Content-Length"] == str(len(shown.body))


def test_a_preflight_is_answered_where_scripts_may_come(raw: RawRequests) -> None:
    for path in ("/oauth2/token", "/oauth2/revoke", USERINFO, *DOCUMENTS):
        answer = raw.send("OPTIONS", path, Origin="https://spa.example.test")
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    for path in ("/oauth2/introspect", "/oauth2/authorize", "/oauth2/logout"):
        answer = raw.send("OPTIONS", path, Origin="https://spa.example.test")
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/oauth2/authorize", "/oauth2/logout", *FORMS, USERINFO, *DOCUMENTS, "/", "/nothing"]
)
def test_a_query_that_is_no_uri_is_an_error_and_no_crash(path: str, raw: RawRequests) -> None:
    for query in ("\xff", "client_id=\xff\xfe", "a=%ff%00%ed%a0%80", "%", "&&=&=", "a" * 100_000):
        method = "POST" if path in FORMS else "GET"
        answer = raw.send(method, f"{path}?{query}", b"token=x", Content_Type=FORM)
        assert answer.status < 500, (query, answer.status)


@GENEROUS
def test_odd_parameters_of_an_authorization_request_are_an_error_and_no_crash(
    webapp: TokenClient, raw: RawRequests
) -> None:
    good = webapp.authorization("openid notes:read")
    names = (*good, "prompt", "max_age", "login_hint", "id_token_hint", "resource", "display")
    for name in (*names, "response_mode", "request", "request_uri", "acr_values", "ui_locales"):
        for label, value in VALUES.items():
            rest = urlencode({key: text for key, text in good.items() if key != name})
            body = rest.encode() + b"&" + quote(name).encode() + b"=" + value
            answer = raw.post("/oauth2/authorize", body)
            assert answer.status in {303, 400, 413}, (name, label, answer.status)
            assert "\n" not in answer.headers.get("Location", "")


FORM_VALUES = st.dictionaries(
    st.sampled_from(PARAMETERS) | st.text(max_size=10),
    st.text(max_size=40)
    | st.sampled_from(
        [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "service",
            "spa",
            "openid",
            "notes:read",
            "https://notes.example.test/api",
        ]
    ),
    max_size=8,
)
HEADERS = st.none() | st.text(st.characters(max_codepoint=255), max_size=60).map("Basic ".__add__)


@GENEROUS
@pytest.mark.only_on("sqlite")
def test_any_form_gets_json_and_never_a_500(
    app: Flask, webapp: TokenClient, browserless: Browserless
) -> None:
    raw = RawRequests(app, webapp.discovery.issuer)
    right = basic("service", webapp.client_secret)

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(
        path=st.sampled_from((*FORMS, USERINFO)),
        values=FORM_VALUES,
        header=HEADERS | st.just(right),
    )
    def check(path: str, values: dict[str, str], header: str | None) -> None:
        body = urlencode(values, errors="surrogatepass").encode()
        headers = {} if header is None else {"Authorization": header}
        answer = raw.post(path, body, **headers)
        assert answer.status in {200, 400, 401, 403}, answer
        assert isinstance(answer.json, dict)
        assert answer.status == 200 or isinstance(answer.json["error"], str)

    check()


@GENEROUS
@pytest.mark.only_on("sqlite")
def test_any_bytes_get_json_and_never_a_500(app: Flask, webapp: TokenClient) -> None:
    raw = RawRequests(app, webapp.discovery.issuer)

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(path=st.sampled_from((*FORMS, USERINFO)), body=st.binary(max_size=80))
    def check(path: str, body: bytes) -> None:
        assert_json_error(raw.post(path, body))

    check()
