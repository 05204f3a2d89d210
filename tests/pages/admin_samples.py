"""The states of the admin console's pages: template, context, extra, by name."""

from __future__ import annotations

from typing import Any

from . import client_errors
from .account_samples import ADA, AT, CONSOLE, FRAME, GRACE

ACTION = "/posted"
LABELS = ("People", "Applications", "Signing keys", "Audit", "Mail", "Configuration")
NAV = [
    {"label": label, "url": f"/admin/{place}", "current": place == 0}
    for place, label in enumerate(LABELS)
]
ADMIN: dict[str, Any] = FRAME | {
    "console": CONSOLE
    | {"name": "Administration", "links": NAV, "home_url": "/admin", "return_to": "/admin"},
    "problem": None,
    "failed": False,
    "action": ACTION,
}
MIA: dict[str, Any] = ADA | {
    "id": "0190a0a0-0000-7000-8000-000000000000",
    "subject": "5c1e7c0a9d",
    "roles": {"administrator"},
    "groups": {"staff"},
    "created_at": AT,
    "updated_at": AT,
    "deletes_at": None,
    "disabled": False,
}
GONE = MIA | GRACE | {"disabled": True, "roles": set(), "email_verified": False}
PEOPLE: dict[str, Any] = {
    "people": [{"person": MIA, "url": "/mia"}, {"person": GONE, "url": "/gone"}],
    "typed": "",
    "first_url": None,
    "more_url": "/more",
    "invite_url": "/invite",
}
LINE: dict[str, Any] = {
    "at": AT,
    "exact": "2026-11-06T17:20:00.000Z",
    "event": "session.ended",
    "event_url": "/event",
    "refused": True,
    "actor": "ada@example.org",
    "actor_url": "/ada",
    "person": "grace@example.org",
    "person_url": "/grace",
    "client": "field-notes",
    "client_url": "/notes",
    "address": "192.0.2.7",
    "request_id": "7f3a91c04be2",
    "detail": [("session", "0190a0a0-0000-7000-8000-000000000000"), ("reason", "expired")],
}
BY_SERVER = LINE | {
    "refused": False,
    "actor": "server",
    "actor_url": None,
    "person": "",
    "person_url": None,
    "client": "",
    "client_url": None,
    "address": "",
    "request_id": "",
    "event": "signing_key.activated",
}
CREDENTIALS = [
    {"kind": "password", "created_at": AT},
    {
        "kind": "passkey",
        "id": "1",
        "name": "YubiKey",
        "created_at": AT,
        "last_used_at": AT,
        "synced": True,
        "remove_url": "/remove",
    },
    {"kind": "authenticator", "id": "2", "name": "Phone", "created_at": AT, "last_used_at": None},
    {"kind": "recovery_codes", "id": "all", "created_at": AT, "left": 9, "remove_url": "/remove"},
]
SESSION = {
    "id": "1",
    "here": True,
    "device": "Firefox on Linux",
    "address": "192.0.2.7",
    "since": AT,
    "seen_at": AT,
}
PERSON: dict[str, Any] = {
    "whom": MIA,
    "people_url": "/admin/people",
    "privileged": True,
    "second_factor": True,
    "no_way_in": False,
    "changing": True,
    "protected": False,
    "roles": [{"name": "administrator", "mine": True}],
    "groups": [{"name": "staff", "mine": True}],
    "privileged_roles": ("administrator", "auditor", "operator"),
    "grant_action": ACTION,
    "revoke_action": ACTION,
    "credentials": CREDENTIALS,
    "sessions": [SESSION, SESSION | {"id": "2", "here": False}],
    "end_action": ACTION,
    "timeline": [LINE, BY_SERVER],
    "audit_url": "/audit",
    "disable_url": "/disable",
    "enable_action": ACTION,
}
BARE: dict[str, Any] = {
    "whom": GONE,
    "privileged": True,
    "second_factor": False,
    "no_way_in": True,
    "roles": [],
    "groups": [],
    "credentials": [],
    "sessions": [],
    "timeline": [],
}
LOOKED_AT = {"changing": False, "protected": True, "end_action": None, "timeline": None}
CONFIRM: dict[str, Any] = {
    "title": "Disable this account?",
    "warnings": ["Every session ends, on every device.", "Nothing is deleted."],
    "label": "Type the address of this account to confirm",
    "expected": "grace@example.org",
    "button": "Disable",
    "cancel_url": "/cancel",
    "choice": None,
    "error": None,
}
INVITE: dict[str, Any] = {"values": {}, "errors": {}, "link": None, "people_url": "/people"}
CLIENT: dict[str, Any] = {
    "client_id": "field-notes",
    "name": "Field Notes",
    "public": False,
    "first_party": True,
    "disabled": False,
    "created_at": AT,
    "redirect_uris": ["https://notes.example.org/callback"],
    "post_logout_redirect_uris": ["https://notes.example.org/bye"],
}
ONE_CLIENT: dict[str, Any] = {
    "client": CLIENT,
    "metadata": [{"name": "grant_types", "values": ["authorization_code", "refresh_token"]}],
    "secrets": [{"created_at": AT, "expires_at": None}, {"created_at": AT, "expires_at": AT}],
    "owner": {"email": "ada@example.org", "url": "/ada"},
    "clients_url": "/clients",
    "audit_url": "/audit",
    "errors_url": "/errors",
    "changing": True,
    "disable_url": "/disable",
    "enable_action": ACTION,
}
CLIENT_ERRORS: dict[str, Any] = {
    "client": CLIENT,
    "client_url": "/client",
    "lines": client_errors.LINES,
}
EMPTY_CLIENT: dict[str, Any] = {
    "client": CLIENT | {"redirect_uris": [], "post_logout_redirect_uris": [], "disabled": True},
    "secrets": [],
    "owner": None,
}
KEY: dict[str, Any] = {
    "kid": "4Hc9sD0qVtWmQbYx0mNnS6WzA2MjEyNzU4Yx0mNnS6W",
    "tone": "good",
    "state": "Signs",
    "now": "Signs since 6 November 2026 at 17:20 UTC",
    "then": "The next key takes over on 6 December 2026 at 17:20 UTC",
}
OPENING = KEY | {
    "tone": "warn",
    "state": "Still opens",
    "now": "Published until 6 November 2026 at 17:20 UTC",
    "then": "Opens what is encrypted to it until 6 November 2026 at 18:26 UTC",
}
KEYS = {
    "groups": [
        {"algorithm": "ES256", "keys": [KEY, KEY | {"tone": "warn"}], "rotate_url": "/rotate"},
        {"algorithm": "RS256", "keys": [KEY | {"tone": "bad"}], "rotate_url": None},
        {"algorithm": "ECDH-ES", "use": "enc", "keys": [OPENING], "rotate_url": "/rotate"},
    ]
}
AUDIT: dict[str, Any] = {
    "lines": [LINE, BY_SERVER],
    "values": {"event": "session.ended", "outcome": "refused"},
    "errors": {},
    "asked": True,
    "reached": AT,
    "more_url": "/more",
    "first_url": "/first",
    "export_url": "/export",
    "all_url": "/all",
    "most": 10_000,
}
MAIL: dict[str, Any] = {
    "server": "mail.example.org",
    "encrypted": True,
    "outbox_url": None,
    "sender": "no-reply@id.example.org",
    "test_action": ACTION,
    "mails": [
        {"kind": "mail_test", "created_at": AT, "sent_at": AT, "tries": 1, "problem": ""},
        {
            "kind": "sign_in_link",
            "created_at": AT,
            "sent_at": None,
            "tries": 4,
            "problem": "connection refused",
        },
    ],
}
NO_MAIL: dict[str, Any] = {
    "server": None,
    "outbox_url": "/dev/mail",
    "test_action": None,
    "mails": [],
}
SETTING: dict[str, Any] = {
    "variable": "IDP_CODE_LIFETIME",
    "secret": False,
    "given": True,
    "value": "60",
    "readable": "1 min",
    "default": "60",
    "unit": "seconds",
    "changed": False,
    "source": "default",
    "meaning": "Authorization code, seconds.",
}
SETTINGS = {
    "settings": [
        SETTING,
        SETTING | {"value": "30", "readable": "", "changed": True, "source": "environment"},
        SETTING | {"secret": True, "value": None, "unit": "", "source": "/run/secrets/key"},
        SETTING | {"secret": True, "given": False, "value": None},
        SETTING | {"value": "", "unit": ""},
    ]
}
RTL = {"lang": "ar", "dir": "rtl"}
Found = dict[str, tuple[str, dict[str, Any], dict[str, Any]]]
_STATES: dict[str, tuple[str, dict[str, Any]]] = {
    "people": ("people", PEOPLE),
    "people-nobody": ("people", PEOPLE | {"people": [], "typed": "zoë", "more_url": None}),
    "person": ("person", PERSON),
    "person-bare": ("person", PERSON | BARE),
    "person-error": ("person", PERSON | {"problem": "That does not work.", "failed": True}),
    "person-protected": ("person", PERSON | LOOKED_AT),
    "confirm": ("confirm", CONFIRM),
    "confirm-error": (
        "confirm",
        CONFIRM | {"error": "That is not it.", "choice": "Emergency", "failed": True},
    ),
    "invite": ("invite", INVITE),
    "invite-error": (
        "invite",
        INVITE | {"errors": {"email": "Wrong.", "role": "Wrong."}, "failed": True},
    ),
    "invite-link": ("invite", INVITE | {"link": f"https://id.example.org/invitation/{'x' * 43}"}),
    "clients": (
        "clients",
        {
            "clients": [
                {"client": CLIENT, "url": "/a"},
                {"client": CLIENT | {"public": True, "disabled": True}, "url": "/b"},
            ],
            "first_url": "/first",
            "more_url": None,
        },
    ),
    "clients-none": ("clients", {"clients": [], "first_url": None, "more_url": None}),
    "client": ("client", ONE_CLIENT),
    "client-empty": ("client", ONE_CLIENT | EMPTY_CLIENT),
    "client-refused": ("client_errors", CLIENT_ERRORS),
    "client-refused-none": ("client_errors", CLIENT_ERRORS | {"lines": []}),
    "keys": ("keys", KEYS),
    "audit": ("audit", AUDIT),
    "audit-nothing": ("audit", AUDIT | {"lines": [], "reached": None, "more_url": None}),
    "audit-error": (
        "audit",
        AUDIT | {"errors": {"person": "Nobody.", "since": "Not a time."}, "failed": True},
    ),
    "mail": ("mail", MAIL),
    "mail-none": ("mail", MAIL | NO_MAIL),
    "configuration": ("configuration", SETTINGS),
}


