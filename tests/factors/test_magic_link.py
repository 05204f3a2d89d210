"""Links and codes by mail, from asking for one to being signed in."""

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, update

from idp.domain.access import Resource
from idp.domain.audit import By, Origin
from idp.domain.errors import Invalid, NotFound, Refused, Throttled
from idp.domain.interactions import Progress
from idp.domain.magic_links import Letter, Proven, TooSoon, masked
from idp.domain.proving import Cookies, Visit
from idp.domain.requirements import Demand
from idp.domain.services import Services
from idp.store import accounts as account_rows
from idp.store.tables import Password, RecoveryCode, table
from tests.support.held_clock import HeldClock
from tests.support.refusals import entries
from tests.support.seeds import ADA, OPERATOR, ORIGIN

pytestmark = pytest.mark.settings(smtp_url="smtp://127.0.0.1:1?tls=off")
COOKIE = "c" * 43
_PASSWORDS, _CODES = table(Password), table(RecoveryCode)
WAYS = ("code", "link")
Change = Callable[[Services], object]


def visit(services: Services, network: str = "192.0.2.1", cookie: str = COOKIE) -> Visit:
    """Return a browser at the first page of a sign-in."""
    handle = services.interactions.open(Progress(), cookie, Origin(network))
    return now(services, handle, network, cookie)


def now(services: Services, handle: str, network: str = "192.0.2.1", cookie: str = COOKIE) -> Visit:
    found = services.interactions.find(handle, cookie)
    demand = Demand("sign_in", Resource("console", "account"))
    return Visit(found, demand, None, cookie, "", Origin(network, "", "Firefox"))


def send(services: Services, here: Visit, email: str = ADA.email) -> Visit:
    """Ask for a mail and return the browser that waits for it."""
    account = services.magic_links.account_of(email)
    letter = Letter("sign_in_link") if account else Letter("sign_in_no_account", works=False)
    services.magic_links.send(here, "sign_in", email, account, letter)
    return now(services, here.interaction.handle, here.origin.address, here.cookie)


def mailed(services: Services) -> Mapping[str, Any]:
    """Return what the newest mail with a link says."""
    return next(mail.values for mail in services.outbox.latest(10) if "code" in mail.values)


def token_of(services: Services) -> str:
    return str(mailed(services)["link"]).rpartition("/")[2]


def code_of(services: Services) -> str:
    return str(mailed(services)["code"])


def prove(services: Services, here: Visit, way: str) -> Proven:
    links = services.magic_links
    if way == "code":
        return links.with_code(here, code_of(services))
    return links.confirm(here, token_of(services))


def use(services: Services, here: Visit, proven: Proven) -> Cookies:
    assert proven.account is not None
    cookies = services.sign_in.with_mail(here, proven.account, proven.use)
    assert cookies is not None
    return cookies


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


@pytest.mark.every_database
@pytest.mark.parametrize("way", WAYS)
def test_it_signs_in_and_says_how(services: Services, way: str) -> None:
    here = send(services, visit(services))
    cookies = use(services, here, prove(services, here, way))
    session = services.sessions.find(cookies.session)
    assert session is not None
    assert (session.account.email, session.amr) == (ADA.email, ("email",))
    sent, signed_in = entries(services.store)[-2:]
    assert (sent["event"], sent["detail"]) == ("magic_link.sent", {"purpose": "sign_in"})
    assert (signed_in["event"], signed_in["detail"]["factor"]) == ("sign_in", "mail")


def test_the_mail_has_link_code_and_who_asked(services: Services) -> None:
    send(services, visit(services))
    mail = services.outbox.latest(1)[0]
    assert (mail.kind, mail.to) == ("sign_in_link", ADA.email)
    assert re.fullmatch(r"https://id\.example\.test/mail/[A-Za-z0-9_-]{43}", mail.values["link"])
    assert re.fullmatch(r"\d{6}", mail.values["code"])
    asked = {name: mail.values[name] for name in ("minutes", "address", "browser")}
    assert asked == {"minutes": 10, "address": "192.0.2.1", "browser": "Firefox"}


@pytest.mark.parametrize("shape", ["{0} {1}", " {0}{1}\n", "{0}-{1}", "wide"])
def test_a_code_may_be_typed_with_spaces(services: Services, shape: str) -> None:
    here = send(services, visit(services))
    code = code_of(services)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    typed = wide if shape == "wide" else shape.format(code[:3], code[3:])
    assert services.magic_links.with_code(here, typed).email == ADA.email


