"""The states of the account console's pages: template, context, extra, by name."""

from __future__ import annotations

from typing import Any

from idp.domain.texts import marked

ACTION = "/posted"
AT = 1_794_000_000
LABELS = (
    "Home",
    "Personal info",
    "Security",
    "Sessions and devices",
    "Connected apps",
    "Activity",
    "Data and privacy",
)
ADA: dict[str, Any] = {
    "id": "018f",
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "email_verified": True,
    "initials": "AL",
}
GRACE = {**ADA, "id": "0190", "name": "", "email": "grace@example.org", "initials": "G"}
CONSOLE: dict[str, Any] = {
    "name": "Your account",
    "home_url": "/account",
    "links": [
        {"label": label, "url": f"/account/{place}", "current": place == 2}
        for place, label in enumerate(LABELS)
    ],
    "others": [GRACE],
    "switch_action": ACTION,
    "another_url": "/another",
    "sign_out_action": ACTION,
    "doors": [{"label": "Administration", "url": "/admin"}],
    "return_to": "/account",
}
FRAME: dict[str, Any] = {
    "console": CONSOLE,
    "account": ADA,
    "again": False,
    "done": None,
    "action": ACTION,
    "back_url": "/back",
}
REVIEW = {
    "title": "Only one step protects your account",
    "text": "Add a passkey or an authenticator app, so that a password is not enough.",
    "label": "Look at security",
    "url": "/account/security",
}
HOME = {"reviews": [REVIEW], "deletes_at": None, "cancel_action": ACTION, "upgrade": False}
DEEDS = {"rename_url": "/rename", "remove_url": "/remove"}
PASSKEY = {
    "name": "iCloud Keychain",
    "provider": {"name": "iCloud Keychain", "kind": "manager"},
    "synced": True,
    "created_at": AT,
    "last_used_at": AT,
}
KEY = PASSKEY | {
    "name": "The one on my key ring",
    "provider": {"name": "YubiKey 5C", "kind": "key"},
    "synced": False,
    "last_used_at": None,
}
APP = {"name": "Phone", "created_at": AT, "last_used_at": None}
SECURITY: dict[str, Any] = {
    "second_factor": True,
    "password_changed_at": AT,
    "password_url": "/password",
    "remove_password_url": "/remove",
    "passkeys": [{"passkey": PASSKEY, **DEEDS}, {"passkey": KEY, **DEEDS}],
    "add_passkey_url": "/add",
    "signal": {"rpId": "localhost", "userId": "AA", "allAcceptedCredentialIds": ["AA"]},
    "authenticators": [{"authenticator": APP, **DEEDS}],
    "add_authenticator_url": "/add-app",
    "codes_left": 8,
    "codes_made_at": AT,
    "codes_url": "/codes",
    "trusted": 1,
    "devices_url": "/devices",
}
LITTLE = SECURITY | {
    "second_factor": False,
    "remove_password_url": None,
    "passkeys": [],
    "authenticators": [],
    "codes_left": 0,
    "codes_made_at": None,
    "trusted": 0,
}
VALUES = {"name": "Ada Lovelace", "birthdate": "1815-12-10", "zoneinfo": "Europe/London"}
PROFILE: dict[str, Any] = {
    "values": VALUES,
    "errors": {},
    "zones": ["Europe/London", "Europe/Vienna"],
    "address_url": "/email",
    "preferences_action": ACTION,
    "chosen_language": "en",
    "chosen_theme": "system",
}
SESSION = {
    "device": marked("%(browser)s on %(system)s", browser="Firefox", system="Linux"),
    "here": True,
    "address": "203.0.113.7",
    "since": AT,
    "seen_at": AT,
    "end_action": None,
}
DEVICE = SESSION | {"trusted_until": AT, "distrust_action": ACTION, "forget_action": ACTION}
SESSIONS: dict[str, Any] = {
    "sessions": [SESSION, SESSION | {"here": False, "end_action": ACTION}],
    "others_action": ACTION,
    "devices": [DEVICE, DEVICE | {"here": False, "trusted_until": None}],
}
LINE = {"text": "See your name and picture", "detail": "Also what else your profile says"}
APPLICATION: dict[str, Any] = {
    "client": {"name": "Field Notes", "logo_url": None, "self_declared_host": None},
    "groups": [{"title": None, "lines": [LINE]}, {"title": "Notes API", "lines": [LINE]}],
    "since": AT,
    "last_used_at": AT,
    "offline": True,
    "first_party": False,
    "open_url": "/open",
    "remove_action": ACTION,
}
HAPPENED: dict[str, Any] = {
    "text": "You signed in to an application",
    "at": AT,
    "address": "203.0.113.7",
    "refused": False,
    "by_others": False,
    "name": "Field Notes",
}
ACTIVITY: dict[str, Any] = {
    "happened": [HAPPENED, HAPPENED | {"refused": True, "by_others": True, "name": ""}],
    "first_url": "/first",
    "next_url": "/next",
    "not_me_url": "/not-me",
}
DATA: dict[str, Any] = {
    "deletes_at": None,
    "cancel_action": ACTION,
    "export_url": "/export",
    "delete_url": "/delete",
    "days": 14,
}
APP_FORM: dict[str, Any] = {
    "handle": "h",
    "qr": '<svg viewBox="0 0 9 9" class="qr"></svg>',
    "key": "ABCD EFGH",
    "uri": "otpauth://totp/x",
    "name": "",
    "error": None,
}
CODES = [f"{number}bcd-efgh-jkmn" for number in range(10)]
PASSWORD = {"exists": True, "min_length": 15, "error": None}
DELETE = {"typed": "", "error": None, "days": 14}
EMAIL = {"typed": "", "error": None}
WRONG = "That code doesn’t fit. Look at the newest mail."
STATES: dict[str, tuple[str, dict[str, Any]]] = {
    "account-home": ("home", HOME),
    "account-home-calm": ("home", HOME | {"reviews": []}),
    "account-home-going": ("home", HOME | {"deletes_at": AT}),
    "account-profile": ("profile", PROFILE),
    "account-profile-done": ("profile", PROFILE | {"done": "Your changes were saved."}),
    "account-profile-error": (
        "profile",
        PROFILE | {"errors": {"birthdate": "Like this."}},
    ),
    "account-profile-unproven": ("profile", PROFILE | {"account": ADA | {"email_verified": False}}),
    "account-email": ("email", EMAIL),
    "account-email-error": ("email", EMAIL | {"typed": "ada@", "error": "No."}),
    "account-email-unproven": ("email", EMAIL | {"account": ADA | {"email_verified": False}}),
    "account-email-code": ("email_code", {"email": "new@example.org", "error": None}),
    "account-email-code-error": ("email_code", {"email": "new@example.org", "error": WRONG}),
    "account-email-link": ("email_link", {"email": "new@example.org"}),
    "account-security": ("security", SECURITY),
    "account-security-little": ("security", LITTLE),
    "account-security-few": ("security", SECURITY | {"codes_left": 0, "trusted": 3}),
    "account-security-again": ("security", SECURITY | {"again": True, "codes_left": 1}),
    "account-password": ("password", PASSWORD),
    "account-password-none": ("password", PASSWORD | {"exists": False, "min_length": 8}),
    "account-password-error": ("password", PASSWORD | {"error": "Use at least 15 characters."}),
    "account-rename": ("rename", {"word": "Passkey", "name": "Key ring", "error": None}),
    "account-rename-error": ("rename", {"word": "Passkey", "name": "", "error": "No name."}),
    "account-remove": ("remove", {"word": "Passkey", "name": "Key ring", "error": None}),
    "account-remove-error": ("remove", {"word": "Password", "name": "", "error": "The only way."}),
    "account-add-passkey": ("add_passkey", {"error": None, "options_url": "/options"}),
    "account-add-passkey-error": ("add_passkey", {"error": "No.", "options_url": "/options"}),
    "account-add-app": ("add_authenticator", APP_FORM),
    "account-add-app-error": ("add_authenticator", APP_FORM | {"error": WRONG, "name": "Phone"}),
    "account-add-app-error-full": (
        "add_authenticator",
        APP_FORM | {"handle": None, "error": "You have enough."},
    ),
    "account-new-codes": ("new_codes", {"left": 3}),
    "account-new-codes-first": ("new_codes", {"left": 0}),
    "account-codes": ("codes", {"codes": CODES}),
    "account-sessions": ("sessions", SESSIONS),
    "account-sessions-one": (
        "sessions",
        {"sessions": [SESSION], "others_action": None, "devices": []},
    ),
    "account-applications": ("applications", {"applications": [APPLICATION]}),
    "account-applications-bare": (
        "applications",
        {"applications": [APPLICATION | {"groups": [], "offline": False}]},
    ),
    "account-applications-none": ("applications", {"applications": []}),
    "account-activity": ("activity", ACTIVITY),
    "account-activity-none": (
        "activity",
        ACTIVITY | {"happened": [], "first_url": None, "next_url": None},
    ),
    "account-not-me": ("not_me", {}),
    "account-data": ("data", DATA),
    "account-data-going": ("data", DATA | {"deletes_at": AT, "done": "It will be deleted."}),
    "account-export": ("export", {}),
    "account-delete": ("delete", DELETE),
    "account-delete-error": ("delete", DELETE | {"typed": "x", "error": "Not your address."}),
}
RTL = {"lang": "ar", "dir": "rtl"}
IN_ARABIC = ("home", "security", "sessions", "applications", "activity", "data", "profile")


