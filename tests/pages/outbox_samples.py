"""The states of the outbox of development: template, context, extra, by name."""

from __future__ import annotations

from typing import Any

MAIL: dict[str, Any] = {
    "url": "/dev/mail/1",
    "subject": "Sign in to Doorward",
    "to": "ada@example.org",
    "at": "23 November 2026, 17:50 UTC",
    "state": "waiting",
}
TEXT = "Sign in: https://id.example.org/mail/4Hc9sD0qVtWmQbYx0mNnS6WzA2MjEyNzU4\n\n402 917\n"
SHOWN: dict[str, Any] = MAIL | {
    "text": TEXT,
    "kind": "sign_in_link",
    "list_url": "/dev/mail",
    "html_url": "/dev/mail/1/html",
}
DEVELOPMENT = {"development": True}
ONE, LIST = "dev/mail.html", "dev/mails.html"
Found = dict[str, tuple[str, dict[str, Any], dict[str, Any]]]


def samples(hostile: str, long: str) -> Found:
    """Every state, also with what comes from outside."""
    found: Found = {
        "outbox": (LIST, {"mails": [MAIL, MAIL | {"state": "sent"}], "sending": True}, DEVELOPMENT),
        "outbox-empty": (LIST, {"mails": [], "sending": False}, DEVELOPMENT),
        "mail": (ONE, SHOWN, DEVELOPMENT),
    }
    for name, word in (("hostile", hostile), ("long", long)):
        by_others = {"subject": word, "to": word, "state": word}
        found[f"outbox-{name}"] = (LIST, {"mails": [MAIL | by_others], "sending": True}, {})
        found[f"mail-{name}"] = (ONE, SHOWN | by_others | {"text": word}, {})
    return found
