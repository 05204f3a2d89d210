"""SECURITY group U, and case 121: what every answer carries, and whom it believes about itself."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
import requests
from flask import Flask

from idp.domain.services import Services
from idp.web.kinds import Kind
from idp.web.routes import DEVELOPMENT_ROUTES, ROUTES, Route
from tests.abuse_browser.asking import signed_in
from tests.support.application import ISSUER
from tests.support.deployment import Deployment
from tests.support.html_pages import parse
from tests.support.raw_requests import Raw, RawRequests
from tests.support.refusals import contents
from tests.support.seeds import OPERATOR, ORIGIN

pytestmark = pytest.mark.settings(network_limit=100_000)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
POLICIES = {
    Kind.PAGE: f"{POLICY}; form-action 'self'",
    Kind.ENTRY: f"{POLICY}; form-action 'self'",
    Kind.FINISHING_PAGE: POLICY,
    Kind.MACHINE: "default-src 'none'; frame-ancestors 'none'",
    Kind.OPEN_MACHINE: "default-src 'none'; frame-ancestors 'none'",
    Kind.DOCUMENT: "default-src 'none'; frame-ancestors 'none'",
    Kind.PICTURE: "default-src 'none'; frame-ancestors 'none'",
    Kind.FRAMED: "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors *",
}
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
}
OPEN = {Kind.OPEN_MACHINE, Kind.DOCUMENT}
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "NONSENSE")
FORWARDED = {
    "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Server": "evil.test",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Port": "8443",
    "X-Forwarded-Prefix": "/evil.test",
    "X-Forwarded-For": "203.0.113.66",
    "Forwarded": "for=203.0.113.66;host=evil.test;proto=http",
    "X-Original-Host": "evil.test",
    "X-Original-URL": "/evil.test",
    "X-Rewrite-URL": "/evil.test",
    "X-Host": "evil.test",
    "Front-End-Https": "on",
    "Origin": "https://evil.test",
}


@dataclass(frozen=True)
class Places:
    """Addresses of an interaction that waits for consent, and of a link that works."""

    browser: requests.Session
    handle: str
    token: str

    def path(self, route: Route) -> str:
        return re.sub(
            r"<(\w+)>",
            lambda found: {"handle": self.handle, "token": self.token}.get(found[1], "A" * 43),
            route.path,
        )


@pytest.fixture
def places(deployment: Deployment, services: Services) -> Places:
    browser = signed_in(deployment)
    page = browser.start(deployment.client("webapp").authorization("openid email"))
    handle = page.url.split("/interaction/")[1].split("/")[0]
    link = services.administrators.issue_link(ORIGIN, OPERATOR)
    return Places(browser.http, handle, link.rpartition("/")[2])


@pytest.fixture
def raw(app: Flask) -> RawRequests:
    return RawRequests(app.wsgi_app, ISSUER)


def every(places: Places) -> Iterator[tuple[Route, str]]:
    """Every row of the table with a path that leads somewhere, the sign-out last."""
    for route in sorted(ROUTES, key=lambda route: "sign-out" in route.path):
        yield route, places.path(route)


def assert_headers(kind: Kind, status: int, headers: Mapping[str, str], what: str) -> None:
    if kind is Kind.FRAMED and status != 200:
        kind = Kind.PAGE
    framed = {"X-Frame-Options"} if kind is Kind.FRAMED else set()
    for name in ALWAYS.keys() - framed:
        assert headers[name] == ALWAYS[name], (what, name)
    assert not framed & headers.keys()
    # On the way of a sign-in a client's pop-up window would lose who opened it.
    opener = "same-origin" if kind is Kind.PAGE else None
    assert headers.get("Cross-Origin-Opener-Policy") == opener, what
    assert headers["Content-Security-Policy"] == POLICIES[kind], what
    assert re.fullmatch(r"[0-9a-f]{16}", headers["X-Request-Id"]), what
    assert ("Access-Control-Allow-Origin" in headers) == (kind in OPEN), what
    assert "Access-Control-Allow-Credentials" not in headers, what
    if kind in {Kind.DOCUMENT, Kind.FRAMED} and status in {200, 304}:
        assert headers["Cache-Control"].startswith("public, max-age="), what
        assert "Set-Cookie" not in headers, what
    else:
        assert headers["Cache-Control"] == "no-store", what
    assert "Server" not in headers
    assert "X-Powered-By" not in headers


def assert_frames_refused(headers: Mapping[str, str]) -> None:
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_case_152_the_table_is_all_there_is(app: Flask) -> None:
    served = {rule.rule for rule in app.url_map.iter_rules()} - {"/static/<path:filename>"}
    assert served == {route.path for route in ROUTES}
    assert not served & {route.path for route in DEVELOPMENT_ROUTES}


def test_case_152_every_answer_of_every_route(places: Places) -> None:
    """Right methods, with whatever comes of it: pages, redirects, refusals."""
    for route, path in every(places):
        for method in route.methods:
            answer = places.browser.request(method, ISSUER + path, allow_redirects=False)
            assert answer.status_code < 500, path
            assert_headers(route.kind, answer.status_code, answer.headers, f"{method} {path}")


def test_case_152_wrong_methods_are_refused_and_change_nothing(
    places: Places, services: Services
) -> None:
    before = contents(services.store)
    for route, path in every(places):
        for method in METHODS:
            if method in {*route.methods, "HEAD", "OPTIONS"}:
                continue
            answer = places.browser.request(method, ISSUER + path, allow_redirects=False)
            assert answer.status_code == 405, f"{method} {path}: {answer.status_code}"
            assert set(route.methods) <= set(answer.headers["Allow"].split(", "))
            assert_frames_refused(answer.headers)
    assert contents(services.store) == before


def test_case_121_no_page_can_be_framed_errors_included(
    places: Places, raw: RawRequests, deployment: Deployment
) -> None:
    stranger = deployment.new_http()
    for route, path in every(places):
        for http in (places.browser, stranger):
            for query in ("", "?client_id=nobody", "?x=%ff%00"):
                answer = http.get(ISSUER + path + query, allow_redirects=False)
                if route.kind is Kind.FRAMED and answer.status_code == 200:
                    continue  # session management's, on which there is nothing to click
                assert answer.headers["X-Frame-Options"] == "DENY"
                assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        wrong = raw.send("GET", path, Host="evil.test")
        assert wrong.headers["X-Frame-Options"] == "DENY"
    for path in ("/nothing", "/static/nothing", "/.well-known/nothing", "/oauth2/nothing", "//x"):
        for method in ("GET", "POST"):
            nothing = raw.send(method, path)
            missing = 405 if (method, path) == ("POST", "/static/nothing") else 404
            assert nothing.status == missing, (method, path)
            assert_frames_refused(nothing.headers)


def test_no_answer_has_inline_script_or_style(places: Places) -> None:
    for route, path in every(places):
        if "GET" not in route.methods:
            continue
        answer = places.browser.get(ISSUER + path)
        if answer.headers["Content-Type"].startswith("text/html"):
            assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text), path
            assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", answer.text), path


def test_a_static_file_is_not_a_way_out(deployment: Deployment, raw: RawRequests) -> None:
    for path in (
        "/static/../idp/config.py",
        "/static/%2e%2e/idp/config.py",
        "/static/..%2fidp/config.py",
        "/static/..\\idp\\config.py",
        "/static//etc/passwd",
        "/static/js/../../setup.cfg",
        "/static/%00",
    ):
        assert raw.send("GET", path).status == 404, path
    style = deployment.new_http().get(f"{ISSUER}/static/doorward.css")
    assert style.status_code == 200
    assert style.headers["X-Content-Type-Options"] == "nosniff"


def test_case_148_nobody_is_believed_about_forwarded_headers(places: Places) -> None:
    """No page, redirect or document changes with them, on any route."""
    http = places.browser
    for route, path in every(places):
        for method in route.methods:
            plain = http.request(method, ISSUER + path, allow_redirects=False)
            if "sign-out" in path and method == "POST":
                continue
            forged = http.request(method, ISSUER + path, headers=FORWARDED, allow_redirects=False)
            what = f"{method} {path}"
            assert forged.status_code == plain.status_code, what
            assert "evil.test" not in forged.text, what
            assert "evil.test" not in str(forged.headers), what
            assert ":8443" not in str(forged.headers), what


def test_case_148_the_issuer_comes_from_the_settings(raw: RawRequests) -> None:
    for path in ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"):
        for name, value in FORWARDED.items():
            answer = raw.send("GET", path, b"", **{name.replace("-", "_"): value})
            assert answer.status == 200
            assert answer.json["issuer"] == ISSUER
            assert b"evil" not in answer.body


WRONG_HOSTS = (
    "evil.test",
    "id.example.test.evil.test",
    "id.example.test:444",
    "id.example.test:80",
    "id.example.test.",
    "id.example.test:",
    "id.example.test, evil.test",
    "evil.test, id.example.test",
    "user@id.example.test",
    "id.example.test@evil.test",
    "id.example.test/evil",
    "id.example.test\\evil",
    "id.example.test#evil",
    "id.example.test?evil",
    "127.0.0.1",
    "[::1]",
    "[::1",
    "localhost:8000",
    "",
    " id.example.test",
    "xn--\xe9.test",
    "\xe9vil.test",
    "\x00",
    "a" * 5000,
    "<script>alert(1)</script>",
    "evil.test:99999999",
    "evil.test:port",
)


def assert_names_the_right_address(answer: Raw, what: str) -> None:
    assert answer.status == 400, what
    assert "Location" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    text = answer.body.decode()
    assert ISSUER in text, what
    assert "<script>alert" not in text
    if answer.headers["Content-Type"].startswith("text/html"):
        links = parse(text).links
        assert links["Go to the right address"].startswith(ISSUER)
        assert all(link.startswith((ISSUER, "/")) for link in links.values()), links
    else:
        assert answer.json["error"] == "invalid_request"


def test_case_148_an_unknown_host_is_told_the_right_address_on_every_route(
    places: Places, raw: RawRequests, services: Services
) -> None:
    before = contents(services.store)
    for route, path in every(places):
        if path.startswith("/health/"):
            continue
        for method in route.methods:
            for host in ("evil.test", "id.example.test.evil.test", ""):
                answer = raw.send(method, path, Host=host)
                assert_names_the_right_address(answer, f"{method} {path}")
                assert_headers(route.kind, 400, answer.headers, path)
    assert contents(services.store) == before


def test_case_148_no_other_spelling_of_the_host_is_ours(raw: RawRequests) -> None:
    for host in WRONG_HOSTS:
        for path in (
            "/",
            "/nothing",
            "/oauth2/authorize?client_id=webapp",
            "/oauth2/token",
            "//evil",
            "/.well-known/openid-configuration",
        ):
            answer = raw.send("GET", path, Host=host)
            assert_names_the_right_address(answer, f"{host[:50]} {path}")


def test_case_148_the_page_repeats_what_was_opened(raw: RawRequests) -> None:
    text = parse(raw.send("GET", "/sign-in?next=%2F", Host="evil.test").body.decode()).text
    assert (
        "https://evil.test/sign-in?next=/" in text or "https://evil.test/sign-in?next=%2F" in text
    )


def test_case_148_the_default_port_is_ours(raw: RawRequests) -> None:
    assert raw.send("GET", "/", Host="id.example.test:443").status == 200


@pytest.mark.settings(trusted_proxies="127.0.0.1/32")
def test_case_148_what_a_trusted_proxy_passes_on_has_to_be_right_too(raw: RawRequests) -> None:
    wrong: tuple[dict[str, str], ...] = (
        {"X_Forwarded_Host": "evil.test"},
        {"X_Forwarded_Host": "id.example.test, evil.test"},
        {"X_Forwarded_Host": "evil.test, id.example.test"},
        {"X_Forwarded_Proto": "http"},
        {"X_Forwarded_Host": "id.example.test", "X_Forwarded_Proto": "http"},
    )
    for headers in wrong:
        for path in ("/", "/sign-in", "/.well-known/openid-configuration"):
            assert_names_the_right_address(raw.send("GET", path, b"", **headers), path)


@pytest.mark.settings(trusted_proxies="127.0.0.1/32")
def test_case_148_a_trusted_proxy_tells_host_and_scheme(app: Flask) -> None:
    inside = RawRequests(app.wsgi_app, "http://10.0.0.7:8000")
    assert inside.send("GET", "/").status == 400
    told = inside.send("GET", "/", X_Forwarded_Host="id.example.test", X_Forwarded_Proto="https")
    assert told.status == 200


TARGETS = (
    "//evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "https:evil.test",
    "https://evil.test",
    "https:/evil.test",
    "///evil.test",
    "/%2fevil.test",
    "/%5cevil.test",
    "/\tevil.test",
    "/\r\nLocation: https://evil.test",
    "%0d%0aSet-Cookie: a=b",
    "javascript:alert(1)",
    "data:text/html,x",
    "/playground@evil.test",
    "/playground/../..//evil.test",
    "/sign-out",
    "evil.test",
    " /",
    "",
)


def test_case_150_next_leads_nowhere_else(deployment: Deployment) -> None:
    browser = signed_in(deployment)
    for target in TARGETS:
        for pairs in ([("next", target)], [("next", target), ("next", "//evil.test")]):
            page = browser.get("/sign-in", pairs)
            assert (page.left_for, page.url) == (None, f"{ISSUER}/"), target
        for name in ("return_to", "return_url", "redirect", "continue", "url", "ReturnTo"):
            page = browser.get("/sign-in", {name: target})
            assert (page.left_for, page.url) == (None, f"{ISSUER}/"), target


def test_case_150_a_known_place_is_gone_to(deployment: Deployment) -> None:
    assert signed_in(deployment).get("/sign-in", {"next": "/playground"}).url == (
        f"{ISSUER}/playground"
    )


def test_case_150_a_signed_out_page_links_only_to_what_was_registered(
    deployment: Deployment,
) -> None:
    browser = deployment.browserless()
    for client_id in ("nobody", "webapp", "//evil.test", "javascript:alert(1)", "\0"):
        page = browser.get("/signed-out", {"client_id": client_id, "next": "//evil.test"})
        assert page.status == 200
        assert "evil.test" not in page.response.text
        assert "javascript:" not in page.response.text
