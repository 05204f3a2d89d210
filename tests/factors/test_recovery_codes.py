"""Recovery codes: ten, each used once, found by two letters and checked by one hash."""

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, select

from idp.crypto import passwords as hashing
from idp.domain.accounts import Account
from idp.domain.audit import By, Origin
from idp.domain.credentials.password import Passwords
from idp.domain.credentials.recovery_codes import ALPHABET, NUMBER, Prepared, RecoveryCodes
from idp.domain.errors import Busy
from idp.domain.services import Services
from idp.store.tables import OutgoingMail, RecoveryCode, table
from tests.storage.taking import at_once
from tests.support.application import Seeded
from tests.support.browserless import Browserless
from tests.support.held_clock import START, HeldClock
from tests.support.refusals import contents, entries
from tests.support.seeds import ADA, GRACE
from tests.support.token_client import TokenClient

ROWS = table(RecoveryCode)
ORIGIN = Origin("192.0.2.7", "r1", "tests")
PARAMETERS = "$argon2id$v=19$m=19456,t=2,p=1$"
both_databases = pytest.mark.every_database
Give = Callable[..., tuple[str, ...]]
Use = Callable[[Account, str], bool]


@pytest.fixture
def recovery_codes(services: Services) -> RecoveryCodes:
    return services.recovery_codes


@pytest.fixture
def ada(services: Services) -> Account:
    return services.accounts.get(ADA.email)


@pytest.fixture
def grace(services: Services) -> Account:
    return services.accounts.get(GRACE.email)


def by(account: Account) -> By:
    return By(f"account:{account.id}", ORIGIN)


@pytest.fixture
def give(services: Services, recovery_codes: RecoveryCodes) -> Give:
    """Give somebody a set, a new one or a prepared one; its codes come back."""

    def replace(account: Account, prepared: Prepared | None = None) -> tuple[str, ...]:
        prepared = prepared or recovery_codes.prepare()
        with services.store.writing() as connection:
            recovery_codes.replace(connection, account, prepared, by(account))
        return prepared.codes

    return replace


@pytest.fixture
def use(services: Services, recovery_codes: RecoveryCodes) -> Use:
    """Type a code, as a sign-in does it."""

    def type_code(account: Account, typed: str) -> bool:
        stored = recovery_codes.stored(account.id, typed)
        with services.passwords.turn():
            matches = recovery_codes.matches(stored, typed)
        if not matches:
            return False
        with services.store.writing() as connection:
            return recovery_codes.use(connection, account.id, stored)

    return type_code


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collect what argon2 is run on."""
    hasher: Any = hashing._HASHER
    seen: list[str] = []

    class Watching:
        def verify(self, hashed: str, text: str) -> bool:
            seen.append("verify")
            return bool(hasher.verify(hashed, text))

        def hash(self, text: str) -> str:
            seen.append("hash")
            return str(hasher.hash(text))

        def __getattr__(self, name: str) -> Any:
            return getattr(hasher, name)

    with monkeypatch.context() as patched:
        patched.setattr(hashing, "_HASHER", Watching())
        yield seen


@pytest.fixture
def statements(services: Services) -> Iterator[list[str]]:
    """Collect what the database is asked."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(services.store.engine, "before_cursor_execute", note)
    yield seen
    event.remove(services.store.engine, "before_cursor_execute", note)


def mail_kinds(services: Services) -> list[str]:
    rows = table(OutgoingMail)
    with services.store.reading() as connection:
        return list(connection.execute(select(rows.c.kind).order_by(rows.c.id)).scalars())


def another(code: str, at: int = -1) -> str:
    """Return a code with one other letter."""
    letter = "7" if code[at] != "7" else "8"
    return code[:at] + letter + code[at:][1:]


