"""What became of a request: let in with its token, or refused with a complete answer.

401 asks who is there (RFC 6750 section 3, RFC 9470 section 3), 403 says that this one may not, and
503 that nobody could be asked. The body is a problem document (RFC 9457).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.guard.access_token import AccessToken
from idp.guard.needs import Needs
from idp.guard.settings import Settings

PROBLEM = "urn:doorward:problem:"
"""What the types of problems begin with."""
RETRY_SECONDS = 5


@dataclass(frozen=True)
class Granted:
    """The request may go on."""

    token: AccessToken


@dataclass(frozen=True)
class Refused:
    """The answer to give in its place: `status`, `headers`, `body`."""

    status: int
    problem: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)


Outcome = Granted | Refused


class Refusals:
    """The answers of one service, all of which name its realm and where its metadata is."""

    def __init__(self, settings: Settings) -> None:
        self._realm = {"realm": settings.realm or settings.resource}
        self._metadata = {"resource_metadata": settings.metadata_url}  # RFC 9728 section 5.1

    def token_missing(self, needs: Needs) -> Refused:
        """Nobody said who they are, so there is no error to name (RFC 6750 section 3.1)."""
        detail = "Send an access token in the Authorization header."
        facts = {"scope": " ".join(needs.scopes)}
        return self._refused(401, "token-missing", "An access token is needed", detail, facts)

    def malformed(self) -> Refused:
        """There is no reading the header."""
        detail = "The Authorization header must hold one bearer token."
        error = {"error": "invalid_request", "error_description": detail}
        return self._refused(400, "malformed", "The request is malformed", detail, error)

    def token_invalid(self) -> Refused:
        """Why is between us and the log: it would help whoever tries tokens out."""
        detail = "The access token is expired, revoked, altered or not meant for this service."
        error = {"error": "invalid_token", "error_description": detail}
        return self._refused(401, "token-invalid", "The access token is not good", detail, error)

    def scope_missing(self, needs: Needs) -> Refused:
        """A token with more scopes would do."""
        scope = " ".join(needs.scopes)
        detail = f"This needs a token with: {scope}."
        error = {"error": "insufficient_scope", "error_description": detail, "scope": scope}
        more = {"scope": scope}
        return self._refused(403, "scope-missing", "A scope is missing", detail, error, more)

    def role_missing(self, needs: Needs) -> Refused:
        """No other token would do for this person, so no error asks the client to get one."""
        detail = "You do not have a role that may do this."
        more = {"roles": list(needs.roles)}
        facts = {"error_description": detail}
        return self._refused(403, "role-missing", "A role is missing", detail, facts, more)

    def sign_in_insufficient(self, needs: Needs) -> Refused:
        """A stronger or a fresher sign-in would do (RFC 9470 section 3)."""
        detail = "This needs a stronger or a fresher sign-in."
        asked: dict[str, Any] = {}
        if needs.acr_values:
            asked["acr_values"] = " ".join(needs.acr_values)
        if needs.max_age is not None:
            asked["max_age"] = needs.max_age
        error = {"error": "insufficient_user_authentication", "error_description": detail}
        facts = error | {name: str(value) for name, value in asked.items()}
        title = "The sign-in is not enough"
        return self._refused(401, "sign-in-insufficient", title, detail, facts, asked)

    def denied(self, reason: str = "") -> Refused:
        """The policies say no. Their reason may hold any letter: it stands in the body alone."""
        detail = "You are not allowed to do this."
        facts = {"error_description": detail}
        title = "This is not allowed"
        return self._refused(403, "denied", title, reason or detail, facts)

    def unavailable(self) -> Refused:
        """Nobody is let in unchecked. It is not the caller's fault, so it is no 4xx."""
        detail = "Your permission cannot be checked at the moment."
        body = _problem(503, "unavailable", "Try again later", detail, {})
        headers = (("Retry-After", str(RETRY_SECONDS)), *_usual(body))
        return Refused(503, "unavailable", headers, body)

    def _refused(
        self,
        status: int,
        problem: str,
        title: str,
        detail: str,
        facts: Mapping[str, str],
        more: Mapping[str, Any] | None = None,
    ) -> Refused:
        """Put together an answer; `facts` go into the challenge, `more` into the body."""
        said = self._realm | dict(facts) | self._metadata
        challenge = ", ".join(f'{name}="{value}"' for name, value in said.items() if value)
        body = _problem(status, problem, title, detail, more or {})
        headers = (("WWW-Authenticate", f"Bearer {challenge}"), *_usual(body))
        return Refused(status, problem, headers, body)


def _problem(status: int, problem: str, title: str, detail: str, more: Mapping[str, Any]) -> bytes:
    said = {"type": PROBLEM + problem, "title": title, "status": status, "detail": detail}
    return json.dumps({**said, **more}).encode()


def _usual(body: bytes) -> tuple[tuple[str, str], ...]:
    return (
        ("Content-Type", "application/problem+json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    )
