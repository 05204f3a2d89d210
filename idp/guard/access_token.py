"""What an access token says (RFC 9068 section 2.2, RFC 7662 section 2.2)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.guard.errors import InvalidToken


@dataclass(frozen=True)
class AccessToken:
    """A token that was found good: who may do what, by which client, and how they signed in.

    Times are seconds since 1970; `auth_time` is None and `acr` is "" where nobody signed in.
    `claims` holds all that was said, as it was said.
    """

    subject: str
    client_id: str
    scopes: frozenset[str]
    expires_at: float | None
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    entitlements: frozenset[str] = frozenset()
    acr: str = ""
    amr: tuple[str, ...] = ()
    auth_time: float | None = None
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_client(self) -> bool:
        """Whether a client acts for itself, so that nobody signed in (RFC 9068 section 5)."""
        return self.subject == self.client_id


def said(claims: Mapping[str, Any]) -> AccessToken:
    """Return what `claims` say. Raises InvalidToken for what is not of its type."""
    return AccessToken(
        subject=text(claims, "sub"),
        client_id=text(claims, "client_id"),
        scopes=frozenset(text(claims, "scope").split(" ")) - {""},
        expires_at=seconds(claims, "exp"),
        roles=_values(claims.get("roles")),
        groups=_values(claims.get("groups")),
        entitlements=_values(claims.get("entitlements")),
        acr=text(claims, "acr"),
        amr=tuple(texts(claims, "amr")),
        auth_time=seconds(claims, "auth_time"),
        claims=claims,
    )


def text(claims: Mapping[str, Any], name: str) -> str:
    """Return a text, "" where there is none. Raises InvalidToken."""
    value = claims.get(name, "")
    if not isinstance(value, str):
        raise InvalidToken(f"{name} is no text")
    return value


def texts(claims: Mapping[str, Any], name: str) -> list[str]:
    """Return a list of texts, of which one may stand alone, as in `aud`. Raises InvalidToken."""
    value = claims.get(name, [])
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise InvalidToken(f"{name} is no list of texts")
    return found


def seconds(claims: Mapping[str, Any], name: str) -> float | None:
    """Return a time (RFC 7519 section 2, NumericDate). Raises InvalidToken."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidToken(f"{name} is no time")
    return value


def _values(said: Any) -> frozenset[str]:
    """Read roles, groups or entitlements: texts, or objects with a `value` (RFC 7643 section 2.4).

    What is neither gives nothing.
    """
    found = [
        each.get("value") if isinstance(each, Mapping) else each
        for each in (said if isinstance(said, list) else [])
    ]
    return frozenset(each for each in found if isinstance(each, str) and each)
