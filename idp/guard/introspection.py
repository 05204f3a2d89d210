"""Access tokens checked by asking the server (RFC 7662), which knows of revocation at once."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from idp.guard import access_token
from idp.guard.access_token import AccessToken
from idp.guard.authorization_server import AuthorizationServer
from idp.guard.compact import LONGEST_TOKEN
from idp.guard.documents import Clock, json_object
from idp.guard.errors import InvalidToken
from idp.guard.offline import check_claims
from idp.guard.settings import Credentials, Settings

_MOST = 10_000
_Remembered = tuple[float, Mapping[str, Any]]


class Introspection:
    """Asks with the credentials of the settings. Answers are remembered for some seconds."""

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        server: AuthorizationServer,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._authorization = credentials.header()
        self._server = server
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: OrderedDict[bytes, _Remembered] = OrderedDict()

    def __call__(self, token: str, *, live: bool) -> AccessToken:
        """Return what the server says of the token. Raises InvalidToken, Unavailable.

        With `live` a remembered answer only refuses, so that nothing is let in that was revoked.
        """
        if len(token) > LONGEST_TOKEN:
            raise InvalidToken("too long")
        name = hashlib.sha256(token.encode()).digest()
        answer = self._remembered(name)
        if answer is None or (live and answer.get("active") is True):
            answer = self._ask(token)
            self._remember(name, answer)
        return self._checked(answer)

    def _checked(self, answer: Mapping[str, Any]) -> AccessToken:
        if answer.get("active") is not True:
            raise InvalidToken("not active")
        if access_token.text(answer, "token_type").lower() not in ("", "bearer"):
            raise InvalidToken("not to be borne")
        check_claims(answer, self._settings, self._clock())
        if not access_token.text(answer, "sub"):
            raise InvalidToken("about nobody")
        return access_token.said(answer)

    def _ask(self, token: str) -> dict[str, Any]:
        form = urlencode({"token": token, "token_type_hint": "access_token"}).encode("ascii")
        headers = {
            "Authorization": self._authorization,
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        url = self._server.endpoint("introspection_endpoint")
        answer = self._server.http.send("POST", url, headers, form, self._settings.timeout)
        return json_object(answer, url)

    def _remembered(self, name: bytes) -> Mapping[str, Any] | None:
        now = self._clock()
        with self._lock:
            since, answer = self._answers.get(name, (now, None))
            return answer if since <= now < since + self._settings.remembered else None

    def _remember(self, name: bytes, answer: Mapping[str, Any]) -> None:
        with self._lock:
            self._answers[name] = self._clock(), answer
            self._answers.move_to_end(name)
            while len(self._answers) > _MOST:
                self._answers.popitem(last=False)