def samples(hostile: str, long: str) -> Found:
    """Every state; some in Arabic, and with what comes from outside."""
    found: Found = {
        f"admin-{name}": (f"admin/{page}.html", ADMIN | context, {})
        for name, (page, context) in _STATES.items()
    }
    for name in ("person", "audit", "keys", "configuration", "client-refused"):
        page, context = _STATES[name]
        found[f"admin-{name}-rtl"] = (f"admin/{page}.html", ADMIN | context, RTL)
    for name, word in (("hostile", hostile), ("long", long)):
        found |= _from_outside(name, word)
    return found


def _from_outside(name: str, word: str) -> Found:
    whom = MIA | {"name": word, "email": word, "subject": word}
    members = [{"name": word, "mine": True}]
    line = LINE | dict.fromkeys(("event", "actor", "person", "client", "address"), word)
    line |= {"detail": [(word, word)]}
    client = CLIENT | {"name": word, "client_id": word, "redirect_uris": [word]}
    person = {
        "whom": whom,
        "roles": members,
        "groups": members,
        "credentials": [one | {"name": word} for one in CREDENTIALS],
        "sessions": [SESSION | {"address": word, "here": False}],
        "timeline": [line],
    }
    contexts: dict[str, tuple[str, dict[str, Any]]] = {
        "people": ("people", PEOPLE | {"people": [{"person": whom, "url": "/a"}], "typed": word}),
        "person": ("person", PERSON | person),
        "confirm": (
            "confirm",
            CONFIRM | {"title": word, "expected": word, "error": word, "failed": True},
        ),
        "client": (
            "client",
            ONE_CLIENT | {"client": client, "metadata": [{"name": word, "values": [word]}]},
        ),
        "client-refused": (
            "client_errors",
            CLIENT_ERRORS | {"client": client, "lines": [client_errors.from_outside(word)]},
        ),
        "audit": ("audit", AUDIT | {"lines": [line], "values": {"event": word, "person": word}}),
        "mail": ("mail", MAIL | {"mails": [MAIL["mails"][1] | {"problem": word}]}),
        "configuration": ("configuration", {"settings": [SETTING | {"value": word}]}),
    }
    return {
        f"admin-{key}-{name}": (f"admin/{page}.html", ADMIN | context, {})
        for key, (page, context) in contexts.items()
    }
