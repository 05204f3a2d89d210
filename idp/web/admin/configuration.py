"""The configuration, to read: it is changed where it comes from, and read anew at a start."""

from flask import Response

from idp.config_sources import DEFAULT, ENVIRONMENT, PROGRAM, Shown, shown
from idp.domain.sessions import Session
from idp.domain.texts import counted, marked
from idp.web.admin.frame import admin_page
from idp.web.context import services
from idp.web.guards import permission

_SOURCES = {
    ENVIRONMENT: marked("environment"),
    DEFAULT: marked("default"),
    PROGRAM: marked("the command that started it"),
}
_UNITS = {
    "seconds": marked("seconds"),
    "bytes": marked("bytes"),
    "characters": marked("characters"),
}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@permission("admin", "view_configuration")
def admin_configuration(session: Session) -> Response:
    """Show every setting with its value, its default and where the value comes from."""
    settings = [_row(one) for one in shown(services().settings)]
    return admin_page("configuration.html", session, "admin_configuration", settings=settings)


def _row(one: Shown) -> dict[str, object]:
    return {
        "variable": one.variable,
        "secret": one.value is None,
        "given": one.given,
        "value": one.value,
        "readable": _readable(one.value) if one.unit == "seconds" else "",
        "default": one.default,
        "unit": _UNITS.get(one.unit, one.unit),
        "changed": one.source != DEFAULT,
        "source": _SOURCES.get(one.source, one.source),
        "meaning": one.meaning.replace("`", ""),
    }


def _readable(seconds: str | None) -> str:
    """Return whole minutes, hours or days of a number of seconds; empty where it is none."""
    number = int(seconds or 0)
    if not number or number % _MINUTE:
        return ""
    if number % _HOUR:
        return counted("%(count)s minute", "%(count)s minutes", number // _MINUTE)
    if number % _DAY:
        return counted("%(count)s hour", "%(count)s hours", number // _HOUR)
    return counted("%(count)s day", "%(count)s days", number // _DAY)