def test_ten_codes_of_twelve_letters_that_are_not_misread(recovery_codes: RecoveryCodes) -> None:
    prepared = recovery_codes.prepare()
    assert len(set(prepared.codes)) == NUMBER == 10
    for code in prepared.codes:
        assert re.fullmatch(f"[{ALPHABET}]{{4}}(-[{ALPHABET}]{{4}}){{2}}", code)
    assert (len(set(ALPHABET)), set(ALPHABET) & set("ilou")) == (32, set())
    assert len({code[:2] for code in prepared.codes}) == 10
    assert [selector for selector, _ in prepared.hashes] == [code[:2] for code in prepared.codes]
    assert prepared.codes[0] not in repr(prepared)


def test_every_letter_comes_about_as_often(
    recovery_codes: RecoveryCodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """12,000 letters of 32: each is expected 375 times, and 200 or 550 times never."""
    monkeypatch.setattr(
        "idp.domain.credentials.recovery_codes.hash_password", lambda text: f"hash of {text}"
    )
    codes = [code for _ in range(100) for code in recovery_codes.prepare().codes]
    letters = "".join(codes).replace("-", "")
    assert (len(set(codes)), len(letters)) == (1000, 12000)
    assert all(200 < letters.count(letter) < 550 for letter in ALPHABET)


def test_a_set_is_recorded_and_its_person_is_told(
    recovery_codes: RecoveryCodes, services: Services, give: Give, ada: Account
) -> None:
    assert (recovery_codes.left(ada.id), recovery_codes.made_at(ada.id)) == (0, None)
    give(ada)
    assert (recovery_codes.left(ada.id), recovery_codes.made_at(ada.id)) == (10, int(START))
    entry = entries(services.store)[-1]
    assert (entry["event"], entry["outcome"]) == ("recovery_codes.added", "done")
    assert (entry["actor"], entry["account_id"]) == (f"account:{ada.id}", ada.id)
    assert mail_kinds(services) == ["credential_added"]


def test_a_code_works_once(
    recovery_codes: RecoveryCodes, services: Services, give: Give, use: Use, ada: Account
) -> None:
    codes = give(ada)
    assert use(ada, codes[3])
    assert recovery_codes.left(ada.id) == 9
    before = contents(services.store)
    assert not use(ada, codes[3])
    assert contents(services.store) == before
    assert all(use(ada, code) for code in codes if code != codes[3])
    assert (recovery_codes.left(ada.id), recovery_codes.made_at(ada.id)) == (0, int(START))


def test_what_is_wrong_changes_nothing(
    services: Services, give: Give, use: Use, ada: Account, grace: Account
) -> None:
    codes, others = give(ada), give(grace)
    before = contents(services.store)
    unknown = next(a + b for a in ALPHABET for b in ALPHABET if all(a + b != c[:2] for c in codes))
    wrong = [
        "",
        codes[0][:-1],
        codes[0] + "7",
        codes[0][:2],
        another(codes[0]),
        another(codes[0], 2),
        unknown + codes[0][2:],
        codes[1][:2] + codes[0][2:],
        others[0],
        "u" * 12,
        "\0" * 12,
        "\ud800" * 12,
        codes[0] + " " * 100 + "7",
        "x" * 10000,
    ]
    for typed in wrong:
        assert not use(ada, typed), typed
    assert contents(services.store) == before
    assert use(ada, codes[0])


def upper(code: str) -> str:
    return code.upper()


def without_dashes(code: str) -> str:
    return code.replace("-", "")


def spaced(code: str) -> str:
    return f"  {code.replace('-', ' ')}\n"


def with_long_dashes(code: str) -> str:
    return code.replace("-", "\N{EN DASH}")


def misread(code: str) -> str:
    return code.replace("0", "O").replace("1", "l")


def misread_too(code: str) -> str:
    return code.replace("0", "o").replace("1", "I")


def full_width(code: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) for letter in code)


@pytest.mark.parametrize(
    "typed",
    [upper, without_dashes, spaced, with_long_dashes, misread, misread_too, full_width],
)
def test_a_code_may_be_typed_in_many_ways(
    recovery_codes: RecoveryCodes,
    monkeypatch: pytest.MonkeyPatch,
    give: Give,
    use: Use,
    ada: Account,
    typed: Callable[[str], str],
) -> None:
    prepared = recovery_codes.prepare()
    code = "01ab-10cd-0e1f"
    hashed = ("01", hashing.hash_password("ab10cd0e1f"))
    give(ada, Prepared((code, *prepared.codes[1:]), (hashed, *prepared.hashes[1:])))
    assert use(ada, typed(code))
    assert not use(ada, code)


