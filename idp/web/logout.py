"""Signing out: from our own pages, and asked for by a client (OpenID Connect RP-
Initiated Logout).
"""

from collections.abc import Iterator, Sequence

from flask import Response, request, url_for

from idp.domain.accounts import email_key
from idp.domain.clients import Client
from idp.domain.interactions import Progress
from idp.domain.sessions import Session
from idp.domain.sign_out import Farewell
from idp.domain.texts import marked
from idp.protocol import front_channel_logout
from idp.protocol import logout as protocol
from idp.protocol.errors import ShownError
from idp.protocol.logout import LogoutRequest
from idp.web import turns
from idp.web.browser_session import (
    browser_cookie,
    current_session,
    current_sessions,
    forget_sessions,
    just_signed_out,
)
from idp.web.client_log import note
from idp.web.context import all_values, oauth_server, origin, services
from idp.web.framing import frame_only
from idp.web.handover import hand_over
from idp.web.pages import page, see_other, view_of

_STAYS = (
    marked("Applications that you used may keep you signed in until you sign out there."),
    marked("Applications that you let stay connected keep their access until you take it back."),
)


def logout() -> Response:
    """Check the client's request; sign out at once only when its hint names who is signed in."""
    hints = oauth_server().parts.hints
    parameters = all_values(request.args, request.form)
    try:
        asked = protocol.parse(parameters, services().clients.find, hints.read)
    except ShownError as error:
        services().interactions.refuse(
            "logout.refused", error.client_id, error.error, error.description, origin()
        )
        note(error, error.client_id or error.disabled)
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
        return hand_over(found.progress.result or "/")
    asked = protocol.from_json(found.progress.logout)
    session = _meant(asked)
    if _is_proven(asked, session) or request.form.get("decision") == "sign_out":
        return hand_over(services().interactions.close(found, _signed_out(asked, session)))
    if request.method == "POST":
        return hand_over(services().interactions.close(found, "/"))
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
    """Return the session that the hint names, of all in this browser; else the one that
    `logout_hint` speaks of, else the present one.
    """
    here = current_sessions()
    for means in (_is_named, _is_spoken_of):
        if found := next((one for one in here if means(asked, one)), None):
            return found
    return current_session()


def _is_proven(asked: LogoutRequest, session: Session | None) -> bool:
    """Whether nobody has to be asked: the hint names who is signed in, or nobody is."""
    return _may_leave(asked) if session is None else _is_named(asked, session)


def _may_leave(asked: LogoutRequest) -> bool:
    """Whether nobody who is signed in has to be asked either before it goes on to the client.

    Else whoever can register a client could make links to this server that end anywhere (RFC 9700
    section 4.11.2); but a client may have back whom it has just signed out.
    """
    client = services().clients.find(asked.client_id) if asked.client_id else None
    if client is None or asked.continue_uri is None or _is_known(client):
        return True
    subjects = services().subjects
    return asked.subject in {subjects.of(account, client) for account in just_signed_out()}


def _is_known(client: Client) -> bool:
    return services().registering.registrations.trusts(client)


def _is_named(asked: LogoutRequest, session: Session) -> bool:
    """Whether the hint belongs to this session (section 2): by its `sid`, or where it has none by
    the name under which its client knows the person.
    """
    if asked.subject is None or asked.client_id is None:
        return False
    if asked.sid is not None:
        found = services().sign_out.session_of(asked.sid, asked.client_id)
        return found == session.id
    return asked.subject == _subject(asked.client_id, session)


def _is_spoken_of(asked: LogoutRequest, session: Session) -> bool:
    """Whether `logout_hint` is this person's address, or what the client calls them."""
    hint = asked.logout_hint
    if not hint:
        return False
    known = {_subject(asked.client_id, session)} if asked.client_id else set()
    return hint in known or email_key(hint) == email_key(session.account.email)


def _subject(client_id: str, session: Session) -> str | None:
    client = services().clients.find(client_id)
    return services().subjects.of(session.account, client) if client else None


def sign_out_here() -> Response:
    """Sign out, asked for on a page of ours: who is at work here, or everybody in this browser."""
    asked, here = LogoutRequest(None, None, None), current_sessions()
    return see_other(_end(asked, here if request.form.get("everybody") == "yes" else here[:1]))


def _signed_out(asked: LogoutRequest, session: Session | None) -> str:
    """Sign out and return where to go on."""
    return _end(asked, [session] if session else [])


def _end(asked: LogoutRequest, ending: Sequence[Session]) -> str:
    """End sessions and return where to go on: first to where the browser tells applications."""
    accounts = [session.account.id for session in ending]
    handle = services().sign_out.end(
        browser_cookie(), accounts, asked.client_id, asked.continue_uri, origin()
    )
    forget_sessions()
    current_sessions()  # so that the browser's state changes with this answer
    if handle:
        return url_for("farewell", handle=handle)
    return asked.continue_uri or url_for("signed_out", client_id=asked.client_id)


def farewell(handle: str) -> Response:
    """Let the browser tell applications that sessions have ended, then go on."""
    found = services().sign_out.find(handle, browser_cookie())
    if found is None:
        return see_other(url_for("signed_out"))
    frames = list(_frames(found))
    frame_only(map(front_channel_logout.origin, frames))
    return _done(found.client_id, found.continue_uri, frames)


def _frames(farewell: Farewell) -> Iterator[str]:
    for client_id, sid in farewell.told:
        client = services().clients.find(client_id)
        if client and (uri := client.details.get("frontchannel_logout_uri")):
            yield front_channel_logout.address(uri, services().settings.issuer, sid)


def signed_out() -> Response:
    """Say who was signed out and what stays; not to somebody who is signed in all the same."""
    if current_sessions() and not just_signed_out():
        return see_other(url_for("home"))
    return _done(request.args.get("client_id"))


def _done(client_id: str | None, onward: str | None = None, frames: Sequence[str] = ()) -> Response:
    client = services().clients.find(client_id) if client_id else None
    return page(
        "signed_out.html",
        ended=just_signed_out(),
        still=[session.account for session in current_sessions()],
        sign_out_action=url_for("sign_out_here"),
        client=view_of(client),
        frames=frames,
        onward=onward is not None,
        continue_url=onward or (client.client_uri if client and _is_known(client) else None),
        sign_in_url=url_for("start"),
        stays=_STAYS,
    )
