"""The words of mails: templates/mail/<kind>.html and .txt, in the language of whoever reads them.

Addresses in a mail come complete in its values or are made of the issuer: no request has a say
(SECURITY case 96).
"""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from jinja2 import Template, TemplateError

from idp.config import Settings
from idp.domain.delivery import Rendered, Unrenderable
from idp.domain.languages import RIGHT_TO_LEFT
from idp.domain.texts import Text, counted, marked
from idp.web.i18n import format_datetime, in_language, language
from idp.web.user_agents import describe

MAILS = "doorward-mails"
_RULE = re.compile(r"^\.([a-z]+) \{ (.+) \}$", re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/\s*", re.DOTALL)
_CLASSES = re.compile(r'class="([a-z]+)"')
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")
_ADDED = {
    "passkey": marked("A passkey was added"),
    "authenticator": marked("An authenticator app was added"),
    "recovery_codes": marked("New recovery codes were made"),
    "password": marked("A password was added"),
}
_REMOVED = {
    "passkey": marked("A passkey was removed"),
    "authenticator": marked("An authenticator app was removed"),
    "recovery_codes": marked("The recovery codes were removed"),
    "password": marked("The password was removed"),
}


class Mails:
    """Renders mail with an application's templates."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._always = {
            "product": settings.product,
            "host": urlsplit(settings.issuer).netloc,
            "account_link": f"{settings.issuer}/account",
        }

    def render(self, kind: str, tag: str | None, values: Mapping[str, Any]) -> Rendered:
        """Return the words of a mail in the language of that tag, unknown ones in English.

        Raises Unrenderable.
        """
        with self._app.app_context(), in_language(tag):
            try:
                return self._render(kind, values)
            except (TemplateError, LookupError, TypeError, ValueError, OverflowError) as error:
                raise Unrenderable(kind) from error

    def _render(self, kind: str, values: Mapping[str, Any]) -> Rendered:
        spoken = language()
        context = {
            **self._always,
            **{name: _one_line(value) for name, value in values.items()},
            **_worded(kind, values),
            "lang": spoken,
            "dir": "rtl" if spoken in RIGHT_TO_LEFT else "ltr",
        }
        plain = self._template(f"{kind}.txt")
        subject = "".join(plain.blocks["subject"](plain.new_context(context))).strip()
        text = _BLANK_LINES.sub("\n\n", plain.render(context)).strip()
        html = self._template(f"{kind}.html").render(context, subject=subject)
        return Rendered(subject, f"{text}\n", self._styled(html).lstrip())

    def _template(self, name: str) -> Template:
        return self._app.jinja_env.get_template(f"mail/{name}")

    def _styled(self, html: str) -> str:
        """Write the style of each class into its tags, and the rest into the head."""
        styles = self._styles

        def style(found: re.Match[str]) -> str:
            return f'{found[0]} style="{styles[found[1]]}"'

        head = f"<style>\n{self._read('head.css')}</style>\n  </head>"
        return _CLASSES.sub(style, html).replace("</head>", head, 1)

    @cached_property
    def _styles(self) -> dict[str, str]:
        rules = _RULE.findall(self._read("inline.css"))
        return {name: style.replace('"', "'") for name, style in rules}

    def _read(self, name: str) -> str:
        loader, environment = self._app.jinja_env.loader, self._app.jinja_env
        source = loader.get_source(environment, f"mail/{name}")[0] if loader else ""
        return _COMMENT.sub("", source)


def _one_line(value: Any) -> Any:
    """A name with line breaks in it could pass for words of ours."""
    return " ".join(value.split()) if isinstance(value, str) else value


def _worded(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of values that are not words yet, under names of its own."""
    return {name: say(values[key]) for key, (name, say) in _SAYINGS.items() if key in values} | {
        "happened": _happened(kind, str(values.get("factor", "")))
    }


def _valid_minutes(minutes: int) -> Text:
    return counted(
        "Link and code work for one minute, and only once.",
        "Link and code work for %(count)s minutes, and only once.",
        int(minutes),
    )


def _valid_days(days: int) -> Text:
    return counted(
        "The link works for one day, and only once.",
        "The link works for %(count)s days, and only once.",
        int(days),
    )


def _remaining(left: int) -> Text:
    return counted("One recovery code is left.", "%(count)s recovery codes are left.", int(left))


def _happened(kind: str, factor: str) -> Text:
    if kind == "credential_removed":
        return _REMOVED.get(factor, marked("A way to sign in was removed"))
    return _ADDED.get(factor, marked("A way to sign in was added"))


_SAYINGS: Mapping[str, tuple[str, Callable[[Any], object]]] = {
    "at": ("when", format_datetime),
    "deletes_at": ("deleted", format_datetime),
    "minutes": ("valid", _valid_minutes),
    "days": ("valid", _valid_days),
    "left": ("remaining", _remaining),
    "browser": ("device", describe),
    "user_agent": ("device", describe),
}
