"""Time-based one-time passwords (RFC 6238) as every authenticator app makes them: steps of 30
seconds, six digits, HMAC-SHA-1. Wraps pyotp.
"""

import pyotp
from pyotp.exceptions import OTPVerificationError

DIGITS = 6
_DRIFT = 1
"""Steps by which a clock may be slow or fast (RFC 6238 section 5.2)."""


def new_seed() -> str:
    """Return 160 random bits (RFC 4226 section 4, R6) as 32 letters and digits of base32."""
    return pyotp.random_base32()


def provisioning_uri(seed: str, issuer_name: str, account_name: str) -> str:
    """Return what an app reads from a QR code: an `otpauth:` URI with the seed in it."""
    return pyotp.TOTP(seed).provisioning_uri(name=account_name, issuer_name=issuer_name)


def matching_step(seed: str, code: str, now: float) -> int | None:
    """Return the time step that `code` belongs to: this one, the one before or the one after.

    None when it belongs to none of them. `now` is in seconds since 1970; the digits may be those of
    any script. Compares in constant time.
    """
    if len(code) != DIGITS or not code.isdecimal():
        return None
    plain = f"{int(code):0{DIGITS}}"
    try:
        return pyotp.TOTP(seed).verify_and_get_timecode(plain, for_time=now, valid_window=_DRIFT)
    except OTPVerificationError:
        return None
