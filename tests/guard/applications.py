"""One service behind the guard, written for Flask, for WSGI and for ASGI, and how to ask each."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from werkzeug.test import Client

from idp.guard import AccessToken, Guard, Needs, Question, Request, Route
from idp.guard import asgi as guarded_asgi
from idp.guard import wsgi as guarded_wsgi
from idp.guard.flask import current_token, protected, publish

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LIVE = Needs("notes:read", live=True)
STRONG = Needs("notes:read", acr_values="urn:doorward:acr:two-factor", max_age=300)


def about_note(request: Request, token: AccessToken) -> Question:
    """Ask the engine about the note in the path."""
    context = {"client": token.client_id}
    return Question("read", "note", request.parameters["note_id"], context=context)


PATHS: Mapping[str, Needs] = {
    "/notes": Needs("notes:read"),
    "/live": LIVE,
    "/both": Needs("notes:read notes:write"),
    "/desk": Needs("notes:read", roles=("editor", "chief editor")),
    "/strong": STRONG,
    "/notes/{note_id}": Needs("notes:read", ask=about_note),
}
ROUTES = [
    Route("GET", "/health", None),
    *(Route("GET", path, needs) for path, needs in PATHS.items()),
]


@dataclass(frozen=True)
class Told:
    """An answer. The names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def challenge(self) -> str:
        """What WWW-Authenticate says, "" without one."""
        return self.headers.get("www-authenticate", "")

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


Sent = list[tuple[str, str]]
Ask = Callable[[str, str, Sent], Told]


def bearer(token: str) -> Sent:
    """Return the header that carries a token."""
    return [("Authorization", f"Bearer {token}")]


def by_flask(guard: Guard) -> Ask:
    """Build it with the decorator."""
    app = Flask(__name__)
    publish(app, guard)

    def view(**_parameters: str) -> ResponseReturnValue:
        return jsonify(subject=current_token().subject)

    for path, needs in PATHS.items():
        rule = path.replace("{", "<").replace("}", ">")
        app.add_url_rule(rule, path, protected(guard, needs)(view))
    app.add_url_rule("/health", "health", lambda: "well")
    return _asked_by_wsgi(app)


def by_wsgi(guard: Guard) -> Ask:
    """Build it of functions."""

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        if environ["PATH_INFO"] == "/health":
            return [b"well"]
        return [json.dumps({"subject": guarded_wsgi.current_token(environ).subject}).encode()]

    return _asked_by_wsgi(guarded_wsgi.GuardedWSGI(app, guard, ROUTES))


def by_asgi(guard: Guard) -> Ask:
    """Build it of coroutines."""

    async def app(
        scope: guarded_asgi.Scope, _receive: guarded_asgi.Receive, send: guarded_asgi.Send
    ) -> None:
        body = b"well"
        if scope["path"] != "/health":
            subject = guarded_asgi.current_token(scope).subject
            body = json.dumps({"subject": subject}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    guarded = guarded_asgi.GuardedASGI(app, guard, ROUTES)

    def ask(method: str, path: str, sent: Sent) -> Told:
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in sent]
        below, _, query = path.partition("?")
        scope = {"type": "http", "method": method, "path": below, "headers": headers}
        return told(asgi_messages(guarded, {**scope, "query_string": query.encode()}))

    return ask


def asgi_messages(app: guarded_asgi.Application, scope: dict[str, Any]) -> list[dict[str, Any]]:
    """Ask an ASGI application, and return what it sends."""
    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        raise AssertionError("nobody reads the body")

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        await app(scope, receive, send)

    in_a_loop(run())
    return sent


def in_a_loop(deed: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in a loop and thread of its own: in this one a browser's loop may run."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, deed).result()


def told(messages: list[dict[str, Any]]) -> Told:
    """Return the answer that ASGI messages make up."""
    start, *parts = messages
    headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    return Told(start["status"], headers, b"".join(part["body"] for part in parts))


def _asked_by_wsgi(app: Any) -> Ask:
    client = Client(app, use_cookies=False)

    def ask(method: str, path: str, sent: Sent) -> Told:
        answer = client.open(path, method=method, headers=sent)
        return Told(
            answer.status_code,
            {name.lower(): value for name, value in answer.headers},
            answer.data,
        )

    return ask


FRAMEWORKS: Mapping[str, Callable[[Guard], Ask]] = {
    "flask": by_flask,
    "wsgi": by_wsgi,
    "asgi": by_asgi,
}
