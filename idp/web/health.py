"""Whether this node lives, answers and can write: for supervisors and load balancers."""

import json

from flask import Response

from idp.web.context import services


def live() -> Response:
    """The process answers."""
    return _answer(True, "live")


def ready() -> Response:
    """Reads work and the node is not draining."""
    return _answer(services().health.reads(), "ready")


def writable() -> Response:
    """Writes work too."""
    return _answer(services().health.writes(), "writable")


def _answer(well: bool, word: str) -> Response:
    response = Response(json.dumps({"status": word if well else f"not {word}"}))
    response.mimetype = "application/json"
    response.headers["Cache-Control"] = "no-store"
    if not well:
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return response
