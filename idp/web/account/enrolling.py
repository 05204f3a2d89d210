"""Adding a passkey, an authenticator app, recovery codes."""

from flask import Response, request, url_for

from idp.domain.errors import Invalid, Refused
from idp.domain.sessions import Session
from idp.domain.texts import marked
from idp.web.account.frame import account_page, after, binding, by
from idp.web.context import services
from idp.web.guards import permission
from idp.web.pages import see_other
from idp.web.passkeys import LONGEST_RESPONSE, as_json
from idp.web.qr import in_groups, qr_svg

_LONGEST_CODE = 100
_LONGEST_NAME_FORM = 200
_WRONG_CODE = marked("That code doesn’t fit. Wait for the next one and try again.")
_REFUSED = marked("That passkey could not be added. Try again.")
_ENOUGH = marked("You have as many as an account can have. Remove one first.")


@permission("account", "enrol_credentials")
def add_passkey(session: Session) -> Response:
    """Say what will happen, and take what the browser made."""
    error = None
    if request.method == "POST":
        response = request.form.get("response", "")[:LONGEST_RESPONSE]
        account = session.account
        try:
            made = services().own.factors.add_passkey(account, response, binding(), by(session))
        except Invalid as problem:
            error = str(problem)
        except Refused:
            error = _REFUSED
        else:
            return after("rename_credential", "passkey", kind="passkeys", credential_id=made.id)
    return account_page(
        "add_passkey.html",
        session,
        "account_security",
        400 if error else 200,
        error=error,
        action=url_for("add_passkey"),
        options_url=url_for("new_passkey_options"),
        back_url=url_for("account_security"),
    )


@permission("account", "enrol_credentials", back="add_passkey")
def new_passkey_options(session: Session) -> Response:
    """Return what `PublicKeyCredential.parseCreationOptionsFromJSON` takes."""
    factors = services().own.factors
    return as_json(factors.passkey_options(session.account, binding(), by(session)))


@permission("account", "enrol_credentials")
def add_authenticator(session: Session) -> Response:
    """Show a QR code, and take the app's first code."""
    if request.method == "POST":
        return _confirmed(session)
    try:
        begun = services().own.factors.begin_authenticator(session.account, binding(), by(session))
    except Invalid:
        return _app(session, None, _ENOUGH)
    return _app(session, begun.handle, None)


def _confirmed(session: Session) -> Response:
    handle, account = request.form.get("handle", ""), session.account
    if services().authenticators.pending(handle, account, binding()) is None:
        return see_other(url_for("add_authenticator"))
    code = request.form.get("code", "")[:_LONGEST_CODE]
    name = request.form.get("name", "")[:_LONGEST_NAME_FORM]
    try:
        codes = services().own.factors.add_authenticator(
            account, handle, code, name, binding(), by(session)
        )
    except Invalid as problem:
        return _app(session, handle, str(problem), name)
    if codes is None:
        return _app(session, handle, _WRONG_CODE, name)
    if codes:
        return _codes(session, codes)
    return after("account_security", "authenticator")


def _app(session: Session, handle: str | None, error: str | None, name: str = "") -> Response:
    pending = services().authenticators.pending
    begun = pending(handle, session.account, binding()) if handle else None
    return account_page(
        "add_authenticator.html",
        session,
        "account_security",
        400 if error else 200,
        handle=handle,
        qr=qr_svg(begun.uri) if begun else None,
        key=in_groups(begun.secret) if begun else None,
        uri=begun.uri if begun else None,
        name=name,
        error=error,
        action=url_for("add_authenticator"),
        back_url=url_for("account_security"),
    )


@permission("account", "change_credentials")
def recovery_codes(session: Session) -> Response:
    """Make a new set: shown in this answer, and never again."""
    parts = services()
    if request.method == "POST":
        return _codes(session, parts.own.factors.new_recovery_codes(session.account, by(session)))
    return account_page(
        "new_codes.html",
        session,
        "account_security",
        left=parts.recovery_codes.left(session.account.id),
        action=url_for("recovery_codes"),
        back_url=url_for("account_security"),
    )


def _codes(session: Session, codes: tuple[str, ...]) -> Response:
    return account_page(
        "codes.html",
        session,
        "account_security",
        codes=codes,
        back_url=url_for("account_security"),
    )