@pytest.mark.parametrize("way", WAYS)
def test_it_proves_an_address_that_was_never_proven(services: Services, way: str) -> None:
    services.accounts.add("new@example.test", origin=ORIGIN, actor=OPERATOR)
    here = send(services, visit(services), "new@example.test")
    assert not services.accounts.get("new@example.test").email_verified
    use(services, here, prove(services, here, way))
    assert services.accounts.get("new@example.test").email_verified


def test_the_waiting_page_knows_when_and_to_whom(services: Services, clock: HeldClock) -> None:
    here = visit(services)
    assert services.magic_links.pending(here) is None
    at = int(clock())
    here = send(services, here)
    pending = services.magic_links.pending(here)
    assert pending is not None
    assert (pending.purpose, pending.masked) == ("sign_in", "a•••@example.test")
    assert (pending.sent_at, pending.can_resend_at) == (at, at + 30)
    clock.advance(600)
    assert services.magic_links.pending(here) is None


def test_addresses_are_masked_whatever_they_look_like() -> None:
    assert masked("é@example.test") == "é•••@example.test"
    assert masked("nobody") == "•••@nobody"


def test_the_next_mail_waits_a_little(services: Services, clock: HeldClock) -> None:
    here = send(services, visit(services))
    clock.advance(29)
    with pytest.raises(TooSoon) as error:
        send(services, here)
    assert error.value.retry_after == 1
    assert len(services.outbox.latest(10)) == 1
    clock.advance(1)
    send(services, here)
    assert len(services.outbox.latest(10)) == 2


def test_a_mistyped_address_is_mended_at_once(services: Services) -> None:
    here = send(services, visit(services), "adda@example.test")
    send(services, here)
    assert [mail.to for mail in services.outbox.latest(2)] == [ADA.email, "adda@example.test"]


@pytest.mark.parametrize("email", ["", "ada", "ada@", "ada@b c", "ada\r\nBcc: x@example.test"])
def test_what_is_no_address_gets_no_mail(services: Services, email: str) -> None:
    with pytest.raises(Invalid):
        send(services, visit(services), email)
    assert services.outbox.latest(10) == []


def change_password(services: Services) -> None:
    services.accounts.set_password(ADA.email, "an owl in the attic of 9 Elm Row", ORIGIN, OPERATOR)


def add_codes(services: Services) -> None:
    account = services.accounts.get(ADA.email)
    by = By("account:tests", ORIGIN)
    prepared = services.recovery_codes.prepare()
    with services.store.writing() as connection:
        services.recovery_codes.replace(connection, account, prepared, by)


def remove_password(services: Services) -> None:
    account = services.accounts.get(ADA.email)
    with services.store.writing() as connection:
        connection.execute(delete(_PASSWORDS).where(_PASSWORDS.c.account_id == account.id))


def change_address(services: Services) -> None:
    account = services.accounts.get(ADA.email)
    with services.store.writing() as connection:
        changes = {"email": "lovelace@example.test", "email_key": "lovelace@example.test"}
        account_rows.change(connection, account.id, changes)


def disable(services: Services) -> None:
    services.accounts.disable(ADA.email, ORIGIN, OPERATOR)


CHANGES: dict[str, Change] = {
    "password changed": change_password,
    "credential added": add_codes,
    "credential removed": remove_password,
    "address changed": change_address,
    "account disabled": disable,
}


def test_codes_of_the_same_set_may_be_used_meanwhile(services: Services) -> None:
    add_codes(services)
    here = send(services, visit(services))
    with services.store.writing() as connection:
        connection.execute(update(_CODES).values(used_at=1))
    assert services.magic_links.open(token_of(services), COOKIE)
    assert prove(services, here, "code")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", CHANGES)
def test_case_092_a_link_is_dead_when_something_changed(
    services: Services, clock: HeldClock, way: str, what: str
) -> None:
    here = send(services, visit(services))
    token = token_of(services)
    clock.advance(1)
    CHANGES[what](services)
    with pytest.raises(Refused):
        use(services, here, prove(services, here, way))
    assert services.magic_links.open(token, COOKIE) is None
    assert services.magic_links.reveal(token, ORIGIN) is None
    assert entries(services.store)[-1]["outcome"] == "refused"


@pytest.mark.parametrize("what", CHANGES)
def test_case_092_also_when_it_changes_at_the_last_moment(
    services: Services, clock: HeldClock, what: str
) -> None:
    """Between the check and the transaction that uses the link."""
    here = send(services, visit(services))
    proven = prove(services, here, "link")
    clock.advance(1)
    CHANGES[what](services)
    with pytest.raises(Refused):
        use(services, here, proven)
    assert services.sessions.find(COOKIE) is None


@pytest.mark.parametrize("way", WAYS)
def test_case_092_a_link_works_for_ten_minutes(
    services: Services, clock: HeldClock, way: str
) -> None:
    here = send(services, visit(services))
    clock.advance(599)
    assert prove(services, here, way)
    clock.advance(1)
    with pytest.raises(Refused):
        prove(services, here, way)


