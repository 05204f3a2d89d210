"""An OAuth client as its developer would write it with nothing but HTTP.

Every call returns the answer as it is, so that a test can look at refusals too. A parameter that is
given as None is left out of the request.
"""

import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import quote_plus

import requests

from tests.support.browserless import Browserless
from tests.support.discovery import Discovery

Changes = str | None


class TokenClient:
    """One registered client. `method` is its token_endpoint_auth_method."""

    def __init__(
        self,
        http: requests.Session,
        discovery: Discovery,
        client_id: str,
        client_secret: str = "",
        *,
        redirect_uri: str = "",
        method: str = "client_secret_basic",
    ) -> None:
        self.http = http
        self.discovery = discovery
        self.client_id = client_id
        self.client_secret = client_secret
        self.redirect_uri = redirect_uri
        self.method = method if client_secret else "none"
        self.verifiers: dict[str, str] = {}
        self.nonces: dict[str, str] = {}

    def authorization(self, scope: str = "openid", **changes: Changes) -> dict[str, str]:
        """Return the parameters of a new authorization request with state, nonce and PKCE."""
        state, nonce = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        verifier = secrets.token_urlsafe(48)
        self.verifiers[state], self.nonces[state] = verifier, nonce
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        return _merged(parameters, changes)

    def redeem(self, callback: dict[str, str], **changes: Changes) -> requests.Response:
        """Exchange the code of a callback that answers one of this client's requests."""
        parameters = {
            "grant_type": "authorization_code",
            "code": callback.get("code", ""),
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifiers.get(callback.get("state", ""), ""),
        }
        return self.token(parameters, **changes)

    def sign_in(
        self, browser: Browserless, scope: str = "openid", **changes: Changes
    ) -> dict[str, Any]:
        """Let `browser` authorize this client from start to end and return the tokens."""
        callback = browser.authorize(self.authorization(scope, **changes))
        assert callback.get("iss") == self.discovery.issuer, callback
        return self._succeeded(self.redeem(callback))

    def refresh(self, refresh_token: str, **changes: Changes) -> requests.Response:
        """Exchange a refresh token."""
        parameters = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.token(parameters, **changes)

    def credentials(self, **changes: Changes) -> requests.Response:
        """Ask for a token for the client itself."""
        return self.token({"grant_type": "client_credentials"}, **changes)

    def token(self, parameters: dict[str, str], **changes: Changes) -> requests.Response:
        """Post to the token endpoint."""
        return self.post("token_endpoint", parameters, **changes)

    def introspect(self, token: str, **changes: Changes) -> requests.Response:
        """Ask what a token is worth (RFC 7662)."""
        return self.post("introspection_endpoint", {"token": token}, **changes)

    def revoke(self, token: str, **changes: Changes) -> requests.Response:
        """Give a token up (RFC 7009)."""
        return self.post("revocation_endpoint", {"token": token}, **changes)

    def userinfo(self, access_token: str) -> requests.Response:
        """Ask who the token's user is."""
        headers = {"Authorization": f"Bearer {access_token}"}
        return self.http.get(self.discovery["userinfo_endpoint"], headers=headers)

    def active(self, token: str) -> bool:
        """Tell whether the server calls a token active."""
        return bool(self._succeeded(self.introspect(token))["active"])

    def post(
        self, endpoint: str, parameters: dict[str, str], **changes: Changes
    ) -> requests.Response:
        """Post a form to an endpoint that discovery names, authenticated as registered."""
        headers = {}
        if self.method == "client_secret_basic":
            headers["Authorization"] = basic(self.client_id, self.client_secret)
        elif self.method == "client_secret_post":
            parameters |= {"client_id": self.client_id, "client_secret": self.client_secret}
        else:
            parameters |= {"client_id": self.client_id}
        form = _merged(parameters, changes)
        return self.http.post(
            self.discovery[endpoint], data=form, headers=headers, allow_redirects=False
        )

    @staticmethod
    def _succeeded(answer: requests.Response) -> dict[str, Any]:
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        body: dict[str, Any] = answer.json()
        return body


def basic(client_id: str, client_secret: str) -> str:
    """Return the header of client_secret_basic, form-encoded first (RFC 6749 section 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _merged(parameters: dict[str, str], changes: dict[str, Changes]) -> dict[str, str]:
    merged = {**parameters, **changes}
    return {name: value for name, value in merged.items() if value is not None}