def test_a_right_a_wrong_and_an_unknown_code_cost_one_hash_and_one_statement(
    recovery_codes: RecoveryCodes,
    give: Give,
    use: Use,
    ada: Account,
    grace: Account,
    hashes: list[str],
    statements: list[str],
) -> None:
    codes = give(ada)
    assert use(ada, codes[9])
    hashes.clear()
    tries = [
        (ada, codes[0], True),
        (ada, another(codes[0]), False),
        (ada, another(another(codes[0], 0), 1), False),
        (ada, codes[9], False),
        (ada, "", False),
        (ada, "no code at all", False),
        (ada, "x" * 5000, False),
        (grace, codes[0], False),
    ]
    for account, typed, right in tries:
        statements.clear()
        stored = recovery_codes.stored(account.id, typed)
        assert len(statements) == 1, typed
        assert hashes == []
        assert stored.hash.startswith(PARAMETERS), typed
        assert recovery_codes.matches(stored, typed) is right, typed
        assert hashes == ["verify"], typed
        hashes.clear()


def test_a_set_is_hashed_in_one_turn_outside_of_any_transaction(
    services: Services, clock: HeldClock, hashes: list[str]
) -> None:
    passwords = Passwords(1, 0, 15)
    recovery_codes = RecoveryCodes(services.store, passwords, services.changes, clock)
    hashes.clear()
    with passwords.turn(), pytest.raises(Busy):
        recovery_codes.prepare()
    assert hashes == []
    prepared = recovery_codes.prepare()
    assert hashes == ["hash"] * 10
    account = services.accounts.get(ADA.email)
    with services.store.writing() as connection:
        recovery_codes.replace(connection, account, prepared, by(account))
    assert len(hashes) == 10


def test_codes_are_kept_as_argon2id(
    recovery_codes: RecoveryCodes, services: Services, give: Give, ada: Account, seeded: Seeded
) -> None:
    codes = give(ada)
    with services.store.reading() as connection:
        stored = connection.execute(select(ROWS)).mappings().all()
    assert len(stored) == 10
    assert all(row["hash"].startswith(PARAMETERS) for row in stored)
    dump = seeded.database.dump().lower()
    for code in codes:
        assert code not in dump
        assert code.replace("-", "")[2:] not in dump


def test_a_new_set_ends_the_old_one(
    recovery_codes: RecoveryCodes, give: Give, use: Use, clock: HeldClock, ada: Account
) -> None:
    old = give(ada)
    assert use(ada, old[0])
    clock.advance(60)
    new = give(ada)
    assert recovery_codes.left(ada.id) == 10
    assert recovery_codes.made_at(ada.id) == int(START) + 60
    assert not any(use(ada, code) for code in old)
    assert all(use(ada, code) for code in new)


def test_one_persons_set_is_not_anothers(
    recovery_codes: RecoveryCodes, give: Give, use: Use, ada: Account, grace: Account
) -> None:
    codes = give(ada)
    give(grace)
    give(grace)
    assert recovery_codes.left(ada.id) == 10
    assert not use(grace, codes[0])
    assert use(ada, codes[0])


def test_a_code_that_is_replaced_while_it_is_hashed_does_not_work(
    recovery_codes: RecoveryCodes, services: Services, give: Give, ada: Account
) -> None:
    prepared = recovery_codes.prepare()
    code = give(ada, prepared)[0]
    stored = recovery_codes.stored(ada.id, code)
    same_selector = (prepared.hashes[0][0], hashing.hash_password("another one"))
    give(ada, Prepared(prepared.codes, (same_selector, *prepared.hashes[1:])))
    assert recovery_codes.matches(stored, code)
    with services.store.writing() as connection:
        assert not recovery_codes.use(connection, ada.id, stored)
    assert recovery_codes.left(ada.id) == 10


