"""What lies between people and the server: addresses that are right, wrong, forged and cached."""

import json
import secrets
from html import unescape

import requests

from .application import expect
from .browser import FORGED, FORGED_ADDRESS, TIMEOUT, visitor
from .stack import Stack

PAGE = "/sign-in"
DOCUMENT = "/.well-known/openid-configuration"
JWKS = "/.well-known/jwks.json"
# From another container, whose address differs from that of everybody outside.
KNOCK = """
import json, socket, ssl, sys, urllib.error, urllib.request
host, headers = json.loads(sys.argv[1])
headers["Host"] = host
request = urllib.request.Request("https://proxy:8443/oauth2/token", headers=headers)
request.data = b"grant_type=client_credentials&client_id=nobody&client_secret=nothing"
try:
    urllib.request.urlopen(request, timeout=5, context=ssl._create_unverified_context())
except urllib.error.HTTPError as error:
    with socket.create_connection(("proxy", 8443)) as connection:
        print(error.code, connection.getsockname()[0])
"""


def wrong_host(stack: Stack, authority: str) -> None:
    """Asked under a name that is not its own, the server says so, and names its own."""
    headers = {"Host": "evil.example"}
    for path in (PAGE, DOCUMENT):
        answer = visitor(authority).get(stack.issuer + path, headers=headers, timeout=TIMEOUT)
        _expect_wrong_address(answer, stack, "https://evil.example" + path)
    _expect_hint(answer, "IDP_ISSUER")


def untrusted(stack: Stack, authority: str) -> None:
    """A server that trusts no proxy sees plain http, and says what to set."""
    for path in (PAGE, DOCUMENT):
        answer = visitor(authority).get(stack.issuer + path, timeout=TIMEOUT)
        _expect_wrong_address(answer, stack, stack.issuer.replace("https:", "http:") + path)
        _expect_hint(answer, "IDP_TRUSTED_PROXIES")
    answer = visitor(authority).get(f"{stack.issuer}/health/ready", timeout=TIMEOUT)
    expect(answer.status_code == 200, f"health: {answer.status_code}")


def without_server(stack: Stack, authority: str) -> str:
    """Ask while there is no server; return a secret of the question, which no log may hold."""
    stack.compose("stop", "idp")
    secret = secrets.token_urlsafe()
    asked = f"{stack.issuer}/setup/administrator/{secret}?state={secret}"
    answer = visitor(authority).get(asked, headers={"Referer": asked}, timeout=TIMEOUT)
    expect(answer.status_code in {502, 504}, f"without a server: {answer.status_code}")
    return secret


def _expect_wrong_address(answer: requests.Response, stack: Stack, opened: str) -> None:
    expect(answer.status_code == 400, f"{opened}: {answer.status_code} instead of 400")
    expect(stack.issuer in answer.text, f"{opened}: the right address is not told")
    if answer.headers["Content-Type"].startswith("text/html"):
        text = unescape(answer.text)
        expect("This is the wrong address" in text, f"{opened}: {text[:500]}")
        expect(opened in text, f"{opened}: it is not told what was opened")
        expect(f'href="{stack.issuer}{PAGE}"' in text, f"{opened}: no link to the right address")


def _expect_hint(answer: requests.Response, setting: str) -> None:
    expect(setting in answer.text, f"{setting} is not named: {answer.text[:500]}")


def cached_keys(stack: Stack, authority: str) -> None:
    """The JWKS reaches verifiers with all that caching needs, and is not sent twice."""
    http = visitor(authority)
    first = http.get(stack.issuer + JWKS, timeout=TIMEOUT)
    expect(first.headers.get("Cache-Control") == "public, max-age=300", f"{first.headers}")
    expect("Set-Cookie" not in first.headers and "Vary" not in first.headers, f"{first.headers}")
    known = {"If-None-Match": first.headers["ETag"]}
    again = http.get(stack.issuer + JWKS, headers=known, timeout=TIMEOUT)
    expect(again.status_code == 304 and not again.content, f"JWKS again: {again.status_code}")
    expect(again.headers["ETag"] == first.headers["ETag"], "the tag changed")
    expect(again.headers["Cache-Control"] == first.headers["Cache-Control"], f"{again.headers}")


def addresses_in_audit(stack: Stack) -> None:
    """The audit log names the address that came to the proxy, whatever its headers said."""
    words = ("python3", "-c", KNOCK, json.dumps([stack.issuer.partition("://")[2], FORGED]))
    status, neighbour = stack.compose("exec", "-T", "mail", *words).split()
    expect(status == "401", f"a client that does not exist gets {status}")
    found = stack.query("SELECT event, address FROM audit_entries WHERE address <> ''")
    addresses = {tuple(line.split("|")) for line in found}
    outside = stack.inspect("proxy")["NetworkSettings"]["Networks"]["doorward-test_public"]
    expected = {neighbour, outside["Gateway"]}
    expect({address for _, address in addresses} == expected, f"{addresses} and not {expected}")
    expect(("sign_in", outside["Gateway"]) in addresses, f"no sign-in in {addresses}")
    expect(("client.authentication", neighbour) in addresses, f"no refusal in {addresses}")
    expect(FORGED_ADDRESS not in stack.logs(), "a forged address is in a log")
