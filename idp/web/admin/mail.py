"""Mail: whether it goes out, what became of the newest, and a test."""

from urllib.parse import urlsplit

from flask import Response, url_for

from idp.domain.delivery import mail_server, sender
from idp.domain.errors import NotFound
from idp.domain.outbox import MailState
from idp.domain.sessions import Session
from idp.domain.texts import marked
from idp.web.admin.frame import admin_page, after, by, may, visible
from idp.web.context import origin, services
from idp.web.guards import permission

_HERE = "admin_mail"
_SHOWN = 25


@permission("admin", "view_configuration")
def admin_mail(session: Session) -> Response:
    """Show the state; who got which mail, and its words, are not here."""
    parts = services()
    address = urlsplit(parts.settings.smtp_url.get_secret_value())
    server = mail_server(parts.settings)
    testing = parts.outbox.available and may(session, "send_test_mail")
    return admin_page(
        "mail.html",
        session,
        _HERE,
        server=address.hostname,
        encrypted=bool(server and server.encrypted),
        outbox_url=url_for("dev_mails") if parts.settings.development else None,
        sender=sender(parts.settings),
        test_action=url_for("admin_test_mail") if testing else None,
        mails=[_shown(mail) for mail in parts.outbox.states(_SHOWN)],
    )


def _shown(mail: MailState) -> dict[str, object]:
    return {
        "kind": mail.kind,
        "created_at": mail.created_at,
        "sent_at": mail.sent_at,
        "tries": mail.tries,
        "problem": visible(mail.problem or ""),
    }


@permission("admin", "send_test_mail", back="admin_mail")
def admin_test_mail(session: Session) -> Response:
    """Send a mail to whoever asks, and to nobody else."""
    if not services().outbox.available:
        raise NotFound(marked("No mail server is named: set IDP_SMTP_URL."))
    services().throttle.count("test_mail", origin().address)
    services().mail_test.send(session.account, by(session))
    return after(_HERE, "mailed")
