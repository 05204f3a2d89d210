"""Errors on their way to a client: sent at once, or offered on a page that says where they lead.

Whoever can register a client could otherwise make links to this server that end anywhere, without
anybody being asked (RFC 9700 section 4.11.2).
"""

from flask import Response, request, url_for

from idp.domain.clients import Client
from idp.domain.interactions import Ending
from idp.domain.texts import marked
from idp.protocol.redirect_uris import origin_for_display
from idp.web.browser_session import current_session
from idp.web.context import services
from idp.web.handover import hand_over
from idp.web.kinds import KIND, Kind
from idp.web.pages import page, view_of


def leave(
    client: Client, redirect_uri: str, ending: Ending, error: str, description: str, *, silent: bool
) -> Response:
    """Lead to the proven `redirect_uri` with an error.

    At once to a client that an operator knows, for who is signed in, and for a request that wants
    no page (`silent`: `prompt=none`).
    """
    if silent or services().registering.registrations.trusts(client) or current_session():
        return hand_over(ending)
    destination = origin_for_display(redirect_uri)
    if not isinstance(ending, str):
        request.environ[KIND] = Kind.HANDOVER
    return page(
        "leaving.html",
        400,
        client=view_of(client, redirect_uri),
        heading=marked("%(client)s couldn’t start sign-in", client=client.name),
        user_text=marked("Nothing you did is wrong, and nothing was sent to the application."),
        destination=destination,
        ending=ending,
        developer={
            "error": error,
            "description": description,
            "parameter": None,
            "docs_url": url_for("error_help"),
            "in_log": True,
        },
    )
