"""What a refusal at a machine endpoint looks like, and who tries."""

import re
from typing import Any

import requests

from tests.support.browserless import Browserless
from tests.support.token_client import Changes, TokenClient

_TEXT = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")


def assert_error(answer: requests.Response, status: int, error: str) -> None:
    """Fail unless it is this error in the form of RFC 6749 section 5.2."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert body["error"] == error, body
    assert set(body) <= {"error", "error_description"}
    assert _TEXT.fullmatch(body.get("error_description", ""))
    if error == "invalid_client":
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


def callback(
    client: TokenClient, browser: Browserless, scope: str = "openid", **changes: Changes
) -> dict[str, str]:
    """Let the person allow a request and return what the client is sent: a code."""
    found = browser.authorize(client.authorization(scope, **changes))
    assert "code" in found, found
    return found


def tokens(answer: requests.Response) -> dict[str, Any]:
    """Return the tokens of an answer that has to have some."""
    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
    body: dict[str, Any] = answer.json()
    assert body["token_type"] == "Bearer"
    return body


def works(client: TokenClient, token: str) -> bool:
    """Whether an access token with `openid` is good, as introspection and userinfo both say."""
    active = client.active(token)
    assert client.userinfo(token).status_code == (200 if active else 401)
    return active
