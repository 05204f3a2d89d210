"""One mail of each kind, as it is put into the outbox."""

from typing import Any

from tests.support.held_clock import START

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0"
ISSUER = "https://id.example.test"
LINK = f"{ISSUER}/interaction/4rT9/mail/Zk3v-9aQ"
AT = int(START)
_ASKED = {"address": "203.0.113.7", "browser": FIREFOX}
_SEEN = {"address": "2001:db8::7", "user_agent": FIREFOX}
_CODE = {"link": LINK, "code": "402917", "minutes": 10}
_ADDRESSES = {"old": "ada@example.test", "new": "ada.lovelace@example.test", "at": AT}

SAMPLES: dict[str, dict[str, Any]] = {
    "sign_in_link": _CODE | _ASKED | {"client": "Field Notes"},
    "sign_in_no_account": _ASKED | {"sign_up_link": f"{ISSUER}/interaction/4rT9/sign-up"},
    "sign_up_link": _CODE | _ASKED,
    "sign_up_exists": {"sign_in_link": f"{ISSUER}/sign-in"} | _ASKED,
    "invitation": {"link": LINK, "days": 7, "inviter": "Grace Hopper", "product": "Doorward"},
    "reset_link": _CODE | _ASKED,
    "prove_address": _CODE | {"new_email": "ada.lovelace@example.test"},
    "address_changed_old": _ADDRESSES,
    "address_changed_new": _ADDRESSES,
    "credential_added": {"factor": "passkey", "name": "Ada’s phone", "at": AT} | _SEEN,
    "credential_removed": {"factor": "recovery_codes", "name": "", "at": AT} | _SEEN,
    "password_changed": {"at": AT, "reset": False} | _SEEN,
    "new_device": {"at": AT} | _SEEN,
    "deletion_planned": {"deletes_at": AT + 14 * 86400},
    "deletion_cancelled": {},
    "recovery_codes_low": {"left": 2},
    "mail_test": {},
}
