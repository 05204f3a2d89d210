"""The answer to an authorization request: RFC 6749 sections 4.1.2, 4.1.2.1 and 4.2.2, OAuth 2.0
Multiple Response Type Encoding Practices section 2.1, OAuth 2.0 Form Post Response Mode; always
with `iss` (RFC 9207).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from idp.domain.interactions import Ending
from idp.protocol.authorization_request import AuthorizationRequest
from idp.protocol.errors import RedirectedError
from idp.protocol.response_types import FORM_POST, FRAGMENT


@dataclass(frozen=True)
class Destination:
    """Where a client wants its answer, and how. The redirect URI is proven."""

    client_id: str
    redirect_uri: str
    mode: str
    state: str | None

    def success(
        self, issued: Mapping[str, str], issuer: str, session_state: str | None = None
    ) -> Ending:
        """Return the answer that carries what was issued, and `session_state` where there is
        one.
        """
        ours = {"state": self.state, "iss": issuer, "session_state": session_state}
        return self._ending({**issued, **ours})

    def failure(self, error: str, description: str, issuer: str) -> Ending:
        """Return the answer that carries an error."""
        told = {"error": error, "error_description": description}
        return self._ending({**told, "state": self.state, "iss": issuer})

    def _ending(self, values: Mapping[str, str | None]) -> Ending:
        given = {name: value for name, value in values.items() if value is not None}
        if self.mode == FORM_POST:
            return {"client_id": self.client_id, "action": self.redirect_uri, "fields": given}
        return self._location(urlencode(given, errors="replace"))

    def _location(self, encoded: str) -> str:
        """The registered query stays (RFC 6749 section 3.1.2); a fragment can't be there."""
        if self.mode == FRAGMENT:
            return f"{self.redirect_uri}#{encoded}"
        if "?" not in self.redirect_uri:
            return f"{self.redirect_uri}?{encoded}"
        return (
            f"{self.redirect_uri}{'' if self.redirect_uri.endswith(('?', '&')) else '&'}{encoded}"
        )


def destination_of(asked: AuthorizationRequest) -> Destination:
    """Return where a request wants its answer."""
    return Destination(asked.client_id, asked.redirect_uri, asked.response_mode, asked.state)


def destination_of_error(client_id: str, error: RedirectedError) -> Destination:
    """Return where a request that is wrong wants to be told so."""
    return Destination(client_id, error.redirect_uri, error.response_mode, error.state)
