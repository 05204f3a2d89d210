"""What a request still needs from the person: OpenID Connect Core sections 3.1.2.3 and 3.1.2.4.

Small checks in order; the first that finds something decides. Every page returns to whoever asks
this again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from idp.domain.access import Resource
from idp.domain.accounts import Account, email_key
from idp.domain.clients import Client
from idp.domain.consents import Pairs
from idp.domain.interactions import Progress
from idp.domain.requirements import Demand, Verdict
from idp.domain.sessions import Session
from idp.protocol import requested_acr
from idp.protocol.authorization_request import AuthorizationRequest


@dataclass(frozen=True)
class Login:
    """Somebody has to prove who they are: at all, again, as somebody else, or as somebody new."""

    reason: Literal["sign_in", "fresh", "other_account", "create"]


@dataclass(frozen=True)
class StepUp:
    """Who is proving has to prove more: with a factor that they have, or make one first.

    `sentence` says why, in plain words; empty when the client asked for it.
    """

    missing: Literal["second", "passkey", "enrol", "enrol_passkey"]
    sentence: str


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
class Forbidden:
    """Policies say no, and nothing the person could prove would change that."""

    sentence: str


@dataclass(frozen=True)
class Refuse:
    """The client gets this error."""

    error: str
    description: str


@dataclass(frozen=True)
class Finish:
    """Nothing is missing."""


Judge = Callable[[], Verdict]
SubjectOf = Callable[[Account], str]
"""Under which name the client knows somebody."""
Step = Login | StepUp | ChooseAccount | Consent | Forbidden | Refuse | Finish


@dataclass(frozen=True)
class Situation:
    """All that decides: the request, how far it got, who is signed in, what they allowed.

    `session` is the one to go on with, of all `sessions` of the browser; `judge` says whether what
    was proven is enough. What costs something is asked for when needed.
    """

    request: AuthorizationRequest
    client: Client
    progress: Progress
    sessions: Sequence[Session]
    session: Session | None
    judge: Judge
    subject_of: SubjectOf
    wanted: Pairs
    remembered: Callable[[], Pairs]


def selected(
    request: AuthorizationRequest,
    progress: Progress,
    sessions: Sequence[Session],
    subject_of: SubjectOf,
) -> Session | None:
    """Return the session to go on with: the one chosen, the one the client means, the present."""
    hinted = email_key(request.login_hint)
    fits: tuple[Callable[[Session], bool], ...] = (
        lambda one: one.account.id == progress.chosen,
        lambda one: subject_of(one.account) in request.subjects,
        lambda one: email_key(one.account.email) == hinted,
        lambda one: True,
    )
    return next((one for fit in fits for one in sessions if fit(one)), None)


def demand(
    request: AuthorizationRequest, client: Client, session: Session | None, now: int
) -> Demand:
    """Return what the request asks of the sign-in, beyond what policies do.

    `prompt=login` and `max_age` really ask again: only a sign-in within this interaction satisfies
    them.
    """
    fresh = "login" in request.prompt
    if session and request.max_age is not None:
        age = now - session.auth_time
        fresh = fresh or age > request.max_age or request.max_age == 0
    application = Resource("application", client.client_id, client.first_party)
    levels = requested_acr.levels(request.acr_values, essential=request.acr_essential)
    return Demand("sign_in", application, levels, request.acr_essential, fresh)


def next_step(situation: Situation) -> Step:
    """Return what comes next; with `prompt=none` a page that would be needed is an error instead
    (section 3.1.2.6).
    """
    step = _first_missing(situation)
    if "none" not in situation.request.prompt:
        return step
    match step:
        case Login() | StepUp():
            return Refuse("login_required", "Nobody who proved enough is signed in.")
        case ChooseAccount():
            return Refuse("account_selection_required", "Several accounts are signed in.")
        case Consent():
            return Refuse("consent_required", "The person has not allowed this yet.")
        case Forbidden():
            return Refuse("access_denied", "The policies of this server say no.")
        case _:
            return step


def own_step(progress: Progress, session: Session | None, judge: Judge) -> Step:
    """Return what a visit of our own pages needs next."""
    return _signing_in(progress, session, judge) or _missing(session, judge) or Finish()


def _first_missing(situation: Situation) -> Step:
    for check in (_sign_in, _somebody_else, _account_choice, _assurance):
        step = check(situation)
        if step is not None:
            return step
    return _consent(situation) or Finish()


def _sign_in(situation: Situation) -> Step | None:
    progress = situation.progress
    if "create" in situation.request.prompt and not progress.signed_in and not progress.account:
        return Login("create")
    return _signing_in(progress, situation.session, situation.judge)


def _signing_in(progress: Progress, session: Session | None, judge: Judge) -> Step | None:
    """Nobody is signed in, wants to be somebody else, or proved a part of who they are."""
    if progress.account and progress.account != progress.signed_in:
        return _missing(session, judge) or Login("sign_in")
    if session is None or progress.another:
        return Login("sign_in")
    return None


def _somebody_else(situation: Situation) -> Step | None:
    """Only who is named may answer (sections 3.1.2.2 and 5.5.1)."""
    named, session = situation.request.subjects, situation.session
    if named and session and situation.subject_of(session.account) not in named:
        return Login("other_account")
    return None


def _account_choice(situation: Situation) -> Step | None:
    request, session = situation.request, situation.session
    if session is None or situation.progress.chosen == session.account.id:
        return None
    if "select_account" in request.prompt:
        return ChooseAccount("")
    hint = request.login_hint
    if "@" in hint:
        same = email_key(hint) == email_key(session.account.email)
        return None if same or "none" in request.prompt else ChooseAccount(hint)
    if len(situation.sessions) > 1 and not request.subjects:
        return ChooseAccount("")
    return None


def _assurance(situation: Situation) -> Step | None:
    return _missing(situation.session, situation.judge)


def _missing(session: Session | None, judge: Judge) -> Step | None:
    """Say what has to be proven still."""
    verdict = judge()
    match verdict.missing:
        case "":
            return None
        case "refused":
            return Forbidden(verdict.sentence)
        case "second" | "passkey" | "enrol" | "enrol_passkey" as missing:
            return StepUp(missing, verdict.sentence)
        case _:
            return Login("fresh" if session else "sign_in")


def _consent(situation: Situation) -> Step | None:
    """Only what is new is asked; all of it when the client asks for it, or can be impersonated (RFC
    8252 8.6).
    """
    client, session = situation.client, situation.session
    if session is None or situation.progress.consented == session.account.id:
        return None
    everything = "consent" in situation.request.prompt or client.impersonable
    if client.first_party and not everything:
        return None
    already = situation.remembered() & situation.wanted
    asked = situation.wanted if everything else situation.wanted - already
    return Consent(asked, already - asked) if asked else None
