"""Mail over SMTP: what arrives, by which TLS, and what is told when it does not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from idp.outbound.smtp import (
    MailRefused,
    Message,
    SmtpServer,
    SmtpUrlWrong,
    address_problem,
)
from tests.mail import mail_server
from tests.mail.mail_server import PASSWORD, USER, MailServer
from tests.support.held_clock import START
from tests.support.ports import free_port

MESSAGE = Message(
    id="0190a0b0-0000-7000-8000-000000000000",
    host="id.example.test",
    at=START,
    sender_name="Doorward",
    sender="no-reply@id.example.test",
    to="ada@example.test",
    subject="Grüße, 世界",
    text="Guten Tag, Ada – 世界\n.\nafter a lone dot\n",
    html="<p>Guten Tag, <b>Ada</b> – مرحبا</p>\n",
)
CREDENTIALS = f"{USER}:a%20p%40ssword%2Fwith%3Asigns"


def send(url: str, message: Message = MESSAGE) -> None:
    SmtpServer(url, "id.example.test").send(message)


def refusal(url: str, message: Message = MESSAGE) -> MailRefused:
    with pytest.raises(MailRefused) as caught:
        send(url, message)
    assert "ada" not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    return caught.value


def test_both_forms_arrive_with_every_letter(mail: MailServer) -> None:
    send(f"smtp://127.0.0.1:{mail.port}")
    (envelope,) = mail.taken
    assert envelope.mail_from == "no-reply@id.example.test"
    assert envelope.rcpt_tos == ["ada@example.test"]
    assert (envelope.content or b"").isascii()
    arrived = mail.mail
    assert arrived["Subject"] == "Grüße, 世界"
    assert arrived["From"] == "Doorward <no-reply@id.example.test>"
    assert arrived["To"] == "ada@example.test"
    assert arrived["Date"] == "Fri, 15 Jan 2027 08:00:00 +0000"
    assert arrived["Message-ID"] == "<0190a0b0-0000-7000-8000-000000000000@id.example.test>"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived.get_content_type() == "multipart/alternative"
    parts = [(part.get_content_type(), part.get_content()) for part in arrived.iter_parts()]
    assert [kind for kind, _ in parts] == ["text/plain", "text/html"]
    assert [text.replace("\r\n", "\n") for _, text in parts] == [MESSAGE.text, MESSAGE.html]


def test_tls_is_begun_before_the_password_is_sent(trusted: Path) -> None:
    tls = mail_server.server_side(trusted)
    with mail_server.serving(tls_context=tls, require_starttls=True, auth=True) as server:
        send(f"smtp://{CREDENTIALS}@127.0.0.1:{server.port}?tls=starttls")
    assert server.logins == [USER]
    assert server.mail["To"] == "ada@example.test"


def test_tls_from_the_first_byte(trusted: Path) -> None:
    tls = mail_server.server_side(trusted)
    with mail_server.serving(ssl_context=tls, auth=True) as server:
        send(f"smtps://{CREDENTIALS}@localhost:{server.port}")
    assert server.logins == [USER]
    assert server.mail["To"] == "ada@example.test"


@pytest.mark.parametrize(("scheme", "end"), [("smtps", ""), ("smtp", "?tls=starttls")])
def test_a_certificate_that_nobody_vouches_for_gets_no_mail(
    certificate: Path, scheme: str, end: str
) -> None:
    tls = mail_server.server_side(certificate)
    options: dict[str, Any] = {"ssl_context": tls} if scheme == "smtps" else {"tls_context": tls}
    with mail_server.serving(**options, auth=True) as server:
        refused = refusal(f"{scheme}://{CREDENTIALS}@127.0.0.1:{server.port}{end}")
    assert not refused.permanent
    assert str(refused) == "the mail server's certificate is not trusted"
    assert (server.logins, server.taken) == ([], [])


def test_a_certificate_of_another_name_gets_no_mail(trusted: Path) -> None:
    tls = mail_server.server_side(trusted)
    with mail_server.serving(ssl_context=tls, hostname="127.0.0.2") as server:
        refused = refusal(f"smtps://127.0.0.2:{server.port}")
    assert str(refused) == "the mail server's certificate is not trusted"
    assert server.taken == []


def test_no_tls_no_mail(mail: MailServer) -> None:
    refused = refusal(f"smtp://{CREDENTIALS}@127.0.0.1:{mail.port}?tls=starttls")
    assert (str(refused), refused.permanent) == ("the mail server offers no TLS", False)
    assert (mail.logins, mail.taken) == ([], [])


def test_a_wrong_password_is_ours_to_mend(trusted: Path) -> None:
    with mail_server.serving(ssl_context=mail_server.server_side(trusted), auth=True) as server:
        refused = refusal(f"smtps://{USER}:wrong@127.0.0.1:{server.port}")
    assert not refused.permanent
    assert str(refused) == "the mail server refused user or password"
    assert server.taken == []


@pytest.mark.parametrize(
    ("answer", "said", "permanent"),
    [
        ("451 4.3.0 ada@example.test: try later", "451 4.3.0", False),
        ("550 5.1.1 ada@example.test is unknown", "550 5.1.1", True),
        ("552 ada has no room", "552", True),
    ],
)
@pytest.mark.parametrize("where", ["recipient", "content"])
def test_a_servers_no_is_told_by_its_number(
    mail: MailServer, where: str, answer: str, said: str, permanent: bool
) -> None:
    if where == "recipient":
        mail.to_recipients = answer
    else:
        mail.answers = [answer]
    refused = refusal(f"smtp://127.0.0.1:{mail.port}")
    assert (str(refused), refused.permanent) == (said, permanent)
    assert mail.taken == []


def test_a_server_that_is_down_may_come_back() -> None:
    refused = refusal(f"smtp://127.0.0.1:{free_port()}")
    assert not refused.permanent
    assert "ConnectionRefusedError" in str(refused)


@pytest.mark.parametrize(
    "line", ["\r\nBcc: eve@example.test", "\nX-Evil: 1", "\r", "\x00", "\u2028"]
)
def test_names_with_line_breaks_stay_on_their_line(mail: MailServer, line: str) -> None:
    subject, name = f"Hello{line} you", f"Door{line} ward"
    send(f"smtp://127.0.0.1:{mail.port}", replace(MESSAGE, subject=subject, sender_name=name))
    (envelope,) = mail.taken
    assert envelope.rcpt_tos == ["ada@example.test"]
    assert set(mail.mail.keys()) == {
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    }
    assert mail.mail["Subject"] == " ".join(f"Hello{line} you".replace("\x00", " ").split())


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.test\r\nBcc: eve@example.test",
        "ada@example.test\nRCPT TO:<eve@example.test>",
        "ada@example.test>\r\nDATA",
        "ada@example.test, eve@example.test",
        "Ada <ada@example.test>",
        "ada@example.test\u2028",
        "ada\x00@example.test",
        "ada@",
        "ada",
        "",
    ],
)
def test_no_mail_goes_to_what_is_no_address(mail: MailServer, address: str) -> None:
    assert address_problem(address) is not None
    refused = refusal(f"smtp://127.0.0.1:{mail.port}", replace(MESSAGE, to=address))
    assert refused.permanent
    assert (mail.tried, mail.taken) == (0, [])


def test_a_domain_in_any_script_is_written_as_every_server_takes_it(mail: MailServer) -> None:
    send(f"smtp://127.0.0.1:{mail.port}", replace(MESSAGE, to="ada@bücher.example"))
    assert mail.taken[0].rcpt_tos == ["ada@xn--bcher-kva.example"]


def test_a_name_in_any_script_needs_a_server_that_takes_it() -> None:
    message = replace(MESSAGE, to="żółw@example.test")
    with mail_server.serving(enable_SMTPUTF8=False) as server:
        refused = refusal(f"smtp://127.0.0.1:{server.port}", message)
        assert refused.permanent
        assert server.taken == []
    with mail_server.serving(enable_SMTPUTF8=True) as server:
        send(f"smtp://127.0.0.1:{server.port}", message)
        assert server.taken[0].rcpt_tos == ["żółw@example.test"]


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtp://mail.example.com:0",
        "smtp://mail.example.com:99999",
        "smtp://mail.example.com/inbox",
        "smtp://mail.example.com#x",
        "smtp://mail.example.com?tls=maybe",
        "smtp://mail.example.com?tls=off&tls=starttls",
        "smtps://mail.example.com?tls=off",
        "smtp://doorward:hunter2@mail.example.com?tls=off",
        "smtps://doorward:hunter2@[mail.example.com",
    ],
)
def test_an_address_that_will_not_do_is_told_without_its_password(url: str) -> None:
    with pytest.raises(SmtpUrlWrong) as caught:
        SmtpServer(url)
    assert str(caught.value).startswith(("must ", "may "))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "port", "tls"),
    [
        ("smtp://mail.example.com", 587, "starttls"),
        ("smtp://mail.example.com?tls=off", 587, "off"),
        ("smtp://localhost", 587, "off"),
        ("smtp://[::1]:25?tls=starttls", 25, "starttls"),
        ("smtps://doorward:hunter2@mail.example.com", 465, "implicit"),
        ("smtps://mail.example.com:2465/", 2465, "implicit"),
    ],
)
def test_what_an_address_means(url: str, port: int, tls: str) -> None:
    place = SmtpServer(url)._place
    assert (place.port, place.tls) == (port, tls)
    assert "hunter2" not in repr(place)
