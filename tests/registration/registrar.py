"""The registration endpoint as a developer's script calls it."""

from typing import Any

import requests

from tests.support.discovery import Discovery
from tests.support.token_client import TokenClient

METADATA: dict[str, Any] = {
    "client_name": "Field Guide",
    "redirect_uris": ["https://guide.example.test/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid profile email offline_access",
}


class Registrar:
    """Registers clients, and manages what it registered."""

    def __init__(self, http: requests.Session, issuer: str, initial_token: str = "") -> None:
        self.http = http
        self.issuer = issuer
        self.endpoint = f"{issuer}/oauth2/register"
        self.initial_token = initial_token

    def post(self, metadata: Any = None, **changes: Any) -> requests.Response:
        """Register METADATA, or this, with changes; None leaves a field out."""
        given = {**(METADATA if metadata is None else metadata), **changes}
        sent = {name: value for name, value in given.items() if value is not None}
        return self.http.post(self.endpoint, json=sent, headers=_bearer(self.initial_token))

    def registered(self, metadata: Any = None, **changes: Any) -> dict[str, Any]:
        """Register, and return what was answered."""
        answer = self.post(metadata, **changes)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def get(self, registration: dict[str, Any], token: str | None = None) -> requests.Response:
        """Read a registration, with its own token or another one."""
        return self._manage("GET", registration, token)

    def put(
        self, registration: dict[str, Any], token: str | None = None, **metadata: Any
    ) -> requests.Response:
        """Replace a registration."""
        body = {"client_id": registration["client_id"], **metadata}
        return self._manage("PUT", registration, token, json=body)

    def delete(self, registration: dict[str, Any], token: str | None = None) -> requests.Response:
        """Delete a registration."""
        return self._manage("DELETE", registration, token)

    def client(self, registration: dict[str, Any]) -> TokenClient:
        """Return the registered client."""
        return TokenClient(
            self.http,
            Discovery(self.http, self.issuer),
            registration["client_id"],
            registration.get("client_secret", ""),
            redirect_uri=next(iter(registration["redirect_uris"]), ""),
            method=registration["token_endpoint_auth_method"],
        )

    def _manage(
        self, method: str, registration: dict[str, Any], token: str | None, **more: Any
    ) -> requests.Response:
        token = registration["registration_access_token"] if token is None else token
        uri = registration["registration_client_uri"]
        return self.http.request(method, uri, headers=_bearer(token), **more)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}
