"""What each page is rendered with: the ordinary case, and the states that break layouts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from idp.web.qr import qr_svg

from . import (
    account_samples,
    admin_samples,
    client_errors,
    developer_samples,
    mail_samples,
    outbox_samples,
)

LONG = "Grundstücksverkehrsgenehmigungszuständigkeitsübertragungsverordnung"
HOSTILE = "\"><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>"

CLIENT: dict[str, Any] = {
    "name": "Field Notes",
    "logo_url": "/sample-logo.svg",
    "policy_uri": "https://notes.example.com/privacy",
    "tos_uri": "https://notes.example.com/terms",
    "client_uri": "https://notes.example.com",
    "self_declared_host": None,
}
PLAIN_CLIENT = CLIENT | {"logo_url": None, "policy_uri": None, "tos_uri": None, "client_uri": None}
STRANGER = CLIENT | {"logo_url": None, "self_declared_host": "tools.example.net"}
LONG_CLIENT = CLIENT | {
    "name": f"{LONG} {LONG}",
    "self_declared_host": f"{'very-long-' * 6}host.example.com",
}
HOSTILE_CLIENT: dict[str, Any] = {
    "name": HOSTILE,
    "logo_url": None,
    "policy_uri": "javascript:alert(1)",
    "tos_uri": "data:text/html,<script>alert(1)</script>",
    "client_uri": "  https://x.example",
    "self_declared_host": HOSTILE,
}
ARABIC_CLIENT = PLAIN_CLIENT | {"name": "دفتر الملاحظات"}

ADA = {"name": "Ada Lovelace", "email": "ada@example.org", "initials": "AL"}
GRACE = {"name": "Grace Hopper", "email": "grace@example.org", "initials": "GH"}
NAMELESS = {"name": "", "email": "ada@example.org", "initials": "A"}
LONG_PERSON = {
    "name": f"{LONG} von {LONG}",
    "email": f"{'a' * 64}@{'sub.' * 12}example.org",
    "initials": "GV",
}
HOSTILE_PERSON = {"name": HOSTILE, "email": HOSTILE, "initials": "<b"}

GROUPS: list[dict[str, Any]] = [
    {
        "title": None,
        "lines": [
            {"text": "See your name and picture", "detail": None},
            {"text": "See your email address", "detail": "ada@example.org"},
            {"text": "Stay connected when you are away", "detail": "until you sign out everywhere"},
        ],
    },
    {
        "title": "Invoices API",
        "lines": [
            {"text": "Read your invoices", "detail": None},
            {"text": "Create drafts", "detail": "never sends them"},
        ],
    },
]
FEW = [{"title": None, "lines": GROUPS[0]["lines"][:2]}]
LONG_GROUPS = [{"title": LONG, "lines": [{"text": f"Read {LONG}", "detail": LONG}]}]
HOSTILE_GROUPS = [{"title": HOSTILE, "lines": [{"text": HOSTILE, "detail": HOSTILE}]}]

ACTION = "/posted"
MISMATCH = "That email and password don’t match."

CALLBACK = "http://localhost:8000/playground/callback"
REQUEST_URL = (
    "http://localhost:8000/oauth2/authorize?response_type=code&client_id=playground"
    "&redirect_uri=http%3A%2F%2Flocalhost%3A8000%2Fplayground%2Fcallback&scope=openid+profile+email"
    "&state=0yQ7sVtWmQbYx0mN&nonce=n-0S6_WzA2MjEyNzU4&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    "&code_challenge_method=S256"
)


def row(name: str, value: str, meaning: str) -> dict[str, str]:
    return {"name": name, "value": value, "meaning": meaning}


REQUEST_ROWS = [
    row(
        "response_type",
        "code",
        "Send a code back, not a token: tokens never travel through the browser.",
    ),
    row("client_id", "playground", "Who is asking."),
    row(
        "redirect_uri",
        CALLBACK,
        "Where to send the browser afterwards. It must be registered, letter by letter.",
    ),
    row("scope", "openid profile email", "What the application would like to know or do."),
    row("state", "0yQ7sVtWmQbYx0mN", "A random value that ties the answer to this browser."),
    row("nonce", "n-0S6_WzA2MjEyNzU4", "A random value that comes back inside the ID token."),
    row(
        "code_challenge",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "The fingerprint of a secret that only this application holds (PKCE).",
    ),
    row("code_challenge_method", "S256", "How the fingerprint was made: SHA-256."),
]
SCOPES = [
    {"name": "openid", "checked": True, "meaning": "Say who signed in, in an ID token."},
    {"name": "profile", "checked": True, "meaning": "Name, picture and the like."},
    {"name": "email", "checked": True, "meaning": "The address, and whether it is proven."},
    {
        "name": "offline_access",
        "checked": False,
        "meaning": "A refresh token that outlives the sign-out.",
    },
]
CALLBACK_ROWS = [
    row("code", "dw_c_4Hc9sD0qVtWmQbYx0mNnS6WzA2MjEyNzU4", "Traded for tokens in the next step."),
    row(
        "state",
        "0yQ7sVtWmQbYx0mN",
        "The same value that was sent: the answer belongs to this browser.",
    ),
    row(
        "iss",
        "http://localhost:8000",
        "Who answered. It must be the issuer that was asked (RFC 9207).",
    ),
]
RAW = (
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IjdmM2E5MSJ9."
    "eyJpc3MiOiJodHRwOi8vbG9jYWxob3N0OjgwMDAiLCJzdWIiOiI1YzFlN2MifQ."
    "dBjftJeZ4CVPmB92K27uhbUJU1p1rwW1gFWFOEjXkVn0ThIS1sNoTaReAlSiGnAtUrE4CVPmB92K27uhbUJU1p1rwW1g"
)
TOKENS = [
    {
        "title": "ID token",
        "note": "For this application alone.",
        "checks": [
            {"text": "signature verifies with a key of the JWKS (RS256)", "good": True},
            {"text": "aud does not name playground", "good": False},
        ],
        "raw": RAW,
        "header_rows": [
            row("alg", "RS256", "How it is signed."),
            row("kid", "7f3a91", "Which key signed it."),
        ],
        "claim_rows": [
            row("iss", "http://localhost:8000", "Who issued it."),
            row("sub", "5c1e7c0a9d", "Who signed in: a name that never changes."),
            row("aud", "playground", "For whom it was made."),
            row("exp", "1794000600", "Valid until 23 November 2026, 17:50:00 UTC."),
            row("nonce", "n-0S6_WzA2MjEyNzU4", "The value that was sent with the request."),
        ],
        "verdict": {"text": "Signature and claims are right", "good": True},
    },
    {
        "title": "Access token",
        "raw": RAW,
        "header_rows": [row("typ", "at+jwt", "An access token and nothing else (RFC 9068).")],
        "claim_rows": [row("scope", "openid profile email", "What it allows.")],
        "verdict": {"text": "Expired 3 minutes ago", "good": False},
    },
]
EXCHANGES = [
    {
        "title": "The code for tokens",
        "note": "A code works once.",
        "request": (
            "curl http://localhost:8000/oauth2/token \\\n  -u playground:$CLIENT_SECRET \\\n"
            "  -d grant_type=authorization_code \\\n"
            "  -d code=dw_c_4Hc9sD0qVtWmQbYx0mNnS6WzA2MjEyNzU4 \\\n"
            f"  -d redirect_uri={CALLBACK} \\\n"
            "  -d code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        ),
        "status": "200 OK",
        "response": '{\n  "access_token": "'
        + RAW
        + '",\n  "token_type": "Bearer",\n  "expires_in": 600,\n'
        '  "scope": "openid profile email"\n}',
    },
    {
        "title": "Refresh",
        "request": "curl http://localhost:8000/oauth2/token \\\n  -d grant_type=refresh_token",
        "status": "400 Bad Request",
        "response": '{\n  "error": "invalid_grant"\n}',
    },
]
HOSTILE_ROWS = [row(HOSTILE, HOSTILE, HOSTILE)]
PLAYGROUND_START: dict[str, Any] = {
    "parameters": REQUEST_ROWS,
    "scopes": SCOPES,
    "action": ACTION,
    "values": {"prompt": "", "max_age": "", "resource": ""},
    "authorization_endpoint": "http://localhost:8000/oauth2/authorize",
    "request_url": REQUEST_URL,
}
DEVELOPER: dict[str, Any] = {
    "error": "invalid_request",
    "description": "The redirect address is not one that this client registered.",
    "parameter": "redirect_uri",
    "received": "https://notes.example.com/callback/",
    "rule": "It must equal a registered address, letter by letter.",
    "difference": "It differs only by a trailing slash.",
    "docs_url": "/help/errors#redirect-uri",
    "advice": "Send exactly what is registered, or register what the application sends.",
    "comparison": None,
    "log_url": None,
    "in_log": True,
    "copied": "error: invalid_request\nrequest: 7f3a91c04be2",
}
CANNOT_START = {
    "heading": "Field Notes couldn’t start sign-in",
    "user_text": "Nothing you did is wrong. Go back to Field Notes and try again, "
    "or tell the people who run it.",
}
LEAVING: dict[str, Any] = {
    "client": STRANGER,
    "heading": "Field Notes couldn’t start sign-in",
    "user_text": "Nothing you did is wrong, and nothing was sent to the application.",
    "destination": "https://tools.example.net",
    "ending": "https://tools.example.net/callback?error=invalid_scope",
    "developer": {
        "error": "invalid_scope",
        "description": "scope names nothing that this client may ask for.",
        "parameter": None,
        "docs_url": "/help/errors",
        "in_log": True,
    },
}


@dataclass(frozen=True)
class Sample:
    """One state of one page. `extra` overrides globals such as `dir` and `development`."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


