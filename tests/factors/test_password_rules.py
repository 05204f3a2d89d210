"""Which new passwords are taken: NIST SP 800-63B-4 section 3.1.1.2, and what a hash costs later."""

import hashlib
import time
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from idp.domain.credentials import strength
from idp.domain.credentials.breaches import LARGEST_FILE, LISTED, Breaches, Unchecked
from idp.domain.credentials.password import LONGEST, Passwords
from idp.domain.errors import Invalid
from idp.domain.preflight import breach_problems
from idp.domain.services import Services
from idp.store import accounts
from tests.support.application import settings_for
from tests.support.databases import Database
from tests.support.seeds import ADA, OPERATOR, ORIGIN

GOOD = "four unrelated words here"
KNOWN = ("ada.lovelace@example.test", "ada.lovelace", "Ada Lovelace", "Doorward")
CHEAP = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(2, 4, 15, product="Doorward")


def refusal(passwords: Passwords, password: str, *, second_factor: bool = False) -> str:
    with pytest.raises(Invalid) as refused:
        passwords.accept(password, KNOWN[0], KNOWN[2], second_factor=second_factor)
    assert refused.value.field == "password"
    return str(refused.value)


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("123456789987654321", strength.COMMON),
        ("1QAZ2wsx3edc4RFV", strength.COMMON),
        ("\uff11qaz2wsx3edc4rfv", strength.COMMON),
        ("ada.lovelace@EXAMPLE.test", strength.PERSONAL),
        ("Ada Lovelace", strength.PERSONAL),
        ("ada.lovelace", strength.PERSONAL),
        ("doorward", strength.PERSONAL),
        ("aaaaaaaaaaaaaaaaaa", strength.REPEATED),
        ("abcabcabcabcabcabc", strength.REPEATED),
        ("doorwarddoorward", strength.REPEATED),
        ("abcdefghijklmnopqrstuvw", strength.IN_ORDER),
        ("sdfghjkl;'xcvbnm", strength.ON_KEYBOARD),
        ("qwertyuiopasdfgh", strength.MOSTLY_COMMON),
        ("ada.lovelace1815", strength.MOSTLY_PERSONAL),
        ("lovelace doorward", strength.MOSTLY_PERSONAL),
    ],
)
def test_a_weak_password_is_refused_with_why(password: str, said: str) -> None:
    assert strength.problem(password, KNOWN) == said


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "x" * 3 + " no composition rules at all",
        "Zwölf Boxkämpfer jagen Viktor",
        "りんごとみかんと三つの時計",
        "🦉🌵🚲🧭🍋🎻🧊🪁🐌🔭🧶🪵🦑",
        " leading and trailing spaces count ",
        "4@8({[<3691!|0$5+7%2 of all look-alikes",
    ],
)
def test_anything_hard_to_guess_is_taken_whatever_it_is_made_of(
    passwords: Passwords, password: str
) -> None:
    assert strength.problem(password, KNOWN) is None
    hashed = Passwords(2, 4, 8).accept(password)
    assert passwords.matches(hashed, password)


def test_what_only_contains_a_listed_password_is_taken() -> None:
    """The whole is compared, not its parts (section 3.1.1.2)."""
    assert strength.problem("password in a sentence of its own", ()) is None


def test_beside_a_second_factor_less_is_enough() -> None:
    assert strength.problem("kq7fmzt2", KNOWN) is not None
    assert strength.problem("kq7fmzt2", KNOWN, second_factor=True) is None
    assert strength.problem("kitchen7", KNOWN, second_factor=True) == strength.GUESSABLE


def test_a_person_is_not_judged_by_anothers_name() -> None:
    assert strength.problem("lovelaceada87", KNOWN) == strength.MOSTLY_PERSONAL
    assert strength.problem("vukadinovicz53", ["Ada Lovelace"]) is None
    assert strength.problem("vukadinovicz53", ["Vukadinovicz"]) == strength.MOSTLY_PERSONAL
    assert strength.problem("vukadinovicz53", ["Ada Lovelace"]) is None