def samples(hostile: str, long: str) -> dict[str, tuple[str, dict[str, Any], dict[str, Any]]]:
    """Return every state; `hostile` and `long` stand where somebody else chooses the words."""
    found: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
        name: (f"account/{template}.html", FRAME | context, {})
        for name, (template, context) in STATES.items()
    }
    for page in IN_ARABIC:
        template, context, _ = found[f"account-{page}"]
        found[f"account-{page}-rtl"] = (template, context, RTL)
    for name, word in (("hostile", hostile), ("long", long)):
        found |= {
            f"account-{page}-{name}": (f"account/{page}.html", _said(word) | context, {})
            for page, context in _by_others(word).items()
        }
    return found


def _said(word: str) -> dict[str, Any]:
    person = ADA | {"name": word, "email": word}
    return FRAME | {"account": person, "console": CONSOLE | {"others": [person]}}


def _by_others(word: str) -> dict[str, dict[str, Any]]:
    client = {"name": word, "logo_url": None, "self_declared_host": word}
    group = {"title": word, "lines": [{"text": word, "detail": word}]}
    passkey = {"passkey": KEY | {"name": word}, **DEEDS}
    app = {"authenticator": APP | {"name": word}, **DEEDS}
    application = APPLICATION | {"client": client, "groups": [group]}
    return {
        "security": SECURITY | {"passkeys": [passkey], "authenticators": [app]},
        "applications": {"applications": [application]},
        "activity": ACTIVITY | {"happened": [HAPPENED | {"name": word, "address": word}]},
        "profile": PROFILE | {"values": dict.fromkeys(VALUES, word)},
        "remove": {"word": "Passkey", "name": word, "error": None},
    }
