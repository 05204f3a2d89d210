"""Applications: every client with its metadata as registered, disabled and enabled."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Response, request, url_for

from idp.domain.clients import Client
from idp.domain.sessions import Session
from idp.domain.texts import marked
from idp.web import client_log
from idp.web.admin.frame import admin_page, after, by, confirm_page, may, visible
from idp.web.context import services
from idp.web.guards import permission

_HERE = "admin_clients"
_PAGE = 50
_APART = frozenset({"client_name", "redirect_uris", "post_logout_redirect_uris"})
"""Metadata that have a place of their own on the page."""


@permission("admin", "view_clients")
def admin_clients(session: Session) -> Response:
    """List clients."""
    after_id = request.args.get("after", "").replace("\0", "")
    found = services().clients.page(_PAGE + 1, after_id)
    shown = found[:_PAGE]
    more = url_for(_HERE, after=shown[-1].client_id) if len(found) > _PAGE else None
    return admin_page(
        "clients.html",
        session,
        _HERE,
        clients=[
            {"client": one, "url": url_for("admin_client", client_id=one.client_id)}
            for one in shown
        ],
        first_url=url_for(_HERE) if after_id else None,
        more_url=more,
    )


@permission("admin", "view_clients")
def admin_client(session: Session, client_id: str) -> Response:
    """Show one client; of its secrets the dates, never a value."""
    parts = services()
    client = parts.clients.get(client_id)
    return admin_page(
        "client.html",
        session,
        _HERE,
        client=client,
        metadata=_metadata(client.details),
        secrets=[
            {"created_at": made, "expires_at": ends}
            for made, ends in parts.clients.secret_dates(client.client_id)
        ],
        owner=_owner(session, client),
        clients_url=url_for(_HERE),
        errors_url=url_for("admin_client_errors", client_id=client_id),
        audit_url=url_for("admin_audit", client=client_id) if may(session, "view_audit") else None,
        changing=may(session, "change_clients"),
        disable_url=url_for("admin_disable_client", client_id=client_id),
        enable_action=url_for("admin_enable_client", client_id=client_id),
    )


def _owner(session: Session, client: Client) -> dict[str, object] | None:
    """Return whom an application belongs to, with their page for who may see people."""
    if client.owner_id is None:
        return None
    account = services().accounts.get(client.owner_id)
    url = url_for("admin_person", account_id=account.id) if may(session, "view_people") else None
    return {"email": account.email, "url": url}


@permission("admin", "view_clients")
def admin_client_errors(session: Session, client_id: str) -> Response:
    """Show what one client was refused lately, and why."""
    client = services().clients.get(client_id)
    return admin_page(
        "client_errors.html",
        session,
        _HERE,
        client=client,
        lines=client_log.shown(client.client_id),
        client_url=url_for("admin_client", client_id=client.client_id),
    )


def _metadata(details: Mapping[str, Any]) -> list[dict[str, object]]:
    """What was registered (RFC 7591 section 2), by name; lists as their members."""
    found: list[dict[str, object]] = []
    for name, value in sorted(details.items()):
        if name not in _APART and value not in (None, "", []):
            members = value if isinstance(value, list) else [value]
            found.append({"name": visible(name), "values": list(map(_text, members))})
    return found


def _text(value: object) -> str:
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


@permission("admin", "change_clients")
def admin_disable_client(session: Session, client_id: str) -> Response:
    """Ask for the client's id, then refuse it on every path."""
    client, error = services().clients.get(client_id), None
    if request.method == "POST":
        if request.form.get("typed", "").strip() == client.client_id:
            acting = by(session)
            services().clients.disable(client_id, origin=acting.origin, actor=acting.actor)
            return after("admin_client", "disabled", client_id=client_id)
        error = marked("That is not the ID of this application.")
    return _confirm(session, client, error)


def _confirm(session: Session, client: Client, error: str | None) -> Response:
    return confirm_page(
        session,
        _HERE,
        title=marked("Disable %(client)s?", client=visible(client.name)),
        warnings=[
            marked("Nobody can sign in to it any more, and it gets no tokens."),
            marked("Its access tokens are refused wherever they are checked with this server."),
        ],
        label=marked("Type the ID of this application to confirm"),
        expected=client.client_id,
        button=marked("Disable"),
        cancel_url=url_for("admin_client", client_id=client.client_id),
        error=error,
        code=400 if error else 200,
    )


@permission("admin", "change_clients", back="admin_client")
def admin_enable_client(session: Session, client_id: str) -> Response:
    """Accept a disabled client again."""
    acting = by(session)
    services().clients.enable(client_id, origin=acting.origin, actor=acting.actor)
    return after("admin_client", "enabled", client_id=client_id)
