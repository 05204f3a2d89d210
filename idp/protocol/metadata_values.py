"""Reads one value of a client's metadata (RFC 7591 section 2): its type, its bounds, its form.

Each reader takes the field's name and a JSON value, and returns what is registered.
"""

from collections.abc import Callable, Collection
from typing import Any

from idp.domain import uris
from idp.protocol import scopes

Reader = Callable[[str, Any], Any]
MOST_VALUES = 20
MOST_SECONDS = 10 * 365 * 86400


class RegistrationError(Exception):
    """Metadata that is refused. `code` is one of RFC 7591 section 3.2.2; `reason` is for the audit
    log, where that is told more.
    """

    def __init__(self, code: str, description: str, reason: str = "") -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.reason = reason or description


def refused(description: str) -> RegistrationError:
    """Return the error for everything but redirect URIs."""
    return RegistrationError("invalid_client_metadata", description)


def text(longest: int) -> Reader:
    """Reads a text of 1 to `longest` printable characters."""

    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise refused(f"{name} must be a text.")
        if len(value) > longest or not value.isprintable():
            raise refused(f"{name} has at most {longest} printable characters.")
        return value

    return read


def texts(most: int, longest: int) -> Reader:
    """Reads a list of at most `most` different texts."""
    one = text(longest)

    def read(name: str, value: Any) -> list[str]:
        if not isinstance(value, list) or len(value) > most:
            raise refused(f"{name} must be a list of at most {most} texts.")
        return list(dict.fromkeys(one(name, each) for each in value))

    return read


def one_of(known: Collection[str]) -> Reader:
    """Reads one of the values that are supported."""

    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise refused(f"{name}: {_shown(value)} is not supported; use {_listed(known)}.")
        return value

    return read


def some_of(known: Collection[str], spelled: Callable[[str], str] = str) -> Reader:
    """Reads a list of values that are supported, as `spelled`, without repetitions."""
    one = one_of(known)

    def read(name: str, value: Any) -> list[str]:
        if not isinstance(value, list) or len(value) > MOST_VALUES:
            raise refused(f"{name} must be a list of {_listed(known)}.")
        usual = (spelled(each) if isinstance(each, str) else each for each in value)
        return list(dict.fromkeys(one(name, each) for each in usual))

    return read


def flag(name: str, value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise refused(f"{name} must be true or false.")
    return value


def seconds(name: str, value: Any) -> int:
    """Read a number of seconds, up to ten years."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_SECONDS:
        raise refused(f"{name} must be a whole number of seconds.")
    return value


def page(name: str, value: Any) -> str:
    """Read the address of a page: https, or http on loopback."""
    address = value if isinstance(value, str) else ""
    if problem := uris.web_problem(address):
        raise refused(f"{name} {problem}.")
    return address


def https(name: str, value: Any) -> str:
    """Read an https address without fragment."""
    address = value if isinstance(value, str) else ""
    uri = uris.parse(address)
    if uri is None or uri.scheme != "https" or uri.user is not None or not uri.names_a_server:
        raise refused(f"{name} must be an https address with a host, and no user.")
    if uri.fragment is not None:
        raise refused(f"{name} must not have a fragment.")
    return address


def resource(name: str, value: Any) -> str:
    """Read a resource indicator: an absolute URI without fragment (RFC 8707 section 2)."""
    uri = uris.parse(value) if isinstance(value, str) else None
    if uri is None or uri.fragment is not None:
        raise refused(f"{name} must be an absolute URI without fragment.")
    return str(value)


def scope(name: str, value: Any) -> str:
    """Read scopes, separated by spaces."""
    if not isinstance(value, str):
        raise refused(f"{name} must be scopes separated by spaces.")
    try:
        return " ".join(scopes.parse(value))
    except scopes.InvalidScope as error:
        raise refused(f"{name}: {error}") from error


def _shown(value: Any) -> str:
    return ascii(value[:60]) if isinstance(value, str) else "this value"


def _listed(known: Collection[str]) -> str:
    return ", ".join(sorted(known))
