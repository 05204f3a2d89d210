"""Where a server's endpoints are: from its metadata, as every client finds them (RFC 8414)."""

from typing import Any

import requests

PATH = "/.well-known/openid-configuration"


class Discovery:
    """The metadata of one issuer, read when it is first needed."""

    def __init__(self, http: requests.Session, issuer: str) -> None:
        self.issuer = issuer
        self._http = http
        self._metadata: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Return one value of the metadata, for example `discovery["token_endpoint"]`."""
        if not self._metadata:
            answer = self._http.get(self.issuer + PATH)
            assert answer.status_code == 200, answer.text
            self._metadata = answer.json()
        return self._metadata[name]
