"""The playground: a real public client inside the server, that shows all it sends and gets."""

from idp.web.pages import see_other
from flask import Response


def playground() -> Response:
    """Placeholder."""
    return see_other("/")


def callback() -> Response:
    """Placeholder."""
    return see_other("/")
