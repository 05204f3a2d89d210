"""The audit log in the console: what is found, how far one question reads, and the file."""

import csv
import io
from typing import Any
from urllib.parse import urlencode

import pytest

from idp.domain import audit_search
from idp.domain.audit import Entry, Origin
from idp.domain.audit_search import PAGE, AuditSearch, Wanted
from idp.domain.services import Services
from tests.admin.conftest import Enter, Staff
from tests.support.held_clock import HeldClock
from tests.support.refusals import entries
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN

HOSTILE = 'a\x1b[31m\r\n2027-01-01 "x",<b>\u202e=1+1'
START = 1_800_000_000


def note(services: Services, event: str, count: int = 1, **values: Any) -> None:
    """Add entries."""
    for _ in range(count):
        with services.store.writing() as connection:
            services.audit.record(connection, ORIGIN, Entry(event, **values))


def found(services: Services, **wanted: Any) -> list[str]:
    """The events of the first page."""
    lines = services.audit_search.page(Wanted(**wanted)).lines
    return [line.event for line in lines]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.every_database
def test_each_filter(services: Services, clock: HeldClock) -> None:
    ada = services.accounts.get(ADA.email)
    clock.advance(1000)
    note(services, "x.first", actor=f"account:{ada.id}")
    clock.advance(1000)
    note(services, "x.second", account_id=ada.id, client_id="webapp")
    services.audit.refuse(ORIGIN, Entry("x.second", account_id=ada.id))
    clock.advance(1000)
    note(services, "x.third", client_id="webapp", actor="client:webapp")
    assert found(services, event="x.second") == ["x.second", "x.second"]
    assert found(services, event="x.second", outcome="refused") == ["x.second"]
    assert found(services, account_id=ada.id)[:2] == ["x.second", "x.second"]
    assert found(services, actor=f"account:{ada.id}") == ["x.first"]
    assert found(services, actor="client:webapp") == ["x.third"]
    assert found(services, client_id="webapp")[:2] == ["x.third", "x.second"]
    at = int(clock())
    assert found(services, since=at) == ["x.third"]
    assert found(services, since=at - 2000, until=at - 1000) == ["x.first"]
    assert found(services, since=at - 1999, until=at) == ["x.second", "x.second"]
    assert found(services, since=at + 1) == []


@pytest.mark.every_database
def test_pages_have_every_entry_once_newest_first(services: Services) -> None:
    note(services, "x.many", 2 * PAGE + 7)
    seen: list[str] = []
    before = ""
    for _ in range(3):
        page = services.audit_search.page(Wanted(event="x.many"), before)
        seen += [line.id for line in page.lines]
        before = page.more
    assert before == ""
    assert len(seen) == 2 * PAGE + 7
    assert seen == sorted(set(seen), reverse=True)


def test_one_question_reads_a_bounded_part(
    services: Services, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_search, "WINDOW", 60)
    note(services, "x.rare")
    clock.advance(100)
    note(services, "x.noise", 130)
    rare = Wanted(event="x.rare")
    first = services.audit_search.page(rare)
    assert (first.lines, first.reached) == ([], int(clock()))
    second = services.audit_search.page(rare, first.more)
    third = services.audit_search.page(rare, second.more)
    assert second.lines == []
    assert [line.event for line in third.lines] == ["x.rare"]
    bounded = services.audit_search.page(Wanted(event="x.rare", since=int(clock()) + 1))
    assert (bounded.lines, bounded.more) == ([], "")


def test_a_time_far_back_is_reached_at_once(
    services: Services, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_search, "WINDOW", 60)
    note(services, "x.old")
    clock.advance(100)
    note(services, "x.noise", 130)
    assert found(services, event="x.old", until=int(clock()) - 50) == ["x.old"]


def test_the_page(admin: Staff, services: Services) -> None:
    grace = services.accounts.get(GRACE.email)
    note(services, "x.told", actor=admin.actor, account_id=grace.id, client_id="webapp")
    page = admin.get("/admin/audit?event=x.told")
    assert page.document.links[GRACE.email].endswith(grace.id)
    assert page.document.links[admin.account.email].endswith(admin.account.id)
    assert page.document.links["webapp"] == "/admin/clients/webapp"
    query = {"person": GRACE.email, "actor": admin.account.email, "client": "webapp"}
    assert "x.told" in admin.get(f"/admin/audit?{urlencode(query)}").text
    assert "Nothing fits." in admin.get("/admin/audit?event=x.unheard").text
    assert "x.told" in admin.get(f"/admin/audit?person={grace.id}").text


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("person", "nobody@example.test", "There is no such person."),
        ("actor", "nobody@example.test", "There is no such person."),
        ("since", "yesterday", "Write it like"),
        ("until", "9999-99-99T00:00", "Write it like"),
    ],
)
def test_what_cant_be_looked_for_is_said(admin: Staff, name: str, value: str, said: str) -> None:
    page = admin.get(f"/admin/audit?{name}={value}")
    assert page.status == 400
    assert said in page.text
    assert admin.get(f"/admin/audit.csv?{name}={value}").status == 400


