"""Data and privacy: taking everything along, and going for good."""

import json

from flask import Response, request, url_for

from idp.domain.errors import Invalid
from idp.domain.roles import LastAdministrator
from idp.domain.sessions import Session
from idp.web.account.frame import account_page, after, by
from idp.web.context import services
from idp.web.guards import permission
from idp.web.pages import see_other

_LONGEST_EMAIL = 254
_DAY = 86400


@permission("account", "use_account")
def account_data(session: Session) -> Response:
    """Explain both."""
    return account_page(
        "data.html",
        session,
        "account_data",
        deletes_at=session.account.deletes_at,
        cancel_action=url_for("cancel_deletion"),
        export_url=url_for("export_account"),
        delete_url=url_for("delete_account"),
        days=_days(),
    )


@permission("account", "change_credentials")
def export_account(session: Session) -> Response:
    """Hand out everything, to who signed in just now."""
    if request.method != "POST":
        return account_page(
            "export.html",
            session,
            "account_data",
            action=url_for("export_account"),
            back_url=_back(),
        )
    parts = services()
    account = parts.accounts.get(session.account.id)
    document = parts.own.export.of(account, by(session))
    body = json.dumps(document, indent=2, ensure_ascii=False)
    response = Response(f"{body}\n", mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="my-account.json"'
    return response


@permission("account", "change_credentials")
def delete_account(session: Session) -> Response:
    """Plan the deletion, once the address was typed."""
    error = None
    if session.account.deletes_at is not None:
        return see_other(_back())
    typed = request.form.get("email", "")[:_LONGEST_EMAIL]
    if request.method == "POST":
        try:
            services().own.deletion.plan(session.account, typed, by(session))
        except (Invalid, LastAdministrator) as problem:
            error = str(problem)
        else:
            return see_other(_back())
    return account_page(
        "delete.html",
        session,
        "account_data",
        400 if error else 200,
        typed=typed,
        error=error,
        days=_days(),
        action=url_for("delete_account"),
        back_url=_back(),
    )


@permission("account", "use_account", back="account_data")
def cancel_deletion(session: Session) -> Response:
    """Keep the account."""
    services().own.deletion.cancel(session.account, by(session))
    return after("account_data", "kept")


def _back() -> str:
    return url_for("account_data")


def _days() -> int:
    return max(1, services().settings.deletion_grace // _DAY)
