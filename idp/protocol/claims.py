"""Claims about a person: OpenID Connect Core sections 5.1 and 5.4; `groups` is our own."""

from collections.abc import Collection
from typing import Any

from idp.domain.accounts import ADDRESS, PHONE, PROFILE, Account

SCOPE_CLAIMS = {
    "profile": ("name", *PROFILE, "updated_at"),
    "email": ("email", "email_verified"),
    "address": ADDRESS,
    "phone": PHONE,
    "groups": ("groups",),
}
CLAIMS = tuple(claim for claims in SCOPE_CLAIMS.values() for claim in claims)


def of_scopes(account: Account, scopes: Collection[str]) -> dict[str, Any]:
    """Return the claims that `scopes` ask for; what is not known is left out (section 5.3.2)."""
    known = {
        **account.profile,
        "name": account.name,
        "email": account.email,
        "email_verified": account.email_verified,
        "updated_at": account.updated_at,
        "groups": sorted(account.groups),
    }
    return {
        claim: known[claim]
        for scope, claims in SCOPE_CLAIMS.items()
        if scope in scopes
        for claim in claims
        if known.get(claim) is not None and known[claim] != ""
    }
