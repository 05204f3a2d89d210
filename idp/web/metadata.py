"""/.well-known: documents that are serialised once, cacheable, and tagged."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Response, current_app, request

from idp.domain.services import Services
from idp.domain.signing_keys import PublishedKeys
from idp.protocol import metadata as where
from idp.protocol.authorization_request import supported_prompts

_EXTENSION = "doorward-documents"
_MAX_AGE = 300
_METADATA_PATHS = (
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
)


@dataclass(frozen=True)
class Document:
    """An answer that is complete."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Documents:
    """The public documents by their paths, ready to be sent."""

    def __init__(self, parts: Services) -> None:
        self._keys = parts.signing_keys
        prompts = supported_prompts(create=parts.sign_up_open)
        body = json.dumps(where.metadata(parts.settings, prompts)).encode()
        self._metadata = _document(body, _MAX_AGE)
        self._jwks: tuple[PublishedKeys | None, Document] = (None, self._metadata)
        found: dict[str, Callable[[str | None], Document]] = {
            path: lambda _known: self._metadata for path in _METADATA_PATHS
        }
        self.by_path = found | {where.JWKS: self.jwks}

    def jwks(self, known: str | None) -> Document:
        """RFC 7517 section 5. Verifiers that have the set, by `If-None-Match`, are told so."""
        published = self._keys.jwks()
        before, document = self._jwks
        if before is not published:
            document = _document(published.body, published.max_age, f'"{published.etag}"')
            self._jwks = (published, document)
        if known is not None and _names(known, published.etag):
            return Document("304 NOT MODIFIED", document.headers[:-2], b"")
        return document


def _document(body: bytes, max_age: int, etag: str = "") -> Document:
    tag = (("ETag", etag),) if etag else ()
    length = ("Content-Length", str(len(body)))
    kind = ("Content-Type", "application/json")
    cache = ("Cache-Control", f"public, max-age={max_age}")
    return Document("200 OK", (cache, *tag, kind, length), body)


def _names(header: str, etag: str) -> bool:
    """Whether an `If-None-Match` names this tag, weakly compared (RFC 9110 section 13.1.2)."""
    tags = (tag.strip().removeprefix("W/") for tag in header.split(","))
    return any(tag in {"*", f'"{etag}"'} for tag in tags)


def init_documents(app: Flask, parts: Services) -> Documents:
    """Make the documents of an application."""
    found = app.extensions[_EXTENSION] = Documents(parts)
    return found


def metadata() -> Response:
    """OpenID Connect Discovery section 4, RFC 8414 section 3."""
    return _response()


def metadata_again() -> Response:
    """The same document at the address of RFC 8414."""
    return _response()


def jwks() -> Response:
    """The keys. GET is answered in front of Flask (security.py); this is for the other methods."""
    return _response()


def _response() -> Response:
    documents: Documents = current_app.extensions[_EXTENSION]
    found = documents.by_path[request.path](request.headers.get("If-None-Match"))
    return Response(found.body, found.status, list(found.headers))
