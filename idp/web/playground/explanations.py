"""What each parameter and claim is for, in a sentence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

SCOPES = {
    "openid": "Say who signed in, in an ID token.",
    "profile": "Name, picture and the like, at userinfo.",
    "email": "The address, and whether it is proven.",
    "address": "The postal address, if it is known.",
    "phone": "The phone number, if it is known.",
    "groups": "The groups that the person is in.",
    "offline_access": "A refresh token that outlives the sign-out.",
}
REQUEST = {
    "response_type": "Send a code back, not a token: tokens never travel through the browser.",
    "client_id": "Who is asking.",
    "redirect_uri": "Where to send the browser then. It must be registered, letter by letter.",
    "scope": "What the application would like to know or do.",
    "state": "A random value that ties the answer to this browser: an answer that nobody here "
    "asked for is thrown away.",
    "nonce": "A random value that must come back inside the ID token, so that an old one can’t be "
    "slipped in.",
    "code_challenge": "The SHA-256 fingerprint of a secret, the code_verifier, that this "
    "application keeps (PKCE). Who steals the code can’t use it.",
    "code_challenge_method": "How the fingerprint was made. Nothing but S256 is accepted.",
    "prompt": "What to ask the person even if nothing needs asking.",
    "max_age": "Ask for the password again if the sign-in is older than this, in seconds.",
    "resource": "The API that the access token is for (RFC 8707).",
}
CALLBACK = {
    "code": "Stands for what was allowed. It is traded for tokens in the next step.",
    "state": "Must be the value that was sent.",
    "iss": "Who answered. It must be the issuer that was asked (RFC 9207).",
    "error": "Why there is no code, in a word for the application.",
    "error_description": "The same for its developer.",
}
ERRORS = {
    "access_denied": "The person chose Cancel.",
    "login_required": "With prompt=none nobody may be asked, and somebody would have to sign in.",
    "consent_required": "With prompt=none nobody may be asked, and permission would be needed.",
    "interaction_required": "With prompt=none nobody may be asked, and something would be asked.",
    "invalid_scope": "Nothing that was asked for can be granted.",
    "invalid_target": "The scopes don’t belong to the resource server that was chosen.",
}
LOGOUT = {
    "id_token_hint": "The whole ID token. It says who is to be signed out, so nobody has to be "
    "asked.",
    "client_id": "Who is asking. Without a hint, the person is asked first.",
    "post_logout_redirect_uri": "Where to go afterwards. It must be registered too.",
    "state": "Comes back with the browser.",
}
_HEADER = {
    "alg": "How it is signed. A receiver accepts what it expects, never what a token says.",
    "kid": "Which key of the JWKS signed it.",
    "typ": "What kind of token it is.",
}
_CLAIMS = {
    "iss": "Who issued it.",
    "sub": "Who signed in: an identifier that never changes. Names and addresses do.",
    "aud": "For whom it is. Everybody else must refuse it.",
    "exp": "It ends",
    "iat": "It was issued",
    "auth_time": "The person last proved who they are",
    "updated_at": "The profile last changed",
    "acr": "How strong the sign-in was.",
    "amr": "By what the person proved who they are: pwd is a password (RFC 8176).",
    "nonce": "The value that was sent with the request.",
    "at_hash": "The fingerprint of the access token that came along.",
    "jti": "The name of this token, by which it can be revoked.",
    "client_id": "Which application holds it.",
    "scope": "What it allows.",
    "authorization_id": "The permission that it rests on. When that is taken back, it is worth "
    "nothing at introspection.",
    "sid": "The session in which it was issued.",
}
_TIMES = frozenset({"exp", "iat", "auth_time", "updated_at"})
_TYPES = {"at+jwt": "An access token and nothing else (RFC 9068).", "JWT": "A JSON Web Token."}


@dataclass(frozen=True)
class Row:
    """A line of a table: a name, what it is here, and what that is for."""

    name: str
    value: str
    meaning: str


def parameters(values: Mapping[str, str], meanings: Mapping[str, str]) -> list[Row]:
    """Explain parameters, in the order in which they were sent."""
    unknown = "Not a parameter that this application knows: it is ignored."
    return [Row(name, value, meanings.get(name, unknown)) for name, value in values.items()]


def header(values: Mapping[str, Any]) -> list[Row]:
    """Explain the header of a token."""
    return [
        Row(name, str(value), _TYPES.get(str(value), _HEADER["typ"]) if name == "typ" else meaning)
        for name, value, meaning in _with_meanings(values, _HEADER)
    ]


def claims(values: Mapping[str, Any]) -> list[Row]:
    """Explain the claims of a token; times are told as dates too."""
    return [
        Row(name, _text(value), _dated(name, value, meaning))
        for name, value, meaning in _with_meanings(values, _CLAIMS)
    ]


def _with_meanings(
    values: Mapping[str, Any], meanings: Mapping[str, str]
) -> Iterable[tuple[str, Any, str]]:
    return [(name, value, meanings.get(name, "")) for name, value in values.items()]


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _dated(name: str, value: Any, meaning: str) -> str:
    if name not in _TIMES or not isinstance(value, int):
        return meaning
    return f"{meaning} on {datetime.fromtimestamp(value, UTC):%-d %B %Y at %H:%M:%S} UTC."
