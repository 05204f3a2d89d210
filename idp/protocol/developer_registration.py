"""What people type who register an application, checked by the rules of client registration (RFC
7591) field by field and redirect URI by redirect URI, so that each is told its own reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from idp.domain.clients import Client
from idp.domain.registration_policy import RegistrationPolicy
from idp.protocol.application_kinds import METADATA
from idp.protocol.metadata_values import RegistrationError
from idp.protocol.registration import HONOURED, MOST_REDIRECT_URIS
from idp.protocol.registration_rules import RegistrationRules

ADDRESSES = ("redirect_uris", "post_logout_redirect_uris")
TEXTS = ("client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri")
OPTIONAL = frozenset(TEXTS) - {"client_name"}


@dataclass(frozen=True)
class Typed:
    """What was typed: metadata fields with their text, their addresses, and chosen scopes."""

    texts: Mapping[str, str]
    addresses: Mapping[str, Sequence[str]]
    scopes: Sequence[str] | None = None


@dataclass(frozen=True)
class Line:
    """An address as it was typed, and why it can't be registered."""

    uri: str
    problem: str | None = None


@dataclass(frozen=True)
class Checked:
    """`details` is what to register, None where something is wrong: `problems` are by field (empty
    name: of no field in particular), `lines` the addresses of each.
    """

    details: Mapping[str, Any] | None
    problems: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, Sequence[Line]] = field(default_factory=dict)


class DeveloperRegistration:
    """Checks what people type. Threads may share it."""

    def __init__(self, rules: RegistrationRules) -> None:
        self._rules = rules

    def new(self, kind: str, typed: Typed, policy: RegistrationPolicy, address: str) -> Checked:
        """Check a new application of a kind. Raises Throttled."""
        return self._checked(METADATA[kind], typed, policy, address, None)

    def changed(
        self, client: Client, typed: Typed, policy: RegistrationPolicy, address: str
    ) -> Checked:
        """Check changes of an application; what was not asked stays as it is. Raises Throttled."""
        return self._checked(client.details, typed, policy, address, client)

    def _checked(
        self,
        base: Mapping[str, Any],
        typed: Typed,
        policy: RegistrationPolicy,
        address: str,
        former: Client | None,
    ) -> Checked:
        given = _given(typed)
        asked = (*typed.texts, *typed.addresses)
        metadata = {name: value for name, value in base.items() if name not in asked} | given
        problems = _problems(given)
        application_type = str(metadata.get("application_type", "web"))
        lines = {
            name: [
                Line(uri, self._rules.redirect_uri_problem(uri, application_type, policy))
                for uri in each[:MOST_REDIRECT_URIS]
            ]
            for name, each in typed.addresses.items()
        }
        if problems or any(line.problem for each in lines.values() for line in each):
            return Checked(None, problems, lines)
        try:
            return Checked(self._rules.settled(metadata, policy, address, former), {}, lines)
        except RegistrationError as error:
            return Checked(None, {_field_of(error): error.description}, lines)


def _given(typed: Typed) -> dict[str, Any]:
    """Return metadata; what may be left out and is empty is left out."""
    texts = {name: value for name, value in typed.texts.items() if value or name not in OPTIONAL}
    given = {**texts, **{name: list(each) for name, each in typed.addresses.items()}}
    return given if typed.scopes is None else {**given, "scope": " ".join(typed.scopes)}


def _problems(given: Mapping[str, Any]) -> dict[str, str]:
    """Ask each field's own reader, for all that is wrong at once."""
    found = {}
    for name, value in given.items():
        try:
            # A redirect URI has a reason of its own: here it is their number alone.
            HONOURED[name].reader(name, ["x"] * len(value) if name in ADDRESSES else value)
        except RegistrationError as error:
            found[name] = error.description
    for name, text in (
        ("scope", "scope must hold at least one."),
        ("client_name", "client_name must not be empty."),
    ):
        if given.get(name) == "":
            found[name] = text
    return found


def _field_of(error: RegistrationError) -> str:
    return "redirect_uris" if error.code == "invalid_redirect_uri" else ""
