"""The bare Flask application: what gunicorn and Flask cost by themselves.

`python -m bench.bare PORT` serves it with the server's own gunicorn options.
"""

import socket
import sys

from flask import Flask, request

from idp.cli import server
from idp.config import Settings

app = Flask("bare")
_TOKEN = "x" * 640


@app.post("/form")
def form() -> dict[str, object]:
    """A form with Basic authentication in, JSON out: the shape of the token endpoint."""
    sent = request.authorization
    name = sent.username if sent else None
    grant = request.form["grant_type"]
    return {"access_token": _TOKEN, "token_type": "Bearer", "expires_in": 600, "a": [name, grant]}


@app.get("/document")
def document() -> dict[str, object]:
    """JSON out."""
    return {"access_token": _TOKEN, "token_type": "Bearer", "expires_in": 600}


def main(port: int) -> None:
    """Serve it."""
    sockets = [socket.create_server(("127.0.0.1", port), backlog=1024)]
    server.run(
        app,
        sockets,
        Settings(),
        1,
        started=_nothing,
        worker_started=_nothing,
        worker_stopping=_nothing,
    )


def _nothing() -> None:
    """A bare application has nothing to begin or to end."""


if __name__ == "__main__":
    main(int(sys.argv[1]))
