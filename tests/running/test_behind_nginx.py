"""The server behind Debian's nginx, set up as docs/how-to/run-behind-a-proxy.md says."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.exam import Exam
from tests.support.handshakes import assert_strict
from tests.support.proxy import recipe

pytestmark = pytest.mark.only_on("sqlite")
Https = Callable[[], requests.Session]


def logged(exam: Exam, path: str) -> list[dict[str, object]]:
    """Return the server's own lines about a path."""
    lines = [json.loads(line) for line in exam.serving.log().splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("path") == path]


def test_only_good_tls_is_spoken(exam: Exam) -> None:
    assert_strict(urlsplit(exam.issuer).port or 0, exam.authority.file)


def test_the_issuer_is_https_and_plain_http_leads_to_it(exam: Exam, https: Https) -> None:
    document = https().get(f"{exam.issuer}/.well-known/openid-configuration").json()
    assert document["issuer"] == exam.issuer
    plain = f"http://localhost:{exam.plain_port}/sign-in?next=%2F"
    answer = https().get(plain, allow_redirects=False)
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{exam.issuer}/sign-in?next=%2F"


def test_cookies_are_bound_to_the_host_and_hsts_is_sent_once(exam: Exam, https: Https) -> None:
    answer = https().get(f"{exam.issuer}/sign-in")
    assert answer.status_code == 200
    cookies = [
        value for name, value in answer.raw.headers.items() if name.lower() == "set-cookie"
    ] + [value for past in answer.history for value in past.raw.headers.getlist("Set-Cookie")]
    assert cookies
    for cookie in cookies:
        name, _, attributes = cookie.partition("=")
        assert name.startswith("__Host-")
        assert {"Secure", "HttpOnly", "Path=/"} <= {
            part.strip() for part in attributes.split(";")
        }, cookie
        assert "domain" not in cookie.lower()
    assert answer.raw.headers.getlist("Strict-Transport-Security") == [
        "max-age=31536000; includeSubDomains"
    ]


def test_what_the_outside_says_of_itself_is_replaced(exam: Exam, https: Https) -> None:
    forged = {
        "X-Forwarded-For": "192.0.2.7",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "for=192.0.2.7;host=evil.example;proto=http",
    }
    path = "/.well-known/openid-configuration/nothing"
    answer = https().get(exam.issuer + path, headers=forged)
    assert answer.status_code == 404
    assert "wrong address" not in answer.text
    (line,) = logged(exam, path)
    assert line["address"] == "127.0.0.1"


def test_nginx_logs_neither_queries_nor_what_links_are_known_by(exam: Exam, https: Https) -> None:
    secret = "s3cret-of-a-link"
    for path in (f"/sign-in?code={secret}", f"/invitation/{secret}", f"/interaction/{secret}/x"):
        https().get(exam.issuer + path, headers={"Referer": f"https://a.example/?code={secret}"})
    written = access_log(exam).read_text()
    assert "/interaction/.../x" in written
    assert secret not in written


def access_log(exam: Exam) -> Path:
    """Return the file that nginx logs to."""
    return exam.serving.nodes[0].log.parent / "nginx" / "access.log"


def test_both_recipes_name_the_same_ciphers_and_replace_the_same_fields() -> None:
    names = {name.replace("-", "_") for name in recipe("caddy").split() if "_WITH_" in name}
    in_nginx = recipe("nginx").partition("ssl_ciphers ")[2].partition(";")[0].split(":")
    assert {
        name.removeprefix("TLS_").replace("_WITH", "").replace("AES_", "AES").replace("_", "-")
        for name in names
    } == set(in_nginx)
    for field in ("Forwarded", "X-Forwarded-Port", "X-Forwarded-Prefix"):
        assert f'proxy_set_header {field} "";' in recipe("nginx")
        assert f"header_up -{field}" in recipe("caddy")
