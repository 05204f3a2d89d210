"""What a profile holds: the claims about a person of OpenID Connect Core sections 5.1 and 5.2.

`name` and `email` are columns of an account; a profile may hold `name` in other languages.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from idp.domain.errors import Invalid

PROFILE = (
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
)
ADDRESS = ("address",)
PHONE = ("phone_number", "phone_number_verified")
PROFILE_CLAIMS = frozenset({*PROFILE, *ADDRESS, *PHONE})
"""The claims that a profile may hold, beside name and email."""
ADDRESS_PARTS = (
    "formatted",
    "street_address",
    "locality",
    "region",
    "postal_code",
    "country",
)
"""Section 5.1.1."""
TRANSLATABLE = frozenset(
    {
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "address",
    }
)
"""What may be different in each language and script: `family_name#ja-Kana-JP`."""
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,5}")
_LONGEST = 2000
"""Characters of one value."""
_MOST = 200
"""Claims, all languages together."""


def is_language(text: str) -> bool:
    """Whether it has the form of a language tag (BCP 47)."""
    return _LANGUAGE.fullmatch(text) is not None


def checked(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return a profile as it is kept, without what is empty. Raises Invalid."""
    if len(claims) > _MOST:
        raise Invalid("profile", f"A profile has at most {_MOST} claims.")
    return {
        name: kept
        for name, value in claims.items()
        if (kept := _checked(name, value)) not in (None, "", {})
    }


def _checked(name: str, value: Any) -> Any:
    claim, mark, language = name.partition("#")
    if claim not in (TRANSLATABLE if mark else PROFILE_CLAIMS):
        raise Invalid("profile", f"A profile has no {name!r}.")
    if mark and not is_language(language):
        raise Invalid("profile", f"{name!r} names no language, such as ja-Kana-JP.")
    if value is None:
        return None
    read: Callable[[str, Any], Any] = _READERS.get(claim, _line)
    return read(name, value)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid("profile", f"{name} is true or false.")
    return value


def _address(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not set(value) <= set(ADDRESS_PARTS):
        raise Invalid("profile", f"{name} is an object of {', '.join(ADDRESS_PARTS)}.")
    parts = {part: _lines(f"{name}.{part}", value[part]) for part in value}
    return {part: text for part, text in parts.items() if text}


def _line(name: str, value: Any) -> str:
    text = _text(name, value)
    if not text.isprintable():
        raise Invalid("profile", f"{name} has characters that can't be printed.")
    return text


def _lines(name: str, value: Any) -> str:
    """Addresses may have several lines (section 5.1.1)."""
    text = _text(name, value).replace("\r\n", "\n")
    _line(name, text.replace("\n", " "))
    return text


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise Invalid("profile", f"{name} is a text of at most {_LONGEST} characters.")
    return value.strip()


_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "phone_number_verified": _flag,
    "address": _address,
}
