"""Redirect URIs: RFC 6749 section 3.1.2, RFC 8252 section 7, RFC 9700 sections 2.1 and 4.1.

What may be registered is decided once; at a request the string is compared byte for byte. There is
no prefix, no pattern and no normalisation anywhere.
"""

import re
from collections.abc import Iterable

from idp.domain import uris
from idp.domain.uris import Uri

LONGEST = uris.LONGEST
# Schemes with which a browser would run or show what the sender made up.
_DANGEROUS = frozenset(
    {
        "about",
        "blob",
        "data",
        "file",
        "filesystem",
        "ftp",
        "javascript",
        "mailto",
        "vbscript",
        "view-source",
        "ws",
        "wss",
    }
)
_REVERSED_DOMAIN = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)+")
_HOSTS = "|".join(map(re.escape, sorted(uris.LOOPBACK)))
_LOOPBACK = re.compile(rf"(http://(?:{_HOSTS}))(?::([0-9]*))?((?:[/?][^#]*)?)")
_DOT_SEGMENT = re.compile(r"\.{1,2}(;.*)?")
_HIDDEN = re.compile(r"%(2f|5c)", re.IGNORECASE)
_CONTROL = re.compile(r"%([01][0-9a-f]|7f)", re.IGNORECASE)


def problem(uri: str, application_type: str) -> str | None:
    """Say in one sentence why a `web` or `native` client can't register `uri`; None when it can."""
    if len(uri) > LONGEST:
        return f"A redirect URI has at most {LONGEST} characters."
    parts = uris.parse(uri)
    if parts is None:
        return (
            "It is not an absolute URI in printable ASCII with a lower-case scheme: "
            "no spaces, backslashes or other characters that a URI must encode."
        )
    return _problem_anywhere(uri, parts) or _problem_of_scheme(parts, application_type)


def _problem_anywhere(uri: str, parts: Uri) -> str | None:
    if parts.fragment is not None:
        return "It must not have a fragment, not even a bare '#' (RFC 6749 section 3.1.2)."
    if parts.user is not None:
        return "It must not hold a user name."
    if "*" in uri:
        return "It must not hold a wildcard: register each redirect URI (RFC 9700 section 2.1)."
    if _CONTROL.search(uri):
        return "It must not hold encoded control characters."
    if _HIDDEN.search(parts.path) or any(map(_is_dot_segment, parts.path.split("/"))):
        return "Its path must not hold '.' or '..' segments, encoded slashes or backslashes."
    return None


def _is_dot_segment(segment: str) -> bool:
    plain = segment.replace("%2e", ".").replace("%2E", ".")
    return bool(_DOT_SEGMENT.fullmatch(plain))


def _problem_of_scheme(parts: Uri, application_type: str) -> str | None:
    if parts.scheme in _DANGEROUS:
        return f"The scheme {parts.scheme}: is never allowed."
    if parts.scheme in {"http", "https"}:
        return _problem_of_server(parts)
    if not _REVERSED_DOMAIN.fullmatch(parts.scheme):
        return (
            "Use https, http on a loopback address, or for a native client a scheme made from a "
            "domain name, such as com.example.app:/callback (RFC 8252 section 7.1)."
        )
    if application_type != "native":
        return "Private-use schemes are for native clients (application_type)."
    if not parts.path.startswith("/") and not parts.host:
        return "After the scheme comes a path, as in com.example.app:/callback."
    return None


def _problem_of_server(parts: Uri) -> str | None:
    if not parts.names_a_server:
        return "It must name a host, and if it names a port one from 1 to 65535."
    if not parts.unreadable_on_the_way:
        return "Plain http is allowed on 127.0.0.1, [::1] and localhost only; use https."
    return None


def matches(registered: Iterable[str], requested: str) -> bool:
    """Whether `requested` is one of `registered`, byte for byte; on loopback http at any port.

    A native app listens where it finds a free port (RFC 8252 section 7.3).
    """
    exact = tuple(registered)
    if requested in exact:
        return True
    portless = _without_port(requested)
    return portless is not None and any(_without_port(uri) == portless for uri in exact)


