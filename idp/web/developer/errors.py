"""What one's own application was refused, and why."""

from flask import Response, url_for

from idp.domain.sessions import Session
from idp.web import client_log
from idp.web.developer.frame import developer_page, owned
from idp.web.guards import permission


@permission("developer", "view_applications")
def developer_errors(session: Session, client_id: str) -> Response:
    """Show its error log."""
    client = owned(session, client_id, "errors")
    return developer_page(
        "errors.html",
        session,
        client=client,
        lines=client_log.shown(client.client_id),
        client_url=url_for("developer_application", client_id=client.client_id),
    )
