"""What a request needs to be let in."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.guard.access_token import AccessToken
from idp.guard.errors import ConfigurationError

# What can stand in a header (RFC 6749 appendix A.4).
_WORD = re.compile(r"[!#-\[\]-~]+")


@dataclass(frozen=True)
class Request:
    """What the kit has to know of a request.

    `authorization` holds every Authorization header, `parameters` what the route found in the path.
    """

    method: str
    path: str
    authorization: tuple[str, ...] = field(default=(), repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """What the policy engine is asked: may the token's subject do this to that (AuthZEN 1.0)?"""

    action: str
    resource_type: str
    resource_id: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    """Of the resource."""
    context: Mapping[str, Any] = field(default_factory=dict)


Ask = Callable[[Request, AccessToken], Question]


@dataclass(frozen=True)
class Needs:
    """What a token must hold: all of `scopes`, one of `roles`, one of `acr_values`.

    `max_age`: at most so many seconds since the sign-in. `live`: the server is asked, so that a
    revoked token is refused at once. `ask`: the policy engine has to allow it.
    Scopes and `acr_values` may be one text with spaces, a role may be one text. Raises
    ConfigurationError.
    """

    scopes: Collection[str] = ()
    roles: Collection[str] = ()
    acr_values: Collection[str] = ()
    max_age: int | None = None
    live: bool = False
    ask: Ask | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scopes", _words("scopes", self.scopes))
        object.__setattr__(self, "acr_values", _words("acr_values", self.acr_values))
        # A role may have spaces in its name.
        roles = (self.roles,) if isinstance(self.roles, str) else tuple(self.roles)
        if not all(isinstance(each, str) and each for each in roles):
            raise ConfigurationError("roles: must be texts.")
        object.__setattr__(self, "roles", roles)
        if self.max_age is not None and self.max_age < 0:
            raise ConfigurationError("max_age: must not be negative.")

    def lacks_scope(self, token: AccessToken) -> bool:
        """Whether a scope is missing."""
        return not token.scopes.issuperset(self.scopes)

    def lacks_role(self, token: AccessToken) -> bool:
        """Whether none of the roles is there, where one is needed."""
        return bool(self.roles) and token.roles.isdisjoint(self.roles)

    def is_signed_in_well(self, token: AccessToken, now: float) -> bool:
        """Whether the sign-in behind the token is strong and fresh enough (RFC 9470)."""
        if self.acr_values and token.acr not in self.acr_values:
            return False
        if self.max_age is None:
            return True
        return token.auth_time is not None and now - token.auth_time <= self.max_age


def _words(name: str, given: Collection[str]) -> tuple[str, ...]:
    words = tuple(given.split() if isinstance(given, str) else given)
    if not all(isinstance(each, str) and _WORD.fullmatch(each) for each in words):
        raise ConfigurationError(f"{name}: must be words of printable ASCII.")
    return words
