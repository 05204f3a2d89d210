"""The states of the pages of mailed links: template, context, extra, by name."""

from __future__ import annotations

from typing import Any

from idp.domain.texts import marked

ACTION = "/posted"
MASKED = "a•••@example.org"
RTL = {"lang": "ar", "dir": "rtl"}
CLIENT: dict[str, Any] = {
    "name": "Field Notes",
    "logo_url": "/sample-logo.svg",
    "self_declared_host": None,
}
ASK: dict[str, Any] = {
    "client": CLIENT,
    "action": ACTION,
    "change_url": "/change",
    "others_url": "/others",
    "cancel_url": ACTION,
    "available": True,
    "identifier": "ada@example.org",
    "fresh": False,
    "error": None,
}
SENT: dict[str, Any] = {
    "client": CLIENT,
    "action": ACTION,
    "change_url": "/change",
    "others_url": "/others",
    "cancel_url": ACTION,
    "masked": MASKED,
    "sent": marked(
        "Sent %(when)s. Only the newest mail works; look into the spam folder too.",
        when=marked("just now"),
    ),
    "wait": 27,
    "soon": None,
    "error": None,
}
MAILED: dict[str, Any] = {
    "client": CLIENT,
    "identifier": MASKED,
    "heading": "Sign in",
    "button": "Sign in",
    "action": ACTION,
}
ELSEWHERE: dict[str, Any] = {
    "client_name": "Field Notes",
    "somebody": "Somebody asked to sign in with your address.",
    "device": "Firefox on Windows",
    "address": "203.0.113.7",
    "when": "just now",
    "code": None,
    "action": ACTION,
}
Sample = tuple[str, dict[str, Any], dict[str, Any]]


def samples(hostile: str, long: str) -> dict[str, Sample]:
    """Return every state."""
    nasty = {"name": hostile, "logo_url": None, "self_declared_host": hostile}
    tall = {"name": f"{long} {long}", "logo_url": None, "self_declared_host": None}
    ask, sent, elsewhere = "magic_link.html", "magic_link_sent.html", "mailed_elsewhere.html"
    return {
        "mail": (ask, ASK, {}),
        "mail-fresh": (ask, ASK | {"fresh": True, "change_url": None, "others_url": None}, {}),
        "mail-fresh-own": (ask, ASK | {"fresh": True, "client": None, "cancel_url": None}, {}),
        "mail-error": (ask, ASK | {"error": "That is not an email address."}, {}),
        "mail-unavailable": (ask, ASK | {"available": False}, {}),
        "mail-long": (ask, ASK | {"client": tall, "identifier": f"{long}@{long}.example"}, {}),
        "mail-hostile": (ask, ASK | {"client": nasty, "identifier": hostile}, {}),
        "mail-rtl": (ask, ASK, RTL),
        "mail-sent": (sent, SENT, {}),
        "mail-sent-later": (sent, SENT | {"wait": 0, "client": None, "cancel_url": None}, {}),
        "mail-sent-error-soon": (sent, SENT | {"soon": 12, "wait": 12}, {}),
        "mail-sent-wrong": (sent, SENT | {"error": "That code doesn’t match."}, {}),
        "mail-sent-fixed": (sent, SENT | {"change_url": None, "others_url": None}, {}),
        "mail-sent-rtl": (sent, SENT, RTL),
        "mail-sent-hostile": (sent, SENT | {"client": nasty, "masked": hostile}, {}),
        "mailed": ("mailed.html", MAILED, {}),
        "mailed-own": ("mailed.html", MAILED | {"client": None}, {}),
        "mailed-hostile": ("mailed.html", MAILED | {"client": nasty, "identifier": hostile}, {}),
        "mailed-rtl": ("mailed.html", MAILED, RTL),
        "mailed-elsewhere": (elsewhere, ELSEWHERE, {}),
        "mailed-elsewhere-own": (elsewhere, ELSEWHERE | {"client_name": ""}, {}),
        "mailed-elsewhere-hostile": (
            elsewhere,
            ELSEWHERE | {"client_name": hostile, "address": f"{'2001:db8:' * 6}7"},
            {},
        ),
        "mailed-elsewhere-rtl": (elsewhere, ELSEWHERE, RTL),
        "mailed-code": (elsewhere, ELSEWHERE | {"code": "402917"}, {}),
        "mailed-code-rtl": (elsewhere, ELSEWHERE | {"code": "402917"}, RTL),
        "mailed-disowned": ("mailed_disowned.html", {}, {}),
        "mailed-error-over": ("mailed_over.html", {"start_url": "/sign-in"}, {}),
    }
