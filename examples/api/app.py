"""The Field Notes API, a resource server: reads are checked offline, writes by introspection, and
to delete everything takes a strong sign-in.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue

from idp import guard
from idp.guard import Credentials, Guard, Http, Needs
from idp.guard.flask import current_token, protected

LONGEST_NOTE = 500
STRONG = ("urn:doorward:acr:two-factor", "urn:doorward:acr:phishing-resistant")
FRESH_SECONDS = 300

# A revoked token reads on until it expires; from that moment on it writes nothing.
READ = Needs("notes:read")
WRITE = Needs("notes:write", live=True)
# Two factors, proven a few minutes ago at most, are asked for by the answer (RFC 9470).
FORGET = Needs("notes:write", live=True, acr_values=STRONG, max_age=FRESH_SECONDS)


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
    settings: Settings, http: Http | None = None, clock: Callable[[], float] = time.time
) -> Flask:
    """Build the application. Tests bring a connection and a clock of their own."""
    app = Flask(__name__)
    door = Guard(
        guard.Settings(
            issuer=settings.issuer,
            resource=settings.identifier,
            credentials=Credentials(settings.introspection_id, settings.introspection_secret),
            realm="Field Notes",
        ),
        http,
        clock,
    )
    notes: dict[str, list[str]] = defaultdict(list)

    @app.get("/notes")
    @protected(door, READ)
    def read() -> ResponseReturnValue:
        return jsonify(notes=notes[current_token().subject])

    @app.post("/notes")
    @protected(door, WRITE)
    def write() -> ResponseReturnValue:
        sent = request.get_json(silent=True)
        text = sent.get("text") if isinstance(sent, dict) else None
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST_NOTE:
            return jsonify(error=f"A note has a text of 1 to {LONGEST_NOTE} characters."), 422
        notes[current_token().subject].append(text)
        return jsonify(notes=notes[current_token().subject]), 201

    @app.delete("/notes")
    @protected(door, FORGET)
    def forget() -> ResponseReturnValue:
        notes.pop(current_token().subject, None)
        return "", 204

    @app.after_request
    def private(answer: Response) -> Response:
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return app
