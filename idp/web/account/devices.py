"""Where somebody is signed in, and which browsers are known: ending, forgetting, distrusting."""

from flask import Response, url_for

from idp.domain.devices import Device
from idp.domain.sessions import Session
from idp.web.account.frame import account_page, after, by, own
from idp.web.browser_session import device_cookie
from idp.web.context import origin, services
from idp.web.guards import permission
from idp.web.user_agents import describe


@permission("account", "use_account")
def account_sessions(session: Session) -> Response:
    """List both."""
    parts, person = services(), session.account.id
    sessions = sorted(parts.sessions.of(person), key=lambda one: one.id != session.id)
    here = {one.device_id for one in parts.devices.accounts_of(device_cookie())}
    return account_page(
        "sessions.html",
        session,
        "account_sessions",
        sessions=[_session(one, here=one.id == session.id) for one in sessions],
        others_action=url_for("end_other_sessions") if len(sessions) > 1 else None,
        devices=[_device(one, here=one.id in here) for one in parts.devices.of(person)],
    )


@permission("account", "use_account", back="account_sessions")
def end_session(session: Session, session_id: str) -> Response:
    """End one."""
    person = session.account.id
    with own(session, "end_session"):
        services().sessions.end_one(session_id, person, origin(), f"account:{person}")
    return after("account_sessions", "session-ended")


@permission("account", "use_account", back="account_sessions")
def end_other_sessions(session: Session) -> Response:
    """End all but this one."""
    person = session.account.id
    services().sessions.end_others(person, session.id, origin(), f"account:{person}")
    return after("account_sessions", "sessions-ended")


@permission("account", "use_account", back="account_sessions")
def forget_device(session: Session, device_id: str) -> Response:
    """Know a browser no more."""
    with own(session, "forget_device"):
        services().devices.forget(session.account.id, device_id, by(session))
    return after("account_sessions", "forgotten")


@permission("account", "use_account", back="account_sessions")
def distrust_device(session: Session, device_id: str) -> Response:
    """Ask for the second step again in that browser."""
    with own(session, "distrust_device"):
        services().devices.distrust(session.account.id, device_id, by(session))
    return after("account_sessions", "distrusted")


def _session(one: Session, *, here: bool) -> dict[str, object]:
    return {
        "device": describe(one.user_agent),
        "here": here,
        "address": one.address,
        "since": one.created_at,
        "seen_at": one.seen_at,
        "end_action": None if here else url_for("end_session", session_id=one.id),
    }


def _device(one: Device, *, here: bool) -> dict[str, object]:
    return {
        "device": describe(one.user_agent),
        "here": here,
        "address": one.address,
        "since": one.created_at,
        "seen_at": one.seen_at,
        "trusted_until": one.trusted_until,
        "distrust_action": url_for("distrust_device", device_id=one.id),
        "forget_action": url_for("forget_device", device_id=one.id),
    }
