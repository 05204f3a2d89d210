"""Where clients register themselves, and each manages its own registration: JSON in, JSON out. And
their pictures.
"""

import json
from typing import Any

from flask import Response, abort, request

from idp.protocol.dynamic_registration import Sent
from idp.web.context import dynamic_registration, origin, services


def register() -> Response:
    """RFC 7591 section 3, OpenID Connect Registration section 3; 404 where nobody may."""
    if services().settings.registration == "closed":
        abort(404)
    return _json(201, dynamic_registration().register(_sent()))


def manage_registration(client_id: str) -> Response:
    """RFC 7592 section 2. It is there for the clients that registered, whoever may now."""
    endpoint = dynamic_registration()
    match request.method:
        case "PUT":
            return _json(200, endpoint.update(client_id, _sent()))
        case "DELETE":
            endpoint.delete(client_id, _sent())
            return Response(status=204, headers={"Cache-Control": "no-store"})
        case _:
            return _json(200, endpoint.read(client_id, _sent()))


def client_logo(client_id: str, digest: str) -> Response:
    """A client's picture. Its address changes with it, so browsers may keep it for ever."""
    found = services().registering.logos.find(client_id, digest)
    if found is None:
        abort(404)
    response = Response(found.picture, mimetype=found.media_type)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _sent() -> Sent:
    return Sent(
        request.environ.get("HTTP_AUTHORIZATION"),
        request.mimetype,
        request.get_data(cache=False),
        origin(),
    )


def _json(status: int, body: dict[str, Any]) -> Response:
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return Response(json.dumps(body), status, headers, mimetype="application/json")
