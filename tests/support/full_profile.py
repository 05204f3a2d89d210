"""Somebody whose profile holds every claim of OpenID Connect Core section 5.1, some in Japanese."""

from typing import Any

from idp.domain.services import Services
from tests.support.browserless import Person
from tests.support.seeds import OPERATOR, ORIGIN

KUSUMOTO = Person("ine@example.test", "the first lady doctor of the west", "Ine Kusumoto")
PROFILE: dict[str, Any] = {
    "family_name": "Kusumoto",
    "family_name#ja-Kana-JP": "クスモト",
    "family_name#ja-Hani-JP": "楠本",
    "given_name": "Ine",
    "given_name#ja-Kana-JP": "イネ",
    "given_name#ja-Hani-JP": "イネ",
    "middle_name": "Shiimoto",
    "nickname": "Oranda Oine",
    "preferred_username": "ine",
    "profile": "https://people.example.test/ine",
    "picture": "https://people.example.test/ine.png",
    "website": "https://ine.example.test/",
    "website#de": "https://ine.example.test/de",
    "gender": "female",
    "birthdate": "1827-05-31",
    "zoneinfo": "Asia/Tokyo",
    "locale": "en",
    "phone_number": "+81 3 5555 0100",
    "phone_number_verified": False,
    "address": {
        "formatted": "1-1 Tsukiji\nChuo, Tokyo 104-0045\nJapan",
        "street_address": "1-1 Tsukiji",
        "locality": "Chuo",
        "region": "Tokyo",
        "postal_code": "104-0045",
        "country": "Japan",
    },
    "name#ja-Hani-JP": "楠本イネ",
}


def add(services: Services) -> Person:
    """Add her, with a password and in one group."""
    services.accounts.add(
        KUSUMOTO.email,
        KUSUMOTO.name,
        KUSUMOTO.password,
        email_verified=True,
        groups=["doctors"],
        profile=PROFILE,
        origin=ORIGIN,
        actor=OPERATOR,
    )
    return KUSUMOTO
