"""What people may change about themselves, field by field: nothing that is not named here can be
set (SECURITY case 137). The address is in `addresses`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from idp.domain import profile_claims
from idp.domain.accounts import Account
from idp.domain.audit import Audit, By, Entry
from idp.domain.clock import Clock
from idp.domain.errors import Invalid
from idp.domain.languages import LANGUAGES
from idp.domain.texts import marked
from idp.store import accounts as rows
from idp.store.database import Connection, Store

LONGEST = 200
"""Characters of a field."""
FIELDS = (
    "name",
    "given_name",
    "family_name",
    "nickname",
    "birthdate",
    "gender",
    "website",
    "zoneinfo",
    "locale",
    "phone_number",
)
"""What a person may say of themselves (OpenID Connect Core section 5.1)."""
ADDRESS_FIELDS = ("street_address", "postal_code", "locality", "region", "country")
"""The parts of a postal address (section 5.1.1)."""
THEMES = ("system", "light", "dark")
TIME_ZONES = tuple(sorted(available_timezones() - {"localtime"}))
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?")
_PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{2,40}")
_BIRTHDATE = re.compile(r"(\d{4})(?:-(\d{2})-(\d{2}))?")
_LEAP_YEAR = 2000


class Profiles:
    """Changes what a person says of themselves, and how our pages look to them."""

    def __init__(self, store: Store, audit: Audit, clock: Clock) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock

    def change(self, account: Account, said: Mapping[str, str], by: By) -> tuple[str, ...]:
        """Take over the fields that are named, and leave all others; an empty one is taken out.

        Return the names of those that changed. Raises Invalid for the first that is unfit.
        """
        name = checked("name", said["name"]) if "name" in said else account.name
        profile = _changed(account.profile, said)
        changed = _differences(account, name, profile)
        if not changed:
            return ()
        with self._store.writing() as connection:
            self._change(connection, account, {"name": name, "profile": profile})
            detail = {"fields": " ".join(changed)}
            entry = Entry("account.changed", by.actor, account.id, detail=detail)
            self._audit.record(connection, by.origin, entry)
        return changed

    def enter(self, account: Account, claims: Mapping[str, Any], by: By) -> tuple[str, ...]:
        """Take over claims that an operator knows of a person, all of OpenID Connect Core section
        5.1 in every language, and leave all others; None takes one out.

        Return the names of those that changed. Raises Invalid.
        """
        entered = profile_claims.checked(claims)
        kept = {name: value for name, value in account.profile.items() if name not in claims}
        if "phone_number" in claims:
            kept.pop("phone_number_verified", None)
        profile = {**kept, **entered}
        both = {**account.profile, **profile}
        changed = tuple(name for name in both if account.profile.get(name) != profile.get(name))
        if not changed:
            return ()
        with self._store.writing() as connection:
            self._change(connection, account, {"profile": profile})
            detail = {"fields": " ".join(changed)}
            entry = Entry("account.changed", by.actor, account.id, detail=detail)
            self._audit.record(connection, by.origin, entry)
        return changed

    def prefer(self, account: Account, language: str, theme: str, by: By) -> None:
        """Keep the language and the look of our pages; no language: the browser's. Raises
        Invalid.
        """
        if language and language not in LANGUAGES:
            raise Invalid("language", marked("There is no such language here."))
        if theme not in THEMES:
            raise Invalid("theme", marked("There is no such appearance here."))
        with self._store.writing() as connection:
            self._change(connection, account, {"language": language or None, "theme": theme})
            entry = Entry("account.preferences_changed", by.actor, account.id)
            self._audit.record(connection, by.origin, entry)

    def _change(self, connection: Connection, account: Account, values: dict[str, Any]) -> None:
        rows.change(connection, account.id, {**values, "updated_at": int(self._clock())})


def checked(field: str, value: str) -> str:
    """Return a field as it is kept, empty when there is nothing. Raises Invalid."""
    text = " ".join(value.split())
    if len(text) > LONGEST or not text.isprintable():
        said = marked("Use at most %(most)s printable characters.", most=LONGEST)
        raise Invalid(field, said)
    problem = _PROBLEMS.get(field)
    if text and problem and not problem[0](text):
        raise Invalid(field, problem[1])
    return text


def _changed(profile: Mapping[str, Any], said: Mapping[str, str]) -> dict[str, Any]:
    """Return a profile with what was said; a number that changed is not proven any more."""
    new = dict(profile)
    for field in FIELDS:
        if field in said and field != "name":
            _put(new, field, checked(field, said[field]))
    parts = dict(new.get("address") or {})
    if given := [field for field in ADDRESS_FIELDS if field in said]:
        for field in given:
            _put(parts, field, checked(field, said[field]))
        parts.pop("formatted", None)
        _put(new, "address", parts)
    if new.get("phone_number") != profile.get("phone_number"):
        new.pop("phone_number_verified", None)
    return new


def _put(values: dict[str, Any], field: str, value: object) -> None:
    if value:
        values[field] = value
    else:
        values.pop(field, None)


def _differences(account: Account, name: str, profile: Mapping[str, Any]) -> tuple[str, ...]:
    before = {"name": account.name, **account.profile}
    after = {"name": name, **profile}
    return tuple(field for field in (*FIELDS, "address") if before.get(field) != after.get(field))


def _is_date(text: str) -> bool:
    """Whether it is a year, or a day of a year or of none (0000)."""
    found = _BIRTHDATE.fullmatch(text)
    if found is None:
        return False
    year, month, day = (int(part or 1) for part in found.groups())
    try:
        date(year or _LEAP_YEAR, month, day)
    except ValueError:
        return False
    return True


def _is_website(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in text


_PROBLEMS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "birthdate": (_is_date, marked("Write it as year, month and day: 1815-12-10.")),
    "website": (_is_website, marked("A website begins with https:// or http://.")),
    "zoneinfo": (TIME_ZONES.__contains__, marked("There is no such time zone.")),
    "locale": (_LOCALE.fullmatch, marked("Write it like en or en-GB.")),
    "phone_number": (_PHONE.fullmatch, marked("A phone number has digits and spaces.")),
}
