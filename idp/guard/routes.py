"""Which request needs what, for the middlewares: a table, read from the top.

What no line names is refused, so a route that somebody forgot is closed, not open.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from idp.guard.core import Guard
from idp.guard.errors import ConfigurationError
from idp.guard.needs import Needs, Request
from idp.guard.outcome import Granted, Refused

_PART = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
# What two programs may read differently: empty and dotted segments, backslashes, control letters.
_ODD = re.compile(r"//|/\.{1,2}(?:/|$)|[\\\x00-\x1f\x7f�]")
METADATA_HEADERS = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "public, max-age=300"),
    ("Access-Control-Allow-Origin", "*"),
)


@dataclass(frozen=True)
class Route:
    """One line: `Route("GET", "/notes/{note_id}", Needs("notes:read"))`.

    `{name}` is one segment, `*` at the end all that follow. `methods` are a text with spaces; GET
    includes HEAD. `needs` None lets everybody in.
    """

    methods: str
    pattern: str
    needs: Needs | None

    def parameters(self, method: str, path: str) -> Mapping[str, str] | None:
        """Return what the path holds, None where this line does not fit."""
        names = self.methods.upper().split()
        if method not in names and not (method == "HEAD" and "GET" in names):
            return None
        found = re.fullmatch(_expression(self.pattern), path, re.DOTALL)
        return found.groupdict() if found else None


@dataclass(frozen=True)
class Open:
    """Everybody may come."""


@dataclass(frozen=True)
class Metadata:
    """It asks for the protected-resource metadata."""

    body: bytes


class Table:
    """The lines of one application. Raises ConfigurationError."""

    def __init__(self, guard: Guard, routes: Sequence[Route]) -> None:
        self._guard = guard
        self._routes = tuple(routes)
        for route in routes:
            if not route.pattern.startswith("/") or not route.methods.split():
                raise ConfigurationError(f"{route.pattern!r}: must begin with /, and have methods.")
            if route.needs:
                guard.accept(route.needs)

    def check(
        self, method: str, path: str, authorization: tuple[str, ...]
    ) -> Granted | Refused | Open | Metadata:
        """Decide about a request. `path` is decoded, as the application sees it."""
        guard = self._guard
        if path == guard.settings.metadata_path != "" and method in ("GET", "HEAD"):
            return Metadata(guard.metadata())
        for route in () if _ODD.search(path) else self._routes:
            parameters = route.parameters(method, path)
            if parameters is not None:
                if route.needs is None:
                    return Open()
                return guard.check(Request(method, path, authorization, parameters), route.needs)
        outcome = guard.check(Request(method, path, authorization), Needs())
        return outcome if isinstance(outcome, Refused) else guard.refusals.denied()


def _expression(pattern: str) -> str:
    rest = pattern.endswith("*")
    parts = _PART.split(pattern.removesuffix("*"))
    found = [
        f"(?P<{part}>[^/]+)" if number % 2 else re.escape(part) for number, part in enumerate(parts)
    ]
    return "".join(found) + (".*" if rest else "")
