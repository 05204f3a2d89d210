"""/oauth2/authorize and the dispatcher of interactions: every page comes back here, none leads to
another page.
"""

from flask import Response, abort, request, url_for

from idp.domain.approvals import Approval
from idp.domain.client_keys import NoKeys
from idp.domain.interactions import Ending, Interaction, Progress
from idp.domain.sessions import Session
from idp.protocol import (
    authorization_request,
    authorization_response,
    client_tokens,
    front_channel,
    requested_acr,
    session_management,
)
from idp.protocol.authorization_request import AuthorizationRequest
from idp.protocol.authorization_response import Destination
from idp.protocol.errors import RedirectedError, ShownError
from idp.protocol.interaction import (
    ChooseAccount,
    Consent,
    Finish,
    Forbidden,
    Login,
    Refuse,
    StepUp,
)
from idp.protocol.resource_indicators import InvalidTarget
from idp.protocol.response_types import CODE
from idp.web import passkey_offer, turns
from idp.web.browser_session import (
    browser_cookie,
    browser_state,
    current_session,
    current_sessions,
)
from idp.web.client_log import note
from idp.web.context import all_values, oauth_server, origin, services
from idp.web.handover import hand_over
from idp.web.leaving import leave
from idp.web.pages import page, see_other
from idp.web.turns import Turn


def authorize() -> Response:
    """Check the request; answer at once if nothing is missing, else start an interaction."""
    parameters = all_values(request.args, request.form)
    try:
        asked, client = authorization_request.parse(parameters, turns.checks())
    except ShownError as error:
        _record(error.client_id, error)
        note(error, error.client_id or error.disabled)
        raise
    except RedirectedError as error:
        client_id = parameters["client_id"][0]
        _record(client_id, error)
        note(error, client_id)
        where = authorization_response.destination_of_error(client_id, error)
        silent = "none" in " ".join(parameters.get("prompt", ())).split()
        return to_client(where, error.error, error.description, silent=silent)
    if request.method == "POST":
        # A cross-site POST comes without our cookie (SameSite=Lax): go on in a GET, which has it.
        progress = Progress(asked.as_json())
        return _to_interaction(services().interactions.open(progress, None, origin()))
    turn = turns.of_request(asked, client)
    match turn.step:
        case Refuse() as refused:
            _note(client.client_id, refused.error, refused.description)
            where, silent = authorization_response.destination_of(asked), "none" in asked.prompt
            return to_client(where, refused.error, refused.description, silent=silent)
        case Finish() if turn.session:
            return _finish(turn, turn.session)
    refuse_unless_navigation()
    handle = services().interactions.open(Progress(asked.as_json()), browser_cookie(), origin())
    return _to_interaction(handle)


def interaction(handle: str) -> Response:
    """Send the browser to whatever its interaction needs next."""
    turn = turns.turn(handle)
    if turn.found.finished and turn.progress.result:
        return hand_over(turn.progress.result)
    if passkey_offer.due(turn):
        return see_other(url_for("offer_passkey", handle=handle))
    match turn.step:
        case Refuse() as refused:
            return _refuse(turn, refused)
        case Forbidden():
            return _forbidden(turn)
        case Finish() if turn.asked is None:
            return _without_client(turn)
        case Finish() if turn.session:
            return _finish(turn, turn.session)
    return see_other(url_for(_page_of(turn), handle=handle))


def _page_of(turn: Turn) -> str:
    """Return the page whose turn it is."""
    match turn.step:
        case ChooseAccount():
            return "choose_account"
        case Consent():
            return "consent"
        case StepUp("enrol" | "enrol_passkey"):
            return "enrol"
        case StepUp():
            return "second_factor"
        case Login() if opened := _proven_by_mail(turn):
            return opened
        case Login("create"):
            return "sign_up"
        case Login("fresh") if turn.session:
            return _confirming(turn.session)
    return "sign_in"


def _proven_by_mail(turn: Turn) -> str:
    """Return the page that a mailed proof opened, while it does."""
    if services().password_reset.allowed(turn.visit):
        return "new_password"
    return "new_account" if services().sign_up.proven(turn.visit) else ""


def _confirming(session: Session) -> str:
    """Return the page where who is signed in proves it again: as before, with what the person has.

    Codes of an app are no first factor.
    """
    credentials = services().requirements.standing(session.account.id).credentials
    by_passkey = session.proofs.keys() & {"passkey", "synced_passkey"}
    if "passkey" in credentials and (by_passkey or "password" not in credentials):
        return "second_factor"
    return "password" if "password" in credentials else "magic_link"


def cancel(handle: str) -> Response:
    """The person does not want to: tell the client.

    Who can't reach an essential `acr` is told apart (Unmet Authentication Requirements 1.0).
    """
    turn = turns.turn(handle)
    if turn.asked is None:
        return see_other("/")
    if turn.asked.acr_essential and isinstance(turn.step, StepUp):
        return refuse(turn.found, requested_acr.UNMET, "The acr that is essential was not reached.")
    return refuse(turn.found, "access_denied", "The person said no.")