@pytest.mark.parametrize("value", ["\0", "x" * 4000, "'; --", "0001-01-01T00:00", "%"])
@pytest.mark.parametrize(
    "name", ["event", "outcome", "person", "actor", "client", "since", "until", "before"]
)
def test_nonsense_finds_nothing(admin: Staff, name: str, value: str) -> None:
    page = admin.get(f"/admin/audit?{urlencode({name: value})}")
    assert page.status in {200, 400}, page


class TestCase144:
    """CR/LF, ANSI, JSON and formulas in what outsiders named."""

    @pytest.fixture
    def noted(self, services: Services) -> None:
        entry = Entry(HOSTILE, f"client:{HOSTILE}", client_id=HOSTILE, detail={HOSTILE: HOSTILE})
        origin = Origin("=cmd|' /C calc'!A0", "@SUM(1)", "")
        with services.store.writing() as connection:
            services.audit.record(connection, origin, entry)

    def test_case_144_on_the_page(self, admin: Staff, noted: None) -> None:
        text = admin.get("/admin/audit").response.text
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "<b>" not in text
        assert "\\x1b[31m\\r\\n" in text
        assert "\\u202e" in text

    def test_case_144_in_the_file(self, admin: Staff, noted: None, services: Services) -> None:
        answer = admin.get("/admin/audit.csv").response
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
        assert answer.headers["Cache-Control"] == "no-store"
        written = answer.content.decode()
        lines = written.split("\r\n")
        total = len(entries(services.store))
        assert len(lines) == total + 2
        assert lines[-1] == ""
        assert all(letter.isprintable() for line in lines for letter in line)
        for row in rows_of(written):
            for cell in row.values():
                assert not cell.lstrip().startswith(("=", "+", "-", "@"))
        hostile = next(row for row in rows_of(written) if row["event"].startswith("a\\x1b"))
        assert hostile["address"] == "'=cmd|' /C calc'!A0"
        assert hostile["request_id"] == "'@SUM(1)"
        assert hostile["client_id"] == 'a\\x1b[31m\\r\\n2027-01-01 "x",<b>\\u202e=1+1'

    @pytest.mark.parametrize("sign", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "\uff1d1"])
    def test_case_144_no_cell_is_a_formula(
        self, admin: Staff, services: Services, sign: str
    ) -> None:
        with services.store.writing() as connection:
            entry = Entry("x.named", sign, client_id=sign)
            services.audit.record(connection, Origin(sign, sign), entry)
        (row,) = rows_of(admin.get("/admin/audit.csv?event=x.named").response.text)
        for name in ("actor", "client_id", "address", "request_id"):
            assert row[name][0] in "'\\", row


def test_an_export_has_what_fits_and_is_recorded(admin: Staff, services: Services) -> None:
    note(services, "x.wanted", 3)
    note(services, "x.other", 2)
    rows = rows_of(admin.get("/admin/audit.csv?event=x.wanted&outcome=done").response.text)
    assert [row["event"] for row in rows] == ["x.wanted"] * 3
    assert {row["outcome"] for row in rows} == {"done"}
    last = entries(services.store)[-1]
    assert (last["event"], last["actor"]) == ("audit.exported", admin.actor)
    assert last["detail"] == {"event": "x.wanted", "outcome": "done"}


def test_an_export_goes_over_many_pages_and_ends(
    services: Services, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_search, "_BATCH", 20)
    monkeypatch.setattr(audit_search, "WINDOW", 30)
    monkeypatch.setattr(audit_search, "EXPORTED", 70)
    note(services, "x.many", 100)
    search: AuditSearch = services.audit_search
    staff = enter("auditor")
    lines = list(search.export(Wanted(event="x.many"), staff.by))
    assert len({line.id for line in lines}) == 70


def test_an_entry_of_somebody_who_is_gone_keeps_their_id(admin: Staff, services: Services) -> None:
    note(services, "x.gone", account_id="0190a0a0-0000-7000-8000-000000000000", actor=OPERATOR)
    page = admin.get("/admin/audit?event=x.gone")
    assert "0190a0a0-0000-7000-8000-000000000000" in page.text
    assert OPERATOR in page.text
