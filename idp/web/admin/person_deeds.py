"""What is done to one person: shut out, let in, roles and groups, sessions, lost credentials,
and inviting one more.
"""

from flask import Response, request, url_for

from idp.domain.credentials.last_way import LastWay
from idp.domain.errors import AlreadyExists, DomainError, Invalid, NotFound
from idp.domain.invitations import MayNotInvite
from idp.domain.people import MayNot
from idp.domain.roles import LastAdministrator
from idp.domain.sessions import Session
from idp.domain.texts import Text, marked
from idp.web.admin.frame import admin_page, after, by, confirm_page
from idp.web.admin.people import show
from idp.web.context import services
from idp.web.guards import permission

_HERE = "admin_people"
_LONGEST = 500
_ADDRESS = marked("Type the address of this account to confirm")
_CREDENTIALS = {
    "passkey": marked("Remove this passkey?"),
    "authenticator": marked("Remove this authenticator app?"),
    "recovery_codes": marked("Remove the recovery codes?"),
}
_STATUS: dict[type[DomainError], int] = {
    MayNot: 403,
    LastAdministrator: 409,
    LastWay: 409,
    AlreadyExists: 409,
}


@permission("admin", "change_people")
def admin_disable_person(session: Session, account_id: str) -> Response:
    """Ask for the address, then shut the person out of everything."""
    people, error = services().people, None
    if request.method == "POST":
        try:
            people.disable(account_id, _typed("typed"), by(session))
            return after("admin_person", "disabled", account_id=account_id)
        except (Invalid, LastAdministrator, MayNot) as problem:
            error = problem
    warnings = [
        marked("Every session ends, on every device, and applications lose their access."),
        marked("Nothing is deleted. What was revoked stays revoked when you enable it again."),
    ]
    title, button = marked("Disable this account?"), marked("Disable")
    return _confirm(session, account_id, title, warnings, button, error)


@permission("admin", "change_people")
def admin_remove_credential(
    session: Session, account_id: str, kind: str, credential_id: str
) -> Response:
    """Ask for the address, then remove a credential that was lost."""
    title = _CREDENTIALS.get(kind)
    if title is None:
        raise NotFound(marked("There is no such credential."))
    people, error = services().people, None
    if request.method == "POST":
        try:
            people.remove(account_id, kind, credential_id, _typed("typed"), by(session))
            return after("admin_person", "removed", account_id=account_id)
        except (Invalid, LastWay, MayNot) as problem:
            error = problem
    warnings = [
        marked("It does not work any more, from now on. Its person gets a mail about it."),
        marked("Every session of this person ends, and applications lose their access."),
    ]
    return _confirm(session, account_id, title, warnings, marked("Remove"), error)


def _confirm(
    session: Session,
    account_id: str,
    title: Text,
    warnings: list[Text],
    button: Text,
    error: DomainError | None,
) -> Response:
    person = services().people.view(account_id, by(session))
    return confirm_page(
        session,
        _HERE,
        title=title,
        warnings=warnings,
        label=_ADDRESS,
        expected=person.email,
        button=button,
        cancel_url=url_for("admin_person", account_id=person.id),
        error=str(error) if error else None,
        code=_status(error) if error else 200,
    )


@permission("admin", "change_people", back="admin_person")
def admin_enable_person(session: Session, account_id: str) -> Response:
    """Let the person in again."""
    try:
        services().people.enable(account_id, by(session))
    except MayNot as error:
        return _problem(session, account_id, error)
    return after("admin_person", "enabled", account_id=account_id)


@permission("admin", "change_people", back="admin_person")
def admin_grant(session: Session, account_id: str) -> Response:
    """Give a role or a group."""
    try:
        roles, groups = _membership()
        services().people.grant(account_id, roles=roles, groups=groups, by=by(session))
    except (Invalid, AlreadyExists, MayNot) as error:
        return _problem(session, account_id, error)
    return after("admin_person", "granted", account_id=account_id)


@permission("admin", "change_people", back="admin_person")
def admin_revoke(session: Session, account_id: str) -> Response:
    """Take a role or a group; the last administrator keeps theirs."""
    try:
        roles, groups = _membership()
        services().people.revoke(account_id, roles=roles, groups=groups, by=by(session))
    except (Invalid, LastAdministrator, MayNot) as error:
        return _problem(session, account_id, error)
    return after("admin_person", "revoked", account_id=account_id)


@permission("admin", "end_sessions", back="admin_person")
def admin_end_sessions(session: Session, account_id: str) -> Response:
    """End one session, or all of them."""
    people, session_id = services().people, _typed("session")
    try:
        if session_id:
            people.end_session(account_id, session_id, by(session))
        else:
            people.end_sessions(account_id, by(session))
    except MayNot as error:
        return _problem(session, account_id, error)
    done = "session-ended" if session_id else "sessions-ended"
    return after("admin_person", done, account_id=account_id)


@permission("admin", "invite_people")
def admin_invite(session: Session) -> Response:
    """Mail an invitation; where no mail goes out, show its link."""
    if not services().invitations.possible:
        raise NotFound(marked("This server takes no new people: IDP_SIGN_UP is closed."))
    values = {name: _typed(name) for name in ("email", "name", "roles", "groups")}
    errors: dict[str, str] = {}
    link = None
    if request.method == "POST":
        try:
            link = services().invitations.invite(
                values["email"],
                values["name"],
                values["roles"].replace(",", " ").split(),
                values["groups"].replace(",", " ").split(),
                by=by(session),
            )
        except Invalid as error:
            errors = {error.field: str(error)}
        except (AlreadyExists, MayNotInvite) as error:
            errors = {"email" if isinstance(error, AlreadyExists) else "roles": str(error)}
        else:
            if services().outbox.available:
                return after(_HERE, "invited")
    return admin_page(
        "invite.html",
        session,
        _HERE,
        400 if errors else 200,
        failed=bool(errors),
        action=request.path,
        errors=errors,
        values=values,
        link=link,
        people_url=url_for(_HERE),
    )


def _problem(session: Session, account_id: str, error: DomainError) -> Response:
    person = services().people.view(account_id, by(session))
    return show(session, person, str(error), _status(error))


def _status(error: DomainError) -> int:
    return _STATUS.get(type(error), 400)


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:_LONGEST]


def _membership() -> tuple[list[str], list[str]]:
    """Return the role or the group that a form names. Raises Invalid."""
    role, group = _typed("role"), _typed("group")
    if not role and not group:
        raise Invalid("role", marked("Name a role or a group."))
    return [role] if role else [], [group] if group else []