@pytest.mark.parametrize("text", ["4@8({[<3691!|0$5+7%2" * 13, "a" * 256, "1991" * 64])
def test_judging_takes_no_long_time(text: str) -> None:
    """Without a bound zxcvbn takes more than 3 seconds for the first."""
    began = time.process_time()
    strength.problem(text[:256], KNOWN)
    assert time.process_time() - began < 1


def test_the_length_is_counted_in_characters(passwords: Passwords) -> None:
    fifteen = "ébène à l'œuvre"
    assert len(fifteen) == 15
    assert passwords.accept(fifteen)
    assert refusal(passwords, fifteen[:14]) == "Use at least 15 characters."
    assert refusal(passwords, "", second_factor=True) == "Use at least 8 characters."
    assert passwords.accept("kq7fmzt2", second_factor=True)
    assert refusal(passwords, "kq7fmzt", second_factor=True) == "Use at least 8 characters."


def test_the_longest_password(passwords: Passwords) -> None:
    longest = (GOOD + " ") * 10
    assert len(longest) >= LONGEST
    hashed = passwords.accept(longest[:LONGEST])
    assert passwords.matches(hashed, longest[:LONGEST])
    assert not passwords.matches(hashed, longest[: LONGEST - 1])
    assert refusal(passwords, longest[: LONGEST + 1]) == f"Use at most {LONGEST} characters."
    # One sign that is eighteen letters in normal form.
    assert refusal(passwords, GOOD + "\ufdfa" * 20) == f"Use at most {LONGEST} characters."


def test_all_spellings_of_a_character_are_the_same(passwords: Passwords) -> None:
    hashed = passwords.accept("cafe\u0301 au lait, twice")
    assert passwords.matches(hashed, "caf\u00e9 au lait, twice")


def test_case_153_a_huge_password_is_not_even_normalised(passwords: Passwords) -> None:
    """Putting accents into order takes the square of their number, and nothing else runs then."""
    huge = "a" + "\u0301\u0316" * 120_000
    began = time.thread_time()
    assert refusal(passwords, huge) == f"Use at most {LONGEST} characters."
    assert not passwords.matches(None, huge)
    assert time.thread_time() - began < 2


def test_half_a_character_is_no_text(passwords: Passwords) -> None:
    assert "not text" in refusal(passwords, f"{GOOD} \ud800")


def test_a_setting_below_the_usual_length_holds_for_both() -> None:
    assert Passwords(1, 0, 10, with_second_factor=12).min_length_with_second_factor == 10


@pytest.mark.parametrize(
    ("email", "name"), [("vukadinovicz@example.test", ""), ("x@example.test", "Vukadinovicz")]
)
def test_names_reach_the_rule_from_where_passwords_are_set(
    services: Services, email: str, name: str
) -> None:
    by: dict[str, Any] = {"origin": ORIGIN, "actor": OPERATOR}
    mostly_name = "vukadinovicz 53"
    with pytest.raises(Invalid) as refused:
        services.accounts.add(email, name, mostly_name, **by)
    assert str(refused.value) == strength.MOSTLY_PERSONAL
    services.accounts.add(email, name, GOOD, **by)
    with pytest.raises(Invalid):
        services.accounts.set_password(email, mostly_name, **by)
    services.accounts.set_password(ADA.email, mostly_name, **by)


# Breached passwords


