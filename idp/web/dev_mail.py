"""The outbox in development: every mail as it went out, or would have."""

from flask import Response, current_app, url_for

from idp.domain.delivery import Rendered, Unrenderable
from idp.domain.errors import NotFound
from idp.domain.outbox import Mail
from idp.web.context import services
from idp.web.i18n import format_datetime
from idp.web.mails import MAILS, Mails
from idp.web.pages import page

SHOWN = 100
"""Mails on the list."""


def dev_mails() -> Response:
    """List the newest mails, newest first."""
    outbox = services().outbox
    rows = [
        {
            "url": url_for("dev_mail", mail_id=mail.id),
            "subject": _subject(mail),
            "to": mail.to,
            "at": format_datetime(mail.created_at),
            "state": _state(mail),
        }
        for mail in outbox.latest(SHOWN)
    ]
    sending = bool(services().settings.smtp_url.get_secret_value())
    return page("dev/mails.html", mails=rows, sending=sending)


def dev_mail(mail_id: str) -> Response:
    """Show one mail as text, its addresses to click on."""
    found = services().outbox.find(mail_id)
    words = _words(found)
    return page(
        "dev/mail.html",
        subject=words.subject,
        text=words.text,
        to=found.to,
        kind=found.kind,
        at=format_datetime(found.created_at),
        state=_state(found),
        list_url=url_for("dev_mails"),
        html_url=url_for("dev_mail_html", mail_id=mail_id),
    )


def dev_mail_html(mail_id: str) -> Response:
    """Show one mail as mail readers do."""
    return Response(_words(services().outbox.find(mail_id)).html)


def _words(mail: Mail) -> Rendered:
    renderer: Mails = current_app.extensions[MAILS]
    try:
        return renderer.render(mail.kind, mail.language, mail.values)
    except Unrenderable as error:
        raise NotFound(f"There are no words for mail of the kind {mail.kind}.") from error


def _subject(mail: Mail) -> str:
    """One mail without words must not hide the others."""
    try:
        return _words(mail).subject
    except NotFound:
        return mail.kind


def _state(mail: Mail) -> str:
    if mail.sent_at is not None:
        return "sent"
    return mail.problem or "waiting"
