"""Secrets of one's own applications: a new one beside the old one, and the end of the old one."""

import re

from flask import Response, abort, request, url_for

from idp.domain.sessions import Session
from idp.domain.texts import Text, marked
from idp.protocol import registration
from idp.web.context import services
from idp.web.developer.applications import secret_page
from idp.web.developer.frame import after, by, developer_page, own, owned
from idp.web.guards import permission

_SECOND = re.compile(r"[0-9]{1,12}")
_DAY = 86400
_OVERLAPS: dict[int, Text] = {
    7 * _DAY: marked("It works for 7 more days"),
    30 * _DAY: marked("It works for 30 more days"),
    _DAY: marked("It works for one more day"),
    0: marked("It ends now: somebody else may know it"),
}


@permission("developer", "change_applications")
def developer_rotate(session: Session, client_id: str) -> Response:
    """Ask how long the old secret goes on, then show the new one."""
    client = owned(session, client_id, "rotate_secret", change=True)
    if not registration.needs_secret(client.details):
        abort(404)
    overlap = request.form.get("overlap", "")
    chosen = next((one for one in _OVERLAPS if str(one) == overlap), None)
    if request.method == "POST" and chosen is not None:
        secret = services().registering.owned.rotate_secret(
            session.account.id, client.client_id, chosen, by(session)
        )
        return secret_page(session, client, secret, new=False)
    return developer_page(
        "rotate.html",
        session,
        client=client,
        overlaps=list(_OVERLAPS.items()),
        action=request.path,
        back_url=url_for("developer_application", client_id=client.client_id),
    )


@permission("developer", "change_applications", back="developer_application")
def developer_end_secret(session: Session, client_id: str) -> Response:
    """End the old secret that was made at the second the form names."""
    made = request.form.get("made", "")
    second = int(made) if _SECOND.fullmatch(made) else 0
    with own(session, "end_secret"):
        services().registering.owned.end_secret(session.account.id, client_id, second, by(session))
    return after("developer_application", "secret-ended", client_id=client_id)
