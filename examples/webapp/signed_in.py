"""Who is signed in, kept on the server: the browser's cookie holds a random id and never a token.

In memory, for an example. A real application keeps this in its database.
"""

import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Token


@dataclass
class SignedIn:
    """One browser's sign-in: who it is, what the ID token says, and this application's tokens."""

    person: Mapping[str, Any]
    claims: Mapping[str, Any]
    token: OAuth2Token
    id: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    refreshing: threading.Lock = field(default_factory=threading.Lock, repr=False)


class SignIns:
    """All sign-ins of this process."""

    def __init__(self) -> None:
        self._known: dict[str, SignedIn] = {}

    def __iter__(self) -> Iterator[SignedIn]:
        """Return everybody who is signed in, in the order in which they came."""
        return iter(tuple(self._known.values()))

    def add(self, signed_in: SignedIn) -> SignedIn:
        """Remember a sign-in and return it."""
        self._known[signed_in.id] = signed_in
        return signed_in

    def find(self, key: str | None) -> SignedIn | None:
        """Return the sign-in with this id."""
        return self._known.get(key) if key else None

    def remove(self, key: str | None) -> SignedIn | None:
        """Forget a sign-in and return it."""
        return self._known.pop(key, None) if key else None
