"""One's own applications in the playground, in development: it comes back to an address of ours, so
that has to be one of theirs.
"""

from flask import Response, abort, url_for

from idp.domain.clients import Client
from idp.domain.sessions import Session
from idp.protocol.developer_registration import Typed
from idp.web.context import developer_registration, origin, services
from idp.web.developer import forms
from idp.web.developer.applications import edit_page
from idp.web.developer.frame import by, owned
from idp.web.guards import permission
from idp.web.pages import see_other
from idp.web.playground.client import CALLBACK, address, playable


@permission("developer", "change_applications", back="developer_application")
def developer_playground(session: Session, client_id: str) -> Response:
    """Add the playground's redirect URI where it is missing, and go there."""
    client = owned(session, client_id, "try", change=True)
    if not playable(client):
        abort(404)
    if address(CALLBACK) not in client.redirect_uris:
        addresses = {"redirect_uris": [*client.redirect_uris, address(CALLBACK)]}
        return _added(session, client, Typed({}, addresses))
    return see_other(url_for("playground", client=client.client_id))


def _added(session: Session, client: Client, typed: Typed) -> Response:
    clients = services().registering.owned
    checked = developer_registration().changed(client, typed, clients.policy, origin().address)
    if checked.details is None:
        return edit_page(session, client, forms.refused(client, typed, checked), 400)
    clients.change(session.account.id, client.client_id, checked.details, by(session))
    return see_other(url_for("playground", client=client.client_id))
