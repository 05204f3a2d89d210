"""Requests as they are sent: the same text for wrk and, in process, for the profiler."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote_plus, urlencode

MARK = "@VALUE@"
Use = Literal["again", "once", "chain"]


@dataclass(frozen=True)
class Wire:
    """A request, with MARK where a value goes.

    `use` says how values are drawn: `again` in turn and without end, `once` each, `chain` each once
    and replaced by the refresh token of its answer. `expect` is the only status that counts as
    right, `contains` a text that every answer (its Location for a redirect) has.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    values: Sequence[str] = ("",)
    use: Use = "again"
    expect: int = 200
    contains: str = ""

    def text(self) -> str:
        """Return it as bench/drive.lua reads it."""
        head = [self.use, str(self.expect), self.contains, self.method, self.path, self.body]
        headers = [f"{name}: {value}" for name, value in self.headers.items()]
        return "\n".join([*head, str(len(headers)), *headers, *self.values, ""])

    def environ(self, value: str, host: str) -> dict[str, Any]:
        """Return it as a WSGI environment."""
        path, _, query = self.path.replace(MARK, value).partition("?")
        body = self.body.replace(MARK, value).encode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": host.partition(":")[2],
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": host,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if body:
            environ["CONTENT_LENGTH"] = str(len(body))
        for name, text in self.headers.items():
            key = name.upper().replace("-", "_")
            prefix = "" if key == "CONTENT_TYPE" else "HTTP_"
            environ[prefix + key] = text.replace(MARK, value)
        return environ


def form(client_id: str, secret: str, **fields: str) -> dict[str, Any]:
    """Return headers and body of a form that a client posts."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
    headers = {
        "Authorization": "Basic " + base64.b64encode(pair).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return {"method": "POST", "headers": headers, "body": urlencode(fields, safe="@")}
