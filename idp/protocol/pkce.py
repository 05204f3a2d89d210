"""Proof Key for Code Exchange (RFC 7636): S256 only, bound to the code, never downgraded (RFC 9700
section 2.1.1).
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode

METHODS = ("S256",)
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def challenge_problem(challenge: str | None, method: str | None, *, required: bool) -> str | None:
    """Return what is wrong with an authorization request's challenge (sections 4.3 and 4.4.1)."""
    if challenge is None:
        if method is not None:
            return "code_challenge_method without code_challenge."
        return "This client must use PKCE: code_challenge is missing." if required else None
    if method != "S256":
        return "code_challenge_method must be S256."
    if not _CHALLENGE.fullmatch(challenge):
        return "code_challenge must be 43 characters of base64url."
    return None


def verifies(challenge: str | None, verifier: str | None) -> bool:
    """Whether `verifier` fits (section 4.6). A verifier without a challenge is a downgrade and fits
    nothing.
    """
    if challenge is None or verifier is None:
        return challenge is None and verifier is None
    if not _VERIFIER.fullmatch(verifier):
        return False
    hashed = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(hashed, challenge.encode())


def verifier_problem(challenge: str | None, verifier: str | None) -> str:
    """Say for the client's developer why `verifier` does not fit, without a letter of either."""
    if verifier is None:
        return "It is missing."
    if challenge is None:
        return "The authorization request had no code_challenge."
    if not _VERIFIER.fullmatch(verifier):
        return "It must be 43 to 128 letters, digits or -._~ (RFC 7636 section 4.1)."
    return "Its SHA-256 is not the code_challenge of the authorization request."
