"""/.well-known: documents that are serialised once, cacheable, and tagged."""

import json

from flask import Response, current_app, request

from idp.protocol.metadata import metadata as document
from idp.web.context import services

_MAX_AGE = 300


def metadata() -> Response:
    """OpenID Connect Discovery section 4, RFC 8414 section 3."""
    found: bytes | None = current_app.extensions.get("doorward-metadata")
    if found is None:
        found = json.dumps(document(services().settings)).encode()
        current_app.extensions["doorward-metadata"] = found
    response = Response(found, mimetype="application/json")
    response.headers["Cache-Control"] = f"public, max-age={_MAX_AGE}"
    return response


def jwks() -> Response:
    """RFC 7517 section 5. An unchanged set costs a verifier 304."""
    published = services().signing_keys.jwks()
    if request.headers.get("If-None-Match") == published.etag:
        response = Response(status=304)
    else:
        response = Response(published.body, mimetype="application/json")
    response.headers["Cache-Control"] = f"public, max-age={published.max_age}"
    response.headers["ETag"] = published.etag
    return response


def metadata_again() -> Response:
    """The same document at the address of RFC 8414."""
    return metadata()
