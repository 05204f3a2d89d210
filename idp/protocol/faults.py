"""What a developer is told of an error beyond its code: the exact difference between what a client
sent and what would have been right. Shown to who owns the client, never answered to strangers.
"""

from collections.abc import Collection, Iterable

from idp.domain.client_errors import Fault, Kind
from idp.protocol import redirect_uris

NO_SCOPE = "scope names nothing that this client may ask for."
CLIENT_KEYS = Fault(Kind.CLIENT_KEYS)
_LONGEST = 4096


def redirect_uri(registered: Collection[str], sent: str) -> Fault:
    """The redirect URI is none of the registered ones."""
    return _address(Kind.REDIRECT_URI, "redirect_uri", registered, sent[:_LONGEST])


def post_logout_redirect_uri(registered: Collection[str], sent: str) -> Fault:
    """The same for the address after a sign-out."""
    name = "post_logout_redirect_uri"
    return _address(Kind.POST_LOGOUT_REDIRECT_URI, name, registered, sent[:_LONGEST])


def code_redirect_uri(used: Collection[str], sent: str) -> Fault:
    """The redirect URI is not the one that the code was sent to (RFC 6749 section 4.1.3)."""
    if not sent:
        text = "It was sent to the authorization endpoint, and is missing here."
        return Fault(Kind.CODE_REDIRECT_URI, "redirect_uri", "", tuple(used), text)
    return _address(Kind.CODE_REDIRECT_URI, "redirect_uri", used, sent[:_LONGEST])


def _address(kind: Kind, parameter: str, known: Collection[str], sent: str) -> Fault:
    likely = redirect_uris.by_likeness(known, sent)
    return Fault(kind, parameter, sent, likely, redirect_uris.difference(known, sent))


def scope(sent: str, allowed: Iterable[str]) -> Fault:
    """Nothing, or not all, of what is asked for is allowed."""
    may = tuple(sorted(allowed))
    refused = [each for each in dict.fromkeys(sent.split()) if each not in may]
    text = f"Not allowed: {' '.join(refused)}." if refused else ""
    return Fault(Kind.SCOPE, "scope", sent, may, text)


def parameter(name: str, sent: str = "", expected: Iterable[str] = ()) -> Fault:
    """A parameter is missing, repeated, or no value that it may have."""
    return Fault(Kind.PARAMETER, name, sent, tuple(expected))


def grant_type(sent: str, may: Iterable[str]) -> Fault:
    """The client may not use a grant type, or it does not exist."""
    return Fault(Kind.GRANT_TYPE, "grant_type", sent, tuple(sorted(may)))


def request_uri(registered: Iterable[str], sent: str) -> Fault:
    """The address of a request object is none of the registered ones, or what is there is not what
    its digest says.
    """
    known = redirect_uris.by_likeness(registered, sent)
    text = (
        "It is not registered." if known else "Its content does not have the digest that it names."
    )
    return Fault(Kind.REQUEST_URI, "request_uri", sent, known, text)


def texts(value: object) -> str:
    """Return what a claim says that should be a text, or texts; of anything else its kind."""
    members = value if isinstance(value, list) else [value]
    return " ".join(each if isinstance(each, str) else type(each).__name__ for each in members[:5])


def sentence(reason: str) -> str:
    """Return the reason of the audit log as a sentence."""
    return f"{reason[:1].upper()}{reason[1:]}."
