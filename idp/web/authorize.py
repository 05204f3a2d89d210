"""/oauth2/authorize and the dispatcher of interactions: every page comes back here, none leads to
another page.
"""

from collections.abc import Iterable

from flask import Response, abort, request, url_for

from idp.domain.authorizations import Approval
from idp.domain.clients import Client
from idp.domain.consents import Pairs
from idp.domain.interactions import Interaction, Progress
from idp.domain.sessions import Session
from idp.protocol import authorization_request, authorization_response
from idp.protocol.authorization_request import AuthorizationRequest, Checks
from idp.protocol.errors import RedirectedError, ShownError
from idp.protocol.interaction import (
    ChooseAccount,
    Consent,
    Finish,
    Login,
    Refuse,
    Situation,
    Step,
    next_step,
)
from idp.protocol.resource_indicators import InvalidTarget, audience, wanted
from idp.web.browser_session import browser_cookie, current_session
from idp.web.context import all_values, oauth_server, origin, services
from idp.web.pages import see_other


def authorize() -> Response:
    """Check the request; answer at once if nothing is missing, else start an interaction."""
    parameters = all_values(request.args, request.form)
    try:
        asked, client = authorization_request.parse(parameters, _checks())
    except ShownError as error:
        _record(error.client_id, error)
        raise
    except RedirectedError as error:
        _record(parameters["client_id"][0], error)
        return to_client(error.redirect_uri, error.error, error.description, error.state)
    if request.method == "POST":
        # A cross-site POST comes without our cookie (SameSite=Lax): go on in a GET, which has it.
        progress = Progress(asked.as_json())
        return _to_interaction(services().interactions.open(progress, None, origin()))
    step, session = decide(asked, client, Progress())
    if isinstance(step, Refuse):
        return to_client(asked.redirect_uri, step.error, step.description, asked.state)
    if isinstance(step, Finish) and session:
        return _finish(None, asked, client, session)
    refuse_unless_navigation()
    handle = services().interactions.open(Progress(asked.as_json()), browser_cookie(), origin())
    return _to_interaction(handle)


def interaction(handle: str) -> Response:
    """Send the browser to whatever its interaction needs next."""
    found = find(handle)
    if found.finished and found.progress.result:
        return see_other(found.progress.result)
    if found.progress.request is None:
        return _without_client(found)
    asked, client = asked_of(found)
    step, session = decide(asked, client, found.progress)
    match step:
        case Login():
            return see_other(_page_of(found, step))
        case ChooseAccount():
            return see_other(url_for("choose_account", handle=handle))
        case Consent():
            return see_other(url_for("consent", handle=handle))
        case Refuse():
            return refuse(found, step.error, step.description)
        case Finish() if session:
            return _finish(found, asked, client, session)
    return see_other(url_for("sign_in", handle=handle))


def cancel(handle: str) -> Response:
    """The person does not want to: tell the client."""
    found = find(handle)
    if found.progress.request is None:
        return see_other("/")
    return refuse(found, "access_denied", "The person said no.")


def find(handle: str) -> Interaction:
    """Return this browser's interaction. Raises NotFound."""
    return services().interactions.find(handle, browser_cookie())


def asked_of(found: Interaction) -> tuple[AuthorizationRequest, Client]:
    """Return the stored request and its client. Raises NotFound when the client is gone."""
    asked = authorization_request.from_json(found.progress.request or {})
    return asked, services().clients.get(asked.client_id)


def decide(
    asked: AuthorizationRequest, client: Client, progress: Progress
) -> tuple[Step, Session | None]:
    """Return the next step, and who is signed in."""
    parts = services()
    session = current_session()
    if client.disabled:
        return Refuse("unauthorized_client", "This client is disabled."), session

    def remembered() -> Pairs:
        account_id = session.account.id if session else ""
        return parts.consents.find(account_id, client.client_id)

    named = (asked.resource,) if asked.resource else ()
    issuer = parts.settings.issuer
    try:
        pairs = wanted(named, asked.scopes, client, parts.resources, issuer)
    except InvalidTarget as error:
        return Refuse("invalid_target", str(error)), session
    now = int(parts.clock())
    situation = Situation(asked, client, progress, session, now, pairs, remembered)
    return next_step(situation), session


def step_is(found: Interaction, kind: type[Step]) -> Step | None:
    """Return the interaction's next step if it is of this kind: no page serves another's turn."""
    if found.finished or found.progress.request is None:
        return None
    step, _ = decide(*asked_of(found), found.progress)
    return step if isinstance(step, kind) else None


def refuse(found: Interaction, error: str, description: str) -> Response:
    """End an interaction with an error for the client."""
    asked, client = asked_of(found)
    issuer = services().settings.issuer
    location = authorization_response.failure(
        asked.redirect_uri, error, description, asked.state, issuer
    )
    session = current_session()
    actor = f"account:{session.account.id}" if session else "anyone"
    ended = services().interactions.cancel(found, location, client.client_id, actor, origin())
    return see_other(ended)


def to_client(redirect_uri: str, error: str, description: str, state: str | None) -> Response:
    """Redirect an error to a client; the redirect URI is proven."""
    issuer = services().settings.issuer
    return see_other(
        authorization_response.failure(redirect_uri, error, description, state, issuer)
    )


def _finish(
    found: Interaction | None, asked: AuthorizationRequest, client: Client, session: Session
) -> Response:
    approval = Approval(
        client_id=client.client_id,
        redirect_uri=asked.redirect_uri if asked.redirect_uri_sent else "",
        scopes=asked.scopes,
        resource=asked.resource,
        nonce=asked.nonce,
        code_challenge=asked.code_challenge,
        refreshable="refresh_token" in client.grant_types,
    )
    issuer = services().settings.issuer

    def answer(code: str) -> str:
        return authorization_response.success(asked, code, issuer)

    return see_other(services().interactions.finish(found, approval, session, answer, origin()))


def _record(client_id: str | None, error: ShownError | RedirectedError) -> None:
    services().interactions.refuse(
        "authorization.refused", client_id, error.error, error.description, origin()
    )


def _without_client(found: Interaction) -> Response:
    if found.progress.logout is not None:
        return see_other(url_for("sign_out", handle=found.handle))
    if current_session() is None:
        return see_other(_page_of(found, Login("sign_in")))
    return see_other(services().interactions.close(found, found.progress.return_to))


def _page_of(found: Interaction, step: Login) -> str:
    """Who has to confirm is asked for the password; everybody else says first who they are."""
    page = "password" if step.reason == "fresh" else "sign_in"
    return url_for(page, handle=found.handle)


def refuse_unless_navigation() -> None:
    """Begin nothing for a picture, a frame or a script: no person is there to go on.

    Any page could otherwise use up what its visitor's network may begin (Fetch Metadata).
    """
    if request.headers.get("Sec-Fetch-Dest", "document") != "document":
        abort(400)


def _to_interaction(handle: str) -> Response:
    return see_other(url_for("interaction", handle=handle))


def _checks() -> Checks:
    parts = services()
    mint = oauth_server().parts.mint

    def hinted_subject(token: str, client_id: str) -> str | None:
        found = mint.hinted(token)
        return found[0] if found and found[1] == client_id else None

    def resource_problem(
        resources: Iterable[str], scopes: Iterable[str], client: Client
    ) -> str | None:
        try:
            audience(list(resources), scopes, client, parts.resources, parts.settings.issuer)
        except InvalidTarget as error:
            return str(error)
        return None

    return Checks(parts.clients.find, hinted_subject, resource_problem)
