"""Security: how somebody proves who they are, and changing it."""

from flask import Response, request, url_for

from idp.domain.credentials.last_way import WAYS, LastWay
from idp.domain.credentials.passkeys import Passkeys
from idp.domain.credentials.password import LONGEST
from idp.domain.credentials.totp import Authenticators
from idp.domain.errors import Invalid, NotFound
from idp.domain.requirements import Standing
from idp.domain.sessions import Session
from idp.domain.texts import Text, marked
from idp.web.account.frame import account_page, after, by, own
from idp.web.context import services
from idp.web.guards import permission

_LONGEST_PASSWORD_FORM = LONGEST * 16
_LONGEST_NAME_FORM = 200
_NO_PASSWORD = marked("Enter a password.")


@permission("account", "use_account")
def account_security(session: Session) -> Response:
    """List the ways in."""
    parts, person = services(), session.account.id
    standing = parts.requirements.standing(person)
    trusted = [one for one in parts.devices.of(person) if one.trusted_until]
    return account_page(
        "security.html",
        session,
        "account_security",
        second_factor=standing.second_factor,
        password_changed_at=parts.own.password.changed_at(person),
        password_url=url_for("change_password"),
        remove_password_url=_unless_last(standing, "password", url_for("remove_password")),
        passkeys=[
            {"passkey": one, **_deeds("passkeys", one.id)} for one in parts.passkeys.of(person)
        ],
        add_passkey_url=url_for("add_passkey"),
        signal=parts.passkeys.signal(session.account),
        authenticators=[
            {"authenticator": one, **_deeds("authenticators", one.id)}
            for one in parts.authenticators.of(person)
        ],
        add_authenticator_url=url_for("add_authenticator"),
        codes_left=parts.recovery_codes.left(person),
        codes_made_at=parts.recovery_codes.made_at(person),
        codes_url=url_for("recovery_codes"),
        trusted=len(trusted),
        devices_url=url_for("account_sessions"),
    )


def _unless_last(standing: Standing, kind: str, url: str) -> str | None:
    """Return where a way in is removed, None for one that is missing or the last one."""
    ways = standing.credentials & WAYS
    return url if kind in ways and len(ways) > 1 else None


def _deeds(kind: str, credential_id: str) -> dict[str, str]:
    return {
        "rename_url": url_for("rename_credential", kind=kind, credential_id=credential_id),
        "remove_url": url_for("remove_credential", kind=kind, credential_id=credential_id),
    }


@permission("account", "change_credentials")
def change_password(session: Session) -> Response:
    """Set a password: the one before is not asked for, since its person signed in just now."""
    passwords, error = services().own.password, None
    if request.method == "POST":
        typed = request.form.get("password", "")
        try:
            if not typed or len(typed) > _LONGEST_PASSWORD_FORM:
                raise Invalid("password", _NO_PASSWORD)
            passwords.change(session.account, typed, by(session))
        except Invalid as problem:
            error = str(problem)
        else:
            return after("account_security", "password")
    return account_page(
        "password.html",
        session,
        "account_security",
        400 if error else 200,
        exists=passwords.changed_at(session.account.id) is not None,
        min_length=passwords.shortest(session.account.id),
        error=error,
        action=url_for("change_password"),
        back_url=url_for("account_security"),
    )


@permission("account", "change_credentials")
def remove_password(session: Session) -> Response:
    """Ask, then remove it; the last way in stays."""
    error = None
    if request.method == "POST":
        try:
            services().own.password.remove(session.account, by(session))
        except LastWay as problem:
            error = str(problem)
        else:
            return after("account_security", "password-removed")
    return _ask_removal(session, marked("Password"), url_for("remove_password"), error)


Keeper = Passkeys | Authenticators
_NOTHING = marked("There is no such thing in your account, or not any more.")


def _found(session: Session, kind: str, credential_id: str) -> tuple[Text, Keeper, str]:
    """Return what a credential of this person is, who keeps it, and its name. Raises NotFound."""
    parts = services()
    keepers: dict[str, tuple[Text, Keeper]] = {
        "passkeys": (marked("Passkey"), parts.passkeys),
        "authenticators": (marked("Authenticator app"), parts.authenticators),
    }
    if kind in keepers:
        word, keeper = keepers[kind]
        for one in keeper.of(session.account.id):
            if one.id == credential_id:
                return word, keeper, one.name
    raise NotFound(_NOTHING)


@permission("account", "use_account")
def rename_credential(session: Session, kind: str, credential_id: str) -> Response:
    """Give it another name."""
    error = None
    with own(session, "rename_credential"):
        word, keeper, name = _found(session, kind, credential_id)
        if request.method == "POST":
            name = request.form.get("name", "")[:_LONGEST_NAME_FORM]
            try:
                keeper.rename(session.account, credential_id, name, by(session))
            except Invalid as problem:
                error = str(problem)
            else:
                return after("account_security", "renamed")
    return account_page(
        "rename.html",
        session,
        "account_security",
        400 if error else 200,
        word=word,
        name=name,
        error=error,
        action=request.path,
        back_url=url_for("account_security"),
    )


@permission("account", "change_credentials")
def remove_credential(session: Session, kind: str, credential_id: str) -> Response:
    """Ask, then remove it; the last way in stays."""
    error = None
    with own(session, "remove_credential"):
        word, keeper, name = _found(session, kind, credential_id)
        if request.method == "POST":
            try:
                keeper.remove(session.account, credential_id, by(session))
            except LastWay as problem:
                error = str(problem)
            else:
                return after("account_security", "removed")
    return _ask_removal(session, word, request.path, error, name)


def _ask_removal(
    session: Session, word: Text, action: str, error: str | None, name: str = ""
) -> Response:
    return account_page(
        "remove.html",
        session,
        "account_security",
        400 if error else 200,
        word=word,
        name=name,
        error=error,
        action=action,
        back_url=url_for("account_security"),
    )