RTL = {"lang": "ar", "dir": "rtl"}
CONSENT: dict[str, Any] = {
    "client": CLIENT,
    "account": ADA,
    "groups": GROUPS,
    "already": [],
    "destination": "https://notes.example.com",
    "impersonable": False,
    "action": ACTION,
    "switch_url": "/switch",
}
CARDS = [
    {"account": ADA, "signed_in": True, "value": "1"},
    {"account": NAMELESS | {"email": "grace@example.org"}, "signed_in": False, "value": "2"},
]
CHOOSE: dict[str, Any] = {
    "client": CLIENT,
    "accounts": CARDS,
    "asked_for": "grace@example.org",
    "action": ACTION,
    "cancel_url": "/cancel",
}
HANDOVER: dict[str, Any] = {
    "client": CLIENT,
    "action": "https://notes.example.com/callback",
    "fields": {"code": "c0de", "state": "st4te", "iss": "https://id.example.com"},
    "automatic": False,
}
FORBIDDEN: dict[str, Any] = {
    "client": CLIENT,
    "account": ADA,
    "sentence": "Only people of the group “research” may use Field Notes.",
    "switch_url": "/switch",
    "cancel_url": "/cancel",
}
PASSWORD: dict[str, Any] = {
    "client": CLIENT,
    "identifier": "ada@example.org",
    "change_url": "/change",
    "error": None,
    "action": ACTION,
    "reason": None,
    "cancel_url": "/cancel",
}
SIGN_IN: dict[str, Any] = {"client": CLIENT, "identifier": "", "error": None, "action": ACTION}
OTPAUTH = (
    "otpauth://totp/Doorward:ada%40example.org"
    "?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Doorward"
)
WRONG_CODE = "That code doesn’t work. Wait for the next one and try again."
PASSKEY_URLS = {"passkey_url": ACTION, "passkey_options_url": "/options"}
OTHER_STEPS = [
    {"label": "Use a code from your authenticator app", "url": "/code"},
    {"label": "Use a recovery code", "url": "/recovery"},
]
CODE: dict[str, Any] = {
    "client": CLIENT,
    "account": ADA,
    "why": {
        "kind": "",
        "sentence": "Your account is protected by a second step. Confirm it’s you.",
    },
    "others": [{"label": "Use a passkey", "url": "/passkey"}, OTHER_STEPS[1]],
    "cancel_url": "/cancel",
    "error": None,
    "action": ACTION,
    "trust_days": 30,
}
PASSKEY = CODE | {"others": OTHER_STEPS, "options_url": "/options", "unknown": False}
RECOVERY_CODES = tuple(f"4f7k-93xm-t2c{letter}" for letter in "abcdefghjk")
CODES: dict[str, Any] = {
    "client": CLIENT,
    "because": "used",
    "left": 2,
    "codes": (),
    "action": ACTION,
    "continue_url": "/continue",
}
OTHER_WAYS: dict[str, Any] = {
    "client": CLIENT,
    "account": None,
    "identifier": "ada@example.org",
    "change_url": "/change",
    "doors": [
        {
            "name": "password",
            "label": "Password",
            "description": "Type the password of your account.",
            "url": "/password",
        },
        {
            "name": "mail",
            "label": "Link or code by email",
            "description": "We mail you a link and a code.",
            "url": "/mail",
        },
        {
            "name": "passkey",
            "label": "Passkey",
            "description": "Use your fingerprint, face or screen lock.",
            "url": "/passkey",
        },
    ],
    "last_used": None,
    "cancel_url": "/cancel",
}
ENROL: dict[str, Any] = {
    "client": CLIENT,
    "account": ADA,
    "why": {
        "kind": "",
        "sentence": "Your role needs a sign-in with two factors or a passkey.",
    },
    "with_app": True,
    "error": None,
    "action": ACTION,
    "passkey_url": ACTION,
    "options_url": "/options",
    "cancel_url": "/cancel",
}
OFFER: dict[str, Any] = {
    "client": CLIENT,
    "account": ADA,
    "error": None,
    "action": ACTION,
    "options_url": "/options",
}
NAME_PASSKEY: dict[str, Any] = {
    "client": CLIENT,
    "name": "Google Password Manager",
    "error": None,
    "action": ACTION,
}
AUTHENTICATOR: dict[str, Any] = {
    "client": CLIENT,
    "account": ADA,
    "qr": qr_svg(OTPAUTH),
    "key": "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP",
    "uri": OTPAUTH,
    "error": None,
    "action": ACTION,
    "back_url": "/back",
    "cancel_url": "/cancel",
}
ADMINISTRATOR: dict[str, Any] = {"action": ACTION, "errors": {}, "values": {}, "min_length": 12}
LOGOUT_FORM = {"id_token_hint": RAW, "client_id": "playground", "state": "0yQ7sVtWmQbYx0mN"}
TOKENS_PAGE: dict[str, Any] = {
    "exchanges": EXCHANGES[:1],
    "earlier": EXCHANGES[1:],
    "tokens": TOKENS,
    "sign_out": {
        "action": "http://localhost:8000/oauth2/logout",
        "form": LOGOUT_FORM,
        "parameters": [row(name, value, "Sent along.") for name, value in LOGOUT_FORM.items()],
    },
    "action": ACTION,
    "restart_url": "/playground",
}

