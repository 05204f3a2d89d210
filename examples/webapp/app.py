"""Field Notes: a web application that signs people in with Authlib's client and calls an API.

Authorization code with PKCE, nonce and state; refresh; sign-out that the application starts. All
addresses but the issuer come from discovery.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from authlib.oauth2.rfc6749 import OAuth2Token
from flask import Flask, abort, flash, redirect, render_template, request, session, url_for
from flask_wtf import CSRFProtect
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.wrappers import Response

from examples.webapp.signed_in import SignedIn, SignIns

SCOPES = "openid profile email notes:read notes:write"
TIMEOUT_SECONDS = 5
STEP_UP = ("acr_values", "max_age")


@dataclass(frozen=True)
class Settings:
    """The configuration. `resource` is the API's identifier, `api_url` where it is reached."""

    issuer: str
    client_id: str
    client_secret: str
    resource: str
    api_url: str
    public_url: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings from the environment. Raises SystemExit naming all that is missing."""
        names = ["ISSUER", "CLIENT_ID", "CLIENT_SECRET", "RESOURCE"]
        if missing := [name for name in names if not environment.get(name)]:
            raise SystemExit(
                f"Set {', '.join(missing)}: examples/README.md says where to get them."
            )
        port = environment.get("PORT", "8001")
        return cls(
            issuer=environment["ISSUER"],
            client_id=environment["CLIENT_ID"],
            client_secret=environment["CLIENT_SECRET"],
            resource=environment["RESOURCE"],
            api_url=environment.get("API_URL", "http://localhost:8002"),
            public_url=environment.get("PUBLIC_URL", f"http://localhost:{port}"),
        )


def create_app(settings: Settings, sign_ins: SignIns | None = None) -> Flask:
    """Build the application; `sign_ins` is where it keeps who is signed in."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),
        SESSION_COOKIE_NAME="field-notes",  # browsers share cookies between ports
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https:"),
    )
    CSRFProtect(app)
    FieldNotes(app, settings, SignIns() if sign_ins is None else sign_ins)
    return app


