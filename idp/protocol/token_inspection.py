"""What whoever receives a token of ours has to check: OpenID Connect Core section 3.1.3.7 for ID
tokens, RFC 9068 section 4 for access tokens.

Every check has an answer of its own, so that each can be shown; a token is good when all are.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.crypto import foreign_jwt
from idp.crypto.jwe import is_encrypted
from idp.crypto.jwk import BadKey, load_public
from idp.crypto.jwt import BadToken, PublicKey, verify
from idp.protocol import id_token
from idp.protocol.id_token import half_hash
from idp.protocol.tokens import ACCESS_TOKEN_ALGORITHM, ACCESS_TOKEN_TYPE

_MINUTE = 60


@dataclass(frozen=True)
class Check:
    """One check and how it ended."""

    text: str
    good: bool


@dataclass(frozen=True)
class Inspection:
    """A token read without trust, and what the checks say of it."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    checks: tuple[Check, ...]

    @property
    def good(self) -> bool:
        """Whether nothing speaks against it."""
        return all(check.good for check in self.checks)


@dataclass(frozen=True)
class Expected:
    """What the receiver knows. `now` is in seconds since 1970, `jwks` the issuer's document.

    `algorithm` is the one it registered for, and `secrets` are the keys where that is HS256;
    `nonce` is None when it sent none in this request.
    """

    issuer: str
    audience: str
    jwks: Mapping[str, Any]
    now: float
    algorithm: str = ACCESS_TOKEN_ALGORITHM
    nonce: str | None = None
    access_token: str | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)


def inspect_id_token(token: str, expected: Expected) -> Inspection:
    """Check an ID token as the client that asked for it; one that is encrypted only it can open."""
    header, claims = _read(token)
    if is_encrypted(token):
        text = "it is encrypted to a key of the application, which alone can open it"
        return Inspection(header, {}, (Check(text, good=True),))
    checks = [
        _signature(token, expected, id_token.TYPE),
        _issuer(claims, expected),
        _audience(claims, expected),
        _expiry(claims, expected.now),
    ]
    if expected.nonce is not None:
        same = claims.get("nonce") == expected.nonce
        text = "is the one that was sent" if same else "is not the one that was sent"
        checks.append(Check(f"nonce {text}", same))
    if expected.access_token is not None and expected.algorithm in id_token.ALGORITHMS:
        checks.append(_access_token_hash(claims, expected.algorithm, expected.access_token))
    return Inspection(header, claims, tuple(checks))


def inspect_access_token(token: str, expected: Expected) -> Inspection:
    """Check an access token as the API `expected.audience`."""
    header, claims = _read(token)
    checks = (
        _signature(token, expected, ACCESS_TOKEN_TYPE),
        _issuer(claims, expected),
        _audience(claims, expected),
        _expiry(claims, expected.now),
    )
    return Inspection(header, claims, checks)


def _read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Decode header and claims; what can't be decoded is empty."""
    header, claims, *_ = (*token.split("."), "")
    return _object(header), _object(claims)


def _object(part: str) -> dict[str, Any]:
    try:
        found = json.loads(urlsafe_b64decode(f"{part}==="))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _signature(token: str, expected: Expected, typ: str) -> Check:
    if expected.algorithm not in id_token.KEY_ALGORITHMS:
        return _signature_without_keys(token, expected)
    keys = dict(filter(None, map(_key, expected.jwks.get("keys", ()))))
    try:
        verify(token, keys.get, algorithms=(expected.algorithm,), typ=typ)
    except BadToken as error:
        reason = "its kid is not in the JWKS" if error.reason == "unknown key" else error.reason
        return Check(f"signature does not verify: {reason}", False)
    return Check(f"signature verifies with a key of the JWKS ({expected.algorithm})", True)


def _signature_without_keys(token: str, expected: Expected) -> Check:
    """Judge one that no key of the JWKS signed, as its client registered."""
    try:
        found = foreign_jwt.read(token)
    except BadToken as error:
        return Check(f"signature does not verify: {error.reason}", good=False)
    if expected.algorithm == id_token.UNSIGNED:
        text = "it is not signed, as was registered" if found.unsigned else "it is signed"
        return Check(text, found.unsigned)
    good = any(map(found.signed_with, expected.secrets))
    what = "verifies" if good else "does not verify"
    return Check(f"signature {what} with the client secret ({expected.algorithm})", good)


def _key(jwk: Mapping[str, Any]) -> tuple[str, PublicKey] | None:
    try:
        key = load_public(dict(jwk))
    except BadKey:
        return None
    return key.kid, key


def _issuer(claims: Mapping[str, Any], expected: Expected) -> Check:
    same = claims.get("iss") == expected.issuer
    return Check("iss is the issuer that was asked" if same else "iss is another issuer", same)


def _audience(claims: Mapping[str, Any], expected: Expected) -> Check:
    found = claims.get("aud")
    audience = found if isinstance(found, list) else [found]
    if expected.audience in audience:
        return Check(f"aud names {expected.audience}", True)
    return Check(f"aud does not name {expected.audience}", False)


def _expiry(claims: Mapping[str, Any], now: float) -> Check:
    expires_at = claims.get("exp")
    if not isinstance(expires_at, int):
        return Check("exp is missing", False)
    left = expires_at - int(now)
    if left > 0:
        return Check(f"exp is {_span(left)} away", True)
    return Check(f"expired {_span(-left)} ago", False)


def _span(seconds: int) -> str:
    if seconds < 2 * _MINUTE:
        return f"{seconds} seconds"
    return f"{seconds // _MINUTE} minutes"


def _access_token_hash(claims: Mapping[str, Any], algorithm: str, access_token: str) -> Check:
    same = claims.get("at_hash") == half_hash(access_token, algorithm)
    which = "this access token" if same else "another access token"
    return Check(f"at_hash belongs to {which}", same)
