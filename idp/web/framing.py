"""Which other sites a page of ours may show in frames: none, unless its view names them."""

from collections.abc import Iterable

from flask import request

_FRAMED = "doorward.framed"


def frame_only(origins: Iterable[str]) -> None:
    """Let the page that answers this request show frames of these origins, and of no others."""
    request.environ[_FRAMED] = " ".join(sorted({origin for origin in origins if origin}))


def framed(environ: dict[str, object]) -> str:
    """Return the origins that the page may frame, separated by spaces; usually none."""
    return str(environ.get(_FRAMED, ""))
