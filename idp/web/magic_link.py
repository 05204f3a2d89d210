"""Signing in by a link and a code that are mailed."""

from flask import Response

from idp.web import turns


def magic_link(handle: str) -> Response:
    """Serve its turn."""
    return turns.turn(handle).back()
