"""The Field Notes API, a resource server: reads are checked offline, writes by introspection, and
to delete everything takes a strong sign-in.
"""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import requests
from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue

from examples.api.access_token import Introspection, OfflineCheck
from examples.api.bearer import SignInNeeded, answer_refusals, current_token, requires
from examples.api.metadata import AuthorizationServer, Clock

LONGEST_NOTE = 500
STRONG = ("urn:doorward:acr:two-factor", "urn:doorward:acr:phishing-resistant")
FRESH_SECONDS = 300


@dataclass(frozen=True)
class Settings:
    """The configuration. `identifier` names this API in the `aud` of tokens: a name, no address."""

    issuer: str
    identifier: str
    introspection_id: str
    introspection_secret: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings from the environment. Raises SystemExit naming all that is missing."""
        names = ["ISSUER", "RESOURCE", "INTROSPECTION_ID", "INTROSPECTION_SECRET"]
        if missing := [name for name in names if not environment.get(name)]:
            raise SystemExit(
                f"Set {', '.join(missing)}: examples/README.md says where to get them."
            )
        return cls(*(environment[name] for name in names))


def create_app(
    settings: Settings, http: requests.Session | None = None, clock: Clock = time.time
) -> Flask:
    """Build the application. Tests bring a session and a clock of their own."""
    app = Flask(__name__)
    server = AuthorizationServer(settings.issuer, http or requests.Session(), clock)
    offline = OfflineCheck(server, settings.identifier, clock)
    asking = Introspection(
        server, settings.identifier, settings.introspection_id, settings.introspection_secret
    )
    notes: dict[str, list[str]] = defaultdict(list)
    answer_refusals(app, realm="Field Notes")

    @app.get("/notes")
    @requires(offline, "notes:read")
    def read() -> ResponseReturnValue:
        """Checked offline: a revoked token reads on until it expires."""
        return jsonify(notes=notes[current_token().subject])

    @app.post("/notes")
    @requires(asking, "notes:write")
    def write() -> ResponseReturnValue:
        """Checked by introspection: a revoked token writes nothing, from that moment on."""
        sent = request.get_json(silent=True)
        text = sent.get("text") if isinstance(sent, dict) else None
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST_NOTE:
            return jsonify(error=f"A note has a text of 1 to {LONGEST_NOTE} characters."), 422
        notes[current_token().subject].append(text)
        return jsonify(notes=notes[current_token().subject]), 201

    @app.delete("/notes")
    @requires(asking, "notes:write", SignInNeeded(STRONG, FRESH_SECONDS, clock))
    def forget() -> ResponseReturnValue:
        """Wants two factors, proven a few minutes ago at most, and asks for them (RFC 9470)."""
        notes.pop(current_token().subject, None)
        return "", 204

    @app.after_request
    def private(answer: Response) -> Response:
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return app
