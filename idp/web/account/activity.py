"""Activity: what happened in an account, in plain words, and what to do if that was not you."""

from flask import Response, request, url_for

from idp.domain.activity import Happening
from idp.domain.sessions import Session
from idp.domain.texts import Text, marked
from idp.web.account.frame import account_page, by
from idp.web.context import services
from idp.web.guards import permission
from idp.web.pages import see_other

_WORDS: dict[str, Text] = {
    "sign_in": marked("You signed in"),
    "session.ended": marked("A session ended"),
    "account.not_me": marked("You said that something wasn’t you; everything else was signed out"),
    "account.added": marked("Your account was made"),
    "account.changed": marked("Personal info was changed"),
    "account.preferences_changed": marked("Language or appearance was changed"),
    "account.disabled": marked("Your account was disabled"),
    "account.enabled": marked("Your account was enabled again"),
    "account.exported": marked("Your data was downloaded"),
    "account.deletion_planned": marked("The deletion of your account was planned"),
    "account.deletion_cancelled": marked("The deletion of your account was cancelled"),
    "address.asked": marked("A new address was asked for"),
    "address.changed": marked("Your address was changed"),
    "password.added": marked("A password was added"),
    "password.changed": marked("Your password was changed"),
    "password.reset": marked("Your password was reset by mail"),
    "password.removed": marked("Your password was removed"),
    "passkey.added": marked("A passkey was added"),
    "passkey.renamed": marked("A passkey got another name"),
    "passkey.removed": marked("A passkey was removed"),
    "passkey.declined": marked("You said no to a passkey"),
    "authenticator.added": marked("An authenticator app was added"),
    "authenticator.renamed": marked("An authenticator app got another name"),
    "authenticator.removed": marked("An authenticator app was removed"),
    "recovery_codes.added": marked("New recovery codes were made"),
    "recovery_codes.removed": marked("The recovery codes were removed"),
    "device.trusted": marked("A browser was trusted"),
    "device.distrusted": marked("A browser is not trusted any more"),
    "device.forgotten": marked("A browser was forgotten"),
    "consent.given": marked("An application was allowed something"),
    "consent.withdrawn": marked("An application’s access was removed"),
    "authorization.opened": marked("You signed in to an application"),
    "authorization.revoked": marked("An application’s access ended"),
    "role.granted": marked("You were given a role"),
    "role.revoked": marked("A role was taken from you"),
    "group.joined": marked("You were put into a group"),
    "group.left": marked("You were taken out of a group"),
    "access.refused": marked("Something was refused"),
    "magic_link.disowned": marked("A sign-in by mail was stopped: “That wasn’t me”"),
}
_REFUSED: dict[str, Text] = {
    "sign_in": marked("A sign-in failed"),
    "address.changed": marked("A wrong code for a new address was typed"),
    "account.deletion_planned": marked("The deletion of your account was refused"),
}
EVENTS = tuple(_WORDS)
"""What people are shown; the audit log has more, such as each token."""


_BY_NOBODY = frozenset(
    {"sign_in", "authorization.revoked", "access.refused", "magic_link.disowned"}
)
"""What failed, or what the server did by itself: nobody is named for it."""


@permission("account", "use_account")
def account_activity(session: Session) -> Response:
    """List it, newest first."""
    before = request.args.get("before", "")
    found, following = services().own.activity.page(session.account.id, EVENTS, before)
    return account_page(
        "activity.html",
        session,
        "account_activity",
        happened=[_shown(one) for one in found],
        first_url=url_for("account_activity") if before else None,
        next_url=url_for("account_activity", before=following) if following else None,
        not_me_url=url_for("not_me"),
    )


def _shown(one: Happening) -> dict[str, object]:
    client = services().clients.find(one.client_id) if one.client_id else None
    words = _REFUSED.get(one.event) if one.refused else None
    return {
        "text": words or _WORDS[one.event],
        "at": one.at,
        "address": one.address,
        "refused": one.refused,
        "by_others": not one.own and one.event not in _BY_NOBODY,
        "name": one.detail.get("name") or (client.name if client else ""),
    }


@permission("account", "use_account")
def not_me(session: Session) -> Response:
    """Help whoever sees something that was not them: sign out everywhere, then a new password."""
    if request.method == "POST":
        own = services().own.password
        own.shut_out_others(session.account, by(session))
        has_one = own.changed_at(session.account.id) is not None
        return see_other(url_for("change_password" if has_one else "account_security"))
    return account_page(
        "not_me.html",
        session,
        "account_activity",
        action=url_for("not_me"),
        back_url=url_for("account_activity"),
    )
