"""People: found by the beginning of address or name, and one of them with all that belongs to them.

What a person did and what was done to them is shown to who may see the audit log.
"""

from flask import Response, request, url_for

from idp.domain.access import PRIVILEGED_ROLES
from idp.domain.accounts import Account
from idp.domain.audit_search import Wanted
from idp.domain.credentials.last_way import WAYS
from idp.domain.requirements import Standing
from idp.domain.sessions import Session
from idp.web.admin.audit_lines import shown
from idp.web.admin.frame import admin_page, by, may
from idp.web.context import services
from idp.web.guards import permission
from idp.web.user_agents import describe

_TIMELINE = 15
_HERE = "admin_people"


@permission("admin", "view_people")
def admin_people(session: Session) -> Response:
    """List people, or those whose address or name begins with what was typed."""
    typed = request.args.get("q", "")
    found = services().people.search(typed, request.args.get("after", ""))
    inviting = may(session, "invite_people") and services().invitations.possible
    return admin_page(
        "people.html",
        session,
        _HERE,
        people=[
            {"person": one, "url": url_for("admin_person", account_id=one.id)}
            for one in found.people
        ],
        typed=typed,
        action=url_for(_HERE),
        first_url=url_for(_HERE, q=typed or None) if request.args.get("after") else None,
        more_url=url_for(_HERE, q=typed or None, after=found.more) if found.more else None,
        invite_url=url_for("admin_invite") if inviting else None,
    )


@permission("admin", "view_people")
def admin_person(session: Session, account_id: str) -> Response:
    """Show one person."""
    return show(session, services().people.view(account_id, by(session)))


def show(
    session: Session, person: Account, problem: str | None = None, code: int = 200
) -> Response:
    """Render a person's page, with what went wrong on it."""
    parts = services()
    standing = parts.requirements.standing(person.id)
    changing = may(session, "change_people") and parts.people.changeable(person, by(session))
    return admin_page(
        "person.html",
        session,
        _HERE,
        code,
        problem=problem,
        whom=person,
        people_url=url_for(_HERE),
        privileged=bool(person.roles & set(PRIVILEGED_ROLES)),
        second_factor=standing.second_factor,
        no_way_in=not standing.credentials & WAYS,
        changing=changing,
        protected=may(session, "change_people") and not changing,
        **_held(session, person, changing=changing),
        credentials=_credentials(person, standing, changing=changing),
        **_sessions(session, person),
        **_timeline(session, person),
        disable_url=url_for("admin_disable_person", account_id=person.id),
        enable_action=url_for("admin_enable_person", account_id=person.id),
    )


def _held(session: Session, person: Account, *, changing: bool) -> dict[str, object]:
    """Roles and groups; those that this person may take away have a button."""
    mine = services().people.takeable(person, by(session))
    return {
        "roles": [
            {"name": one, "mine": changing and one in mine.roles} for one in sorted(person.roles)
        ],
        "groups": [
            {"name": one, "mine": changing and one in mine.groups} for one in sorted(person.groups)
        ],
        "privileged_roles": PRIVILEGED_ROLES,
        "grant_action": url_for("admin_grant", account_id=person.id),
        "revoke_action": url_for("admin_revoke", account_id=person.id),
    }


def _credentials(person: Account, standing: Standing, *, changing: bool) -> list[dict[str, object]]:
    """Each way to prove who they are: kind, name, dates and, where it may go, where that is."""
    parts = services()
    found: list[dict[str, object]] = []
    if "password" in standing.credentials:
        found.append({"kind": "password", "created_at": parts.own.password.changed_at(person.id)})
    for passkey in parts.passkeys.of(person.id):
        found.append({"kind": "passkey", "id": passkey.id, **_named(passkey)})
    for authenticator in parts.authenticators.of(person.id):
        found.append({"kind": "authenticator", "id": authenticator.id, **_named(authenticator)})
    if made_at := parts.recovery_codes.made_at(person.id):
        left = parts.recovery_codes.left(person.id)
        found.append({"kind": "recovery_codes", "id": "all", "created_at": made_at, "left": left})
    for one in found:
        if changing and "id" in one:
            kind, credential_id = str(one["kind"]), str(one["id"])
            one["remove_url"] = url_for(
                "admin_remove_credential",
                account_id=person.id,
                kind=kind,
                credential_id=credential_id,
            )
    return found


def _named(credential: object) -> dict[str, object]:
    names = ("name", "created_at", "last_used_at", "synced")
    return {name: getattr(credential, name) for name in names if hasattr(credential, name)}


def _sessions(session: Session, person: Account) -> dict[str, object]:
    ending = may(session, "end_sessions") and services().people.changeable(person, by(session))
    live = services().sessions.of(person.id)
    return {
        "sessions": [
            {
                "id": one.id,
                "here": one.id == session.id,
                "device": describe(one.user_agent),
                "address": one.address,
                "since": one.created_at,
                "seen_at": one.seen_at,
            }
            for one in live
        ],
        "end_action": url_for("admin_end_sessions", account_id=person.id) if ending else None,
    }


def _timeline(session: Session, person: Account) -> dict[str, object]:
    if not may(session, "view_audit"):
        return {"timeline": None}
    found = services().audit_search.page(Wanted(account_id=person.id), size=_TIMELINE)
    everything = url_for("admin_audit", person=person.email)
    return {"timeline": [shown(session, line) for line in found.lines], "audit_url": everything}