@pytest.mark.parametrize("way", WAYS)
def test_case_092_a_link_works_once(services: Services, way: str) -> None:
    here = send(services, visit(services))
    proven = prove(services, here, way)
    use(services, here, proven)
    with pytest.raises(Refused):
        use(services, here, proven)
    for second in WAYS:
        with pytest.raises(Refused):
            prove(services, here, second)


@pytest.mark.every_database
@pytest.mark.settings(smtp_url="smtp://127.0.0.1:1?tls=off", network_limit=1000)
def test_case_092_of_many_at_once_one_wins(services: Services) -> None:
    here = send(services, visit(services))
    proofs = [prove(services, here, "link") for _ in range(8)]

    def one(proven: Proven) -> bool:
        try:
            use(services, here, proven)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(one, proofs)) == [False] * 7 + [True]


def test_case_092_a_newer_mail_kills_the_older_ones(services: Services, clock: HeldClock) -> None:
    here = send(services, visit(services))
    old_token, old_code = token_of(services), code_of(services)
    clock.advance(30)
    here = send(services, here)
    with pytest.raises(Refused):
        services.magic_links.confirm(here, old_token)
    assert services.magic_links.open(old_token, COOKIE) is None
    if old_code != code_of(services):
        with pytest.raises(Refused):
            services.magic_links.with_code(here, old_code)
    assert prove(services, here, "link")


def test_nobody_kills_somebody_elses_link_by_asking_for_another(services: Services) -> None:
    here = send(services, visit(services))
    token = token_of(services)
    send(services, visit(services, "198.51.100.1", "d" * 43))
    assert services.magic_links.confirm(here, token)


def test_case_092_whoever_says_another_name_ends_the_link(services: Services) -> None:
    here = send(services, visit(services))
    token = token_of(services)
    services.interactions.note(here.interaction, identifier="grace@example.test", mailed="")
    with pytest.raises(Refused):
        services.magic_links.confirm(now(services, here.interaction.handle), token)


def test_a_link_ends_with_its_interaction(services: Services, clock: HeldClock) -> None:
    here = visit(services)
    clock.advance(1500)
    here = send(services, here)
    token = token_of(services)
    clock.advance(299)
    assert services.magic_links.open(token, COOKIE)
    clock.advance(1)
    assert services.magic_links.open(token, COOKIE) is None
    with pytest.raises(NotFound):
        now(services, here.interaction.handle)


def test_five_codes_may_be_typed_for_one_mail(services: Services, clock: HeldClock) -> None:
    here = send(services, visit(services))
    code, token = code_of(services), token_of(services)
    for _ in range(5):
        assert services.magic_links.pending(here)
        with pytest.raises(Refused):
            services.magic_links.with_code(here, other_than(code))
        clock.advance(60)
    assert services.magic_links.pending(here) is None
    with pytest.raises(Refused):
        services.magic_links.with_code(here, code)
    assert services.magic_links.open(token, COOKIE) is None


def test_the_fifth_code_may_be_the_right_one(services: Services, clock: HeldClock) -> None:
    here = send(services, visit(services))
    for _ in range(4):
        with pytest.raises(Refused):
            services.magic_links.with_code(here, other_than(code_of(services)))
        clock.advance(60)
    assert use(services, here, prove(services, here, "code"))


@pytest.mark.every_database
def test_codes_typed_at_once_are_counted_one_by_one(services: Services) -> None:
    """The account's counter is another one: here the mail's own is looked at."""
    send(services, visit(services))
    token, links = token_of(services), services.magic_links._links

    def one(_number: int) -> bool:
        with services.store.writing() as connection:
            return links.count(connection, token) is not None

    with ThreadPoolExecutor(12) as threads:
        assert sum(threads.map(one, range(12))) == 5


def test_typed_codes_and_passwords_share_one_counter(services: Services) -> None:
    here = send(services, visit(services))
    services.interactions.note(here.interaction, identifier=ADA.email)
    here = now(services, here.interaction.handle)
    for _ in range(3):
        with pytest.raises(Refused):
            services.sign_in.with_password(here, "not the password at all")
    for _ in range(3):
        with pytest.raises(Refused):
            services.magic_links.with_code(here, other_than(code_of(services)))
    with pytest.raises(Throttled):
        services.magic_links.with_code(here, code_of(services))


def test_a_person_gets_five_mails_in_ten_minutes(services: Services, clock: HeldClock) -> None:
    """However many networks ask; then it begins anew."""
    for number in range(5):
        send(services, visit(services, f"198.51.{number}.1"))
    with pytest.raises(Throttled) as error:
        send(services, visit(services, "198.51.77.1"))
    assert error.value.retry_after == 600
    assert len(services.outbox.latest(10)) == 5
    clock.advance(600)
    send(services, visit(services, "198.51.78.1"))


