"""A forgotten password: proven by mail, then made anew."""

from flask import Response

from idp.web import turns


def forgot(handle: str) -> Response:
    """Serve its turn."""
    return turns.turn(handle).back()
