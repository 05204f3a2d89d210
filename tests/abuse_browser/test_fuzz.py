"""Anything at all, sent to every page: an answer, and never a failure of ours."""

import re
import string
from urllib.parse import quote_from_bytes

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from idp.crypto.secrets import uuid7
from idp.domain.services import Services
from idp.web.kinds import Kind
from idp.web.routes import ROUTES
from tests.abuse_browser.asking import signed_in
from tests.support.application import ISSUER
from tests.support.deployment import Deployment
from tests.support.factors import factors, type_code
from tests.support.held_clock import HeldClock
from tests.support.raw_requests import FORM, RawRequests
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN

pytestmark = pytest.mark.settings(network_limit=10_000_000)
fuzz = settings(max_examples=400, suppress_health_check=list(HealthCheck))
VALUES = (
    "webapp",
    "native",
    "https://app.example.test/callback",
    "https://app.example.test/bye",
    "http://127.0.0.1:4000/callback",
    "code",
    "openid email",
    "none",
    "login consent",
    "0",
    "allow",
    "continue",
    "sign_out",
    "ada@example.test",
    "S256",
    "A" * 43,
    "\0",
    "\ud800",
    "\u202e\r\n\x1b[31m",
    "' OR 1=1 --",
    "{{7*7}}${7*7}<%=7*7%>",
    "../../../etc/passwd",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
    "9" * 400,
)
NAMES = (
    *("client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "prompt"),
    *("max_age", "login_hint", "id_token_hint", "code_challenge", "code_challenge_method"),
    *("response_mode", "resource", "request", "request_uri", "claims", "next", "email", "name"),
    *("post_logout_redirect_uri", "identifier", "password", "decision", "csrf_token"),
    *("account", "forget", "code", "response", "trust", "keep", "handle", "choice", "typed"),
    *("acr_values", "ui_locales", "language", "theme", "return_to", "another", "done", "again"),
    *("q", "after", "before", "event", "outcome", "person", "actor", "client", "since", "until"),
)
HEADERS = (
    *("User_Agent", "Referer", "Accept", "Accept_Language", "Accept_Encoding", "Origin", "Range"),
    *("Authorization", "If_None_Match", "X_Forwarded_For", "Content_Type", "Content_Encoding"),
    *("Transfer_Encoding", "Expect", "Cookie", "Host", "X_Request_Id", "X_HTTP_Method_Override"),
)
TYPES = (FORM, "multipart/form-data; boundary=x", "application/json", "text/plain; charset=\xff")
GOOD = (
    "client_id=webapp&redirect_uri=https%3A%2F%2Fapp.example.test%2Fcallback&response_type=code&"
    f"scope=openid&code_challenge_method=S256&code_challenge={'A' * 43}"
)
octets = some.binary(max_size=40)
words = some.one_of(some.sampled_from(VALUES), some.text(max_size=40)).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)
escaped = some.one_of(words, octets).map(quote_from_bytes)
names = some.one_of(some.sampled_from(NAMES), escaped)
pairs = some.lists(some.tuples(names, escaped), max_size=14)
forms = pairs.map(lambda found: "&".join(f"{name}={value}" for name, value in found))
good_forms = forms.map(lambda more: f"{GOOD}&{more}")
raw_text = octets.map(lambda found: found.decode("latin-1"))
queries = some.one_of(forms, good_forms, raw_text)
bodies = some.one_of(forms.map(str.encode), good_forms.map(str.encode), octets)
fields = some.one_of(
    some.sampled_from(VALUES).map(lambda text: text.encode("utf-8", "replace").decode("latin-1")),
    some.text(alphabet=string.printable + "\xe9\xff\x80", max_size=60),
)
headers = some.dictionaries(some.sampled_from(HEADERS), fields, max_size=5)
segments = some.one_of(octets.map(quote_from_bytes), some.sampled_from(("A" * 43, "..", "%00")))
methods = some.sampled_from(("GET", "POST", "HEAD", "OPTIONS", "PUT", "G\xc9T"))
VARIABLE = re.compile(r"<(\w+)>")
paths = some.sampled_from([route.path for route in ROUTES])
FRAMED = {route.path for route in ROUTES if route.kind is Kind.FRAMED}
ENDING = {"/account/activity/not-me", "/account/data/delete"}
"""Whoever sends these is signed out, or soon gone: what comes after them would not reach a page."""
consoles = some.sampled_from(
    [route.path for route in ROUTES if route.guard == "permission" and route.path not in ENDING]
)


