"""What the forms of the developer console send, and how they show it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import request

from idp.domain.clients import Client
from idp.protocol.application_kinds import COMMAND_LINE, LOOPBACK_CALLBACK, SERVICE
from idp.protocol.developer_registration import ADDRESSES, TEXTS, Checked, Typed

_LONGEST = 2_000
_MOST_LINES = 200


@dataclass(frozen=True)
class Filled:
    """A form as it is shown: `values` by field, what is wrong by field, and how each address
    fared.
    """

    values: Mapping[str, str]
    checked: Checked

    @property
    def failed(self) -> bool:
        """Whether something is wrong."""
        wrong = any(line.problem for each in self.checked.lines.values() for line in each)
        return wrong or bool(self.checked.problems)


def typed(kind: str, names: Sequence[str]) -> Typed:
    """Return what was typed into the fields `names` of a form about an application of a kind."""
    addresses = {name: lines_of(_sent(name)) for name in ADDRESSES if name in names}
    scopes = request.form.getlist("scope") if kind == SERVICE and "scope" in names else None
    texts = {name: _sent(name).strip()[:_LONGEST] for name in TEXTS if name in names}
    return Typed(texts, addresses, scopes)


def lines_of(text: str) -> list[str]:
    """Return the lines of a text that hold something."""
    found = [line.strip() for line in text.splitlines()]
    return [line for line in found if line][:_MOST_LINES]


def sent(typed: Typed, checked: Checked) -> Filled:
    """Return a form as it was sent."""
    lines = {name: "\n".join(each) for name, each in typed.addresses.items()}
    return Filled({**typed.texts, **lines, "scope": " ".join(typed.scopes or ())}, checked)


def empty(kind: str) -> Filled:
    """Return the form of a new application."""
    first = LOOPBACK_CALLBACK if kind == COMMAND_LINE else ""
    return Filled({"redirect_uris": first}, Checked(None))


def of_client(client: Client) -> Filled:
    """Return the form of an application as it is registered."""
    values = {name: str(client.details.get(name, "")) for name in TEXTS}
    values |= {name: "\n".join(client.details[name]) for name in ADDRESSES}
    return Filled(values, Checked(None))


def refused(client: Client, typed: Typed, checked: Checked) -> Filled:
    """Return the form of an application with what was wanted and can't be."""
    return Filled({**of_client(client).values, **sent(typed, checked).values}, checked)


def _sent(name: str) -> str:
    return request.form.get(name, "").replace("\0", "")
