"""The table of routes: what no line names is closed; and what ASGI brings beyond HTTP."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client

from idp.guard import Answer, ConfigurationError, Guard, Needs, Question, Refused, Route
from idp.guard.asgi import GuardedASGI
from idp.guard.errors import Unavailable
from idp.guard.flask import current_token, protected
from idp.guard.routes import Metadata, Open, Table
from idp.guard.wsgi import KEY, GuardedWSGI
from idp.guard.wsgi import current_token as token_of
from tests.guard.applications import asgi_messages, bearer, by_asgi, by_wsgi, in_a_loop, told
from tests.support.held_clock import HeldClock
from tests.support.token_client import TokenClient

# Where the server keeps its tokens changes nothing here.
pytestmark = pytest.mark.only_on("sqlite")


@pytest.fixture
def token(service: TokenClient) -> str:
    """A token of a client."""
    return str(service.credentials(scope="notes:read").json()["access_token"])


ROUTES = [
    Route("GET", "/health", None),
    Route("GET POST", "/notes", Needs("notes:read")),
    Route("GET", "/notes/{note_id}", Needs("notes:read")),
    Route("GET", "/files/{owner}/*", Needs("notes:read")),
    Route("GET", "/a.b+c/{x}", Needs("notes:write")),
    Route("GET", "/open/*", None),
]


def what(table: Table, method: str, path: str, *sent: str) -> str:
    outcome = table.check(method, path, sent)
    if isinstance(outcome, Refused):
        return outcome.problem
    return {Open: "open", Metadata: "metadata"}.get(type(outcome), "granted")


def test_the_first_line_that_fits_counts(guard: Guard, token: str) -> None:
    table = Table(guard, ROUTES)
    sent = f"Bearer {token}"
    expected = {
        ("GET", "/health"): "open",
        ("HEAD", "/health"): "open",
        ("POST", "/health"): "denied",
        ("GET", "/notes"): "granted",
        ("HEAD", "/notes"): "granted",
        ("POST", "/notes"): "granted",
        ("PUT", "/notes"): "denied",
        ("get", "/notes"): "denied",
        ("OPTIONS", "/notes"): "denied",
        ("GET", "/notes/7"): "granted",
        ("GET", "/notes/7\n"): "denied",
        ("GET", "/notes/7/8"): "denied",
        ("GET", "/notes/"): "denied",
        ("GET", "/Notes"): "denied",
        ("GET", "/files/ada/a/b"): "granted",
        ("GET", "/files//b"): "denied",
        ("GET", "/a.b+c/1"): "scope-missing",
        ("GET", "/axb+c/1"): "denied",
        ("GET", "/.well-known/oauth-protected-resource/api"): "metadata",
        ("POST", "/.well-known/oauth-protected-resource/api"): "denied",
        ("GET", "/"): "denied",
        ("GET", ""): "denied",
        ("GET", "*"): "denied",
    }
    for (method, path), answer in expected.items():
        assert what(table, method, path, sent) == answer, (method, path)
        closed = answer not in ("open", "metadata")
        assert what(table, method, path) == ("token-missing" if closed else answer), path


@pytest.mark.parametrize(
    "path",
    [
        "/open/../notes",
        "/open/..",
        "/open/./x",
        "/open//x",
        "//open/x",
        "/open/..\\notes",
        "/open/\x00",
        "/open/x\r\n",
        "/open/\ufffd",
    ],
)
def test_a_path_that_two_readers_read_differently_is_closed(path: str, guard: Guard) -> None:
    table = Table(guard, ROUTES)
    assert what(table, "GET", "/open/x") == "open"
    assert what(table, "GET", "/open/..x/.y/z..") == "open"
    assert what(table, "GET", path) == "token-missing"


def test_the_application_is_not_called_for_who_is_refused(guard: Guard, token: str) -> None:
    called: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        called.append(environ.get(KEY))
        start_response("200 OK", [])
        return [b""]

    client = Client(GuardedWSGI(app, guard, ROUTES), use_cookies=False)
    assert client.get("/notes").status_code == 401
    assert client.get("/elsewhere", headers=bearer(token)).status_code == 403
    assert client.get("/open/%2e%2e/notes").status_code == 401
    assert client.get("/open/%ff").status_code == 401
    assert called == []
    assert client.get("/open/é").status_code == 200
    # A token is what was checked here, not what somebody put there.
    assert client.get("/open/x", environ_overrides={KEY: "forged"}).status_code == 200
    assert called == [None, None]
    assert client.get("/notes", headers=bearer(token)).status_code == 200
    assert called[-1].subject == "service"
    with pytest.raises(KeyError):
        token_of({})


def test_below_where_an_application_is_mounted(guard: Guard) -> None:
    for root, path, status in (
        ("/api", "/api/health", 200),
        ("/api", "/health", 200),
        ("/api", "/apihealth", 401),
        ("", "/health", 200),
    ):
        messages: list[Any] = []

        async def app(_scope: Any, _receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        guarded = GuardedASGI(app, guard, ROUTES)
        scope = {"type": "http", "method": "GET", "path": path, "root_path": root, "headers": []}
        messages = asgi_messages(guarded, scope)
        assert told(messages).status == status, (root, path)


def test_a_websocket_is_guarded_too(guard: Guard, token: str) -> None:
    called: list[Any] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        called.append(scope.get("idp.guard.token"))

    guarded = GuardedASGI(app, guard, ROUTES)
    scope = {"type": "websocket", "path": "/notes", "headers": [], "idp.guard.token": "forged"}
    assert asgi_messages(guarded, scope) == [{"type": "websocket.close", "code": 1008}]
    able = {**scope, "extensions": {"websocket.http.response": {}}}
    start, body = asgi_messages(guarded, able)
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert body["type"] == "websocket.http.response.body"
    headers = [(b"Authorization", f"Bearer {token}".encode())]
    assert called == []
    assert asgi_messages(guarded, {**scope, "headers": headers}) == []
    assert called[-1].subject == "service"
    assert asgi_messages(guarded, {**scope, "path": "/open/x"}) == []
    assert called[-1] is None


def test_the_lifespan_passes_and_what_is_unknown_does_not(guard: Guard) -> None:
    called: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        called.append(scope["type"])

    guarded = GuardedASGI(app, guard, ROUTES)
    assert asgi_messages(guarded, {"type": "lifespan"}) == []
    assert called == ["lifespan"]
    with pytest.raises(ValueError, match="newer"):
        asgi_messages(guarded, {"type": "newer", "path": "/open/x", "headers": []})
    assert called == ["lifespan"]


def test_the_event_loop_goes_on_while_somebody_is_checked(
    settings_of_api: Callable[..., Any], token: str, clock: HeldClock
) -> None:
    """The check waits until the loop says so: on the loop's own thread it would for ever."""
    asked, go_on = threading.Event(), threading.Event()

    class Waiting:
        def send(self, *_: Any) -> Answer:
            asked.set()
            assert go_on.wait(60)
            raise Unavailable("nobody there")

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise AssertionError("nobody was let in")

    async def run() -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {}

        checking = asyncio.create_task(guarded(scope, receive, send))
        while not asked.is_set():
            await asyncio.sleep(0)
        go_on.set()
        await checking
        return sent

    guarded = GuardedASGI(app, Guard(settings_of_api(), Waiting(), clock), ROUTES)
    headers = [(b"authorization", f"Bearer {token}".encode())]
    scope = {"type": "http", "method": "GET", "path": "/notes", "headers": headers}
    assert told(in_a_loop(run())).status == 503


