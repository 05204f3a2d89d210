"""Claims about a person: OpenID Connect Core sections 5.1, 5.2 and 5.4; `groups` is our own."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from idp.domain.accounts import Account
from idp.domain.authorizations import Authorization
from idp.domain.clients import Client
from idp.domain.consents import claim_of
from idp.domain.profile_claims import ADDRESS, PHONE, PROFILE

SCOPE_CLAIMS = {
    "profile": ("name", *PROFILE, "updated_at"),
    "email": ("email", "email_verified"),
    "address": ADDRESS,
    "phone": PHONE,
    "groups": ("groups",),
}
SCOPE_OF = {claim: scope for scope, claims in SCOPE_CLAIMS.items() for claim in claims}
"""Who may be told a claim: a client that is registered for its scope."""
CLAIMS = tuple(SCOPE_OF)


def uncovered(names: Collection[str]) -> list[str]:
    """Return scopes and consented claims without the claims that one of the scopes tells anyway."""
    return [name for name in names if SCOPE_OF.get(claim_of(name)) not in names]


def told(
    authorization: Authorization,
    client: Client,
    scopes: Collection[str],
    place: Literal["userinfo", "id_token"],
) -> dict[str, Any]:
    """Return what a client is told in one place: the claims of `scopes`, and those that were asked
    for one by one there. What is not known is left out (section 5.3.2).
    """
    asked = authorization.claims
    locales = asked.get("locales", ())
    known = _known(authorization.account)
    found: dict[str, Any] = {}
    for claim, scope in SCOPE_OF.items():
        if scope in scopes:
            found |= _in_languages(known, claim, locales)
    for name, values in asked.get(place, {}).items():
        claim, mark, language = name.partition("#")
        if SCOPE_OF.get(claim) in client.scopes:
            one = _in_language(known, claim, language) if mark else {}
            one = one if mark else _in_languages(known, claim, locales)
            found |= {key: value for key, value in one.items() if _will_do(value, values)}
    return found


def _known(account: Account) -> dict[str, Any]:
    known = {
        **account.profile,
        "name": account.name,
        "email": account.email,
        "email_verified": account.email_verified,
        "updated_at": account.updated_at,
        "groups": sorted(account.groups),
    }
    return {name: value for name, value in known.items() if value not in (None, "", {})}


def _in_languages(known: Mapping[str, Any], claim: str, locales: Sequence[str]) -> dict[str, Any]:
    """Return a claim in the language that is liked best.

    Who likes several gets the others too, with their tags: one alone needs none (section 5.2).
    """
    found = {claim: known[claim]} if claim in known else {}
    others = {}
    for locale in reversed(locales):
        name = claim if _is_usual(known, locale) else _nearest(known, claim, locale)
        if name in known:
            others[name] = found[claim] = known[name]
    return (others if len(locales) > 1 else {}) | found


def _in_language(known: Mapping[str, Any], claim: str, language: str) -> dict[str, Any]:
    """Return a claim under the tag that was asked for, or under its own when that is another
    (section 5.5.2).
    """
    name, asked = _nearest(known, claim, language), f"{claim}#{language}"
    if name:
        return {asked if name.lower() == asked.lower() else name: known[name]}
    usual = claim in known and _is_usual(known, language)
    return {asked: known[claim]} if usual else {}


def _is_usual(known: Mapping[str, Any], locale: str) -> bool:
    """Whether a locale is the person's own, in which claims without a tag are."""
    return _fits(locale, known.get("locale", ""))


def _nearest(known: Mapping[str, Any], claim: str, locale: str) -> str:
    """Return the tagged name that a locale means: its own tag, else one that it holds or is held by
    (RFC 4647 sections 3.3.1 and 3.4); empty when there is none.
    """
    tagged = [name for name in known if name.startswith(f"{claim}#")]
    exact = [name for name in tagged if name.lower() == f"{claim}#{locale}".lower()]
    return next((name for name in (*exact, *tagged) if _fits(locale, name.partition("#")[2])), "")


def _fits(locale: str, tag: str) -> bool:
    one, other = f"{locale}-".lower(), f"{tag}-".lower()
    return bool(tag) and (one.startswith(other) or other.startswith(one))


def _will_do(value: Any, values: Sequence[Any]) -> bool:
    """Whether a claim has a value that was asked for; true is not 1."""
    return not values or any(type(one) is type(value) and one == value for one in values)
