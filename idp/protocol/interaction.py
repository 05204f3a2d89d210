"""What a request still needs from the person: OpenID Connect Core sections 3.1.2.3 and 3.1.2.4.

Small checks in order; the first that finds something decides. Every page returns to whoever asks
this again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from idp.domain.accounts import email_key
from idp.domain.clients import Client
from idp.domain.consents import Pairs
from idp.domain.interactions import Progress
from idp.domain.sessions import Session
from idp.protocol.authorization_request import AuthorizationRequest


@dataclass(frozen=True)
class Login:
    """Somebody has to prove who they are: at all, again, or as somebody else."""

    reason: Literal["sign_in", "fresh", "other_account"]


@dataclass(frozen=True)
class ChooseAccount:
    """The person has to say which account. `asked_for` is the client's hint, or empty."""

    asked_for: str


@dataclass(frozen=True)
class Consent:
    """The person has to allow `asked`; `already` was allowed before."""

    asked: Pairs
    already: Pairs


@dataclass(frozen=True)
class Refuse:
    """The client gets this error."""

    error: str
    description: str


@dataclass(frozen=True)
class Finish:
    """Nothing is missing."""


Step = Login | ChooseAccount | Consent | Refuse | Finish


@dataclass(frozen=True)
class Situation:
    """All that decides: the request, how far it got, who is signed in, what they allowed (asked for
    when needed).
    """

    request: AuthorizationRequest
    client: Client
    progress: Progress
    session: Session | None
    now: int
    wanted: Pairs
    remembered: Callable[[], Pairs]


def next_step(situation: Situation) -> Step:
    """Return what comes next; with `prompt=none` a page that would be needed is an
    error instead.
    """
    step = _first_missing(situation)
    if "none" not in situation.request.prompt:
        return step
    match step:
        case Login():
            return Refuse("login_required", "Nobody suitable is signed in.")
        case Consent():
            return Refuse("consent_required", "The person has not allowed this yet.")
        case _:
            return step


def _first_missing(situation: Situation) -> Step:
    session = situation.session
    if session is None:
        return Login("sign_in")
    for check in (_somebody_else, _fresh_sign_in, _account_choice, _consent):
        step = check(situation, session)
        if step is not None:
            return step
    return Finish()


def _somebody_else(situation: Situation, session: Session) -> Step | None:
    hinted = situation.request.hinted_subject
    if hinted is not None and hinted != session.account.subject:
        return Login("other_account")
    return None


def _fresh_sign_in(situation: Situation, session: Session) -> Step | None:
    """`prompt=login` and `max_age` really ask again: only a sign-in within this interaction
    satisfies them.
    """
    request = situation.request
    age = situation.now - session.auth_time
    too_old = request.max_age is not None and (age > request.max_age or request.max_age == 0)
    asked = "login" in request.prompt or too_old
    if asked and situation.progress.signed_in != session.account.id:
        return Login("fresh")
    return None


def _account_choice(situation: Situation, session: Session) -> Step | None:
    request = situation.request
    if situation.progress.chosen == session.account.id or "none" in request.prompt:
        return None
    if "select_account" in request.prompt:
        return ChooseAccount("")
    if "@" in request.login_hint and email_key(request.login_hint) != email_key(
        session.account.email
    ):
        return ChooseAccount(request.login_hint)
    return None


def _consent(situation: Situation, session: Session) -> Step | None:
    """Only what is new is asked; all of it when the client asks for it, or can be impersonated (RFC
    8252 8.6).
    """
    client = situation.client
    if situation.progress.consented == session.account.id:
        return None
    everything = "consent" in situation.request.prompt or client.impersonable
    if client.first_party and not everything:
        return None
    already = situation.remembered() & situation.wanted
    asked = situation.wanted if everything else situation.wanted - already
    return Consent(asked, already - asked) if asked else None
