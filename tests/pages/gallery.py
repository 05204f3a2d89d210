"""A small application that shows every sample under /pages/<name>, under the real policy."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, abort, render_template, request

from idp.web.i18n import init_i18n
from tests.support.looking import AXE

from .samples import SAMPLES

ROOT = Path(__file__).parents[2]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36">'
    '<rect width="36" height="36" rx="9" fill="#0f766e"/>'
    '<path d="M11 12h14M11 18h14M11 24h8" stroke="#fff" stroke-width="2.5"'
    ' stroke-linecap="round"/></svg>'
)
GLOBALS = {
    "product": "Doorward",
    "request_id": "7f3a91c04be2",
    "development": False,
    "help_url": "/help",
    "privacy_url": "/privacy",
    "theme": "system",
    "here": "/",
}


def language() -> str:
    """The language of the sample that is looked at."""
    sample = SAMPLES.get((request.view_args or {}).get("name", ""))
    return str(sample.extra.get("lang", "en")) if sample else "en"


def create_gallery() -> Flask:
    app = Flask(
        __name__, template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static")
    )
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600  # as the server's own
    app.jinja_env.globals.update(GLOBALS, csrf_token=lambda: "sample-token")
    init_i18n(app, language)

    @app.get("/pages/<name>")
    def page(name: str) -> str:
        sample = SAMPLES.get(name) or abort(404)
        return render_template(sample.template, **(sample.extra | sample.context))

    @app.get("/sample-logo.svg")
    def logo() -> Response:
        return Response(LOGO, mimetype="image/svg+xml")

    @app.get("/axe.js")
    def axe() -> Response:
        # Kept compiled: handing it over anew for each page takes the browser four times as long.
        kept = {"Cache-Control": "max-age=3600"}
        return Response(AXE, mimetype="text/javascript", headers=kept)

    @app.post("/posted", endpoint="choose_language")
    @app.post("/posted", endpoint="choose_theme")
    @app.post("/posted")
    def posted() -> str:
        # An icon of its own, or the browser asks for /favicon.ico and complains, sometimes in time.
        icon = "<link rel=icon href=data:,>"
        return f"<!doctype html><html lang=en><title>Posted</title>{icon}<p>Posted</p>"

    @app.post("/options")
    def options() -> dict[str, object]:
        # What a page with passkeys fetches; at an address without a name they are refused.
        return {"challenge": "c2FtcGxl", "rpId": "127.0.0.1", "allowCredentials": []}

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return app