def digest(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def listing(folder: Path, password: str, *, count: str = "3", name: str = "{}.txt") -> Path:
    """Write a range file as the downloaders do."""
    prefix, suffix = digest(password)[:5], digest(password)[5:]
    lines = ["0" * 35 + ":1", f"{suffix}:{count}", "F" * 35 + ":1"]
    path = folder / name.format(prefix)
    path.write_bytes("\r\n".join(lines).encode())
    return path


@pytest.mark.parametrize("name", ["{}.txt", "{}"])
def test_a_listed_password_is_refused(tmp_path: Path, name: str) -> None:
    listing(tmp_path, GOOD, name=name)
    passwords = Passwords(2, 4, 15, breaches=Breaches(tmp_path))
    assert refusal(passwords, GOOD) == LISTED
    assert passwords.accept("some more words than that")


def test_letters_of_the_digits_may_be_small(tmp_path: Path) -> None:
    path = listing(tmp_path, GOOD)
    path.write_text(path.read_text().lower())
    path.rename(tmp_path / path.name.lower())
    assert Breaches(tmp_path).problem(GOOD) == LISTED


def test_what_only_pads_a_file_is_not_listed(tmp_path: Path) -> None:
    listing(tmp_path, GOOD, count="0")
    assert Breaches(tmp_path).problem(GOOD) is None


def test_a_missing_file_lists_nothing(tmp_path: Path) -> None:
    assert Breaches(tmp_path).problem(GOOD) is None
    assert Breaches(None).problem(GOOD) is None


def unreadable(folder: Path) -> None:
    (folder / f"{digest(GOOD)[:5]}.txt").mkdir()


def too_large(folder: Path) -> None:
    listing(folder, GOOD).write_bytes(b"\n" * (LARGEST_FILE + 1))


def gone(folder: Path) -> None:
    folder.rmdir()


@pytest.mark.parametrize("happens", [unreadable, too_large, gone])
def test_what_cannot_be_looked_up_is_not_taken(tmp_path: Path, happens: object) -> None:
    folder = tmp_path / "ranges"
    folder.mkdir()
    assert callable(happens)
    happens(folder)
    passwords = Passwords(2, 4, 15, breaches=Breaches(folder))
    with pytest.raises(Unchecked) as refused:
        passwords.accept(GOOD)
    assert refused.value.retry_after == 60
    assert "can’t be checked" in str(refused.value)


@pytest.mark.only_on("sqlite")
def test_a_useless_folder_is_told_at_the_start(empty_database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "ranges"

    def problems() -> list[str]:
        return breach_problems(
            settings_for(empty_database, tmp_path, breached_passwords_dir=str(folder))
        )

    named = f"IDP_BREACHED_PASSWORDS_DIR: {folder} "
    assert problems() == [f"{named}can't be read (No such file or directory)."]
    folder.mkdir()
    (folder / "README.txt").touch()
    assert problems() == [f"{named}holds no range file, such as 00000.txt."]
    (folder / "0aFF9").touch()
    assert problems() == []
    assert breach_problems(settings_for(empty_database, tmp_path)) == []


# Hashes of other parameters


def test_a_hash_of_other_parameters_is_made_anew(passwords: Passwords) -> None:
    old = CHEAP.hash("café au lait, twice")
    assert passwords.matches(old, "café au lait, twice")
    new = passwords.rehashed(old, "cafe\u0301 au lait, twice")
    assert new is not None
    assert new.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches(new, "café au lait, twice")
    assert passwords.rehashed(new, "café au lait, twice") is None


@pytest.mark.every_database
def test_only_the_hash_that_matched_is_replaced(services: Services) -> None:
    with services.store.reading() as connection:
        row = accounts.with_password(connection, ADA.email)
    assert row is not None
    with services.store.writing() as connection:
        assert not accounts.replace_hash(connection, row["id"], "another", "new")
        assert accounts.replace_hash(connection, row["id"], row["hash"], "new")
        assert not accounts.replace_hash(connection, row["id"], row["hash"], "newer")
    with services.store.reading() as connection:
        after = connection.exec_driver_sql("SELECT hash, changed_at FROM passwords").all()
    assert [hashed for hashed, _ in after].count("new") == 1
    assert len(after) == 2
    assert len({changed_at for _, changed_at in after}) == 1
