"""The way of a resource server to the authorization server inside the test."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from idp.guard.errors import Unavailable
from idp.guard.http_client import Answer


class Wire:
    """An `idp.guard.Http` over a session. It counts what is asked, and can be cut."""

    def __init__(self, session: requests.Session) -> None:
        self.session = session
        self.paths: list[str] = []
        self.cut = False
        self.documents: dict[str, Any] = {}
        """What is answered in the server's place, by path."""
        self.headers: dict[str, str] = {}
        """With these headers, in lower case."""

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Answer:
        """Ask."""
        assert seconds > 0
        if self.cut:
            raise Unavailable("nobody there")
        path = urlsplit(url).path
        self.paths.append(path)
        if path in self.documents:
            said = json.dumps(self.documents[path]).encode()
            return Answer(200, {"content-type": "application/json", **self.headers}, said)
        answer = self.session.request(
            method, url, headers=dict(headers), data=body, allow_redirects=False
        )
        lower = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status_code, lower, answer.content)
