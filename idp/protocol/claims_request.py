"""Claims asked for one by one: the parameters `claims` and `claims_locales`, OpenID Connect Core
sections 5.2 and 5.5.

What we don't know, and what the client is not registered for, is left out: nobody gets an error for
a claim that is not told, be it essential or not (section 5.5.1).
"""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from idp.domain.clients import Client
from idp.domain.consents import Pairs, name_of
from idp.domain.profile_claims import TRANSLATABLE, is_language
from idp.protocol import faults
from idp.protocol.claims import SCOPE_CLAIMS, SCOPE_OF
from idp.protocol.errors import RedirectedError

Wish = Mapping[str, Any]
"""How one claim is asked for: `essential`, `value`, `values`; empty for null."""
Wishes = Mapping[str, Sequence[Any]]
"""Names of claims, some with a language tag, and the values that will do; none: any will."""
_MOST_CLAIMS = 50
_MOST_VALUES = 50
_MOST_LOCALES = 10


@dataclass(frozen=True)
class Decoded:
    """The parameter `claims` as it came, well formed."""

    userinfo: Mapping[str, Wish] = field(default_factory=dict)
    id_token: Mapping[str, Wish] = field(default_factory=dict)


@dataclass(frozen=True)
class ClaimsRequest:
    """What the client wants to be told, and may be if the person agrees, where, and in which
    languages, the best liked first.
    """

    userinfo: Wishes = field(default_factory=dict)
    id_token: Wishes = field(default_factory=dict)
    locales: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The claims, without language tags."""
        return frozenset(name.partition("#")[0] for name in (*self.userinfo, *self.id_token))

    def as_json(self) -> dict[str, Any] | None:
        """Return it as an authorization keeps it; None when nothing was asked for."""
        kept = {"userinfo": self.userinfo, "id_token": self.id_token, "locales": self.locales}
        return {name: value for name, value in kept.items() if value} or None


def from_json(stored: Mapping[str, Any]) -> ClaimsRequest:
    """Return what was stored of it."""
    return ClaimsRequest(
        stored.get("userinfo", {}), stored.get("id_token", {}), tuple(stored.get("locales", ()))
    )


def _wrong(text: str) -> RedirectedError:
    return RedirectedError("invalid_request", text, fault=faults.parameter("claims"))


def decode(text: str) -> Decoded:
    """Read the parameter `claims`; members that nobody knows are ignored. Raises
    RedirectedError.
    """
    if not text:
        return Decoded()
    try:
        claims = json.loads(text)
        json.dumps(claims, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise _wrong("claims is not JSON.") from error
    if not isinstance(claims, dict):
        raise _wrong("claims must be an object.")
    return Decoded(_member(claims.get("userinfo")), _member(claims.get("id_token")))


def _member(asked: Any) -> dict[str, Wish]:
    if not isinstance(asked, dict | None):
        raise _wrong("claims must be an object of objects.")
    wishes = {name: wish or {} for name, wish in (asked or {}).items()}
    if len(wishes) > _MOST_CLAIMS:
        raise _wrong("claims asks for too many claims.")
    if not all(isinstance(wish, dict) for wish in (asked or {}).values() if wish is not None):
        raise _wrong("claims asks for one in no form that is known.")
    return wishes


def values_of(wish: Wish) -> list[Any] | None:
    """Return the values that will do; None: any will. Raises RedirectedError."""
    many, one = wish.get("values"), wish.get("value")
    if many is None:
        return None if one is None else [one]
    if not isinstance(many, list) or len(many) > _MOST_VALUES:
        raise _wrong("values must be a list, and not too long.")
    return many or None


def subjects(decoded: Decoded, hinted: str | None) -> tuple[str, ...]:
    """Return the people one of whom has to sign in; none: whoever comes.

    They are named by `sub` with a value, or by `id_token_hint` (section 3.1.2.2). Raises
    RedirectedError when nobody can be all of them.
    """
    named = [] if hinted is None else [[hinted]]
    for member in (decoded.userinfo, decoded.id_token):
        values = values_of(member.get("sub", {}))
        if values is not None:
            named.append([value for value in values if isinstance(value, str)])
    if not named:
        return ()
    found = tuple(one for one in named[0] if all(one in others for others in named))
    if not found:
        raise RedirectedError("login_required", "Nobody is all of those who are asked for.")
    return found


def parse(
    decoded: Decoded, claims_locales: str, scopes: Collection[str], client: Client
) -> ClaimsRequest:
    """Return what of it the client may be told. Without `openid` there is no place to tell it.
    Raises RedirectedError.
    """
    if "openid" not in scopes:
        return ClaimsRequest()
    locales = tuple(dict.fromkeys(filter(is_language, claims_locales.split())))
    return ClaimsRequest(
        _allowed(decoded.userinfo, client),
        _allowed(decoded.id_token, client),
        locales[:_MOST_LOCALES],
    )


def _allowed(asked: Mapping[str, Wish], client: Client) -> dict[str, list[Any]]:
    allowed = {}
    for name in filter(_is_claim, asked):
        values = values_of(asked[name])
        comparable = [value for value in values or () if _is_comparable(value)]
        registered = SCOPE_OF[name.partition("#")[0]] in client.scopes
        if registered and (values is None or comparable):
            allowed[name] = comparable
    return allowed


def _is_claim(name: str) -> bool:
    claim, mark, language = name.partition("#")
    return claim in TRANSLATABLE and is_language(language) if mark else claim in SCOPE_OF


def _is_comparable(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str | bool | int)


def pairs(asked: ClaimsRequest, scopes: Collection[str]) -> Pairs:
    """Return what a person has to allow beside `scopes`, as consent is remembered."""
    return frozenset(("", name_of(name)) for name in asked.names if SCOPE_OF[name] not in scopes)


def with_covered(allowed: Pairs) -> Pairs:
    """Return what was allowed, with each claim of each scope that was."""
    covered = [
        claim
        for scope, claims in SCOPE_CLAIMS.items()
        if ("", scope) in allowed
        for claim in claims
    ]
    return allowed | {("", name_of(claim)) for claim in covered}