def test_an_address_without_account_has_the_same_limit(services: Services) -> None:
    for number in range(5):
        send(services, visit(services, f"198.51.{number}.1"), "nobody@example.test")
    with pytest.raises(Throttled) as error:
        send(services, visit(services, "198.51.77.1"), "NOBODY@example.test")
    assert error.value.retry_after == 600


@pytest.mark.settings(smtp_url="smtp://127.0.0.1:1?tls=off", network_limit=3)
def test_one_network_is_limited_too(services: Services) -> None:
    for number in range(3):
        send(services, visit(services), f"somebody{number}@example.test")
    other = visit(services, "198.51.100.1")
    there = Visit(other.interaction, other.demand, None, COOKIE, "", Origin("192.0.2.1"))
    with pytest.raises(Throttled):
        send(services, there, "somebody3@example.test")
    assert len(services.outbox.latest(10)) == 3


def test_who_reads_it_elsewhere_may_see_the_code(services: Services) -> None:
    here = send(services, visit(services))
    token = token_of(services)
    opened = services.magic_links.open(token, "d" * 43)
    assert opened is not None
    assert not opened.same_browser
    assert (opened.address, opened.user_agent) == ("192.0.2.1", "Firefox")
    code = services.magic_links.reveal(token, Origin("198.51.100.1"))
    told = entries(services.store)[-1]
    assert (told["event"], told["address"]) == ("magic_link.code_shown", "198.51.100.1")
    assert told["detail"] == {"purpose": "sign_in", "asked_from": "192.0.2.1"}
    assert code is not None
    assert code not in str(told)
    assert use(services, here, services.magic_links.with_code(here, code))


def test_who_did_not_ask_ends_it(services: Services) -> None:
    here = send(services, visit(services))
    token, code = token_of(services), code_of(services)
    assert services.magic_links.disown(token, Origin("198.51.100.1"))
    told = entries(services.store)[-1]
    assert (told["event"], told["outcome"]) == ("magic_link.disowned", "done")
    assert told["account_id"] == services.accounts.get(ADA.email).id
    assert not services.magic_links.disown(token, Origin("198.51.100.1"))
    with pytest.raises(Refused):
        services.magic_links.with_code(here, code)
    with pytest.raises(Refused):
        services.magic_links.confirm(here, token)


def test_a_link_of_another_purpose_opens_nothing_here(services: Services) -> None:
    """What a proof is for is told with it: whoever takes it has to look."""
    here = visit(services)
    account = services.magic_links.account_of(ADA.email)
    services.magic_links.send(here, "reset", ADA.email, account, Letter("reset_link"))
    here = now(services, here.interaction.handle)
    assert prove(services, here, "code").purpose == "reset"


def test_an_address_without_account_is_proven_for_a_sign_up(services: Services) -> None:
    here = visit(services)
    services.magic_links.send(here, "sign_up", "new@example.test", None, Letter("sign_up_link"))
    here = now(services, here.interaction.handle)
    proven = prove(services, here, "code")
    assert (proven.purpose, proven.email, proven.account) == ("sign_up", "new@example.test", None)
    services.accounts.add("new@example.test", origin=ORIGIN, actor=OPERATOR)
    with services.store.writing() as connection:
        assert not proven.use(connection), "somebody else has the address by now"


def test_what_was_not_mailed_proves_nothing(services: Services) -> None:
    """Even who guesses the code of a mail that had none."""
    here = visit(services)
    account = services.magic_links.account_of(ADA.email)
    letter = Letter("sign_up_exists", works=False)
    services.magic_links.send(here, "sign_up", ADA.email, account, letter)
    here = now(services, here.interaction.handle)
    token = here.interaction.progress.mailed
    with services.store.reading() as connection:
        known = services.magic_links._links.find(connection, token)
    assert known is not None
    assert "code" not in services.outbox.latest(1)[0].values
    with pytest.raises(Refused):
        services.magic_links.with_code(here, known[0].code)
    with pytest.raises(Refused):
        services.magic_links.confirm(here, token)


def test_case_094_a_link_is_confirmed_by_the_cookie_that_asked(services: Services) -> None:
    here = send(services, visit(services))
    other = replace(here, cookie="d" * 43)
    with pytest.raises(Refused):
        services.magic_links.confirm(other, token_of(services))
    elsewhere = visit(services)
    with pytest.raises(Refused):
        services.magic_links.confirm(elsewhere, token_of(services))
    assert services.magic_links.confirm(here, token_of(services))
