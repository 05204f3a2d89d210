"""Languages: templates say `_()` and `{% trans %}`, Python says `marked()` of idp.domain.texts.

Whatever a template prints is said in the reader's language if it is a `Text`, so views and rules
pass sentences on as they are. Catalogs are in idp/translations; `make translations` keeps them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from babel import Locale, dates
from flask import Flask, g
from flask_babel import Babel, force_locale, get_locale, get_translations

from idp.domain.languages import DEFAULT, LANGUAGES, RIGHT_TO_LEFT
from idp.domain.texts import Text

_CATALOGS = Path(__file__).parents[1] / "translations"
_DATES = {DEFAULT: Locale("en", "150")}
"""English here has no country: its dates are written as in Europe, the day first."""


def init_i18n(app: Flask, choose: Callable[[], str]) -> None:
    """Teach an application's templates to speak; `choose` returns the language of a request."""
    environment: Any = app.jinja_env
    environment.policies["ext.i18n.trimmed"] = True
    Babel(app, default_translation_directories=str(_CATALOGS), locale_selector=choose)
    # Flask-Babel looks for the catalog anew at each sentence.
    environment.install_gettext_callables(_translated, _translated_number, newstyle=True)
    environment.finalize = said
    environment.globals.update(
        format_date=format_date, format_datetime=format_datetime, languages=LANGUAGES
    )
    app.context_processor(_language)


def said(value: Any) -> Any:
    """Return a text in the reader's language, anything else as it is."""
    if not isinstance(value, Text):
        return value
    values = {name: said(inner) for name, inner in value.values.items()}
    if value.many is None:
        text = _translated(value.one)
    else:
        text = _translated_number(value.one, value.many, values["count"])
    return text % values if values else text


def _translated(text: str) -> str:
    return _catalog().gettext(text)


def _translated_number(one: str, many: str, count: int) -> str:
    return _catalog().ngettext(one, many, count)


def _catalog() -> NullTranslations:
    """Return the sentences of the language that is spoken now; found once for each request."""
    try:
        found: NullTranslations | None = g.get("catalog")
        if found is None:
            found = g.catalog = get_translations()
    except RuntimeError:  # neither a request nor an application's context
        found = NullTranslations()
    return found


def language() -> str:
    """Return the language that is spoken now, as its tag."""
    locale = get_locale()
    return str(locale.language) if locale else DEFAULT


@contextmanager
def in_language(tag: str | None) -> Iterator[None]:
    """Speak another language for a while, as for a mail; unknown ones are English.

    It needs an application context.
    """
    before = g.pop("catalog", None)
    try:
        with force_locale(tag if tag in LANGUAGES else DEFAULT):
            yield
    finally:
        g.catalog = before


def format_datetime(when: datetime | int) -> str:
    """Return day and time as people write them, in UTC. A number is seconds since 1970."""
    moment, locale = _moment(when), _locale()
    time = dates.format_time(moment, "short", locale=locale)
    pattern = str(dates.get_datetime_format("medium", locale))
    return f"{pattern.format(time, _day(moment, locale))} UTC"


def format_date(when: datetime | int) -> str:
    """Return the day as people write it, in UTC. A number is seconds since 1970."""
    return _day(_moment(when), _locale())


def _day(moment: datetime, locale: Locale) -> str:
    return dates.format_date(moment, "long", locale=locale)


def _moment(when: datetime | int) -> datetime:
    return when.astimezone(UTC) if isinstance(when, datetime) else datetime.fromtimestamp(when, UTC)


def _locale() -> Locale:
    tag = language()
    return _DATES.get(tag) or Locale.parse(tag)


def _language() -> dict[str, str]:
    """What `<html>` says."""
    tag = language()
    return {"lang": tag, "dir": "rtl" if tag in RIGHT_TO_LEFT else "ltr"}
