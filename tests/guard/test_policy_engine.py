"""Decisions of a remote engine (AuthZEN 1.0): only a clear yes lets anybody in."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from idp.guard import AccessToken, Guard, HttpClient, Needs, Question, Refused, Request
from tests.guard.conftest import Engine, Wires
from tests.support.guard_http import Wire
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

# Where the server keeps its tokens changes nothing here.
pytestmark = pytest.mark.only_on("sqlite")


def about_a_note(_: Request, token: AccessToken) -> Question:
    return Question("delete", "note", "7", {"owner": token.subject}, {"by": token.client_id})


DELETE = Needs("notes:read", ask=about_a_note)


@pytest.fixture
def token(service: TokenClient) -> str:
    """A token of a client."""
    return str(service.credentials(scope="notes:read").json()["access_token"])


def check(guard: Guard, token: str, needs: Needs = DELETE) -> Refused | None:
    outcome = guard.check(Request("DELETE", "/", (f"Bearer {token}",)), needs)
    return outcome if isinstance(outcome, Refused) else None


def test_the_question_says_who_would_do_what_to_what(
    guard: Guard, token: str, engine: Engine
) -> None:
    engine.says({"decision": True, "context": {"anything": 1}, "more": []})
    assert check(guard, token) is None
    claims = claims_of(token)
    assert engine.asked == [
        {
            "subject": {
                "type": "client",
                "id": claims["sub"],
                "properties": {"client_id": "service", "scopes": ["notes:read"]},
            },
            "action": {"name": "delete"},
            "resource": {"type": "note", "id": "7", "properties": {"owner": claims["sub"]}},
            "context": {"by": "service"},
        }
    ]
    headers = engine.site.asked[0].headers
    assert engine.site.asked[0].method == "POST"
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"].startswith("Basic ")
    assert len(headers["X-Request-ID"]) == 36


def test_the_engine_is_asked_last(
    guard: Guard, token: str, engine: Engine, webapp: TokenClient
) -> None:
    engine.says({"decision": True})
    for needs in (
        Needs("notes:write", ask=about_a_note),
        Needs("notes:read", roles="editor", ask=about_a_note),
        Needs("notes:read", max_age=300, ask=about_a_note),
    ):
        assert check(guard, token, needs)
    assert check(guard, f"{token}x")
    assert engine.asked == []


def test_whatever_is_no_clear_yes_keeps_out(
    guard: Guard, token: str, engine: Engine, wire: Wire
) -> None:
    unclear: list[Any] = [
        {},
        {"decision": None},
        {"decision": "true"},
        {"decision": 1},
        {"decision": [True]},
        {"Decision": True},
        [{"decision": True}],
        b'{"decision": false, "decision": true}',
        b'{"decision": true',
        b"true",
        b"",
        b"[" * 100_000,
        b'{"decision": true}' + b" " * 300_000,
    ]
    for answer in unclear:
        engine.says(answer)
        refused = check(guard, token)
        assert refused is not None
        assert refused.problem == "unavailable", answer
    for status in (204, 302, 400, 401, 403, 404, 429, 500, 503):
        engine.says({"decision": True}, status)
        refused = check(guard, token)
        assert refused is not None
        assert (refused.status, refused.problem) == (503, "unavailable"), status
    engine.says({"decision": True}, media_type="text/plain")
    assert check(guard, token)
    engine.says({"decision": True})
    assert check(guard, token) is None


def test_an_engine_that_does_not_answer_is_not_waited_for(
    make_guard: Callable[..., Guard], token: str, engine: Engine
) -> None:
    guard = make_guard(engine_timeout=0.2)
    engine.hang()
    refused = check(guard, token)
    assert refused is not None
    assert (refused.status, dict(refused.headers)["Retry-After"]) == (503, "5")


def test_an_engine_that_nobody_vouches_for_is_not_asked(
    settings_of_api: Callable[..., Any], token: str, engine: Engine, wire: Wire, clock: Any
) -> None:
    """Its certificate is by an authority that the system does not know."""
    engine.says({"decision": True})
    guard = Guard(settings_of_api(), Wires(wire, engine, HttpClient()), clock)
    assert check(guard, token, Needs()) is None
    refused = check(guard, token)
    assert refused is not None
    assert refused.problem == "unavailable"
    assert engine.asked == []


def test_only_what_is_for_users_is_told(guard: Guard, token: str, engine: Engine) -> None:
    told: list[tuple[Any, str]] = [
        ({"reason_user": "Only owners."}, "Only owners."),
        ({"reason_user": {"403": "Only owners."}}, "Only owners."),
        ({"reason_user": {"de": "Nur Eigentümer.", "en": "Only owners."}}, "Only owners."),
        ({"reason_user": {"de": "Nur Eigentümer."}}, "Nur Eigentümer."),
        ({"reason_user": {"en": "No.", "403": "Only owners."}}, "Only owners."),
        ({"reason_user": {"403": 7, "de": ["x"]}}, "You are not allowed to do this."),
        ({"reason_user": 'a "quoted"\r\nX-Evil: 1'}, 'a "quoted"\r\nX-Evil: 1'),
        ({"reason_user": "half a letter: \ud800"}, "half a letter: \ud800"),
        ({"reason_user": "x" * 1000}, "x" * 500),
        ({"reason_admin": {"403": "Rule 7."}}, "You are not allowed to do this."),
        ("reason", "You are not allowed to do this."),
        (None, "You are not allowed to do this."),
    ]
    for context, detail in told:
        engine.says({"decision": False, "context": context})
        refused = check(guard, token)
        assert refused is not None
        assert (refused.status, json.loads(refused.body)["detail"]) == (403, detail)
        assert all("\n" not in value and "Evil" not in value for _, value in refused.headers)


def test_another_proof_for_the_engine(
    make_guard: Callable[..., Guard], token: str, engine: Engine
) -> None:
    engine.says({"decision": True})
    guard = make_guard(credentials=None, engine_authorization=lambda: "Bearer abc")
    assert check(guard, token) is None
    assert engine.site.asked[0].headers["Authorization"] == "Bearer abc"
