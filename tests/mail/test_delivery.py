"""From the outbox to the mail server: once, by one node, patiently, and not for ever."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from flask import Flask

from idp.app import delivery_of
from idp.config import Settings
from idp.crypto.sealing import SealBroken
from idp.domain.delivery import Delivery
from idp.domain.dispatch import CLAIM
from idp.domain.errors import NotFound
from idp.domain.outbox import KEPT_SECONDS, Outbox
from idp.domain.services import Services
from idp.outbound.smtp import Message, SmtpServer
from idp.store.database import RowMapping
from idp.store.tables import OutgoingMail, table
from idp.web.mails import Mails
from tests.mail import mail_server
from tests.mail.conftest import Deliverer, Put
from tests.mail.mail_server import MailServer
from tests.support import databases
from tests.support.application import Seeded
from tests.support.held_clock import HeldClock
from tests.support.ports import free_port

Row = Callable[[str], RowMapping]
ROWS = table(OutgoingMail)
LINK = "https://id.example.test/interaction/x/mail?secret=abc"
SIGN_IN = {
    "link": LINK,
    "code": "402917",
    "minutes": 10,
    "address": "203.0.113.7",
    "browser": "",
    "client": "",
}


def test_what_is_put_is_sent_once_it_is_committed(
    services: Services, mail: MailServer, deliverer: Deliverer, put: Put, row: Row
) -> None:
    delivery = deliverer(mail.port)
    mail_id = put("sign_in_link", "ada@example.test", SIGN_IN)
    assert delivery.run_once() == 1
    assert mail.mail["To"] == "ada@example.test"
    assert mail.mail["Message-ID"] == f"<{mail_id}@id.example.test>"
    assert LINK in mail.text()
    assert row(mail_id)["sent_at"] == int(services.clock())
    assert row(mail_id)["next_try_at"] is None
    assert delivery.run_once() == 0
    assert mail.tried == 1


def test_what_is_undone_is_not_sent(
    services: Services, mail: MailServer, deliverer: Deliverer
) -> None:
    with suppress(NotFound), services.store.writing() as connection:
        services.outbox.put(connection, "mail_test", "ada@example.test", {})
        raise NotFound("undone")
    assert deliverer(mail.port).run_once() == 0
    assert mail.tried == 0


def test_a_server_that_asks_for_patience_gets_it(
    mail: MailServer, deliverer: Deliverer, put: Put, row: Row, clock: HeldClock
) -> None:
    delivery, mail_id = deliverer(mail.port), put()
    mail.answers = ["451 4.3.0 ada@example.test: later"] * 3
    for pause in (10, 20, 40):
        assert delivery.run_once() == 1
        assert row(mail_id)["problem"] == "451 4.3.0"
        clock.advance(pause - 1)
        assert delivery.run_once() == 0
        clock.advance(1)
    assert delivery.run_once() == 1
    assert (row(mail_id)["problem"], row(mail_id)["tries"]) == (None, 4)
    assert (len(mail.taken), mail.tried) == (1, 4)
    clock.advance(KEPT_SECONDS - 200)
    assert delivery.run_once() == 0


def test_pauses_grow_to_an_hour_and_end_with_the_mail(
    deliverer: Deliverer, put: Put, row: Row, clock: HeldClock
) -> None:
    delivery, mail_id = deliverer(free_port()), put()
    began, pauses = clock.now, []
    while (next_try := row(mail_id)["next_try_at"]) is not None:
        pauses.append(next_try - int(clock.now))
        clock.now = float(next_try)
        assert delivery.run_once() == 1
    assert pauses[:10] == [0, 10, 20, 40, 80, 160, 320, 640, 1280, 2560]
    assert set(pauses[10:]) == {3600}
    assert KEPT_SECONDS - 3600 <= clock.now - began < KEPT_SECONDS
    assert "ConnectionRefusedError" in row(mail_id)["problem"]
    clock.advance(3600)
    assert delivery.run_once() == 0


def test_nothing_is_sent_when_it_is_of_no_use_any_more(
    mail: MailServer, deliverer: Deliverer, put: Put, clock: HeldClock
) -> None:
    put("sign_in_link", "ada@example.test", SIGN_IN, lifetime=600)
    clock.advance(600)
    assert deliverer(mail.port).run_once() == 0
    assert mail.tried == 0


def test_a_server_that_was_down_gets_it_when_it_is_up(
    deliverer: Deliverer, put: Put, row: Row, clock: HeldClock
) -> None:
    port = free_port()
    delivery, mail_id = deliverer(port), put()
    delivery.run_once()
    clock.advance(10)
    with mail_server.serving(port) as server:
        delivery.run_once()
        assert server.mail["To"] == "ada@example.test"
    assert row(mail_id)["sent_at"] is not None


@pytest.mark.parametrize("where", ["recipient", "content"])
def test_a_final_no_is_final(
    mail: MailServer, deliverer: Deliverer, put: Put, row: Row, clock: HeldClock, where: str
) -> None:
    answer = "550 5.1.1 <ada@example.test> is unknown here"
    if where == "recipient":
        mail.to_recipients = answer
    else:
        mail.answers = [answer]
    delivery, mail_id = deliverer(mail.port), put()
    delivery.run_once()
    found = row(mail_id)
    assert (found["problem"], found["next_try_at"], found["sent_at"]) == ("550 5.1.1", None, None)
    clock.advance(7200)
    assert delivery.run_once() == 0
    assert mail.taken == []


def test_one_bad_mail_does_not_hold_up_the_others(
    mail: MailServer, deliverer: Deliverer, put: Put, row: Row
) -> None:
    wordless = put("no_such_kind")
    outside = put("../home")
    nowhere = put("mail_test", "ada@example.test\r\nBcc: eve@example.test")
    numberless = put("recovery_codes_low", "ada@example.test", {"left": "many"})
    put("mail_test", "grace@example.test")
    assert deliverer(mail.port).run_once() == 5
    assert mail.mail["To"] == "grace@example.test"
    assert [row(each)["problem"] for each in (wordless, outside, numberless)] == [
        "there are no words for it"
    ] * 3
    assert row(nowhere)["problem"] == "it can't be written as a mail"


@pytest.fixture
def nodes(
    seeded: Seeded, services: Services, clock: HeldClock, mails: Mails, settings: Settings
) -> Iterator[Callable[[Callable[[Message], None]], Delivery]]:
    """Makes nodes that share nothing but the database."""
    opened = []

    def make(send: Callable[[Message], None]) -> Delivery:
        context = databases.opened(seeded.database)
        opened.append(context)
        store = context.__enter__()
        outbox = Outbox(store, services.sealer, clock, settings)
        return Delivery(store, outbox, clock, settings, mails.render, send)

    yield make
    for context in opened:
        context.__exit__(None, None, None)


@pytest.mark.every_database
def test_several_nodes_send_each_mail_once(
    mail: MailServer,
    nodes: Callable[[Callable[[Message], None]], Delivery],
    put: Put,
) -> None:
    wanted = {put("mail_test", f"person{number}@example.test") for number in range(30)}
    server = SmtpServer(f"smtp://127.0.0.1:{mail.port}")
    each_has_one = threading.Barrier(4, timeout=30)
    waited = threading.local()
    sent: list[int] = []

    def send(message: Message) -> None:
        if not hasattr(waited, "once"):
            waited.once = True
            each_has_one.wait()
        server.send(message)

    def node(delivery: Delivery) -> None:
        total = 0
        while count := delivery.run_once():
            total += count
        sent.append(total)

    threads = [threading.Thread(target=node, args=(nodes(send),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    arrived = [str(each["Message-ID"]).strip("<>").partition("@")[0] for each in mail.mails]
    assert sorted(arrived) == sorted(wanted)
    assert (len(sent), sum(sent)) == (4, 30)


def test_a_node_that_dies_with_a_mail_leaves_it_to_the_others(
    mail: MailServer,
    nodes: Callable[[Callable[[Message], None]], Delivery],
    deliverer: Deliverer,
    put: Put,
    row: Row,
    clock: HeldClock,
) -> None:
    class Died(BaseException):
        pass

    def die(_message: Message) -> None:
        raise Died

    mail_id = put()
    with pytest.raises(Died):
        nodes(die).run_once()
    survivor = deliverer(mail.port)
    clock.advance(CLAIM - 1)
    assert survivor.run_once() == 0
    clock.advance(1)
    assert survivor.run_once() == 1
    assert len(mail.taken) == 1
    assert row(mail_id)["sent_at"] is not None


def test_a_node_that_comes_late_does_not_undo_what_another_did(
    mail: MailServer,
    nodes: Callable[[Callable[[Message], None]], Delivery],
    deliverer: Deliverer,
    put: Put,
    row: Row,
    clock: HeldClock,
) -> None:
    other = deliverer(mail.port)

    mail_id = put()
    server = SmtpServer(f"smtp://127.0.0.1:{free_port()}")

    def linger_and_fail(message: Message) -> None:
        clock.advance(CLAIM)
        assert other.run_once() == 1
        server.send(message)

    nodes(linger_and_fail).run_once()
    assert (row(mail_id)["problem"], row(mail_id)["next_try_at"]) == (None, None)
    assert row(mail_id)["sent_at"] is not None
    assert len(mail.taken) == 1


def test_the_thread_sends_without_being_asked(
    mail: MailServer, deliverer: Deliverer, put: Put
) -> None:
    delivery = deliverer(mail.port)
    put()
    delivery.ensure_started()
    delivery.ensure_started()
    assert mail.arrived.wait(20)
    delivery.stop()
    assert len(mail.taken) == 1


def test_without_a_server_mail_stays_in_the_outbox(
    app: Flask, services: Services, put: Put, row: Row
) -> None:
    mail_id = put()
    delivery = delivery_of(app)
    delivery.ensure_started()
    assert delivery.run_once() == 0
    assert (row(mail_id)["tries"], row(mail_id)["sent_at"]) == (0, None)
    assert not [each for each in threading.enumerate() if each.name == "housekeeping"]


@pytest.mark.parametrize(
    ("changes", "available"),
    [
        ({}, False),
        ({"smtp_url": "smtp://localhost"}, True),
        ({"development": True}, True),
        ({"development": True, "smtp_url": "smtp://localhost"}, True),
    ],
)
def test_mail_is_available_where_it_arrives(
    services: Services, settings: Settings, changes: dict[str, object], available: bool
) -> None:
    given = settings.model_copy(update=changes)
    if "smtp_url" in changes:
        given = Settings.model_validate({**settings.model_dump(), **changes})
    outbox = Outbox(services.store, services.sealer, services.clock, given)
    assert outbox.available is available


def test_a_dump_tells_neither_who_nor_what(seeded: Seeded, put: Put) -> None:
    put("sign_in_link", "charles.babbage@example.test", SIGN_IN)
    dump = seeded.database.dump()
    assert "sign_in_link" in dump
    for secret in ("charles.babbage", "402917", LINK, "secret=abc", "203.0.113.7"):
        assert secret not in dump
        assert secret.encode().hex() not in dump.lower()


def test_a_mail_in_another_row_does_not_open(
    services: Services, mail: MailServer, deliverer: Deliverer, put: Put, row: Row
) -> None:
    """An attacker who writes to the database cannot have another's link sent to themselves."""
    victims = put("sign_in_link", "ada@example.test", SIGN_IN)
    own = put("mail_test", "eve@example.test")
    sealed = row(victims)["sealed"]
    with services.store.writing() as connection:
        connection.execute(ROWS.update().where(ROWS.c.id == own).values(sealed=sealed))
        connection.execute(ROWS.delete().where(ROWS.c.id == victims))
    with pytest.raises(SealBroken):
        services.outbox.open(row(own))
    with pytest.raises(NotFound):
        services.outbox.find(own)
    assert services.outbox.latest(10) == []
    deliverer(mail.port).run_once()
    assert row(own)["problem"] == "it does not open"
    assert mail.tried == 0
