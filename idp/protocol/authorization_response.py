"""The answer to an authorization request: RFC 6749 sections 4.1.2 and 4.1.2.1, always with `iss`
(RFC 9207).
"""

from urllib.parse import urlencode

from idp.protocol.authorization_request import AuthorizationRequest


def success(
    request: AuthorizationRequest, code: str, issuer: str, session_state: str | None = None
) -> str:
    """Return the redirect that carries a code, and `session_state` where there is one."""
    values = {"code": code, "state": request.state, "iss": issuer, "session_state": session_state}
    return _location(request.redirect_uri, values)


def failure(redirect_uri: str, error: str, description: str, state: str | None, issuer: str) -> str:
    """Return the redirect that carries an error. The redirect URI must be proven."""
    values = {"error": error, "error_description": description, "state": state, "iss": issuer}
    return _location(redirect_uri, values)


def _location(redirect_uri: str, values: dict[str, str | None]) -> str:
    """The registered query stays (RFC 6749 section 3.1.2); a fragment can't be there."""
    query = urlencode({name: value for name, value in values.items() if value is not None})
    if "?" not in redirect_uri:
        return f"{redirect_uri}?{query}"
    return f"{redirect_uri}{'' if redirect_uri.endswith(('?', '&')) else '&'}{query}"
