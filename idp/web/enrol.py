"""Making a second factor in the middle of a sign-in that needs one."""

from flask import Response

from idp.web import turns


def enrol(handle: str) -> Response:
    """Serve its turn."""
    return turns.turn(handle).back()