def _forbidden(turn: Turn) -> Response:
    """Say no, whom to ask, and offer another account; a client learns it by Cancel."""
    sentence = turn.step.sentence if isinstance(turn.step, Forbidden) else ""
    return page(
        "forbidden.html",
        403,
        client=turn.client_view,
        account=services().sign_in.proving(turn.visit),
        sentence=sentence,
        switch_url=url_for("switch", handle=turn.found.handle),
        cancel_url=turn.cancel_url,
    )


def refuse(found: Interaction, error: str, description: str) -> Response:
    """End an interaction with an error for the client."""
    ended = _ended(found, error, description)
    # A form is shown by the dispatcher, so that a reload does not post ours again.
    return see_other(ended) if isinstance(ended, str) else _to_interaction(found.handle)


def _ended(found: Interaction, error: str, description: str) -> Ending:
    asked, client = turns.asked_of(found)
    where = authorization_response.destination_of(asked)
    ending = where.failure(error, description, services().settings.issuer)
    session = current_session()
    actor = f"account:{session.account.id}" if session else "anyone"
    return services().interactions.cancel(found, ending, client.client_id, actor, origin())


def to_client(where: Destination, error: str, description: str, *, silent: bool) -> Response:
    """Tell a client of an error: a stranger's only where somebody wants to go there, or nobody is
    to be asked (`silent`).
    """
    ending = where.failure(error, description, services().settings.issuer)
    client = services().clients.get(where.client_id)
    return leave(client, where.redirect_uri, ending, error, description, silent=silent)


def _refuse(turn: Turn, refused: Refuse) -> Response:
    """End an interaction that nobody cancelled: its client is told with the same care as before."""
    if turn.asked is None or turn.client is None:
        return turn.back()
    _note(turn.client.client_id, refused.error, refused.description)
    ended = _ended(turn.found, refused.error, refused.description)
    return leave(
        turn.client,
        turn.asked.redirect_uri,
        ended,
        refused.error,
        refused.description,
        silent="none" in turn.asked.prompt,
    )


def _finish(turn: Turn, session: Session) -> Response:
    asked, client = turn.asked, turn.client
    if asked is None or client is None:
        return turn.back()
    approval = Approval(
        client_id=client.client_id,
        redirect_uri=asked.redirect_uri if asked.redirect_uri_sent else "",
        scopes=asked.scopes,
        resource=asked.resource,
        nonce=asked.nonce,
        code_challenge=asked.code_challenge,
        refreshable="refresh_token" in client.grant_types and CODE in asked.response_type,
        acr=requested_acr.reported(asked.acr_values, session.acr),
        subject=services().subjects.of(session.account, client),
        claims=asked.claims.as_json(),
    )
    parts, where = services(), authorization_response.destination_of(asked)
    opening = parts.approvals.prepare(
        approval, session, code=CODE in asked.response_type, tokens=asked.response_type != {CODE}
    )
    try:
        values, issued = front_channel.issue(oauth_server().parts, asked, client, opening)
    except InvalidTarget as error:
        _note(client.client_id, "invalid_target", str(error))
        return to_client(where, "invalid_target", str(error), silent=False)
    except NoKeys as error:
        failed = client_tokens.redirected(error)
        _record(client.client_id, failed)
        note(failed, client.client_id)
        return to_client(where, failed.error, failed.description, silent=False)
    ending = where.success(values, parts.settings.issuer, _session_state(asked))
    parts.clients.used(client)
    stored = turn.found if turn.found.handle else None
    return hand_over(parts.interactions.finish(stored, opening, issued, ending, origin()))


def _session_state(asked: AuthorizationRequest) -> str | None:
    """Only OpenID requests are answered with it (Session Management section 2)."""
    if "openid" not in asked.scopes:
        return None
    return session_management.session_state(
        asked.client_id, asked.redirect_uri, browser_state(current_sessions())
    )


def _record(client_id: str | None, error: ShownError | RedirectedError) -> None:
    services().interactions.refuse(
        "authorization.refused", client_id, error.error, error.reason, origin()
    )


def _note(client_id: str, error: str, description: str) -> None:
    note(RedirectedError(error, description), client_id, counted=False)


def _without_client(turn: Turn) -> Response:
    if turn.progress.logout is not None:
        return see_other(url_for("sign_out", handle=turn.found.handle))
    return hand_over(services().interactions.close(turn.found, turn.progress.return_to))


def refuse_unless_navigation() -> None:
    """Begin nothing for a picture, a frame or a script: no person is there to go on.

    Any page could otherwise use up what its visitor's network may begin (Fetch Metadata).
    """
    if request.headers.get("Sec-Fetch-Dest", "document") != "document":
        abort(400)


def _to_interaction(handle: str) -> Response:
    return see_other(url_for("interaction", handle=handle))