class Target:
    """The application, with a browser that is in the middle of something."""

    def __init__(self, app: Flask, deployment: Deployment, services: Services) -> None:
        self.raw = RawRequests(app.wsgi_app, ISSUER)
        browser = signed_in(deployment)
        page = browser.start(deployment.client("webapp").authorization("openid email"))
        self.handle = page.url.split("/interaction/")[1].split("/")[0]
        cookies = browser.http.cookies.items()
        self.cookie = "; ".join(f"{name}={value}" for name, value in cookies)
        self.referer = page.url
        self.form_token = page.form.named("csrf_token").value
        self.link = services.administrators.issue_link(ORIGIN, OPERATOR).rpartition("/")[2]

    def path(self, path: str, segment: str | None) -> str:
        known = {"handle": self.handle, "token": self.link}
        return VARIABLE.sub(lambda found: segment or known.get(found[1], "1"), path)


class Console:
    """The application, with an administrator who signed in by two factors just now."""

    def __init__(self, app: Flask, deployment: Deployment, services: Services, clock: HeldClock):
        self.raw = RawRequests(app.wsgi_app, ISSUER)
        services.memberships.grant(
            ADA.email, roles=["administrator"], origin=ORIGIN, actor=OPERATOR
        )
        hands = factors(services, clock, ADA.email).with_app()
        browser = deployment.browserless(ADA)
        page = browser.answer(browser.answer(browser.get("/sign-in")))
        type_code(browser, page, hands.next_code())
        page = browser.get("/admin/people")
        assert page.url.endswith("/admin/people"), page
        cookies = browser.http.cookies.items()
        self.cookie = "; ".join(f"{name}={value}" for name, value in cookies)
        self.form_token = page.document.forms[0].named("csrf_token").value
        grace = services.accounts.get(GRACE.email)
        self.known = {"account_id": grace.id, "client_id": "webapp", "session_id": uuid7()}
        self.known |= {"kind": "passkeys", "algorithm": "RS256", "credential_id": uuid7()}

    def path(self, path: str, segment: str | None) -> str:
        return VARIABLE.sub(lambda found: segment or self.known.get(found[1], "1"), path)


@pytest.fixture
def console(app: Flask, deployment: Deployment, services: Services, clock: HeldClock) -> Console:
    return Console(app, deployment, services, clock)


@pytest.fixture
def target(app: Flask, deployment: Deployment, services: Services) -> Target:
    return Target(app, deployment, services)


@fuzz
@given(
    request=some.tuples(methods, paths, some.none() | segments, queries),
    body=bodies,
    kind=some.sampled_from(TYPES),
    more=headers,
    known=some.booleans(),
    proven=some.booleans(),
)
def test_no_page_fails_whatever_it_is_sent(
    target: Target,
    request: tuple[str, str, str | None, str],
    body: bytes,
    kind: str,
    more: dict[str, str],
    known: bool,
    proven: bool,
) -> None:
    method, path, segment, query = request
    sent = {"Content_Type": kind, "Referer": target.referer, **more}
    if known:
        sent["Cookie"] = target.cookie
    if proven:
        body = f"csrf_token={target.form_token}&".encode() + body
        sent["Content_Type"] = FORM
    answer = target.raw.send(method, f"{target.path(path, segment)}?{query}", body, **sent)
    assert answer.status < 500, f"{answer.status} {method} {path}"
    assert path in FRAMED or answer.headers["X-Frame-Options"] == "DENY"
    assert b"Traceback" not in answer.body
    location = answer.headers.get("Location", "/")
    assert not {"\r", "\n"} & set(location)
    assert location.startswith(("/", "https://app.example.test/", "http://127.0.0.1:"))
    assert not location.startswith(("//", "/\\"))


@fuzz
@given(
    request=some.tuples(some.sampled_from(("GET", "POST")), consoles, some.none() | segments),
    query=queries,
    form=forms,
)
def test_no_page_of_a_console_fails_for_an_administrator(
    console: Console, request: tuple[str, str, str | None], query: str, form: str
) -> None:
    method, path, segment = request
    sent = {"Content_Type": FORM, "Referer": f"{ISSUER}/admin/people", "Cookie": console.cookie}
    body = f"csrf_token={console.form_token}&{form}".encode()
    answer = console.raw.send(method, f"{console.path(path, segment)}?{query}", body, **sent)
    assert answer.status < 500, f"{answer.status} {method} {path}"
    assert b"Traceback" not in answer.body


@fuzz
@given(path=raw_text, query=raw_text, cookie=raw_text, host=raw_text, agent=raw_text)
def test_no_bytes_in_path_or_headers_make_it_fail(
    target: Target, path: str, query: str, cookie: str, host: str, agent: str
) -> None:
    wrong_host: dict[str, str] = {"Host": host}
    for more in ({}, wrong_host):
        answer = target.raw.send(
            "GET",
            f"/{path.replace('?', '')}?{query}",
            b"",
            Cookie=f"__Host-doorward={cookie}; {cookie}",
            User_Agent=agent,
            **more,
        )
        assert answer.status < 500, answer.status
        assert answer.headers["X-Frame-Options"] == "DENY"
