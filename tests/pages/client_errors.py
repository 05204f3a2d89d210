"""Error logs of clients, as pages show them."""

from __future__ import annotations

from typing import Any

from idp.web.comparing import compared, whole
from idp.web.fault_texts import EXPLAINED

from .account_samples import AT

_SENT, _RIGHT = compared("http://notes.example.com/Callback/", "https://notes.example.com/callback")
COMPARED: dict[str, Any] = {
    "sentence": "The redirect URI is not registered for this client.",
    "advice": "Send exactly what is registered, or register what the application sends.",
    "parameter": "redirect_uri",
    "sent": _SENT,
    "right": _RIGHT,
    "right_label": "Registered",
    "others": ("https://staging.notes.example.com/callback",),
    "difference": "It differs from the closest registered one by another path and http instead "
    "of https.",
    "help_url": "/help/errors#redirect-uri",
}
ENTRY: dict[str, Any] = COMPARED | {
    "endpoint": "authorize",
    "error": "invalid_request",
    "description": "redirect_uri is not registered for this client.",
    "proven": False,
    "at": AT,
    "exact": "2026-11-06T17:20:00Z",
    "first_at": AT,
    "times": 12,
    "request_id": "7f3a91c04be2",
}
CODE: dict[str, Any] = ENTRY | {
    "sentence": "The code was redeemed before.",
    "advice": "A code works once. Look for a callback that is handled twice.",
    "endpoint": "token",
    "error": "invalid_grant",
    "description": "It is not valid, or not any more.",
    "parameter": "code",
    "sent": (),
    "right": (),
    "others": (),
    "difference": "",
    "proven": True,
    "times": 1,
}
SCOPE: dict[str, Any] = CODE | {
    "sentence": "The client asked for scopes that it may not have.",
    "advice": "Ask for less, or add the scopes to the client’s registration.",
    "error": "invalid_scope",
    "description": "scope names nothing that this client may ask for.",
    "parameter": "scope",
    "sent": whole("calendar:write"),
    "right": whole("address email offline_access openid profile"),
    "right_label": "Allowed",
    "difference": "Not allowed: calendar:write.",
}
LINES = [ENTRY, CODE, SCOPE]
HELP: dict[str, Any] = {
    "kinds": [{"name": kind.value, **vars(text)} for kind, text in EXPLAINED.items()],
}


def from_outside(word: str) -> dict[str, Any]:
    """What somebody sent who means no good."""
    return ENTRY | {
        "sent": whole(word),
        "right": whole(word),
        "others": (word,),
        "parameter": word,
        "difference": word,
        "error": word,
        "description": word,
    }
