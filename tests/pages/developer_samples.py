"""The states of the developer console's pages: template, context, extra, by name."""

from __future__ import annotations

from typing import Any

from . import client_errors
from .account_samples import ACTION, AT, CONSOLE, FRAME

NAV = [{"label": "Your applications", "url": "/developer", "current": True}]
DEVELOPER: dict[str, Any] = FRAME | {
    "console": CONSOLE
    | {"name": "Developers", "links": NAV, "home_url": "/developer", "return_to": "/developer"},
    "failed": False,
}
CLIENT: dict[str, Any] = {
    "client_id": "Vb0mNnS6WzA2MjEyNzU4Yx",
    "name": "Field Guide",
    "disabled": False,
    "redirect_uris": ["https://guide.example.org/callback", "http://localhost:8080/callback"],
    "post_logout_redirect_uris": ["https://guide.example.org/bye"],
}
VIEW: dict[str, Any] = {"name": "Field Guide", "logo_url": "/sample-logo.svg"}
ONE: dict[str, Any] = {"client": CLIENT, "logo": VIEW, "kind": "Web application", "url": "/one"}
LIST: dict[str, Any] = {
    "applications": [
        ONE,
        ONE
        | {
            "client": CLIENT | {"name": "Nightly Export", "disabled": True},
            "logo": VIEW | {"logo_url": None},
            "kind": "Service",
            "url": "/other",
        },
    ],
    "register_url": "/register",
}
KINDS: dict[str, Any] = {
    "kinds": [
        {
            "name": name,
            "text": "Runs on a server of yours, which keeps a secret.",
            "url": f"/{name}",
        }
        for name in ("Web application", "Single-page application", "Command line", "Service")
    ],
    "list_url": "/developer",
}
PROBLEM = "Plain http is allowed on 127.0.0.1, [::1] and localhost only; use https."
EMPTY: dict[str, Any] = {"values": {}, "checked": {"problems": {}, "lines": {}}}
LINES: list[dict[str, str | None]] = [
    {"uri": "https://guide.example.org/callback", "problem": None},
    {"uri": "http://guide.example.org/callback", "problem": PROBLEM},
]
WRONG: dict[str, Any] = {
    "values": {
        "client_name": "Field Guide",
        "redirect_uris": "\n".join(str(line["uri"]) for line in LINES),
        "logo_uri": "logo.png",
    },
    "checked": {
        "problems": {"logo_uri": "logo_uri is not a URI."},
        "lines": {"redirect_uris": LINES},
    },
}
ALL_WRONG: dict[str, Any] = {
    "values": {"client_name": "", "redirect_uris": ""},
    "checked": {
        "problems": {
            "": "scope: 'x' is not allowed here.",
            "client_name": "client_name must not be empty.",
            "redirect_uris": "redirect_uris must hold at least one URI.",
            "scope": "scope must hold at least one.",
        },
        "lines": {"redirect_uris": []},
    },
}
FORM: dict[str, Any] = {
    "kind": "web",
    "words": ("Web application", "Runs on a server of yours, which keeps a secret."),
    "service": False,
    "scopes": [],
    "form": EMPTY,
    "client": CLIENT,
    "errors": {},
}
SERVICE = {
    "kind": "service",
    "service": True,
    "scopes": [
        {"name": "notes:read", "text": "Read your notes", "chosen": True},
        {"name": "files:read", "text": "", "chosen": False},
    ],
}
CONFIGURATIONS = [
    {
        "key": key,
        "name": name,
        "file": file,
        "text": f"{file}: " + "x" * 90 + "\nclient_id: Vb0mNnS6WzA2MjEyNzU4Yx",
    }
    for key, name, file in (
        ("authlib", "Authlib", "app.py"),
        ("spring", "Spring", "application.yml"),
        ("curl", "curl", "sign-in.sh"),
    )
]
APPLICATION: dict[str, Any] = {
    "client": CLIENT,
    "kind": "Web application",
    "confidential": True,
    "secrets": [{"created_at": AT, "expires_at": None}, {"created_at": AT, "expires_at": AT}],
    "configurations": CONFIGURATIONS,
    "list_url": "/developer",
    "edit_url": "/edit",
    "rotate_url": "/rotate",
    "end_action": ACTION,
    "delete_url": "/delete",
    "errors_url": "/errors",
    "playground_action": ACTION,
}
BARE: dict[str, Any] = {
    "client": CLIENT | {"disabled": True, "redirect_uris": [], "post_logout_redirect_uris": []},
    "confidential": False,
    "secrets": [],
    "errors_url": None,
    "playground_action": None,
}
SECRET: dict[str, Any] = {
    "client": CLIENT,
    "secret": f"dw_secret_{'x' * 43}",
    "new": True,
    "configurations": CONFIGURATIONS,
    "application_url": "/one",
}
ROTATE: dict[str, Any] = {
    "client": CLIENT,
    "overlaps": [(604_800, "It works for 7 more days"), (0, "It ends now")],
}
DELETE: dict[str, Any] = {
    "title": "Delete Field Guide?",
    "warnings": ["Nobody can sign in to it any more.", "This can’t be undone."],
    "label": "Type the ID of this application to confirm",
    "expected": CLIENT["client_id"],
    "button": "Delete",
    "cancel_url": "/cancel",
    "choice": None,
    "error": None,
}
RTL = {"lang": "ar", "dir": "rtl"}
Found = dict[str, tuple[str, dict[str, Any], dict[str, Any]]]
FAILED = {"failed": True, "error": True}
REFUSED = {"client": CLIENT, "client_url": "/client", "lines": client_errors.LINES}
_STATES: dict[str, tuple[str, dict[str, Any]]] = {
    "list": ("applications", LIST),
    "list-none": ("applications", LIST | {"applications": []}),
    "kinds": ("kinds", KINDS),
    "register": ("register", FORM),
    "register-error": ("register", FORM | FAILED | {"form": WRONG}),
    "register-all-error": ("register", FORM | FAILED | {"form": ALL_WRONG}),
    "register-service": ("register", FORM | SERVICE),
    "register-service-error": ("register", FORM | FAILED | SERVICE | {"form": ALL_WRONG}),
    "edit": ("edit", FORM),
    "edit-error": ("edit", FORM | FAILED | {"form": WRONG}),
    "application": ("application", APPLICATION),
    "application-bare": ("application", APPLICATION | BARE),
    "refused": ("errors", REFUSED),
    "refused-none": ("errors", REFUSED | {"lines": []}),
    "secret": ("secret", SECRET),
    "secret-again": ("secret", SECRET | {"new": False}),
    "rotate": ("rotate", ROTATE),
    "delete": ("delete", DELETE),
}


def samples(hostile: str, long: str) -> Found:
    """Every state; some in Arabic, and with what comes from outside."""
    found: Found = {
        f"developer-{name}": (f"developer/{page}.html", DEVELOPER | context, {})
        for name, (page, context) in _STATES.items()
    }
    for name in ("application", "register"):
        page, context = _STATES[name]
        found[f"developer-{name}-rtl"] = (f"developer/{page}.html", DEVELOPER | context, RTL)
    for name, word in (("hostile", hostile), ("long", long)):
        client = CLIENT | {"name": word, "redirect_uris": [word]}
        line = {"uri": word, "problem": word}
        form = {
            "values": {"client_name": word, "redirect_uris": word},
            "checked": {"problems": {}, "lines": {"redirect_uris": [line]}},
        }
        contexts: dict[str, tuple[str, dict[str, Any]]] = {
            "list": ("applications", LIST | {"applications": [ONE | {"client": client}]}),
            "application": ("application", APPLICATION | {"client": client}),
            "edit-error": ("edit", FORM | FAILED | {"client": client, "form": form}),
        }
        found |= {
            f"developer-{key}-{name}": (f"developer/{page}.html", DEVELOPER | context, {})
            for key, (page, context) in contexts.items()
        }
    return found
