"""/.well-known: documents that are serialised once, cacheable, and tagged."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Response, abort, current_app, request

from idp.config import Settings
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
_PASSKEY_ENDPOINTS = "/.well-known/passkey-endpoints"
_RELATED_ORIGINS = "/.well-known/webauthn"


@dataclass(frozen=True)
class Document:
    """An answer that is complete."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Documents:
    """The public documents by their paths, ready to be sent."""

    def __init__(self, parts: Services) -> None:
        self._keys = parts.keyring
        self._ready = parts.signing_keys.ready
        self._settings = parts.settings
        self._prompts = supported_prompts(create=parts.sign_up_open)
        self._metadata = self._metadata_with(self._ready())
        self._jwks: tuple[PublishedKeys | None, Document] = (None, self._metadata[1])
        self.by_path: dict[str, Callable[[str | None], Document]] = {
            path: _unchanging(document) for path, document in _of_passkeys(parts.settings).items()
        }
        self.by_path |= dict.fromkeys(_METADATA_PATHS, self.metadata)
        self.by_path[where.JWKS] = self.jwks

    def metadata(self, _known: str | None) -> Document:
        """Discovery section 4. A further algorithm is named from when its key may sign."""
        ready = self._ready()
        if self._metadata[0] != ready:
            self._metadata = self._metadata_with(ready)
        return self._metadata[1]

    def _metadata_with(self, ready: tuple[str, ...]) -> tuple[tuple[str, ...], Document]:
        body = json.dumps(where.metadata(self._settings, self._prompts, ready)).encode()
        return ready, _document(body, _MAX_AGE)

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


def _unchanging(document: Document) -> Callable[[str | None], Document]:
    return lambda _known: document


def _of_passkeys(settings: Settings) -> dict[str, Document]:
    """Return where passkeys are kept (W3C Passkey Endpoints), and whose pages else may use them
    (Web Authentication Level 3 section 5.11), if any.
    """
    page = f"{settings.issuer}/account/security"
    about: dict[str, dict[str, object]] = {_PASSKEY_ENDPOINTS: {"enroll": page, "manage": page}}
    if settings.related_origins:
        about[_RELATED_ORIGINS] = {"origins": [settings.issuer, *settings.related_origins]}
    return {path: _document(json.dumps(body).encode(), _MAX_AGE) for path, body in about.items()}


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


def passkey_endpoints() -> Response:
    """Where people add and manage their passkeys, for password managers."""
    return _response()


def related_origins() -> Response:
    """Other sites of ours whose pages may use our passkeys; 404 where there are none."""
    return _response()


def jwks() -> Response:
    """The keys. GET is answered in front of Flask (security.py); this is for the other methods."""
    return _response()


def _response() -> Response:
    documents: Documents = current_app.extensions[_EXTENSION]
    answer = documents.by_path.get(request.path)
    if answer is None:
        abort(404)
    found = answer(request.headers.get("If-None-Match"))
    return Response(found.body, found.status, list(found.headers))