FORGOT: dict[str, Any] = {
    "client": CLIENT,
    "identifier": ADA["email"],
    "fixed": False,
    "error": None,
    "action": ACTION,
    "back_url": ACTION,
}
NEW_PASSWORD: dict[str, Any] = {
    "client": CLIENT,
    "email": ADA["email"],
    "error": None,
    "min_length": 15,
    "action": ACTION,
}
SIGN_UP: dict[str, Any] = {
    "client": CLIENT,
    "identifier": "",
    "error": None,
    "said": None,
    "action": ACTION,
    "sign_in_url": "/sign-in",
    "cancel_url": ACTION,
}
NEW_ACCOUNT: dict[str, Any] = {
    "client": CLIENT,
    "email": ADA["email"],
    "name": "",
    "errors": {},
    "invited": False,
    "min_length": 15,
    "action": ACTION,
    "cancel_url": ACTION,
}
INVITED = NEW_ACCOUNT | {"client": None, "invited": True, "name": "Ada", "cancel_url": None}
NO_ADDRESS = "Enter your email address."
TOO_SHORT = "Use at least 15 characters."
SAMPLES: dict[str, Sample] = {
    "sign-in": Sample("sign_in.html", SIGN_IN),
    "sign-in-plain": Sample(
        "sign_in.html", SIGN_IN | {"client": None}, {"help_url": None, "privacy_url": None}
    ),
    "sign-in-error": Sample(
        "sign_in.html",
        SIGN_IN | {"identifier": "ada", "error": "Enter your email address."},
    ),
    "sign-in-stranger": Sample("sign_in.html", SIGN_IN | {"client": STRANGER}),
    "sign-in-long": Sample("sign_in.html", SIGN_IN | {"client": LONG_CLIENT, "identifier": LONG}),
    "sign-in-rtl": Sample("sign_in.html", SIGN_IN | {"client": ARABIC_CLIENT}, RTL),
    "sign-in-hostile": Sample(
        "sign_in.html", SIGN_IN | {"client": HOSTILE_CLIENT, "identifier": HOSTILE}
    ),
    "password": Sample("password.html", PASSWORD),
    "password-error": Sample("password.html", PASSWORD | {"error": MISMATCH}),
    "password-fresh": Sample("password.html", PASSWORD | {"reason": "fresh", "change_url": None}),
    "password-other": Sample(
        "password.html", PASSWORD | {"reason": "other_account", "change_url": None}
    ),
    "password-long": Sample(
        "password.html", PASSWORD | {"client": LONG_CLIENT, "identifier": LONG_PERSON["email"]}
    ),
    "password-rtl": Sample(
        "password.html", PASSWORD | {"client": ARABIC_CLIENT, "error": MISMATCH}, RTL
    ),
    "password-hostile": Sample(
        "password.html", PASSWORD | {"client": HOSTILE_CLIENT, "identifier": HOSTILE}
    ),
    "sign-in-passkey": Sample("sign_in.html", SIGN_IN | PASSKEY_URLS | {"last_used": "passkey"}),
    "sign-in-passkey-rtl": Sample(
        "sign_in.html", SIGN_IN | PASSKEY_URLS | {"client": ARABIC_CLIENT}, RTL
    ),
    "passkey": Sample("passkey.html", PASSKEY),
    "passkey-anybody": Sample(
        "passkey.html",
        PASSKEY
        | {
            "account": None,
            "trust_days": 0,
            "others": [{"label": "Use your email address", "url": "/others"}],
        },
    ),
    "passkey-error": Sample(
        "passkey.html",
        PASSKEY | {"error": "That passkey can’t be used here. Try again, or use another way."},
    ),
    "passkey-unknown-error": Sample(
        "passkey.html",
        PASSKEY
        | {
            "account": None,
            "unknown": True,
            "error": "We don’t know this passkey. It may have been removed from your account.",
        },
    ),
    "passkey-long": Sample(
        "passkey.html", PASSKEY | {"client": LONG_CLIENT, "account": LONG_PERSON}
    ),
    "passkey-rtl": Sample("passkey.html", PASSKEY | {"client": ARABIC_CLIENT}, RTL),
    "passkey-hostile": Sample(
        "passkey.html",
        PASSKEY
        | {
            "client": HOSTILE_CLIENT,
            "account": HOSTILE_PERSON,
            "why": {"kind": "", "sentence": HOSTILE},
        },
    ),
    "authenticator-code": Sample("authenticator_code.html", CODE),
    "authenticator-code-stronger": Sample(
        "authenticator_code.html",
        CODE | {"why": {"kind": "stronger", "sentence": ""}, "trust_days": 0, "others": []},
    ),
    "authenticator-code-error": Sample("authenticator_code.html", CODE | {"error": WRONG_CODE}),
    "authenticator-code-long": Sample(
        "authenticator_code.html", CODE | {"client": LONG_CLIENT, "account": LONG_PERSON}
    ),
    "authenticator-code-rtl": Sample(
        "authenticator_code.html", CODE | {"client": ARABIC_CLIENT, "error": WRONG_CODE}, RTL
    ),
    "authenticator-code-hostile": Sample(
        "authenticator_code.html",
        CODE
        | {
            "client": HOSTILE_CLIENT,
            "account": HOSTILE_PERSON,
            "why": {"kind": "stronger", "sentence": ""},
        },
    ),
    "recovery-code": Sample("recovery_code.html", CODE),
    "recovery-code-error": Sample(
        "recovery_code.html",
        CODE | {"error": "That code doesn’t work. Each recovery code works once."},
    ),
    "recovery-code-rtl": Sample("recovery_code.html", CODE | {"client": ARABIC_CLIENT}, RTL),
    "recovery-codes": Sample("recovery_codes.html", CODES | {"codes": RECOVERY_CODES}),
    "recovery-codes-rtl": Sample("recovery_codes.html", CODES | {"codes": RECOVERY_CODES}, RTL),
    "recovery-codes-offered": Sample("recovery_codes.html", CODES | {"because": "enrolled"}),
    "recovery-codes-used": Sample("recovery_codes.html", CODES | {"left": 7}),
    "recovery-codes-few": Sample("recovery_codes.html", CODES),
    "other-ways": Sample("other_ways.html", OTHER_WAYS),
    "other-ways-known": Sample(
        "other_ways.html", OTHER_WAYS | {"account": ADA, "last_used": "passkey"}
    ),
    "other-ways-rtl": Sample("other_ways.html", OTHER_WAYS | {"client": ARABIC_CLIENT}, RTL),
    "other-ways-hostile": Sample(
        "other_ways.html", OTHER_WAYS | {"client": HOSTILE_CLIENT, "identifier": HOSTILE}
    ),
    "enrol": Sample("enrol.html", ENROL),
    "enrol-passkey-only": Sample(
        "enrol.html", ENROL | {"with_app": False, "why": {"kind": "stronger", "sentence": ""}}
    ),
    "enrol-error": Sample(
        "enrol.html", ENROL | {"error": "That passkey could not be added. Try again."}
    ),
    "enrol-long": Sample("enrol.html", ENROL | {"client": LONG_CLIENT, "account": LONG_PERSON}),
    "enrol-rtl": Sample("enrol.html", ENROL | {"client": ARABIC_CLIENT}, RTL),
    "enrol-hostile": Sample(
        "enrol.html", ENROL | {"client": HOSTILE_CLIENT, "account": HOSTILE_PERSON}
    ),
    "offer-passkey": Sample("offer_passkey.html", OFFER),
    "offer-passkey-error": Sample(
        "offer_passkey.html",
        OFFER | {"client": None, "error": "That passkey could not be added. Try again."},
    ),
    "offer-passkey-long": Sample(
        "offer_passkey.html", OFFER | {"client": LONG_CLIENT, "account": LONG_PERSON}
    ),
    "offer-passkey-rtl": Sample("offer_passkey.html", OFFER | {"client": ARABIC_CLIENT}, RTL),
    "offer-passkey-hostile": Sample(
        "offer_passkey.html", OFFER | {"client": HOSTILE_CLIENT, "account": HOSTILE_PERSON}
    ),
    "name-passkey": Sample("name_passkey.html", NAME_PASSKEY),
    "name-passkey-error": Sample(
        "name_passkey.html",
        NAME_PASSKEY
        | {"client": None, "name": HOSTILE, "error": "A name has 1 to 60 printable characters."},
    ),
    "name-passkey-rtl": Sample("name_passkey.html", NAME_PASSKEY | {"client": ARABIC_CLIENT}, RTL),
    "enrol-authenticator": Sample("enrol_authenticator.html", AUTHENTICATOR),
    "enrol-authenticator-error": Sample(
        "enrol_authenticator.html", AUTHENTICATOR | {"error": WRONG_CODE}
    ),
    "enrol-authenticator-rtl": Sample(
        "enrol_authenticator.html", AUTHENTICATOR | {"client": ARABIC_CLIENT}, RTL
    ),
    "switch-account": Sample(
        "switch_account.html",
        {"client": CLIENT, "account": ADA, "asked_for": "grace@example.org", "action": ACTION},
    ),
    "switch-account-long": Sample(
        "switch_account.html",
        {
            "client": LONG_CLIENT,
            "account": LONG_PERSON,
            "asked_for": LONG_PERSON["email"],
            "action": ACTION,
        },
    ),
    "switch-account-any": Sample(
        "switch_account.html",
        {"client": None, "account": NAMELESS, "asked_for": None, "action": ACTION},
    ),
    "choose-account": Sample("choose_account.html", CHOOSE),
    "choose-account-one": Sample(
        "choose_account.html", CHOOSE | {"accounts": CARDS[:1], "asked_for": None}
    ),
    "choose-account-rtl": Sample("choose_account.html", CHOOSE | {"client": ARABIC_CLIENT}, RTL),
    "choose-account-long": Sample(
        "choose_account.html",
        CHOOSE
        | {"client": LONG_CLIENT, "accounts": [card | {"account": LONG_PERSON} for card in CARDS]},
    ),
    "choose-account-hostile": Sample(
        "choose_account.html",
        CHOOSE
        | {
            "client": HOSTILE_CLIENT,
            "accounts": [card | {"account": HOSTILE_PERSON} for card in CARDS],
            "asked_for": HOSTILE,
        },
    ),
    "wrong-person": Sample("forbidden.html", FORBIDDEN),
    "wrong-person-at-home": Sample(
        "forbidden.html", FORBIDDEN | {"client": None, "account": None, "cancel_url": None}
    ),
    "wrong-person-rtl": Sample("forbidden.html", FORBIDDEN | {"client": ARABIC_CLIENT}, RTL),
    "wrong-person-long": Sample(
        "forbidden.html",
        FORBIDDEN | {"client": LONG_CLIENT, "account": LONG_PERSON, "sentence": f"{LONG}."},
    ),
    "wrong-person-hostile": Sample(
        "forbidden.html",
        FORBIDDEN | {"client": HOSTILE_CLIENT, "account": HOSTILE_PERSON, "sentence": HOSTILE},
    ),
    "handover": Sample("handover.html", HANDOVER),
    "handover-rtl": Sample("handover.html", HANDOVER | {"client": ARABIC_CLIENT}, RTL),
    "handover-long": Sample("handover.html", HANDOVER | {"client": LONG_CLIENT}),
    "handover-hostile": Sample(
        "handover.html",
        HANDOVER | {"client": HOSTILE_CLIENT, "fields": {"code": "c", "state": HOSTILE}},
    ),
    "consent": Sample("consent.html", CONSENT),
    "consent-stranger": Sample(
        "consent.html",
        CONSENT
        | {
            "client": STRANGER,
            "groups": FEW,
            "account": NAMELESS,
            "impersonable": True,
            "already": ["See your email address", "Read your invoices"],
            "destination": "http://127.0.0.1:51004",
        },
    ),
    "consent-long": Sample(
        "consent.html",
        CONSENT
        | {
            "client": LONG_CLIENT,
            "account": LONG_PERSON,
            "groups": LONG_GROUPS,
            "already": [LONG],
            "impersonable": True,
            "destination": f"https://{'very-long-' * 6}host.example.com",
        },
    ),
    "consent-rtl": Sample(
        "consent.html",
        CONSENT | {"client": ARABIC_CLIENT, "already": ["See your email address"]},
        RTL,
    ),
    "consent-hostile": Sample(
        "consent.html",
        CONSENT
        | {
            "client": HOSTILE_CLIENT,
            "account": HOSTILE_PERSON,
            "groups": HOSTILE_GROUPS,
            "already": [HOSTILE],
            "destination": HOSTILE,
        },
    ),
    "protocol-error": Sample(
        "protocol_error.html",
        CANNOT_START | {"client": CLIENT, "developer": DEVELOPER},
        {"development": True},
    ),
    "protocol-error-owner": Sample(
        "protocol_error.html",
        CANNOT_START
        | {
            "client": CLIENT,
            "developer": DEVELOPER
            | {"comparison": client_errors.COMPARED | {"difference": None}, "log_url": "/log"},
        },
        {"development": True},
    ),
    "help-refused": Sample("error_help.html", client_errors.HELP),
    "protocol-error-public": Sample(
        "protocol_error.html",
        {
            "client": None,
            "heading": "An application couldn’t start sign-in",
            "user_text": "Nothing you did is wrong. Tell the people who run the application.",
            "developer": DEVELOPER
            | {"parameter": None, "received": None, "difference": None, "docs_url": None}
            | {"in_log": False},
        },
    ),
    "protocol-error-hostile": Sample(
        "protocol_error.html",
        {
            "client": HOSTILE_CLIENT,
            "heading": HOSTILE,
            "user_text": HOSTILE,
            "developer": dict.fromkeys(DEVELOPER, HOSTILE)
            | {"docs_url": None, "log_url": None}
            | {"comparison": client_errors.from_outside(HOSTILE)},
        },
        {"development": True},
    ),
    "leaving-error": Sample("leaving.html", LEAVING),
    "leaving-error-form": Sample(
        "leaving.html",
        LEAVING
        | {
            "ending": {
                "action": "https://tools.example.net/callback",
                "fields": {"error": "invalid_scope"},
            }
        },
    ),
    "leaving-error-hostile": Sample(
        "leaving.html",
        LEAVING
        | {"client": HOSTILE_CLIENT, "heading": HOSTILE, "user_text": HOSTILE}
        | {"destination": f"https://{'very-long-' * 6}host.example.com"},
    ),
    "error": Sample(
        "error.html",
        {
            "status": 404,
            "title": "There is nothing here",
            "message": "The address may be mistyped, or the page has moved.",
            "action_label": "Go to the start page",
            "action_url": "/",
            "retry_after": None,
        },
    ),
    "error-expired": Sample(
        "error.html",
        {
            "status": 400,
            "title": "This sign-in took too long",
            "message": "For your safety it has ended. Start again at Field Notes.",
            "action_label": "Start again at Field Notes",
            "action_url": "https://notes.example.com",
            "retry_after": None,
            "client": CLIENT,
        },
    ),
    "error-throttled": Sample(
        "error.html",
        {
            "status": 429,
            "title": "Too many tries",
            "message": "Somebody typed a wrong password too often. Nothing is lost.",
            "action_label": None,
            "action_url": None,
            "retry_after": 240,
        },
    ),
    "error-rtl": Sample(
        "error.html",
        {
            "status": 500,
            "title": "خطأ",
            "message": "حدث خطأ ما.",
            "action_label": "ابدأ",
            "action_url": "/",
        },
        RTL,
    ),
    "error-hostile": Sample(
        "error.html",
        {
            "status": 400,
            "title": HOSTILE,
            "message": HOSTILE,
            "action_label": HOSTILE,
            "action_url": "/",
        },
    ),
    "wrong-address": Sample(
        "wrong_address.html",
        {
            "opened": "http://127.0.0.1:8000/",
            "expected": "http://localhost:8000",
            "setting_hint": "If people should reach it under the address you opened, "
            "set IDP_ISSUER to http://127.0.0.1:8000 and start again.",
        },
        {"development": True},
    ),
    "wrong-address-hostile": Sample(
        "wrong_address.html",
        {"opened": HOSTILE, "expected": "https://id.example.com", "setting_hint": HOSTILE},
    ),
    "sign-out": Sample("sign_out.html", {"account": ADA, "client": CLIENT, "action": ACTION}),
    "sign-out-own": Sample(
        "sign_out.html", {"account": NAMELESS, "client": None, "action": ACTION}
    ),
    "sign-out-others": Sample(
        "sign_out.html",
        {
            "account": ADA,
            "others": [GRACE, LONG_PERSON, HOSTILE_PERSON],
            "client": CLIENT,
            "action": ACTION,
        },
    ),
    "signed-out": Sample(
        "signed_out.html",
        {
            "client": CLIENT,
            "ended": [ADA],
            "continue_url": "https://notes.example.com",
            "stays": [
                "Applications that you opened before may keep you signed in "
                "until their own session ends.",
                "Field Notes stays connected to your account: "
                "it may go on working while you are away.",
            ],
        },
    ),
    "open-application": Sample(
        "open_application.html",
        {
            "account": ADA,
            "client": CLIENT,
            "host": "notes.example.com",
            "continue_url": "https://notes.example.com/start",
            "cancel_url": "/account/applications",
        },
    ),
    "signed-out-onward": Sample(
        "signed_out.html",
        {
            "client": CLIENT,
            "continue_url": "#onward",  # its script goes there by itself
            "onward": True,
            "frames": [],
        },
    ),
    "signed-out-plain": Sample(
        "signed_out.html",
        {
            "client": None,
            "continue_url": None,
            "stays": [],
            "ended": [],
            "sign_in_url": "/sign-in",
        },
    ),
    "signed-out-others": Sample(
        "signed_out.html",
        {
            "client": None,
            "ended": [ADA],
            "still": [GRACE, NAMELESS],
            "sign_out_action": ACTION,
            "sign_in_url": "/sign-in",
            "stays": ["Applications that you used may keep you signed in."],
        },
    ),
    "signed-out-hostile": Sample(
        "signed_out.html",
        {
            "client": HOSTILE_CLIENT,
            "ended": [HOSTILE_PERSON],
            "still": [LONG_PERSON],
            "sign_out_action": ACTION,
            "sign_in_url": "/sign-in",
        },
    ),
    "home": Sample(
        "home.html",
        {
            "account": ADA,
            "signed_in_at": 1_794_000_000,
            "sign_out_action": ACTION,
            "links": [
                {
                    "label": "Playground",
                    "url": "/playground",
                    "description": "Watch a sign-in happen, message by message.",
                },
                {
                    "label": "Discovery document",
                    "url": "/.well-known/openid-configuration",
                    "description": "What applications need to know about this server.",
                },
            ],
        },
        {"development": True},
    ),
    "home-several": Sample(
        "home.html",
        {
            "account": ADA,
            "others": [
                {"account": GRACE, "value": "2"},
                {"account": LONG_PERSON, "value": "3"},
                {"account": HOSTILE_PERSON, "value": "4"},
            ],
            "choose_action": ACTION,
            "signed_in_at": 1_794_000_000,
            "sign_out_action": ACTION,
            "links": [
                {
                    "label": "Your account",
                    "url": "/account",
                    "description": "Personal info, security, connected apps",
                }
            ],
        },
    ),
    "home-visitor": Sample("home.html", {"account": None, "sign_in_url": "/sign-in", "links": []}),
    "administrator": Sample("administrator.html", ADMINISTRATOR),
    "administrator-errors": Sample(
        "administrator.html",
        ADMINISTRATOR
        | {
            "errors": {
                "email": "Enter an address like name@example.org.",
                "password": "This password is too short: 12 characters at least.",
            },
            "values": {"email": "ada@", "name": "Ada Lovelace"},
        },
    ),
    "administrator-rtl": Sample(
        "administrator.html", ADMINISTRATOR | {"errors": {"name": "خطأ"}}, RTL
    ),
    "forgot": Sample("forgot.html", FORGOT),
    "forgot-error": Sample("forgot.html", FORGOT | {"identifier": "ada@", "error": NO_ADDRESS}),
    "forgot-fixed": Sample("forgot.html", FORGOT | {"fixed": True}),
    "forgot-long": Sample(
        "forgot.html", FORGOT | {"fixed": True, "identifier": LONG_PERSON["email"]}
    ),
    "forgot-rtl": Sample("forgot.html", FORGOT | {"client": ARABIC_CLIENT, "error": "خطأ"}, RTL),
    "forgot-hostile": Sample("forgot.html", FORGOT | {"identifier": HOSTILE, "fixed": True}),
    "new-password": Sample("new_password.html", NEW_PASSWORD),
    "new-password-error": Sample("new_password.html", NEW_PASSWORD | {"error": TOO_SHORT}),
    "new-password-rtl": Sample("new_password.html", NEW_PASSWORD | {"error": "خطأ"}, RTL),
    "new-password-hostile": Sample("new_password.html", NEW_PASSWORD | {"email": HOSTILE}),
    "sign-up": Sample("sign_up.html", SIGN_UP),
    "sign-up-plain": Sample("sign_up.html", SIGN_UP | {"client": None, "cancel_url": None}),
    "sign-up-error": Sample("sign_up.html", SIGN_UP | {"identifier": "ada@", "error": NO_ADDRESS}),
    "sign-up-said": Sample(
        "sign_up.html", SIGN_UP | {"said": "Your password was changed. Sign in with it."}
    ),
    "sign-up-stranger": Sample("sign_up.html", SIGN_UP | {"client": LONG_CLIENT}),
    "sign-up-rtl": Sample("sign_up.html", SIGN_UP | {"client": ARABIC_CLIENT}, RTL),
    "sign-up-hostile": Sample(
        "sign_up.html",
        SIGN_UP | {"client": HOSTILE_CLIENT, "identifier": HOSTILE, "error": HOSTILE},
    ),
    "new-account": Sample("new_account.html", NEW_ACCOUNT),
    "new-account-plain": Sample("new_account.html", NEW_ACCOUNT | {"client": None}),
    "new-account-errors": Sample(
        "new_account.html",
        NEW_ACCOUNT
        | {"name": "Ada", "errors": {"name": "A letter is odd.", "password": TOO_SHORT}},
    ),
    "new-account-long": Sample(
        "new_account.html", NEW_ACCOUNT | {"client": LONG_CLIENT, "email": LONG_PERSON["email"]}
    ),
    "new-account-rtl": Sample(
        "new_account.html", NEW_ACCOUNT | {"client": ARABIC_CLIENT, "errors": {"name": "خطأ"}}, RTL
    ),
    "new-account-hostile": Sample(
        "new_account.html",
        NEW_ACCOUNT | {"client": HOSTILE_CLIENT, "email": HOSTILE, "name": HOSTILE},
    ),
    "invited": Sample("new_account.html", INVITED),
    "invited-error": Sample("new_account.html", INVITED | {"errors": {"password": TOO_SHORT}}),
    "playground": Sample("playground/start.html", PLAYGROUND_START, {"development": True}),
    "playground-errors": Sample(
        "playground/start.html",
        PLAYGROUND_START
        | {
            "errors": {
                "scope": "Choose at least one.",
                "max_age": "A whole number of seconds.",
                "prompt": "Unknown.",
            },
            "values": {"prompt": "login", "max_age": "soon", "resource": "https://api.example.com"},
            "resources": [{"identifier": "https://api.example.com", "name": "Invoices API"}],
        },
    ),
    "playground-rtl": Sample("playground/start.html", PLAYGROUND_START, RTL),
    "playground-hostile": Sample(
        "playground/start.html",
        PLAYGROUND_START
        | {
            "parameters": HOSTILE_ROWS,
            "request_url": HOSTILE,
            "scopes": [{"name": HOSTILE, "checked": True, "meaning": HOSTILE}],
            "values": {"prompt": HOSTILE, "max_age": HOSTILE, "resource": HOSTILE},
        },
    ),
    "playground-callback": Sample(
        "playground/callback.html",
        {
            "parameters": CALLBACK_ROWS,
            "action": ACTION,
            "restart_url": "/playground",
            "error": None,
            "command": EXCHANGES[0]["request"],
            "checks": [
                {"text": "The state is the one that this browser was given.", "good": True},
                {"text": "The issuer is the one that was asked.", "good": True},
            ],
        },
    ),
    "playground-callback-error": Sample(
        "playground/callback.html",
        {
            "parameters": [row("error", "access_denied", "You chose Cancel.")],
            "action": ACTION,
            "restart_url": "/playground",
            "error": "access_denied: you chose Cancel.",
        },
    ),
    "playground-tokens": Sample("playground/tokens.html", TOKENS_PAGE, {"development": True}),
    "playground-tokens-rtl": Sample(
        "playground/tokens.html",
        TOKENS_PAGE | {"available": ["userinfo", "sign_out"], "error": "خطأ"},
        RTL,
    ),
    "playground-tokens-hostile": Sample(
        "playground/tokens.html",
        TOKENS_PAGE
        | {
            "exchanges": [
                {"title": HOSTILE, "request": HOSTILE, "status": 200, "response": HOSTILE}
            ],
            "tokens": [
                {
                    "title": HOSTILE,
                    "raw": HOSTILE,
                    "header_rows": HOSTILE_ROWS,
                    "claim_rows": HOSTILE_ROWS,
                    "verdict": {"text": HOSTILE, "good": False},
                }
            ],
        },
    ),
    "wrong-permission": Sample(
        "not_permitted.html",
        {"account": ADA, "sentence": "You may not do this.", "switch_url": "/x", "home_url": "/"},
    ),
    **{name: Sample(*one) for name, one in mail_samples.samples(HOSTILE, LONG).items()},
    **{name: Sample(*one) for name, one in outbox_samples.samples(HOSTILE, LONG).items()},
    **{name: Sample(*one) for name, one in account_samples.samples(HOSTILE, LONG).items()},
    **{name: Sample(*one) for name, one in developer_samples.samples(HOSTILE, LONG).items()},
    **{name: Sample(*one) for name, one in admin_samples.samples(HOSTILE, LONG).items()},
}
