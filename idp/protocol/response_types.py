"""What the authorization endpoint answers with, and how: OAuth 2.0 Multiple Response Type Encoding
Practices, OAuth 2.0 Form Post Response Mode, OpenID Connect Core sections 3.2 and 3.3.
"""

from collections.abc import Collection

CODE, ID_TOKEN, TOKEN = "code", "id_token", "token"
IMPLICIT = "implicit"
"""The grant type that a client registers to get tokens from the authorization endpoint."""
FRONT_CHANNEL = (
    "id_token",
    "id_token token",
    "code id_token",
    "code token",
    "code id_token token",
)
"""Those that put tokens into the browser's address or forms."""
TYPES = (CODE, *FRONT_CHANNEL)
QUERY, FRAGMENT, FORM_POST = "query", "fragment", "form_post"
MODES = (QUERY, FRAGMENT, FORM_POST)
_BY_PARTS = {frozenset(name.split(" ")): name for name in TYPES}


def canonical(text: str) -> str:
    """Return a response type as discovery spells it, since order does not matter (Multiple Response
    Types section 3); one that is not known stays as it is.
    """
    words = text.split(" ")
    name = _BY_PARTS.get(frozenset(words))
    return name if name and len(name.split(" ")) == len(words) else text


def grant_types_of(names: Collection[str]) -> set[str]:
    """Return the grant types that belong to these response types (RFC 7591 section 2.1)."""
    words = {word for name in names for word in name.split(" ")}
    found = {"authorization_code"} if CODE in words else set()
    return found | ({IMPLICIT} if words & {ID_TOKEN, TOKEN} else set())


def usual_mode(words: Collection[str]) -> str:
    """Return how the answer goes where the request does not say (Multiple Response Types section
    5): a token never into the query, which servers log.
    """
    return FRAGMENT if {ID_TOKEN, TOKEN} & set(words) else QUERY


def suits(mode: str, words: Collection[str]) -> bool:
    """Whether answers of this type may go this way."""
    return mode in MODES and (mode != QUERY or usual_mode(words) == QUERY)


def mode_of_errors(response_type: str, response_mode: str) -> str:
    """Return how to tell a client that its request is wrong, by what of it can be understood."""
    words = response_type.split(" ")
    return response_mode if suits(response_mode, words) else usual_mode(words)
