"""The requests that the playground's application makes: sent to the real endpoints of this very
process, and kept as they were sent and answered.
"""

import contextvars
import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import current_app
from werkzeug.datastructures import Headers
from werkzeug.test import Client as Caller
from werkzeug.test import TestResponse

from idp.protocol import metadata
from idp.web.context import services

_FORM = "application/x-www-form-urlencoded"
_TOLD_HEADERS = ("WWW-Authenticate", "Retry-After")


@dataclass(frozen=True)
class Message:
    """A request to one of our endpoints. `user` is name and secret for HTTP Basic; `hidden`: it is
    shown without the secret.
    """

    path: str
    form: Mapping[str, str] | None = None
    bearer: str = ""
    user: tuple[str, str] | None = None
    hidden: bool = False


@dataclass(frozen=True)
class Exchange:
    """A request as a command to run, and what was answered. `body` is empty if it is no object."""

    title: str
    request: str
    status: str
    response: str
    note: str
    body: Mapping[str, Any]

    @property
    def done(self) -> bool:
        """Whether it was answered with what was asked for."""
        return self.status.startswith("2")

    def shown(self) -> dict[str, Any]:
        """Return what a page shows of it."""
        return {name: value for name, value in asdict(self).items() if name != "body"}


def exchange(title: str, message: Message, note: str = "") -> Exchange:
    """Send a message and return it with its answer."""
    answer = _send(message)
    body = answer.get_json(silent=True)
    return Exchange(
        title,
        curl(message),
        f"{answer.status_code} {HTTPStatus(answer.status_code).phrase}",
        _told(answer, body),
        note,
        body if isinstance(body, dict) else {},
    )


def jwks() -> Mapping[str, Any]:
    """Fetch the issuer's keys, as everybody does who checks its tokens."""
    found = _send(Message(metadata.JWKS)).get_json()
    return found if isinstance(found, dict) else {}


def curl(message: Message) -> str:
    """Return the command that sends a message."""
    lines = [f"curl {services().settings.issuer}{message.path}"]
    if message.user and message.hidden:
        lines.append(f'-u {message.user[0]}:"$CLIENT_SECRET"')
    elif message.user:
        lines.append(f"-u {shlex.quote(':'.join(message.user))}")
    if message.bearer:
        lines.append(f"-H {shlex.quote(f'Authorization: Bearer {message.bearer}')}")
    lines += _data(message.form.items() if message.form else ())
    return " \\\n  ".join(lines)


def _data(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [
        f"-d {name}={value}"
        if _plain(value)
        else f"--data-urlencode {shlex.quote(f'{name}={value}')}"
        for name, value in pairs
    ]


def _plain(value: str) -> bool:
    return urlencode({"": value}) == f"={value}"


def _send(message: Message) -> TestResponse:
    """Call the application from within: no socket, so one worker is enough.

    In a context of its own, so that the request that is being answered keeps what it knows.
    """
    caller = Caller(current_app.wsgi_app, use_cookies=False)
    issuer = services().settings.issuer
    headers = Headers()
    if message.bearer:
        headers["Authorization"] = f"Bearer {message.bearer}"

    def call() -> TestResponse:
        return caller.open(
            message.path,
            base_url=issuer,
            method="GET" if message.form is None else "POST",
            data=None if message.form is None else urlencode(message.form),
            content_type=None if message.form is None else _FORM,
            headers=headers,
            auth=message.user,
            buffered=True,
        )

    return contextvars.Context().run(call)


def _told(answer: TestResponse, body: Any) -> str:
    told = [f"{name}: {answer.headers[name]}" for name in _TOLD_HEADERS if name in answer.headers]
    text = answer.get_data(as_text=True) if body is None else json.dumps(body, indent=2)
    return "\n\n".join(filter(None, ["\n".join(told), text]))
