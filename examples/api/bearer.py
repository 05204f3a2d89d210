"""Routes that want an access token, and the answers when it is missing or not enough (RFC 6750).

401 asks who is there, 403 says that this one may not; both say why in `WWW-Authenticate`. A 401 can
also ask for a stronger or fresher sign-in (RFC 9470).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec

from flask import Flask, Response, g, jsonify, request
from flask.typing import ResponseReturnValue

from examples.api.access_token import AccessToken, InvalidToken
from examples.api.metadata import Clock, ServerUnreachable

Check = Callable[[str], AccessToken]
Parameters = ParamSpec("Parameters")
View = Callable[Parameters, ResponseReturnValue]

RETRY_SECONDS = 5
_BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)


@dataclass(frozen=True)
class SignInNeeded:
    """How the person has to have signed in: one of these `acr`, at most `max_age` seconds ago."""

    acr_values: tuple[str, ...]
    max_age: int
    clock: Clock

    def is_met(self, token: AccessToken) -> bool:
        """Whether the sign-in behind this token is strong and fresh enough."""
        return token.acr in self.acr_values and self.clock() - token.auth_time <= self.max_age


class Refused(Exception):
    """The answer to a request without a token that is good enough. `facts` go into the header."""

    def __init__(self, status: int, error: str = "", description: str = "", **facts: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description
        self.facts = facts


def requires(
    check: Check, scope: str, sign_in: SignInNeeded | None = None
) -> Callable[[View[Parameters]], View[Parameters]]:
    """Let only requests through whose token `check` accepts, that has `scope`, and behind which is
    such a sign-in.
    """

    def decorate(view: View[Parameters]) -> View[Parameters]:
        @wraps(view)
        def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> ResponseReturnValue:
            g.token = _checked(check, scope)
            if sign_in and not sign_in.is_met(g.token):
                raise _step_up(sign_in)
            return view(*args, **kwargs)

        return guarded

    return decorate


def current_token() -> AccessToken:
    """Return the token of this request, in a view that requires one."""
    token: AccessToken = g.token
    return token


def _checked(check: Check, scope: str) -> AccessToken:
    header = request.headers.get("Authorization", "")
    if not header.lower().startswith("bearer "):
        # Nobody said who they are, so there is no error to name (section 3.1).
        raise Refused(401)
    presented = _BEARER.fullmatch(header)
    if presented is None:
        raise Refused(400, "invalid_request", "The Authorization header is malformed.")
    try:
        token = check(presented[1])
    except InvalidToken as error:
        raise Refused(401, "invalid_token", str(error)) from error
    if scope not in token.scopes:
        raise Refused(403, "insufficient_scope", f"This needs the scope {scope}.", scope=scope)
    return token


def _step_up(needed: SignInNeeded) -> Refused:
    """Ask for a stronger or fresher sign-in (RFC 9470 section 3)."""
    return Refused(
        401,
        "insufficient_user_authentication",
        "This needs a stronger or a fresher sign-in.",
        acr_values=" ".join(needed.acr_values),
        max_age=str(needed.max_age),
    )


def answer_refusals(app: Flask, realm: str) -> None:
    """Turn refusals into answers, and an authorization server that is away into 503."""

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        facts = {
            "realm": realm,
            "error": error.error,
            "error_description": error.description,
            **error.facts,
        }
        said = ", ".join(f'{name}="{value}"' for name, value in facts.items() if value)
        body = {"error": error.error or "unauthorized", "error_description": error.description}
        answer = jsonify({name: value for name, value in body.items() if value})
        answer.status_code = error.status
        answer.headers["WWW-Authenticate"] = f"Bearer {said}"
        return answer

    @app.errorhandler(ServerUnreachable)
    def unreachable(error: ServerUnreachable) -> Response:
        app.logger.warning("%s", error)
        answer = jsonify(error="temporarily_unavailable")
        answer.status_code = 503
        answer.headers["Retry-After"] = str(RETRY_SECONDS)
        return answer
