"""One's own applications: listed, registered, looked at, changed, deleted."""

from flask import Response, abort, request, url_for

from idp.domain.clients import Client
from idp.domain.registration_policy import RegistrationPolicy
from idp.domain.sessions import Session
from idp.domain.texts import marked
from idp.protocol import registration
from idp.protocol.application_kinds import METADATA, SERVICE, kind_of
from idp.protocol.developer_registration import ADDRESSES, TEXTS
from idp.web.context import developer_registration, origin, services
from idp.web.developer import forms
from idp.web.developer.configurations import configurations
from idp.web.developer.forms import Filled
from idp.web.developer.frame import after, by, developer_page, owned
from idp.web.developer.kinds import WORDS
from idp.web.guards import permission
from idp.web.pages import view_of
from idp.web.playground.client import playable

_NEW = ("client_name", "redirect_uris", "scope")
_CHANGED = (*TEXTS, *ADDRESSES)


@permission("developer", "view_applications")
def developer(session: Session) -> Response:
    """List them."""
    found = services().registering.owned.of(session.account.id)
    return developer_page(
        "applications.html",
        session,
        applications=[
            {
                "client": client,
                "logo": view_of(client),
                "kind": WORDS[kind_of(client)][0],
                "url": url_for("developer_application", client_id=client.client_id),
            }
            for client in found
        ],
        register_url=url_for("developer_kinds"),
    )


@permission("developer", "change_applications")
def developer_kinds(session: Session) -> Response:
    """Ask what it is: the only question that decides anything."""
    return developer_page(
        "kinds.html",
        session,
        kinds=[
            {"name": name, "text": text, "url": url_for("developer_register", kind=kind)}
            for kind, (name, text) in WORDS.items()
            if _policy(kind).scopes
        ],
        list_url=url_for("developer"),
    )


@permission("developer", "change_applications")
def developer_register(session: Session, kind: str) -> Response:
    """Ask for its name and where people come back to, and register it."""
    if kind not in METADATA or not _policy(kind).scopes:
        abort(404)
    if request.method == "POST":
        return _register(session, kind)
    return _register_page(session, kind, forms.empty(kind))


def _register(session: Session, kind: str) -> Response:
    names = [name for name in _NEW if kind != SERVICE or name != "redirect_uris"]
    typed = forms.typed(kind, names)
    checked = developer_registration().new(kind, typed, _policy(kind), origin().address)
    if checked.details is None:
        return _register_page(session, kind, forms.sent(typed, checked), 400)
    client, secret = services().registering.owned.register(
        session.account.id,
        checked.details,
        secret=registration.needs_secret(checked.details),
        by=by(session),
    )
    if secret is None:
        return after("developer_application", "registered", client_id=client.client_id)
    return secret_page(session, client, secret, new=True)


def secret_page(session: Session, client: Client, secret: str, *, new: bool) -> Response:
    """Show a secret, this once."""
    return developer_page(
        "secret.html",
        session,
        client=client,
        secret=secret,
        new=new,
        configurations=configurations(client, services().settings.issuer, secret),
        application_url=url_for("developer_application", client_id=client.client_id),
    )


def _policy(kind: str) -> RegistrationPolicy:
    """Return what may be registered: of a service no more than an operator has named."""
    clients = services().registering.owned
    return clients.service_policy if kind == SERVICE else clients.policy


def _register_page(session: Session, kind: str, form: Filled, code: int = 200) -> Response:
    return developer_page(
        "register.html",
        session,
        code,
        kind=kind,
        words=WORDS[kind],
        service=kind == SERVICE,
        form=form,
        failed=form.failed,
        scopes=_service_scopes(form) if kind == SERVICE else [],
        action=url_for("developer_register", kind=kind),
        back_url=url_for("developer_kinds"),
    )


def _service_scopes(form: Filled) -> list[dict[str, object]]:
    """Return the scopes that a service may have, in the words of their APIs."""
    resources, chosen = services().resources, form.values.get("scope", "").split()
    found: list[dict[str, object]] = []
    for scope in services().registering.owned.service_policy.scopes:
        owner = resources.owner_of(scope)
        text = owner.scopes[scope] if owner else ""
        found.append({"name": scope, "text": text, "chosen": scope in chosen})
    return found


@permission("developer", "view_applications")
def developer_application(session: Session, client_id: str) -> Response:
    """Show one; of its secrets the dates, never a value."""
    client = owned(session, client_id, "view")
    dates = services().clients.secret_dates(client.client_id)
    now = services().clock()
    return developer_page(
        "application.html",
        session,
        client=client,
        kind=WORDS[kind_of(client)][0],
        confidential=registration.needs_secret(client.details),
        secrets=[
            {"created_at": made, "expires_at": ends}
            for made, ends in dates
            if ends is None or ends > now
        ],
        configurations=configurations(client, services().settings.issuer),
        list_url=url_for("developer"),
        edit_url=url_for("developer_edit", client_id=client_id),
        rotate_url=url_for("developer_rotate", client_id=client_id),
        end_action=url_for("developer_end_secret", client_id=client_id),
        delete_url=url_for("developer_delete", client_id=client_id),
        errors_url=url_for("developer_errors", client_id=client_id),
        playground_action=_playground_action(client),
    )


def _playground_action(client: Client) -> str | None:
    """Return where to ask for the playground, which is there in development alone."""
    if not services().settings.development or client.disabled or not playable(client):
        return None
    return url_for("developer_playground", client_id=client.client_id)


@permission("developer", "change_applications")
def developer_edit(session: Session, client_id: str) -> Response:
    """Change its name, its addresses and the pages about it."""
    client = owned(session, client_id, "change", change=True)
    if request.method == "POST":
        return _change(session, client)
    return edit_page(session, client, forms.of_client(client))


def _change(session: Session, client: Client) -> Response:
    kind = kind_of(client)
    names = [name for name in _CHANGED if kind != SERVICE or name not in ADDRESSES]
    typed = forms.typed(kind, names)
    checked = developer_registration().changed(client, typed, _policy(kind), origin().address)
    if checked.details is None:
        return edit_page(session, client, forms.sent(typed, checked), 400)
    services().registering.owned.change(
        session.account.id, client.client_id, checked.details, by(session)
    )
    return after("developer_application", "changed", client_id=client.client_id)


def edit_page(session: Session, client: Client, form: Filled, code: int = 200) -> Response:
    """Show the form of an application."""
    return developer_page(
        "edit.html",
        session,
        code,
        client=client,
        service=kind_of(client) == SERVICE,
        form=form,
        failed=form.failed,
        action=url_for("developer_edit", client_id=client.client_id),
        back_url=url_for("developer_application", client_id=client.client_id),
    )


@permission("developer", "change_applications")
def developer_delete(session: Session, client_id: str) -> Response:
    """Ask for its id, then delete it."""
    client, error = owned(session, client_id, "delete", change=True), None
    if request.method == "POST":
        if request.form.get("typed", "").strip() == client.client_id:
            services().registering.owned.delete(session.account.id, client_id, by(session))
            return after("developer", "deleted")
        error = marked("That is not the ID of this application.")
    return developer_page(
        "delete.html",
        session,
        400 if error else 200,
        title=marked("Delete %(client)s?", client=client.name),
        action=request.path,
        warnings=[
            marked("Nobody can sign in to it any more. Its tokens and what people allowed it end."),
            marked("This can’t be undone."),
        ],
        label=marked("Type the ID of this application to confirm"),
        expected=client.client_id,
        button=marked("Delete"),
        cancel_url=url_for("developer_application", client_id=client.client_id),
        choice=None,
        error=error,
        failed=bool(error),
    )
