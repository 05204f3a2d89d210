"""A guard around any ASGI application (ASGI 3): Starlette, FastAPI, Quart. It runs on asyncio.

What has to be asked of servers is asked in threads of the guard's own: neither the event loop nor
the application's threads wait for a server that is slow.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from idp.guard.access_token import AccessToken
from idp.guard.core import Guard
from idp.guard.outcome import Granted, Refused
from idp.guard.routes import METADATA_HEADERS, Metadata, Route, Table

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

KEY = "idp.guard.token"
_DENIAL = "websocket.http.response"
_POLICY_VIOLATION = 1008


class GuardedASGI:
    """Lets through to `app` what `routes` allow; a WebSocket is a GET.

    The application asks `current_token(scope)`.
    """

    def __init__(
        self, app: Application, guard: Guard, routes: Sequence[Route], threads: int = 32
    ) -> None:
        """At most `threads` requests are checked at once. Raises ConfigurationError."""
        self._app = app
        self._threads = ThreadPoolExecutor(threads, "idp.guard")
        self._table = Table(guard, routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the application answer."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        websocket = scope["type"] == "websocket"
        if not websocket and scope["type"] != "http":
            raise ValueError(f"{scope['type']}: a protocol that is not guarded")
        method = "GET" if websocket else str(scope["method"])
        outcome = await asyncio.get_running_loop().run_in_executor(
            self._threads, self._table.check, method, _path(scope), _sent(scope)
        )
        if isinstance(outcome, Refused | Metadata):
            await _answer(scope, send, method, outcome)
            return
        inner = {name: value for name, value in scope.items() if name != KEY}
        if isinstance(outcome, Granted):
            inner[KEY] = outcome.token
        await self._app(inner, receive, send)


def current_token(scope: Mapping[str, Any]) -> AccessToken:
    """Return the token of a guarded request. Raises KeyError on a route that is open to all."""
    token: AccessToken = scope[KEY]
    return token


def _path(scope: Scope) -> str:
    """Return the path below where the application is mounted."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(root) if path.startswith(f"{root}/") else path


def _sent(scope: Scope) -> tuple[str, ...]:
    return tuple(
        value.decode("latin-1")
        for name, value in scope["headers"]
        if name.lower() == b"authorization"
    )


async def _answer(scope: Scope, send: Send, method: str, outcome: Refused | Metadata) -> None:
    if isinstance(outcome, Refused):
        status, headers = outcome.status, outcome.headers
    else:
        status = 200
        headers = (*METADATA_HEADERS, ("Content-Length", str(len(outcome.body))))
    kind = "http.response"
    if scope["type"] == "websocket":
        if _DENIAL not in (scope.get("extensions") or {}):
            # Closed before it was accepted: the server answers 403.
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        kind = _DENIAL
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    body = b"" if method == "HEAD" else outcome.body
    await send({"type": f"{kind}.start", "status": status, "headers": encoded})
    await send({"type": f"{kind}.body", "body": body})
