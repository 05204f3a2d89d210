"""What kinds of answers there are, and so which headers and errors fit."""

from enum import Enum, auto

KIND = "doorward.kind"
"""Where a request's environment says what it is answered with."""


class Kind(Enum):
    """What answers."""

    PAGE = auto()
    """A page; its forms carry a token and stay with us."""
    FINISHING_PAGE = auto()
    """A page whose form can end in a redirect to a client."""
    HANDOVER = auto()
    """A page whose form takes an answer to a client."""
    ENTRY = auto()
    """A place to which other sites send browsers, by GET or POST."""
    MACHINE = auto()
    """JSON, for servers."""
    OPEN_MACHINE = auto()
    """JSON, for scripts of other origins too, without cookies."""
    DOCUMENT = auto()
    """A public JSON document."""
    FRAMED = auto()
    """A page that others frame: it has nothing to click, and no cookie goes to it."""
    PICTURE = auto()
    """A picture that a client named, for our pages alone."""
    MAIL = auto()
    """A mail as its readers see it: nothing runs in it."""