class FieldNotes:
    """The pages and what they do."""

    def __init__(self, app: Flask, settings: Settings, sign_ins: SignIns) -> None:
        self._settings = settings
        self._sign_ins = sign_ins
        oauth: Any = OAuth(app)
        self._server = oauth.register(
            "doorward",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": SCOPES,
                "code_challenge_method": "S256",
                "default_timeout": TIMEOUT_SECONDS,
            },
            authorize_params={"resource": settings.resource},
        )
        app.add_url_rule("/", "home", self.home)
        app.add_url_rule("/sign-in", "sign_in", self.sign_in, methods=["POST"])
        app.add_url_rule("/callback", "callback", self.callback)
        app.add_url_rule("/notes", "add_note", self.add_note, methods=["POST"])
        app.add_url_rule("/notes/delete", "delete_notes", self.delete_notes, methods=["POST"])
        app.add_url_rule("/refresh", "refresh", self.refresh, methods=["POST"])
        app.add_url_rule("/sign-out", "sign_out", self.sign_out, methods=["POST"])
        app.register_error_handler(OAuthError, self.failed)
        app.register_error_handler(requests.RequestException, self.unreachable)

    def home(self) -> str:
        """Show the notes of who is signed in."""
        signed_in = self._signed_in()
        if signed_in is None:
            return render_template("welcome.html")
        answer = self._call_api(signed_in, "GET")
        notes = answer.json()["notes"] if answer.ok else []
        return render_template("notes.html", signed_in=signed_in, notes=notes, answer=answer)

    def sign_in(self) -> Response:
        """Send the browser to the server. State, nonce and PKCE verifier are Authlib's work."""
        return self._see_other(self._server.authorize_redirect(self._address("callback")))

    def callback(self) -> Response:
        """Take the code, exchange it, check the ID token, remember who came."""
        # RFC 9207: an answer of another server must not be mistaken for one of ours.
        if request.args.get("iss") != self._settings.issuer:
            abort(400, "The answer does not say that it comes from our server.")
        token = self._server.authorize_access_token()
        # Name and address come from userinfo; the ID token says who, when and how (its `userinfo`
        # is Authlib's name for its claims).
        person = self._server.userinfo(token=token)
        if person["sub"] != token["userinfo"]["sub"]:  # OpenID Connect Core section 5.3.2
            abort(400, "The server speaks of two people.")
        signed_in = self._sign_ins.add(SignedIn(person, token["userinfo"], token))
        session.clear()  # nothing of before the sign-in goes on after it
        session["id"] = signed_in.id
        return redirect(url_for("home"), 303)

    def add_note(self) -> Response:
        """Send a note to the API."""
        signed_in = self._signed_in() or abort(401)
        answer = self._call_api(signed_in, "POST", {"text": request.form.get("text", "")})
        if not answer.ok:
            flash(f"The API refused with {answer.status_code}: {_reason(answer)}")
        return redirect(url_for("home"), 303)

    def delete_notes(self) -> Response:
        """Let the API forget all notes; if it wants a stronger sign-in, ask the server for that."""
        signed_in = self._signed_in() or abort(401)
        answer = self._call_api(signed_in, "DELETE")
        challenge = www_authenticate(answer)
        if challenge.get("error") == "insufficient_user_authentication":  # RFC 9470 section 4
            wanted = {name: challenge[name] for name in STEP_UP if name in challenge}
            return self._see_other(
                self._server.authorize_redirect(self._address("callback"), **wanted)
            )
        if not answer.ok:
            flash(f"The API refused with {answer.status_code}: {_reason(answer)}")
        return redirect(url_for("home"), 303)

    def refresh(self) -> Response:
        """Exchange the refresh token now, for show: calls to the API do it when it is time."""
        signed_in = self._signed_in() or abort(401)
        with signed_in.refreshing:
            self._refresh(signed_in)
        flash("The tokens are new.")
        return redirect(url_for("home"), 303)

    def sign_out(self) -> Response:
        """Forget who is here, and let the server sign out too (RP-Initiated Logout)."""
        signed_in = self._sign_ins.remove(session.get("id"))
        session.clear()
        if signed_in is None:
            return redirect(url_for("home"), 303)
        leaving = self._server.logout_redirect(
            post_logout_redirect_uri=self._address("home"),
            id_token_hint=signed_in.token["id_token"],
            client_id=self._settings.client_id,
        )
        return self._see_other(leaving)

    def failed(self, error: OAuthError) -> tuple[str, int]:
        """Say what the server answered, and drop a sign-in that it no longer honours."""
        if error.error == "invalid_grant":
            self._sign_ins.remove(session.pop("id", None))
        return render_template("failed.html", error=error), 400

    def unreachable(self, _error: requests.RequestException) -> tuple[str, int]:
        """Say that a server that is needed does not answer."""
        return render_template("failed.html", error=None), 503

    def _signed_in(self) -> SignedIn | None:
        return self._sign_ins.find(session.get("id"))

    def _call_api(
        self, signed_in: SignedIn, method: str, body: dict[str, str] | None = None
    ) -> requests.Response:
        with signed_in.refreshing:
            if signed_in.token.is_expired(leeway=30):
                self._refresh(signed_in)
        headers = {"Authorization": f"Bearer {signed_in.token['access_token']}"}
        url = f"{self._settings.api_url}/notes"
        return requests.request(method, url, json=body, headers=headers, timeout=TIMEOUT_SECONDS)

    def _refresh(self, signed_in: SignedIn) -> None:
        """Get new tokens. The refresh token is new too: the one before must not be used again."""
        token = self._server.fetch_access_token(
            grant_type="refresh_token", refresh_token=signed_in.token["refresh_token"]
        )
        signed_in.token = OAuth2Token({**signed_in.token, **token})

    def _address(self, view: str) -> str:
        """Return a page's address as it is registered, whatever host name the browser used."""
        return self._settings.public_url + url_for(view)

    @staticmethod
    def _see_other(answer: Response) -> Response:
        answer.status_code = 303  # the browser came by POST
        return answer


def www_authenticate(answer: requests.Response) -> Mapping[str, str]:
    """Return the parameters of a `WWW-Authenticate` header: what the API wants."""
    header = answer.headers.get("WWW-Authenticate", "")
    found = WWWAuthenticate.from_header(header)
    return {name: value or "" for name, value in found.parameters.items()} if found else {}


def _reason(answer: requests.Response) -> Any:
    return answer.headers.get("WWW-Authenticate") or answer.text
