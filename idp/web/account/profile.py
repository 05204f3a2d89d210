"""Personal info: what a person says of themselves, their address, how our pages look to them."""

from flask import Response, request, url_for

from idp.domain.errors import AlreadyExists, Invalid, NotFound, Refused
from idp.domain.languages import LANGUAGES
from idp.domain.profiles import ADDRESS_FIELDS, FIELDS, TIME_ZONES
from idp.domain.sessions import Session
from idp.domain.texts import Text, marked
from idp.web.account.frame import account_page, after, by
from idp.web.appearance import chosen_theme, remember_language, remember_theme
from idp.web.context import services
from idp.web.guards import permission
from idp.web.i18n import language
from idp.web.pages import see_other

_LONGEST_CODE = 100
_WRONG_CODE = marked("That code doesn’t fit. Look at the newest mail.")
_OVER = marked("Link and code work no more. Ask for new ones.")
_NO_MAIL = marked("This server can’t send mail, so it can’t prove a new address.")


@permission("account", "use_account")
def account_profile(session: Session) -> Response:
    """Show it, and take changes field by field: whatever else a form names is not looked at."""
    if request.method != "POST":
        return _profile(session, _values(session), None)
    named = (*FIELDS, *ADDRESS_FIELDS)
    said = {name: request.form[name] for name in named if name in request.form}
    try:
        services().own.profiles.change(session.account, said, by(session))
    except Invalid as error:
        return _profile(session, {**_values(session), **said}, error)
    return after("account_profile", "profile")


def _values(session: Session) -> dict[str, str]:
    account = session.account
    address = account.profile.get("address")
    parts = address if isinstance(address, dict) else {}
    values = {name: str(account.profile.get(name, "")) for name in FIELDS}
    values |= {name: str(parts.get(name, "")) for name in ADDRESS_FIELDS}
    return values | {"name": account.name}


def _profile(session: Session, values: dict[str, str], error: Invalid | None) -> Response:
    return account_page(
        "profile.html",
        session,
        "account_profile",
        400 if error else 200,
        values=values,
        errors={error.field: str(error)} if error else {},
        zones=TIME_ZONES,
        action=url_for("account_profile"),
        address_url=url_for("account_email") if services().outbox.available else None,
        preferences_action=url_for("account_preferences"),
        chosen_language=session.account.language or "",
        chosen_theme=session.account.theme or chosen_theme(),
    )


@permission("account", "use_account", back="account_profile")
def account_preferences(session: Session) -> Response:
    """Keep language and look: in the account for every browser, and in this one's cookies."""
    tongue = request.form.get("language", "")
    theme = request.form.get("theme", "")
    services().own.profiles.prefer(session.account, tongue, theme, by(session))
    response = after("account_profile", "preferences")
    remember_theme(response, theme)
    remember_language(response, tongue if tongue in LANGUAGES else language())
    return response


@permission("account", "change_credentials")
def account_email(session: Session) -> Response:
    """Ask for a new address, and mail a proof there."""
    if not services().outbox.available:
        raise NotFound(_NO_MAIL)
    unproven = "" if session.account.email_verified else session.account.email
    if request.method != "POST":
        return _ask_address(session, unproven, None)
    typed = request.form.get("email", "")
    try:
        handle = services().own.addresses.ask(session.account, typed, by(session))
    except Invalid as error:
        return _ask_address(session, typed, str(error))
    return see_other(url_for("email_code", handle_of_code=handle))


def _ask_address(session: Session, typed: str, error: str | None) -> Response:
    return account_page(
        "email.html",
        session,
        "account_profile",
        400 if error else 200,
        typed=typed,
        error=error,
        action=url_for("account_email"),
        back_url=url_for("account_profile"),
    )


@permission("account", "change_credentials", back="account_email")
def email_code(session: Session, handle_of_code: str) -> Response:
    """Take the code that was mailed to the new address."""
    addresses, person = services().own.addresses, session.account.id
    error: Text | str | None = None
    try:
        asked = addresses.asked(person, handle_of_code)
        if request.method == "POST":
            code = request.form.get("code", "")[:_LONGEST_CODE]
            addresses.prove_by_code(session.account, handle_of_code, code, by(session))
            return after("account_profile", "address")
    except NotFound:
        return _ask_address(session, "", _OVER)
    except AlreadyExists as problem:
        return _ask_address(session, "", str(problem))
    except Refused:
        error = _WRONG_CODE
    return account_page(
        "email_code.html",
        session,
        "account_profile",
        400 if error else 200,
        email=asked.email,
        error=error,
        action=url_for("email_code", handle_of_code=handle_of_code),
        back_url=url_for("account_email"),
    )


@permission("account", "use_account")
def email_link(session: Session, token: str) -> Response:
    """Take the link that was mailed to the new address: opening it changes nothing yet."""
    addresses = services().own.addresses
    try:
        email = addresses.linked(session.account.id, token)
        if request.method == "POST":
            addresses.prove_by_link(session.account, token, by(session))
            return after("account_profile", "address")
    except NotFound:
        return _ask_address(session, "", _OVER)
    except AlreadyExists as problem:
        return _ask_address(session, "", str(problem))
    return account_page(
        "email_link.html",
        session,
        "account_profile",
        email=email,
        action=url_for("email_link", token=token),
        back_url=url_for("account_profile"),
    )
