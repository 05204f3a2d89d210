"""The consent page: what a client asks for, in plain words, and nothing that was allowed before."""

from flask import Response, request, url_for

from idp.domain.clients import Client
from idp.domain.consents import name_of
from idp.domain.interactions import Interaction
from idp.domain.sessions import Session
from idp.protocol import redirect_uris, scopes
from idp.protocol.authorization_request import AuthorizationRequest
from idp.protocol.interaction import Consent
from idp.web import authorize, passkeys, turns
from idp.web.context import origin, services
from idp.web.pages import page, see_other, view_of


def consent(handle: str) -> Response:
    """Ask, or take the answer. What is allowed is what was stored, whatever the form says."""
    turn = turns.turn(handle)
    step, session = turn.step, turn.session
    if not isinstance(step, Consent) or not (session and turn.asked and turn.client):
        return turn.back()
    if request.method == "POST":
        return _answer(turn.found, session, turn.client, step)
    return _ask(turn.found, session, turn.asked, turn.client, step)


def _answer(found: Interaction, session: Session, client: Client, step: Consent) -> Response:
    decision = request.form.get("decision")
    if decision == "allow":
        services().interactions.consent(found, session, client.client_id, step.asked, origin())
    elif decision == "cancel":
        return authorize.refuse(found, "access_denied", "The person said no.")
    return see_other(url_for("interaction", handle=found.handle))


def _ask(
    found: Interaction,
    session: Session,
    asked: AuthorizationRequest,
    client: Client,
    step: Consent,
) -> Response:
    resources = services().resources
    names = {name for _, name in step.asked}
    asked_now = [scope for scope in asked.scopes if scope in names]
    asked_now += [name_of(claim) for claim in scopes.CLAIM_WORDS if name_of(claim) in names]
    groups = scopes.describe(asked_now, resources)
    targets = (resource for resource, scope in sorted(step.asked) if not scope)
    groups += [scopes.describe_target(target, resources) for target in targets]
    before = scopes.describe((scope for _, scope in sorted(step.already) if scope), resources)
    return page(
        "consent.html",
        client=view_of(client, asked.redirect_uri),
        account=session.account,
        groups=groups,
        already=[line.text for group in before for line in group.lines],
        destination=redirect_uris.origin_for_display(asked.redirect_uri),
        impersonable=client.impersonable,
        action=url_for("consent", handle=found.handle),
        switch_url=url_for("switch", handle=found.handle),
        upgrade=passkeys.upgrade_offered(session),
    )
