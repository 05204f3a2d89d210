"""`idp audit` as an operator runs it."""

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from idp.cli.audit_files import CHANGED
from idp.cli.main import main
from idp.config import Settings
from idp.domain.services import Services
from tests.running.commands import Place


@dataclass(frozen=True)
class Desk:
    """Where commands are typed, run in this process: one of their own takes a second each."""

    folder: Path
    environment: dict[str, str]

    def run(self, *words: str, stdin: str = "") -> Result:
        """Run `idp audit …`."""
        mask = os.umask(0o077)
        try:
            return CliRunner().invoke(main, ["audit", *words], stdin, self.environment)
        finally:
            os.umask(mask)

    def json(self, *words: str) -> Any:
        """Run a command that succeeds, and return what it printed."""
        done = self.run(*words, "--json")
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    def change(self, statement: str) -> None:
        """Do with the database what only an intruder does."""
        file = Path(self.environment["IDP_DATA_DIR"]) / "doorward.sqlite3"
        with closing(sqlite3.connect(file)) as database, database:
            database.execute(statement)


@pytest.fixture
def desk(settings: Settings, tmp_path: Path) -> Desk:
    """An installation whose log has some entries."""
    environment = {
        "IDP_DATA_DIR": str(settings.data_dir),
        "IDP_KEYS_DIR": str(settings.keys_dir),
        "IDP_KEY_ENCRYPTION_KEY": settings.key_encryption_key.get_secret_value(),
        "IDP_ISSUER": settings.issuer,
    }
    return Desk(tmp_path, environment)


pytestmark = pytest.mark.only_on("sqlite")


def test_entries_are_listed_and_chosen(desk: Desk) -> None:
    entries = desk.json("list")
    assert entries == sorted(entries, key=lambda entry: str(entry["id"]), reverse=True)
    added = desk.json("list", "--event", "account.added", "--since", "2020-01-01")
    assert "ada@example.test" in {entry["person"] for entry in added}
    assert {entry["event"] for entry in added} == {"account.added"}
    assert added[0]["at"].endswith("Z")
    assert desk.json("list", "--until", "2020-01-01T00:00:00Z") == []
    assert len(desk.json("list", "--limit", "3")) == 3
    shown = desk.run("list", "--account", added[0]["account_id"]).stdout
    assert "account.added" in shown


def test_an_intact_log_says_so_and_a_changed_one_names_the_first_bad_entry(desk: Desk) -> None:
    desk.run("checkpoint")
    told = desk.json("verify")
    assert (told["intact"], told["first_bad"]) == (True, None)
    assert told["sealed"] > 10
    desk.change("UPDATE audit_entries SET actor = 'somebody' WHERE position IN (4, 7)")
    done = desk.run("verify")
    assert done.exit_code == CHANGED
    assert "position 4: the entry is not the one that was sealed" in done.stdout
    assert done.stderr == "", "no bar where no terminal is"


def test_a_checkpoint_is_kept_elsewhere_and_proves_a_roll_back(desk: Desk) -> None:
    kept, proof = desk.folder / "kept", desk.folder / "log.proof"
    first = desk.json("checkpoint")
    again = desk.run("checkpoint", "--rotate-key")
    assert first["log"].startswith("id.example.test/audit/")
    assert first["keys"][0].split("+")[0] == first["log"]
    assert again.stderr.startswith("The key that signs is ")
    kept.write_text(first["checkpoint"] + again.stdout)
    assert desk.json("verify", "--checkpoint", str(kept))["kept_checkpoints"] == 2
    proof.write_text(desk.json("prove", "--since", str(kept))["proof"])
    keys = [f"--key={key}" for key in desk.json("checkpoint")["keys"]]
    assert desk.json("check", str(proof), *keys, "--checkpoint", str(kept))["goes_on_from"]
    desk.change("DELETE FROM audit_entries WHERE position > 3")
    desk.change("UPDATE audit_tree SET size = 0, peaks = ''")
    done = desk.run("verify", "--json", "--checkpoint", str(kept))
    assert done.exit_code == CHANGED
    assert "rolled back" in done.stdout


def test_a_proof_is_checked_without_the_log(desk: Desk, tmp_path: Path) -> None:
    keys = [f"--key={key}" for key in desk.json("checkpoint")["keys"]]
    entry_id = desk.json("list", "--limit", "5")[4]["id"]
    proof = desk.folder / "entry.tlog-proof"
    proof.write_text(desk.run("prove", entry_id).stdout)
    elsewhere = Place(tmp_path)
    assert elsewhere.json("audit", "check", str(proof), *keys)["entry"]["id"] == entry_id
    assert not (tmp_path / "var").exists(), "it needs no installation"
    proof.write_text(proof.read_text().replace("index ", "index 1"))
    done = desk.run("check", str(proof), *keys)
    assert (done.exit_code, done.stdout) == (CHANGED, "")
    assert done.stderr.startswith("The entry is not at that position")


def test_what_is_asked_wrongly_is_said_in_a_sentence(desk: Desk) -> None:
    empty = desk.folder / "empty"
    empty.write_text("")
    for words, code in (
        (("prove",), 2),
        (("prove", "x", "--since", str(empty)), 2),
        (("prove", "x"), 1),
        (("prove", "--since", str(empty)), 1),
        (("prove", "--since", "missing"), 1),
        (("check", "missing", "--key", "x"), 1),
        (("check", str(empty), "--key", "x"), 1),
        (("verify", "--checkpoint", str(empty)), 1),
        (("verify", "--key", "x"), 1),
        (("list", "--since", "yesterday"), 2),
    ):
        done = desk.run(*words)
        assert done.exit_code == code, words
        assert done.stdout == ""
        assert done.stderr


def test_the_log_goes_on_while_the_command_seals(desk: Desk, services: Services) -> None:
    """The server seals the same log."""
    desk.json("checkpoint")
    services.audit_log.sealer.seal(1)
    assert desk.json("verify")["intact"]


def test_entries_are_exported_one_on_each_line(desk: Desk) -> None:
    lines = desk.run("export").stdout.splitlines()
    entries = [json.loads(line) for line in lines]
    assert [entry["position"] for entry in entries] == list(range(len(entries)))
    assert entries[-1]["event"] == "audit.exported"
    refusals = desk.run("export", "--format", "cef", "--event", "audit.exported").stdout
    assert [line[:6] for line in refusals.splitlines()] == ["CEF:0|", "CEF:0|"]


def test_the_state_of_streams_is_shown(desk: Desk) -> None:
    assert desk.json("streams") == []
    named = Desk(desk.folder, {**desk.environment, "IDP_AUDIT_STREAMS": "file:///nowhere/audit"})
    (state,) = named.json("streams")
    assert state["name"].startswith("file://#")
    assert (state["behind"], state["problem"], state["delivered_at"]) == (0, None, None)
    wrong = Desk(desk.folder, {**desk.environment, "IDP_AUDIT_STREAMS": "ftp://x"})
    done = wrong.run("streams")
    assert done.exit_code == 2
    assert done.stderr.startswith("IDP_AUDIT_STREAMS: must be ")
