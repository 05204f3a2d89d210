"""Other ways to prove who you are."""

from flask import Response

from idp.web import turns


def other_ways(handle: str) -> Response:
    """Serve its turn."""
    return turns.turn(handle).back()
