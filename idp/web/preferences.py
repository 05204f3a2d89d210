"""The menu below every page: language, light or dark. Kept in cookies of their own."""

import re
from typing import Any

from flask import Response, current_app, request
from werkzeug.exceptions import HTTPException

from idp.domain.errors import Invalid
from idp.domain.languages import LANGUAGES
from idp.domain.texts import marked
from idp.web.appearance import THEMES, remember_language, remember_theme
from idp.web.pages import see_other

_OWN = re.compile(r"/|(?:/[A-Za-z0-9_.~-]{1,200}){1,8}")
"""A path that may be ours: no host, no backslash, nothing encoded (SECURITY case 150)."""
_NOT_PAGES = ("/oauth2/", "/.well-known/", "/health/", "/static/")


def choose_language() -> Response:
    """Keep the language and go back to the page."""
    language = request.form.get("language", "")
    if language not in LANGUAGES:
        raise Invalid("language", marked("There is no such language here."))
    location, arguments = _return_to()
    response = see_other(location)
    remember_language(response, language, arguments.get("handle", ""))
    return response


def choose_theme() -> Response:
    """Keep light, dark or the system's own, and go back to the page."""
    theme = request.form.get("theme", "")
    if theme not in THEMES:
        raise Invalid("theme", marked("There is no such appearance here."))
    response = see_other(_return_to()[0])
    remember_theme(response, theme)
    return response


def _return_to() -> tuple[str, dict[str, Any]]:
    """Return the page to go back to, with the variables of its route; else the front page."""
    target = request.form.get("return_to", "")
    if not _OWN.fullmatch(target) or target.startswith(_NOT_PAGES):
        return "/", {}
    adapter = current_app.create_url_adapter(request)
    try:
        return target, dict(adapter.match(target, "GET")[1]) if adapter else {}
    except HTTPException:
        return "/", {}