def test_a_use_that_is_undone_did_not_happen(
    recovery_codes: RecoveryCodes, services: Services, give: Give, use: Use, ada: Account
) -> None:
    code = give(ada)[0]
    stored = recovery_codes.stored(ada.id, code)

    def use_and_fail() -> None:
        with services.store.writing() as connection:
            assert recovery_codes.use(connection, ada.id, stored)
            raise KeyError("the rest failed")

    with pytest.raises(KeyError):
        use_and_fail()
    assert use(ada, code)


@both_databases
def test_of_ten_threads_one_uses_a_code(
    recovery_codes: RecoveryCodes, services: Services, give: Give, ada: Account
) -> None:
    stored = recovery_codes.stored(ada.id, give(ada)[0])

    def use(_number: int) -> bool:
        with services.store.writing() as connection:
            return recovery_codes.use(connection, ada.id, stored)

    assert sum(at_once(10, use)) == 1
    assert recovery_codes.left(ada.id) == 9


@both_databases
def test_of_two_sets_at_once_one_stays_whole(
    recovery_codes: RecoveryCodes, services: Services, give: Give, use: Use, ada: Account
) -> None:
    first, second = recovery_codes.prepare(), recovery_codes.prepare()
    replaced = threading.Barrier(2, timeout=30)

    def replace(number: int) -> bool:
        if number:
            replaced.wait()
            return bool(give(ada, second))
        with services.store.writing() as connection:
            recovery_codes.replace(connection, ada, first, by(ada))
            replaced.wait()
            for _ in range(20):
                services.sessions.find("somebody else's cookie")
        return True

    at_once(2, replace)
    assert recovery_codes.left(ada.id) == 10
    assert not any(use(ada, code) for code in first.codes)
    assert all(use(ada, code) for code in second.codes)


@both_databases
def test_uses_and_a_new_set_at_once_wait_for_each_other(
    recovery_codes: RecoveryCodes,
    services: Services,
    give: Give,
    ada: Account,
) -> None:
    """A sign-in goes on to write what refers to the account, which a new set holds meanwhile."""
    for _ in range(3):
        prepared = recovery_codes.prepare()
        codes = give(ada)
        stored = [recovery_codes.stored(ada.id, code) for code in codes[:7]]

        def one(number: int, stored: list[Any] = stored, fresh: Prepared = prepared) -> bool:
            if number == 7:
                return bool(give(ada, fresh))
            with services.store.writing() as connection:
                used = recovery_codes.use(connection, ada.id, stored[number])
                services.changes.added(connection, ada, "recovery_codes", "", by(ada))
            return used

        assert at_once(8, one)[7]
        assert recovery_codes.left(ada.id) == 10


def test_codes_are_removed_recorded_and_told_and_others_are_shut_out(
    recovery_codes: RecoveryCodes,
    services: Services,
    give: Give,
    use: Use,
    ada: Account,
    webapp: TokenClient,
    browserless: Browserless,
) -> None:
    tokens = webapp.sign_in(browserless, "openid offline_access")
    codes = give(ada)
    assert webapp.active(tokens["access_token"])
    with services.store.writing() as connection:
        recovery_codes.remove_all(connection, ada, by(ada))
    assert (recovery_codes.left(ada.id), recovery_codes.made_at(ada.id)) == (0, None)
    assert not use(ada, codes[0])
    assert entries(services.store)[-1]["event"] == "recovery_codes.removed"
    assert mail_kinds(services) == ["credential_added", "credential_removed"]
    assert not webapp.active(tokens["access_token"])


def test_where_there_are_none_nothing_is_removed_or_told(
    recovery_codes: RecoveryCodes, services: Services, ada: Account
) -> None:
    before, recorded = contents(services.store), len(entries(services.store))
    with services.store.writing() as connection:
        recovery_codes.remove_all(connection, ada, by(ada))
    assert contents(services.store) == before
    assert len(entries(services.store)) == recorded