def test_several_kinds_agree(guard: Guard, token: str) -> None:
    for make in (by_wsgi, by_asgi):
        ask = make(guard)
        assert ask("GET", "/elsewhere", []).status == 401
        refused = ask("GET", "/elsewhere", bearer(token))
        assert (refused.status, refused.json["detail"]) == (
            403,
            "You are not allowed to do this.",
        )


def test_a_view_of_flask_stays_what_it_is(guard: Guard, token: str) -> None:
    app = Flask(__name__)

    @app.get("/mine")
    @protected(guard)
    def mine() -> str:
        """Show what is mine."""
        return current_token().subject

    client = app.test_client()
    assert client.get("/mine").status_code == 401
    assert client.get("/mine", headers=bearer(token)).text == "service"
    assert mine.__name__ == "mine"
    with app.test_request_context(), pytest.raises(AttributeError):
        current_token()


def ask_nothing(*_: Any) -> Question:
    return Question("read", "note", "7")


def test_what_cannot_be_checked_is_found_at_the_start(make_guard: Callable[..., Guard]) -> None:
    without = make_guard(credentials=None, engine="")
    needs = {"live": Needs(live=True), "ask": Needs(ask=ask_nothing)}
    for name, each in needs.items():
        with pytest.raises(ConfigurationError, match=f"^{name}: "):
            protected(without, each)
        with pytest.raises(ConfigurationError, match=f"^{name}: "):
            Table(without, [Route("GET", "/", each)])
    with pytest.raises(ConfigurationError, match=r"^ask: "):
        make_guard(credentials=None).accept(Needs(ask=ask_nothing))
    for route in (Route("GET", "notes", None), Route(" ", "/notes", None)):
        with pytest.raises(ConfigurationError, match="must begin with /"):
            Table(without, [route])
    with pytest.raises(ConfigurationError, match=r"^published: "):
        make_guard(published=None).metadata()


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("scopes", {"scopes": ('notes:read"',)}),
        ("scopes", {"scopes": ("a b",)}),
        ("scopes", {"scopes": "é"}),
        ("acr_values", {"acr_values": ("a\r\nb",)}),
        ("acr_values", {"acr_values": ("",)}),
        ("roles", {"roles": ("",)}),
        ("roles", {"roles": (7,)}),
        ("max_age", {"max_age": -1}),
    ],
)
def test_odd_needs(name: str, needs: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}: "):
        Needs(**needs)


def test_the_log_names_reasons_and_no_tokens(
    guard: Guard, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    table = Table(guard, ROUTES)
    with caplog.at_level(logging.INFO, "idp.guard"):
        what(table, "GET", "/notes", f"Bearer {token}x")
        what(table, "GET", "/a.b+c/1", f"Bearer {token}")
        what(table, "GET", "/x\ny", f"Bearer {token}x")
    said = [record.getMessage() for record in caplog.records if record.name == "idp.guard"]
    assert said == [
        "GET '/notes': not base64url",
        "GET '/a.b+c/1': scope-missing",
        "GET '/x\\ny': not base64url",
    ]
