"""What a logout token says: OpenID Connect Back-Channel Logout 1.0 section 2.4.

Which key signs it is the mint's business. It has no `nonce`, and a type of its own, so that it can
be taken for no ID token.
"""

from typing import Any

from idp.crypto.secrets import random_identifier

TYPE = "logout+jwt"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME = 120
"""Seconds: as long as it may be on its way."""


def body(issuer: str, client_id: str, subject: str, sid: str, now: int) -> dict[str, Any]:
    """Return the claims: the session that the client calls `sid`, of whom it calls `subject`, has
    ended.
    """
    return {
        "iss": issuer,
        "sub": subject,
        "aud": client_id,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": random_identifier(),
        "sid": sid,
        "events": {EVENT: {}},
    }
