"""How an authorization request ends for the client: by a redirect, or by a form that the browser
posts (OAuth 2.0 Form Post Response Mode).
"""

from flask import Response, request

from idp.domain.interactions import Ending
from idp.web.context import services
from idp.web.kinds import KIND, Kind
from idp.web.pages import page, see_other, view_of


def hand_over(ending: Ending) -> Response:
    """Send the browser to the client with the answer.

    The form is posted by a script, or by a button where there is none.
    """
    if isinstance(ending, str):
        return see_other(ending)
    request.environ[KIND] = Kind.HANDOVER
    client = services().clients.find(ending["client_id"])
    return page(
        "handover.html",
        client=view_of(client),
        action=ending["action"],
        fields=ending["fields"],
        automatic=True,
    )
