"""Scopes (RFC 6749 section 3.3, OpenID Connect Core sections 5.4 and 11), also in plain words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from idp.domain.clients import Client
from idp.domain.consents import claim_of
from idp.domain.resources import LONGEST_SCOPE, OIDC_SCOPES, Resources, is_scope
from idp.domain.texts import marked

MOST_SCOPES = 50
LONGEST_TEXT = MOST_SCOPES * (LONGEST_SCOPE + 1)


class InvalidScope(Exception):
    """The scopes asked for can't be granted; the message is the `error_description`."""


@dataclass(frozen=True)
class Line:
    """What one scope allows: in plain words, and in small print what that is exactly."""

    text: str
    detail: str


@dataclass(frozen=True)
class Group:
    """The lines of one resource server; `title` is None for the person's own data."""

    title: str | None
    lines: tuple[Line, ...]


CLAIM_WORDS = {
    "name": marked("See your name"),
    "family_name": marked("See your family name"),
    "given_name": marked("See your given name"),
    "middle_name": marked("See your middle name"),
    "nickname": marked("See your nickname"),
    "preferred_username": marked("See your user name"),
    "profile": marked("See where your profile page is"),
    "picture": marked("See your picture"),
    "website": marked("See where your website is"),
    "gender": marked("See your gender"),
    "birthdate": marked("See your date of birth"),
    "zoneinfo": marked("See your time zone"),
    "locale": marked("See your language and region"),
    "updated_at": marked("See when your profile was last changed"),
    "email": marked("See your email address"),
    "email_verified": marked("See whether your email address is proven"),
    "address": marked("See your postal address"),
    "phone_number": marked("See your phone number"),
    "phone_number_verified": marked("See whether your phone number is proven"),
    "groups": marked("See which groups you are in"),
}
"""What a client sees that asked for a claim by itself."""
WORDS = {
    "openid": Line(marked("Know that you are you"), marked("An identifier that stays the same")),
    "profile": Line(
        marked("See your name and picture"), marked("Also what else your profile says about you")
    ),
    "email": Line(
        marked("See your email address"), marked("And whether you have proven that it is yours")
    ),
    "address": Line(marked("See your postal address"), marked("As your profile has it")),
    "phone": Line(marked("See your phone number"), marked("As your profile has it")),
    "groups": Line(marked("See which groups you are in"), marked("All of them, by name")),
    "offline_access": Line(
        marked("Stay connected when you are away"),
        marked("Even after you sign out, until you take it back"),
    ),
}


def parse(text: str) -> list[str]:
    """Split a `scope` parameter; order stays, repetitions go. Raises InvalidScope."""
    if len(text) > LONGEST_TEXT:
        raise InvalidScope(f"The scope parameter has at most {LONGEST_TEXT} characters.")
    found = list(dict.fromkeys(part for part in text.split(" ") if part))
    if len(found) > MOST_SCOPES:
        raise InvalidScope(f"At most {MOST_SCOPES} scopes can be asked for at once.")
    if not all(map(is_scope, found)):
        raise InvalidScope("A scope is made of printable ASCII characters without quotes.")
    return found


def granted(requested: Iterable[str], client: Client) -> list[str]:
    """Narrow scopes to what the client is registered for; others are dropped without a word.

    `offline_access` needs the refresh_token grant (OpenID Connect Core section 11).
    """
    offered = client.scopes
    if "refresh_token" not in client.grant_types:
        offered = offered - {"offline_access"}
    return [scope for scope in requested if scope in offered]


def for_client_credentials(requested: Sequence[str], client: Client) -> list[str]:
    """Return the scopes of a token that no person stands behind; asked for none, all it may have.

    Raises InvalidScope for a scope that is about a person, and when nothing is left.
    """
    if personal := [scope for scope in requested if scope in OIDC_SCOPES]:
        raise InvalidScope(f"{personal[0]} is about a person; in client_credentials there is none.")
    own = client.scopes - set(OIDC_SCOPES)
    found = [scope for scope in requested if scope in own] if requested else sorted(own)
    if requested and not found:
        raise InvalidScope("The client is not registered for any of these scopes.")
    return found


def describe(scopes: Iterable[str], resources: Resources) -> list[Group]:
    """Group scopes for the consent page: the person's own data first, then each resource server.

    Claims that are asked for by themselves stand with the person's own data.
    """
    groups: dict[str | None, list[Line]] = {}
    for scope in sorted(scopes, key=lambda scope: not _is_own(scope)):
        owner = None if _is_own(scope) else resources.owner_of(scope)
        title = owner.name if owner else None
        text = owner.scopes.get(scope, scope) if owner else scope
        line = WORDS.get(scope) or _claim(scope) or Line(text, scope)
        groups.setdefault(title, []).append(line)
    return [Group(title, tuple(lines)) for title, lines in groups.items()]


def _is_own(scope: str) -> bool:
    return scope in OIDC_SCOPES or bool(claim_of(scope))


def _claim(scope: str) -> Line | None:
    text = CLAIM_WORDS.get(claim_of(scope))
    return Line(text, "") if text else None


def describe_target(identifier: str, resources: Resources) -> Group:
    """Describe access to a resource server of whose scopes none is asked."""
    server = resources.find(identifier)
    line = Line(
        marked("Say there that it comes from you"),
        marked("No particular permission is asked for"),
    )
    return Group(server.name if server else identifier, (line,))
