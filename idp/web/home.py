"""The front page: who is signed in here, and where to go."""

from flask import Response, url_for

from idp.domain.sessions import Session
from idp.domain.texts import marked
from idp.web import passkeys
from idp.web.browser_session import current_sessions
from idp.web.context import services
from idp.web.guards import verdict
from idp.web.pages import page


def home() -> Response:
    """Greet."""
    sessions = current_sessions()
    session = sessions[0] if sessions else None
    return page(
        "home.html",
        account=session.account if session else None,
        others=[{"account": one.account, "value": one.account.id} for one in sessions[1:]],
        choose_action=url_for("switch_account"),
        signed_in_at=session.auth_time if session else None,
        sign_in_url=url_for("start"),
        sign_out_action=url_for("sign_out_here"),
        links=_links(session),
        upgrade=passkeys.upgrade_offered(session),
    )


def _links(session: Session | None) -> list[dict[str, object]]:
    """Return where one may go from here."""
    links: list[dict[str, object]] = []
    if session:
        links.append(
            {
                "label": marked("Your account"),
                "url": url_for("account_home"),
                "description": marked("Personal info, security, connected apps"),
            }
        )
    if session and verdict(session, "developer", "view_applications").missing != "refused":
        links.append(
            {
                "label": marked("Developers"),
                "url": url_for("developer"),
                "description": marked("Register applications and look after your own"),
            }
        )
    if services().settings.development:
        links.append(
            {
                "label": marked("Playground"),
                "url": url_for("playground"),
                "description": marked("Walk through a sign-in as an application sees it"),
            }
        )
        links.append(
            {
                "label": marked("Mail"),
                "url": url_for("dev_mails"),
                "description": marked("Read what people are sent"),
            }
        )
    return links
