"""The playground."""

from flask import Response

from idp.web.pages import see_other


def playground() -> Response:
    """Placeholder until its module lands."""
    return see_other("/")


def callback() -> Response:
    """Placeholder until its module lands."""
    return see_other("/")
