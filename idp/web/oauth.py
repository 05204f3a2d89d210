"""The machine endpoints under /oauth2: forms in, JSON out. Flask ends here; the rest is Authlib's
server and ours.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Response, request

from idp.protocol.errors import MachineError, invalid_request
from idp.protocol.machine_request import (
    FORM,
    MOST_PARAMETERS,
    MachineRequest,
    single_values,
)
from idp.protocol.userinfo import bearer_token
from idp.protocol.userinfo import userinfo as userinfo_of
from idp.web.context import oauth_server, origin

Value = TypeVar("Value")
_NEVER_IN_QUERY = frozenset(
    [
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
    ]
)


def token() -> Response:
    """RFC 6749 section 3.2."""
    return _json(*oauth_server().token(machine_request()))


def introspect() -> Response:
    """RFC 7662 section 2."""
    return _endpoint("introspection")


def revoke() -> Response:
    """RFC 7009 section 2."""
    return _endpoint("revocation")


def _endpoint(name: str) -> Response:
    return _json(*oauth_server().endpoint(name, machine_request()))


def userinfo() -> Response:
    """OpenID Connect Core section 5.3: GET, or POST with the token in header or form."""
    presented = _recording(_presented_token)
    media_type, told = userinfo_of(oauth_server(), presented, origin())
    headers = [("Content-Type", media_type), ("Cache-Control", "no-store")]
    return _Complete(told, 200, headers) if isinstance(told, str) else _json(200, told, headers)


def machine_request() -> MachineRequest:
    """Parse the form of a machine. Raises MachineError."""
    return _recording(_parsed)


def _recording(read: Callable[[], Value]) -> Value:
    """Read, and record what is refused before the server sees it. Raises MachineError."""
    try:
        return read()
    except MachineError as error:
        server, named = oauth_server(), request.args.get("client_id")
        server.record_refusal(request.path, error, origin())
        unread = {"client_id": named} if named else {}
        server.note(MachineRequest(request.path, _credentials(), unread, (), origin()), error)
        raise


def _presented_token() -> str:
    if request.query_string and "access_token" in request.args:
        raise invalid_request("A token belongs into the header, never into the URL.")
    values: Mapping[str, str] = {}
    if request.method == "POST" and request.mimetype == FORM:
        values, _ = single_values(_pairs())
    return bearer_token(_credentials(), values)


def _parsed() -> MachineRequest:
    if request.environ.get("CONTENT_TYPE") != FORM and request.mimetype != FORM:
        raise invalid_request(f"The body must be {FORM}.")
    if request.query_string and not _NEVER_IN_QUERY.isdisjoint(request.args):
        raise invalid_request("Parameters belong into the body, never into the URL.")
    values, resources = single_values(_pairs())
    return MachineRequest(request.path, _credentials(), values, resources, origin())


def _pairs() -> list[tuple[str, str]]:
    """Return the parameters of a form in UTF-8 (RFC 6749 appendix B). Raises MachineError."""
    try:
        body = request.get_data(cache=False).decode()
        return parse_qsl(
            body, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS
        )
    except UnicodeDecodeError as error:
        raise invalid_request("The body must be UTF-8, form-urlencoded.") from error
    except ValueError as error:
        raise invalid_request("There is too much of it.") from error


def _credentials() -> dict[str, str]:
    """Return the one header that machines are known by."""
    header = request.environ.get("HTTP_AUTHORIZATION")
    return {} if header is None else {"Authorization": header}


def machine_error(error: MachineError) -> Response:
    """Answer a MachineError that was raised outside Authlib."""
    status, body, headers = error()
    return _json(status, dict(body), headers)


class _Complete(Response):
    """An answer that goes out as it is: Werkzeug would look for what could be added to it."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as PEP 3333 says."""
        start_response(self.status, list(self.headers))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.get_data()]


def _json(status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
    return _Complete(json.dumps(body), status, headers)
