"""The page that applications frame, to notice that a sign-in changed (Session Management 1.0)."""

from flask import Response

from idp.web.browser_session import state_cookie_name
from idp.web.context import services
from idp.web.pages import page


def check_session() -> Response:
    """Return the page: the same for everybody, so that it may be kept."""
    answer = page("check_session.html", cookie=state_cookie_name(services().settings))
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer
