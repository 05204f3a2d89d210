"""The languages that pages and mails speak."""

from collections.abc import Iterable, Mapping

LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "ja": "日本語",
    "ar": "العربية",
}
"""Each language by its tag (BCP 47), with the name that its own speakers give it."""
DEFAULT = "en"
RIGHT_TO_LEFT = frozenset({"ar"})
_MOST_TAGS = 100
_LONGEST_TAG = 35


def known(tags: Iterable[str]) -> tuple[str, ...]:
    """Return which of our languages are meant, in the order of the tags; others are left out.

    A regional or written variant means its language (lookup of RFC 4647 section 3.4).
    """
    found = (_language_of(tag) for tag, _ in zip(tags, range(_MOST_TAGS), strict=False))
    return tuple(dict.fromkeys(language for language in found if language in LANGUAGES))


def _language_of(tag: str) -> str:
    return tag.partition("-")[0].lower() if len(tag) <= _LONGEST_TAG else ""
