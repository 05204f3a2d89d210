"""`idp users`, `idp config` and what all commands have in common."""

import json
import os
import pwd
import sqlite3
import traceback
from pathlib import Path
from typing import Any

import pytest

from idp.app import create_app, services_of
from idp.cli import context
from idp.cli.main import COMMANDS
from idp.config import load
from idp.crypto.secrets import random_identifier
from idp.store.errors import StoreError
from tests.running.commands import Place

PASSWORD = "four unrelated words here"
OTHER_PASSWORD = "some more words than that"


def add(place: Place, email: str, *options: str) -> Any:
    return place.json("users", "add", email, "--password-stdin", *options, stdin=f"{PASSWORD}\n")


def audit(place: Place) -> list[tuple[str, str]]:
    with sqlite3.connect(place.folder / "var" / "doorward.sqlite3") as database:
        rows = database.execute("SELECT event, actor FROM audit_entries ORDER BY id").fetchall()
    database.close()
    return [(row[0], row[1]) for row in rows if row[0].startswith(("account", "password"))]


def test_a_person_is_added_shown_disabled_and_enabled(place: Place) -> None:
    added = add(place, "Ada@Example.com", "--name", "Ada", "--role", "auditor")
    assert added["email"] == "Ada@Example.com"
    assert added["email_verified"] is False
    assert added["roles"] == ["auditor"]
    for key in ("ada@example.COM", added["id"], added["subject"]):
        assert place.json("users", "show", key)["id"] == added["id"]
    assert place.json("users", "disable", "ada@example.com")["disabled"] is True
    assert place.json("users", "enable", "ada@example.com")["disabled"] is False
    assert [user["email"] for user in place.json("users", "list")] == ["Ada@Example.com"]
    actor = f"operator:{pwd.getpwuid(os.getuid()).pw_name}"
    assert audit(place) == [
        ("account.added", actor),
        ("account.disabled", actor),
        ("account.enabled", actor),
    ]


def test_claims_of_a_profile_are_entered(place: Place) -> None:
    file = place.folder / "claims.json"
    file.write_text(json.dumps({"nickname": "Countess", "family_name#ja": "ラブレス"}), "utf-8")
    add(place, "ada@example.com", "--claims", str(file))
    shown = place.json("users", "show", "ada@example.com")["profile"]
    assert shown == {"nickname": "Countess", "family_name#ja": "ラブレス"}
    given = {"gender": "female", "nickname": None, "address": {"country": "UK"}}
    words = ("users", "set-claims", "ada@example.com", "-")
    shown = place.json(*words, stdin=json.dumps(given))["profile"]
    assert shown == {"family_name#ja": "ラブレス", "gender": "female", "address": {"country": "UK"}}
    for wrong in ("{", "[]", '{"sub": "x"}', '{"gender": 1}', "[" * 100_000):
        assert place.run(*words, stdin=wrong).returncode != 0
    both = ("users", "add", "grace@example.com", "--password-stdin", "--claims", "-")
    refused = place.run(*both, stdin=f"{PASSWORD}\n{{}}")
    assert refused.returncode == 2
    assert "Only one thing" in refused.stderr
    assert place.json("users", "show", "ada@example.com")["profile"] == shown


def test_roles_and_groups_are_given_shown_and_taken(place: Place) -> None:
    added = add(place, "ada@example.com", "--role", "administrator", "--group", "staff")
    assert (added["roles"], added["groups"]) == (["administrator"], ["staff"])
    given = place.json(
        "users", "grant", "ada@example.com", "--role", "auditor", "--group", "b", "--group", "a"
    )
    assert given["roles"] == ["administrator", "auditor"]
    assert given["groups"] == ["a", "b", "staff"]
    taken = place.json("users", "revoke", added["id"], "--role", "auditor", "--group", "staff")
    assert taken == {**added, "groups": ["a", "b"]}
    assert place.json("users", "list") == [taken]
    assert place.json("users", "show", added["id"])["groups"] == ["a", "b"]
    done = place.run("users", "revoke", "ada@example.com", "--role", "administrator")
    assert done.returncode == 1
    assert done.stderr.startswith("ada@example.com is the last administrator. ")


def test_an_address_is_verified_only_when_the_operator_says_so(place: Place) -> None:
    assert add(place, "ada@example.com", "--email-verified")["email_verified"] is True


def test_a_password_comes_from_the_input_and_is_printed_nowhere(place: Place) -> None:
    done = place.run(
        "users", "add", "ada@example.com", "--password-stdin", stdin=f"{PASSWORD}\r\nmore\n"
    )
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    done = place.run(
        "users", "set-password", "ada@example.com", "--password-stdin", stdin=f"{OTHER_PASSWORD}\n"
    )
    assert done.returncode == 0, done.stderr
    assert ("password.changed", audit(place)[-1][1]) == audit(place)[-1]


