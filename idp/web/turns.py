"""Whose turn it is: an interaction as one request finds it, and what it needs next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, request, url_for

from idp.domain.access import Resource
from idp.domain.accounts import Account
from idp.domain.clients import Client
from idp.domain.consents import Pairs
from idp.domain.errors import NotFound
from idp.domain.interactions import Interaction, Progress
from idp.domain.proving import Cookies, Visit
from idp.domain.requirements import Demand, Verdict
from idp.domain.sessions import Session
from idp.protocol import authorization_request, claims_request, interaction
from idp.protocol.authorization_request import (
    AuthorizationRequest,
    Checks,
    supported_prompts,
)
from idp.protocol.interaction import Finish, Refuse, Situation, Step
from idp.protocol.offer import Offer
from idp.protocol.resource_indicators import InvalidTarget, audience, wanted
from idp.web.appearance import heed
from idp.web.browser_session import (
    browser_cookie,
    current_sessions,
    device_cookie,
    set_browser_cookie,
    set_device_cookie,
)
from idp.web.context import oauth_server, origin, request_objects, services
from idp.web.pages import ClientView, see_other, view_of

ANEW: Mapping[str, Any] = {"account": "", "proofs": {}, "mailed": "", "details": {}}
"""What an interaction forgets when somebody else is going to sign in."""


@dataclass(frozen=True)
class Turn:
    """An interaction, what it needs next, who is signed in, and for which client (None: a visit of
    our own pages).
    """

    visit: Visit
    step: Step
    asked: AuthorizationRequest | None = None
    client: Client | None = None

    @property
    def found(self) -> Interaction:
        """The interaction; its handle is empty when it was not stored yet."""
        return self.visit.interaction

    @property
    def progress(self) -> Progress:
        """How far it got."""
        return self.found.progress

    @property
    def session(self) -> Session | None:
        """The session to go on with."""
        return self.visit.session

    @property
    def client_view(self) -> ClientView | None:
        """The client as pages show it."""
        return view_of(self.client, self.asked.redirect_uri if self.asked else "")

    @property
    def cancel_url(self) -> str:
        """Where the button Cancel leads."""
        return url_for("cancel", handle=self.found.handle)

    def back(self) -> Response:
        """Return to the dispatcher."""
        return see_other(url_for("interaction", handle=self.found.handle))

    def signed_in(self, cookies: Cookies | None) -> Response:
        """Give the browser its cookies, if it is signed in now, and return to the dispatcher."""
        if cookies:
            set_browser_cookie(cookies.session)
            set_device_cookie(cookies.device)
        return self.back()


def makes_passkeys() -> bool:
    """Whether the form came from a browser whose scripts found that this device makes passkeys."""
    return request.form.get("passkeys") == "yes"


def offer_passkey_later(found: Interaction, account_id: str) -> None:
    """Let this account be asked before it goes on whether it wants one, where the browser is
    able.
    """
    if makes_passkeys():
        services().interactions.note(found, offer=account_id)


def find(handle: str) -> Interaction:
    """Return this browser's interaction. Raises NotFound."""
    found = services().interactions.find(handle, browser_cookie())
    heed(handle, found.progress)
    return found


def turn(handle: str) -> Turn:
    """Return this browser's interaction and what it needs next. Raises NotFound."""
    found = find(handle)
    if found.progress.request is None:
        return _own(found)
    asked, client = asked_of(found)
    return of_request(asked, client, found)


def asked_of(found: Interaction) -> tuple[AuthorizationRequest, Client]:
    """Return the stored request and its client. Raises NotFound when the client is gone."""
    asked = authorization_request.from_json(found.progress.request or {})
    client = services().clients.find(asked.client_id)
    if client is None:
        raise NotFound("There is no such client.")
    return asked, client


def of_request(
    asked: AuthorizationRequest, client: Client, found: Interaction | None = None
) -> Turn:
    """Return what an authorization request needs next; `found` None: it is not stored."""
    parts = services()
    found = found or Interaction("", Progress(), finished=False)
    sessions = current_sessions()

    def subject_of(account: Account) -> str:
        return parts.subjects.of(account, client)

    session = interaction.selected(asked, found.progress, sessions, subject_of)
    demand = interaction.demand(asked, client, session, int(parts.clock()))
    visit = _visit(found, demand, session)
    if found.finished:
        return Turn(visit, Finish(), asked, client)
    if client.disabled:
        step: Step = Refuse("unauthorized_client", "This client is disabled.")
        return Turn(visit, step, asked, client)

    def remembered() -> Pairs:
        account_id = session.account.id if session else ""
        return claims_request.with_covered(parts.consents.find(account_id, client.client_id))

    named = (asked.resource,) if asked.resource else ()
    try:
        pairs = wanted(named, asked.scopes, client, parts.resources, parts.settings.issuer)
    except InvalidTarget as error:
        return Turn(visit, Refuse("invalid_target", str(error)), asked, client)
    situation = Situation(
        asked,
        client,
        found.progress,
        sessions,
        session,
        _judge(visit),
        subject_of,
        pairs | claims_request.pairs(asked.claims, asked.scopes),
        remembered,
    )
    return Turn(visit, interaction.next_step(situation), asked, client)


def _own(found: Interaction) -> Turn:
    """Return what a visit of our own pages needs next."""
    progress, sessions = found.progress, current_sessions()
    chosen = [one for one in sessions if one.account.id == progress.chosen]
    session = next(iter([*chosen, *sessions]), None)
    console, _, action = progress.action.partition("/")
    visit = _visit(found, Demand(action, Resource("console", console)), session)
    if found.finished or progress.logout is not None:
        return Turn(visit, Finish())
    return Turn(visit, interaction.own_step(progress, session, _judge(visit)))


def _judge(visit: Visit) -> "interaction.Judge":
    def judge() -> Verdict:
        return services().proving.verdict(visit)

    return judge


def _visit(found: Interaction, demand: Demand, session: Session | None) -> Visit:
    cookie = browser_cookie() if found.handle else ""
    return Visit(found, demand, session, cookie, device_cookie(), origin())


def checks() -> Checks:
    """Return what the parser of authorization requests has to ask."""
    parts = services()
    hints = oauth_server().parts.hints

    def hinted_subject(token: str, client_id: str) -> str | None:
        found = hints.read(token)
        return found[0] if found and found[1] == client_id else None

    def resource_problem(
        resources: Iterable[str], scopes: Iterable[str], client: Client
    ) -> str | None:
        try:
            audience(list(resources), scopes, client, parts.resources, parts.settings.issuer)
        except InvalidTarget as error:
            return str(error)
        return None

    prompts = supported_prompts(create=parts.sign_up_open)
    offer, resolve = Offer.of(parts.settings), request_objects().resolve
    return Checks(parts.clients.find, hinted_subject, resource_problem, prompts, offer, resolve)
