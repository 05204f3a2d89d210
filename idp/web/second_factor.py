"""The second step of a sign-in."""

from flask import Response

from idp.web import turns


def second_factor(handle: str) -> Response:
    """Serve its turn."""
    return turns.turn(handle).back()