def test_without_a_terminal_nobody_is_asked(place: Place) -> None:
    done = place.run("users", "add", "ada@example.com")
    assert done.returncode == 2
    assert "--password-stdin" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("users", "show", "nobody@example.com"), 1, "There is no account nobody@example.com.\n"),
        (("users", "add", "nobody", "--without-password"), 1, "That is not an email address.\n"),
        (("users", "disable", "nobody"), 1, "There is no account nobody.\n"),
        (("users", "add", "a@b.c", "--role", "Not A Role", "--without-password"), 1, "A role is"),
        (("users", "grant", "nobody", "--role", "auditor"), 1, "There is no account nobody.\n"),
        (("users", "grant", "nobody"), 2, "Usage:"),
        (("users", "revoke", "nobody"), 2, "Usage:"),
        (("users", "rename"), 2, "Usage:"),
        (("users", "add"), 2, "Usage:"),
        (("serve", "--port", "70000"), 2, "Usage:"),
    ],
)
def test_refusals_are_a_sentence_and_a_code(
    place: Place, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = place.run(*arguments)
    assert done.returncode == code
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_same_address_twice_is_refused(place: Place) -> None:
    add(place, "ada@example.com")
    done = place.run("users", "add", "ADA@example.com", "--without-password")
    assert done.returncode == 1
    assert done.stderr == "There is an account for ADA@example.com already.\n"


def test_wrong_settings_are_all_told(place: Place) -> None:
    wrong = {"IDP_HASH_SLOTS": "many", "IDP_CODE_LIFETIME": "0"}
    done = place.run("users", "list", environment=wrong)
    assert done.returncode == 2
    first, *rest = done.stderr.splitlines()
    assert first == "2 problems:"
    assert [line.split(":")[0] for line in rest] == ["- IDP_CODE_LIFETIME", "- IDP_HASH_SLOTS"]


def test_a_database_of_another_key_is_a_sentence(place: Place) -> None:
    assert place.run("users", "list").returncode == 0
    (place.folder / "keys" / "key-encryption-key").unlink()
    done = place.run("users", "list")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("The key-encryption key of this database is missing")


def test_config_shows_values_with_their_sources_and_no_secret(place: Place, tmp_path: Path) -> None:
    url = tmp_path / "url"
    url.write_text("postgresql://idp:s3cret@db/idp")
    environment = {
        "IDP_ISSUER": "https://id.example.com",
        "IDP_DATABASE_URL_FILE": str(url),
        "IDP_KEY_ENCRYPTION_KEY": "s3cret",
    }
    done = place.run("config", "--json", environment=environment)
    assert "s3cret" not in done.stdout
    found = {row["setting"]: (row["value"], row["source"]) for row in json.loads(done.stdout)}
    assert found["IDP_ISSUER"] == ("https://id.example.com", "environment")
    assert found["IDP_DATABASE_URL"] == ("postgresql://idp:…@db/idp", str(url))
    assert found["IDP_KEY_ENCRYPTION_KEY"] == ("(hidden)", "environment")
    assert found["IDP_LOG_FORMAT"] == ("json", "default")


def test_every_command_has_help_and_the_version_is_told(place: Place) -> None:
    said = place.run("--help").stdout
    for command in COMMANDS:
        assert f"\n  {command.name} " in said
    assert place.run("--version").stdout == "Doorward, version 0.1.0\n"


def test_case_144_tables_show_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "a\x1b[31m\r\nb\u202e"
    context.emit([{"name": hostile}], as_json=False)
    context.emit({"name": hostile, "roles": [hostile], "empty": None}, as_json=False)
    printed = capsys.readouterr().out
    assert "a\\x1b[31m\\r\\nb\\u202e" in printed
    assert all(letter.isprintable() or letter == "\n" for letter in printed)


def test_tables_are_not_cut_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    context.emit([{"one": "x" * 90, "two": "y" * 90}], as_json=False)
    assert "y" * 90 in capsys.readouterr().out


def test_no_identifier_looks_like_an_option() -> None:
    assert not any(random_identifier().startswith("-") for _ in range(2000))


def test_case_145_a_statement_that_fails_keeps_its_parameters_to_itself(tmp_path: Path) -> None:
    folders = {"data_dir": tmp_path / "var", "keys_dir": tmp_path / "keys"}
    parts = services_of(create_app(load({"issuer": "http://localhost", **folders})))
    statement = "SELECT nonsense FROM nowhere WHERE secret = ?"
    with pytest.raises(StoreError) as failed, parts.store.reading() as connection:
        connection.exec_driver_sql(statement, ("s3cret",))
    parts.store.close()
    assert parts.store.engine.hide_parameters
    error: BaseException | None = failed.value
    while error is not None:
        assert "s3cret" not in "".join(traceback.format_exception_only(error))
        error = error.__cause__ or error.__context__
