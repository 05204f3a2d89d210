"""Rendering: what every template may use, and who asks as the pages show it."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g, has_request_context, render_template, request, url_for
from flask.templating import Environment

from idp.config import Settings
from idp.domain import uris
from idp.domain.clients import Client
from idp.web.appearance import chosen_language, chosen_theme
from idp.web.browser_session import csrf_token
from idp.web.i18n import init_i18n


@dataclass(frozen=True)
class ClientView:
    """A client as a page shows it. `self_declared_host` is set for clients nobody here
    registered.
    """

    name: str
    logo_url: str | None
    policy_uri: str | None
    tos_uri: str | None
    client_uri: str | None
    self_declared_host: str | None


class Templates(Environment):
    """Every template finds what all of them may use in one plain dictionary."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals of a template that is loaded now. Jinja chains two mappings, and
        walks through both at each import of a part.
        """
        return {**self.globals, **(d or {})}


def view_of(client: Client | None, redirect_uri: str = "") -> ClientView | None:
    """Return what a page shows of a client, which sends people back to `redirect_uri`."""
    if client is None:
        return None
    return ClientView(
        client.name,
        _logo_url(client),
        client.policy_uri,
        client.tos_uri,
        client.client_uri,
        _declared_by(client, redirect_uri),
    )


def _logo_url(client: Client) -> str | None:
    if client.logo is None:
        return None
    return url_for("client_logo", client_id=client.client_id, digest=client.logo)


def _declared_by(client: Client, redirect_uri: str) -> str | None:
    """Return where answers to a client go that nobody here vouches for: its name may be anything,
    but not that.
    """
    if client.trusted:
        return None
    uri = uris.parse(redirect_uri or next(iter(client.redirect_uris), ""))
    return (uri.host or f"{uri.scheme}:") if uri else client.client_id


def init_pages(app: Flask, settings: Settings) -> None:
    """Tell the templates what they may use everywhere."""
    app.jinja_env.globals.update(
        product=settings.product,
        help_url=settings.help_url or None,
        privacy_url=settings.privacy_url or None,
        development=settings.development,
    )
    init_i18n(app, chosen_language)
    app.context_processor(_of_this_request)


def _of_this_request() -> dict[str, object]:
    """Here, not among the globals, `csrf_token` goes before Flask-WTF's, which knows no cookie."""
    return {
        "request_id": g.get("request_id", ""),
        "csrf_token": csrf_token,
        "theme": chosen_theme(),
        "here": _here(),
    }


def _here() -> str | None:
    """Return where to come back to from the menu; None when a GET would not show this page.

    Without the query: what somebody else wrote there is repeated on no page.
    """
    return request.path if has_request_context() and request.method == "GET" else None


def page(template: str, code: int = 200, /, **values: object) -> Response:
    """Render a page."""
    return Response(render_template(template, **values), code)


def see_other(location: str) -> Response:
    """Redirect so that a form's values never travel on (SECURITY case 14)."""
    return Response(status=303, headers={"Location": location})
