"""SECURITY case 156: no default credentials; one link, which never comes back by itself."""

import re
import threading
from collections.abc import Iterator

import pytest

from idp.app import create_app, services_of
from idp.config import load
from idp.domain.administrators import ROLE
from idp.domain.audit import Origin
from idp.domain.errors import AlreadyExists, Invalid, NotFound, Refused
from idp.domain.services import Services
from tests.running.commands import Place
from tests.support.ports import free_port

ORIGIN = Origin("192.0.2.1", "request")
PASSWORD = "four unrelated words here"


@pytest.fixture
def clock() -> list[float]:
    return [1_800_000_000.0]


@pytest.fixture
def parts(place: Place, clock: list[float]) -> Iterator[Services]:
    settings = load(
        {
            "issuer": "http://localhost:8000",
            "data_dir": place.folder / "var",
            "keys_dir": place.folder / "keys",
        }
    )
    found = services_of(create_app(settings, clock=lambda: clock[0]))
    yield found
    found.store.close()


def token_of(path: str) -> str:
    found = re.fullmatch(r"/setup/administrator/([A-Za-z0-9_-]{43})", path)
    assert found
    return found[1]


def link(parts: Services, lifetime: int = 3600) -> str:
    return token_of(parts.administrators.issue_link(ORIGIN, "operator:root", lifetime))


def complete(parts: Services, token: str, email: str = "admin@example.com") -> None:
    parts.administrators.complete(token, email, "Admin", PASSWORD, ORIGIN)


def events(parts: Services) -> list[tuple[str, str]]:
    return [(entry["event"], entry["outcome"]) for entry in parts.audit.latest()]


def test_case_156_a_new_database_has_nobody_in_it(parts: Services) -> None:
    assert parts.accounts.page() == []
    assert parts.clients.list() == []
    assert not parts.administrators.exists()


def test_case_156_the_link_makes_one_administrator(parts: Services) -> None:
    token = link(parts)
    assert parts.administrators.check(token)
    assert parts.administrators.check(token)
    complete(parts, token)
    account = parts.accounts.get("admin@example.com")
    assert account.roles == {ROLE}
    assert not account.email_verified
    assert parts.administrators.exists()
    assert ("administrator.link_issued", "done") in events(parts)
    assert ("account.added", "done") in events(parts)


def test_case_156_the_link_works_once(parts: Services) -> None:
    token = link(parts)
    complete(parts, token)
    assert not parts.administrators.check(token)
    with pytest.raises(Refused):
        complete(parts, token, "second@example.com")
    with pytest.raises(NotFound):
        parts.accounts.get("second@example.com")
    assert events(parts)[0] == ("administrator.added", "refused")


def test_case_156_of_many_at_once_one_wins(parts: Services) -> None:
    token = link(parts)
    won: list[str] = []

    def run(email: str) -> None:
        try:
            complete(parts, token, email)
            won.append(email)
        except Refused:
            pass

    emails = [f"admin{number}@example.com" for number in range(5)]
    threads = [threading.Thread(target=run, args=(email,)) for email in emails]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert [account.email for account in parts.accounts.page()] == won


def test_case_156_whoever_makes_it_is_told_as_the_account_itself(parts: Services) -> None:
    complete(parts, link(parts))
    entry = next(each for each in parts.audit.latest() if each["event"] == "account.added")
    assert entry["actor"] == f"account:{parts.accounts.get('admin@example.com').id}"


def test_case_156_a_wrong_link_is_written_down_but_not_without_end(
    place: Place, clock: list[float]
) -> None:
    settings = load(
        {
            "issuer": "http://localhost:8000",
            "data_dir": place.folder / "var",
            "keys_dir": place.folder / "keys",
            "network_limit": 3,
        }
    )
    app = create_app(settings, clock=lambda: clock[0])
    parts, browser = services_of(app), app.test_client()
    wrong = f"/setup/administrator/{'A' * 43}"
    told = [browser.get(wrong, base_url=settings.issuer).status_code for _ in range(5)]
    refusals = [entry for entry in parts.audit.latest() if entry["event"] == "administrator.added"]
    works = browser.get(
        parts.administrators.issue_link(ORIGIN, "operator:root"), base_url=settings.issuer
    )
    parts.store.close()
    assert told == [404, 404, 404, 429, 429]
    assert [(entry["outcome"], entry["actor"]) for entry in refusals] == [("refused", "anyone")] * 3
    assert refusals[0]["address"] == "127.0.0.1"
    assert works.status_code == 200


@pytest.mark.parametrize("guess", ["", "x", "A" * 43])
def test_case_156_a_guess_is_refused(parts: Services, guess: str) -> None:
    link(parts)
    assert not parts.administrators.check(guess)
    with pytest.raises(Refused):
        complete(parts, guess)
    assert parts.accounts.page() == []


def test_case_156_a_link_ends_with_its_time(parts: Services, clock: list[float]) -> None:
    token = link(parts, 60)
    clock[0] += 61
    assert not parts.administrators.check(token)
    with pytest.raises(Refused):
        complete(parts, token)


def test_case_156_a_new_link_ends_the_one_before(parts: Services) -> None:
    first, second = link(parts), link(parts)
    assert not parts.administrators.check(first)
    with pytest.raises(Refused):
        complete(parts, first)
    complete(parts, second)


def test_case_156_a_mistake_in_the_form_does_not_use_the_link(parts: Services) -> None:
    token = link(parts)
    with pytest.raises(Invalid):
        parts.administrators.complete(token, "admin@example.com", "", "short", ORIGIN)
    with pytest.raises(Invalid):
        parts.administrators.complete(token, "nobody", "", PASSWORD, ORIGIN)
    parts.accounts.add("taken@example.com", origin=ORIGIN, actor="operator:root")
    with pytest.raises(AlreadyExists):
        complete(parts, token, "taken@example.com")
    assert parts.administrators.check(token)
    complete(parts, token)


def test_case_156_nothing_reopens_when_the_administrator_goes(parts: Services) -> None:
    complete(parts, link(parts))
    with parts.store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM accounts")
    assert parts.accounts.page() == []
    assert parts.administrators.exists()


def test_case_156_development_prints_no_link_once_there_was_one(place: Place) -> None:
    port = str(free_port())
    command = ("users", "add", "admin@example.com", "--role", ROLE, "--without-password")
    assert place.run(*command).returncode == 0
    with place.serving("dev", "--port", port) as running:
        line = running.block()["Administrator"]
    assert line == f"for another link: IDP_ISSUER=http://localhost:{port} idp admin login-link"


def test_case_156_the_operator_gets_another_link(place: Place) -> None:
    port = str(free_port())
    with place.serving("dev", "--port", port) as running:
        printed = running.block()["Administrator"].split()[0]
        assert running.http.get(printed).status_code == 200
        done = place.run(
            "admin", "login-link", environment={"IDP_ISSUER": f"http://localhost:{port}"}
        )
        again = done.stdout.strip()
        assert running.http.get(again).status_code == 200
        assert running.http.get(printed).status_code == 404
    assert again.removeprefix(f"http://localhost:{port}") != again
    assert token_of(again.removeprefix(f"http://localhost:{port}"))


def test_case_156_a_link_needs_an_issuer(place: Place) -> None:
    done = place.run("admin", "login-link")
    assert done.returncode == 2
    assert done.stderr.startswith("IDP_ISSUER: not set")
