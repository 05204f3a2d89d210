"""OpenID Connect Session Management 1.0: by what a client notices that a sign-in changed."""

from hashlib import sha256

from idp.crypto.secrets import random_identifier
from idp.protocol.front_channel_logout import origin


def session_state(client_id: str, redirect_uri: str, browser_state: str) -> str | None:
    """Return `session_state` (section 2): hash and salt, which static/js/check-session.js takes
    apart; None for a redirect URI that no page can have.

    Only a page of the client's own origin, with this browser state, gets the same hash.
    """
    at = origin(redirect_uri)
    if not at.startswith("http"):
        return None
    salt = random_identifier()
    text = f"{client_id} {at} {browser_state} {salt}"
    return f"{sha256(text.encode()).hexdigest()}.{salt}"
