"""Signing out: from our own pages, and asked for by a client (OpenID Connect RP-
Initiated Logout).
"""

from flask import Response, request, url_for

from idp.domain.interactions import Progress
from idp.domain.sessions import Session
from idp.domain.texts import marked
from idp.protocol import logout as protocol
from idp.protocol.errors import ShownError
from idp.protocol.logout import LogoutRequest
from idp.web import turns
from idp.web.browser_session import (
    browser_cookie,
    current_session,
    current_sessions,
    just_signed_out,
)
from idp.web.context import all_values, oauth_server, origin, services
from idp.web.pages import page, see_other, view_of

_STAYS = (
    marked("Applications that you used may keep you signed in until you sign out there."),
    marked("Applications that you let stay connected keep their access until you take it back."),
)


def logout() -> Response:
    """Check the client's request; sign out at once only when its hint names who is signed in."""
    mint = oauth_server().parts.mint
    parameters = all_values(request.args, request.form)
    try:
        asked = protocol.parse(parameters, services().clients.find, mint.hinted)
    except ShownError as error:
        services().interactions.refuse(
            "logout.refused", error.client_id, error.error, error.description, origin()
        )
        raise
    if request.method == "POST":
        # A cross-site POST comes without our cookie (SameSite=Lax): go on in a GET of ours.
        return _to_page(Progress(logout=asked.as_json()), None)
    session = _meant(asked)
    if _is_proven(asked, session):
        return see_other(_signed_out(asked, session))
    return _to_page(Progress(logout=asked.as_json()), browser_cookie())


def _to_page(progress: Progress, cookie: str | None) -> Response:
    handle = services().interactions.open(progress, cookie, origin())
    return see_other(url_for("sign_out", handle=handle))


def sign_out(handle: str) -> Response:
    """Ask whether to sign out; what is done after it was proven when the request came."""
    found = turns.find(handle)
    if found.progress.logout is None:
        return see_other(url_for("interaction", handle=handle))
    if found.finished:
        return see_other(found.progress.result or "/")
    asked = protocol.from_json(found.progress.logout)
    session = _meant(asked)
    if _is_proven(asked, session) or request.form.get("decision") == "sign_out":
        return see_other(services().interactions.close(found, _signed_out(asked, session)))
    if request.method == "POST":
        return see_other(services().interactions.close(found, "/"))
    return _ask(handle, asked, session)


def _ask(handle: str, asked: LogoutRequest, session: Session | None) -> Response:
    client = services().clients.find(asked.client_id) if asked.client_id else None
    return page(
        "sign_out.html",
        account=session.account if session else None,
        others=[one.account for one in current_sessions() if one != session],
        client=view_of(client),
        action=url_for("sign_out", handle=handle),
    )


def _meant(asked: LogoutRequest) -> Session | None:
    """Return the session that the hint names, of all in this browser; else the present one."""
    named = [one for one in current_sessions() if _is_named(asked, one)]
    return next(iter(named), None) or current_session()


def _is_proven(asked: LogoutRequest, session: Session | None) -> bool:
    """Whether nobody has to be asked: the hint names who is signed in, or nobody is."""
    return session is None or _is_named(asked, session)


def _is_named(asked: LogoutRequest, session: Session) -> bool:
    """Whether the hint means this person: it has the name under which its client knows them."""
    client = services().clients.find(asked.client_id) if asked.client_id else None
    return client is not None and asked.subject == services().subjects.of(session.account, client)


def sign_out_here() -> Response:
    """Sign out, asked for on a page of ours: who is at work here, or everybody in this browser."""
    if request.form.get("everybody") == "yes":
        services().sessions.end_browser(browser_cookie(), origin())
        return see_other(url_for("signed_out"))
    return see_other(_signed_out(LogoutRequest(None, None, None), current_session()))


def _signed_out(asked: LogoutRequest, session: Session | None) -> str:
    """Sign out and return where to go on."""
    if session:
        services().sessions.end(browser_cookie(), session.account.id, origin())
    return asked.continue_uri or url_for("signed_out", client_id=asked.client_id)


def signed_out() -> Response:
    """Say who was signed out and what stays; not to somebody who is signed in all the same."""
    here, ended = current_sessions(), just_signed_out()
    if here and not ended:
        return see_other(url_for("home"))
    client = services().clients.find(request.args.get("client_id", ""))
    return page(
        "signed_out.html",
        ended=ended,
        here=[session.account for session in here],
        sign_out_action=url_for("sign_out_here"),
        client=view_of(client),
        continue_url=client.client_uri if client else None,
        sign_in_url=url_for("start"),
        stays=_STAYS,
    )
