"""Making an account."""

from flask import Response

from idp.web import turns


def sign_up(handle: str) -> Response:
    """Serve its turn."""
    return turns.turn(handle).back()