def _without_port(uri: str) -> str | None:
    """A loopback http URI without its port; None for every other and for an impossible port."""
    found = _LOOPBACK.fullmatch(uri)
    if found is None:
        return None
    origin, port, rest = found.groups()
    if port is not None and not 1 <= int(port[:6] or 0) <= 0xFFFF:
        return None
    return f"{origin}{rest}"


def origin_for_display(uri: str) -> str:
    """Where `uri` leads, to tell a person: `https://app.example.com` or `com.example.app:`."""
    parts = uris.parse(uri)
    return parts.origin if parts else ""


def by_likeness(registered: Iterable[str], requested: str) -> tuple[str, ...]:
    """Return `registered`, the one that a developer probably meant first."""
    wanted = uris.parse(requested)

    def unlikeness(uri: str) -> tuple[int, int]:
        known = uris.parse(uri)
        differing = len(_differences(known, wanted)) if known and wanted else 0
        return differing, -_in_common(uri, requested)

    return tuple(sorted(registered, key=unlikeness))


def difference(registered: Iterable[str], requested: str) -> str:
    """Tell a developer how `requested` differs from the closest of `registered`, left unnamed."""
    wanted = uris.parse(requested)
    if wanted is None:
        return "It is not an absolute URI in printable ASCII with a lower-case scheme."
    likely = by_likeness(registered, requested)
    known = uris.parse(likely[0]) if likely else None
    if known is None:
        return "The client has registered no redirect URI."
    found = _differences(known, wanted)
    if not found:
        return "It is registered."
    if len(found) == 1:
        return f"It differs from a registered one only by {found[0]}."
    listed = f"{', '.join(found[:-1])} and {found[-1]}"
    return f"It differs from the closest registered one by {listed}."


def _in_common(one: str, other: str) -> int:
    """Count the characters with which both begin, and those with which both end."""
    begin = _begin_in_common(one, other)
    return begin + _begin_in_common(one[begin:][::-1], other[begin:][::-1])


def _begin_in_common(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _differences(known: Uri, wanted: Uri) -> list[str]:
    pairs = {
        _of_path(known.path, wanted.path): known.path != wanted.path,
        _of_scheme(known.scheme, wanted.scheme): known.scheme != wanted.scheme,
        "a user name": known.user != wanted.user,
        _of_host(known.host, wanted.host): known.host != wanted.host,
        _of_port(known.port, wanted.port): known.port != wanted.port and not _any_port(known),
        _of_optional("query", known.query, wanted.query): known.query != wanted.query,
        _of_optional("fragment", known.fragment, wanted.fragment): known.fragment
        != wanted.fragment,
    }
    return [words for words, differs in pairs.items() if differs]


def _any_port(known: Uri) -> bool:
    return known.scheme == "http" and known.on_loopback


def _of_scheme(known: str, wanted: str) -> str:
    if {known, wanted} == {"http", "https"}:
        return f"{wanted} instead of {known}"
    return "another scheme"


def _of_host(known: str | None, wanted: str | None) -> str:
    if (known or "").lower() == (wanted or "").lower():
        return "upper and lower case of the host"
    return "another host"


def _of_port(known: str | None, wanted: str | None) -> str:
    if known is None:
        return "an added port"
    return "a missing port" if wanted is None else "another port"


def _of_path(known: str, wanted: str) -> str:
    if wanted == known + "/":
        return "a trailing slash"
    if wanted + "/" == known:
        return "a missing trailing slash"
    return "upper and lower case of the path" if wanted.lower() == known.lower() else "another path"


def _of_optional(name: str, known: str | None, wanted: str | None) -> str:
    if known is None:
        return f"an added {name}"
    return f"a missing {name}" if wanted is None else f"another {name}"
