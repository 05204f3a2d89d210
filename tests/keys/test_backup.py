"""Backups of the embedded database: complete, private, useless without the key."""

import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, update

from idp.config import Settings
from idp.crypto import keyfiles
from idp.domain.audit import Audit, Origin
from idp.domain.backup import Backup, NotEmpty
from idp.domain.errors import AlreadyExists, Invalid
from idp.domain.installation import FILE, open_sealer
from idp.domain.one_time import OneTimeValues
from idp.domain.server_secrets import ServerSecrets
from idp.domain.signing_keys import SigningKeys
from idp.store import backup as copies
from idp.store import schema, session_clients
from idp.store.database import Store
from idp.store.tables import Account, Authorization, Client, OneTime, Session, table
from tests.keys.test_housekeeping import family
from tests.storage import rows
from tests.support.held_clock import HeldClock

pytestmark = pytest.mark.only_on("sqlite")
ORIGIN = Origin()
ACTOR = "operator:ada"


class Node:
    """An embedded installation in its own folder."""

    def __init__(self, folder: Path, clock: HeldClock) -> None:
        self.settings = Settings(data_dir=folder / "data", keys_dir=folder / "keys")
        self.store = copies.open_alone(self.settings.sqlalchemy_url)
        self.clock = clock
        self.audit = Audit(self.store, clock)
        self.backup = Backup(self.store, self.settings, self.audit, clock)

    def open(self) -> SigningKeys:
        """Do what the start of the server does."""
        schema.upgrade(self.store)
        sealer = open_sealer(self.store, self.settings)
        keys = SigningKeys(self.store, sealer, self.audit, self.clock, self.settings)
        keys.ensure()
        return keys

    def secret(self, name: str) -> bytes:
        return ServerSecrets(self.store, open_sealer(self.store, self.settings), self.clock).get(
            name
        )

    def take_key_of(self, other: "Node") -> None:
        self.settings.keys_dir.mkdir(exist_ok=True)
        shutil.copy2(other.settings.keys_dir / FILE, self.settings.keys_dir / FILE)


@pytest.fixture
def node(tmp_path: Path, clock: HeldClock) -> Iterator[Node]:
    """An installation with one person who is signed in."""
    made = Node(tmp_path / "one", clock)
    made.open()
    family(made.store, int(clock.now) + 86400)
    yield made
    made.store.close()


@pytest.fixture
def fresh(tmp_path: Path, clock: HeldClock) -> Iterator[Node]:
    """A machine on which nothing was started yet."""
    made = Node(tmp_path / "two", clock)
    yield made
    made.store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "backup.sqlite3"


def create(node: Node, path: Path) -> None:
    node.backup.create(path, ORIGIN, ACTOR)


def restore(node: Node, path: Path, *, force: bool = False, keep_keys: bool = False) -> None:
    node.backup.restore(path, ORIGIN, ACTOR, force=force, keep_keys=keep_keys)


def test_a_backup_can_be_read_by_its_owner_alone_and_says_what_it_is(
    node: Node, path: Path
) -> None:
    manifest = node.backup.create(path, ORIGIN, ACTOR)
    beside = path.with_name("backup.sqlite3.json")
    assert json.loads(beside.read_text()) == {
        "format": 1,
        "made_at": "2027-01-15T08:00:00+00:00",
        "schema_revision": schema.newest_revision(),
        "key": manifest.key,
        "sha256": manifest.sha256,
        "bytes": path.stat().st_size,
    }
    assert {file.stat().st_mode & 0o777 for file in (path, beside)} == {0o600}
    assert node.audit.latest(1)[0]["event"] == "backup.created"


def test_case_160_no_key_material_is_in_a_backup(node: Node, path: Path) -> None:
    create(node, path)
    key = keyfiles.read_key(node.settings.keys_dir / FILE)
    text = (node.settings.keys_dir / FILE).read_bytes().strip()
    for file in (path, path.with_name("backup.sqlite3.json")):
        content = file.read_bytes()
        assert key not in content
        assert text not in content


def test_a_backup_is_complete_while_others_write(node: Node, path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with node.store.writing() as connection:
                rows.add(connection, Account, rows.account(f"a{number}"))
                rows.add(connection, Account, rows.account(f"b{number}"))

    thread = threading.Thread(target=write)
    thread.start()
    create(node, path)
    stop.set()
    thread.join(30)
    with closing(sqlite3.connect(path)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (count,) = copy.execute("SELECT count(*) FROM accounts").fetchone()
    assert count % 2 == 1  # Ada, and pairs


def test_a_restored_installation_works_with_its_key(node: Node, fresh: Node, path: Path) -> None:
    token = node.open().active("ES256").sign({"sub": "ada"}, "at+jwt")
    subjects_key = node.secret("pairwise-subject")
    create(node, path)
    fresh.take_key_of(node)
    restore(fresh, path, keep_keys=True)
    keys = fresh.open()
    assert fresh.secret("pairwise-subject") == subjects_key
    assert keys.active("ES256").kid == node.open().active("ES256").kid
    assert keys.jwks().body == node.open().jwks().body
    assert (
        keys.active("ES256").sign({"sub": "ada"}, "at+jwt").split(".")[:2] == token.split(".")[:2]
    )
    with fresh.store.reading() as connection:
        assert rows.number(connection, Account) == 1
    assert fresh.audit.latest(1)[0]["event"] == "backup.restored"
    assert schema.differences(fresh.store) == []
    with fresh.store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_what_was_ended_after_the_backup_does_not_come_back(
    node: Node, fresh: Node, path: Path, clock: HeldClock
) -> None:
    once = OneTimeValues(open_sealer(node.store, node.settings), clock)
    with node.store.writing() as connection:
        once.put(connection, "code", "v1", {}, 3600)
    create(node, path)
    with node.store.writing() as connection:
        connection.execute(update(table(Session)).values(ended_at=1))
    fresh.take_key_of(node)
    restore(fresh, path)
    with fresh.store.reading() as connection:
        assert connection.execute(select(table(Session).c.ended_at)).scalars().all() != [None]
        found = connection.execute(
            select(table(Authorization).c.revoked_at, table(Authorization).c.revoked_because)
        ).all()
        assert found == [(int(clock.now), "restored")]
        assert connection.execute(select(table(OneTime).c.used_at)).scalars().all() != [None]


def test_clients_are_told_of_the_sessions_that_a_restore_ends(
    node: Node, fresh: Node, path: Path, clock: HeldClock
) -> None:
    with node.store.writing() as connection:
        details = {"backchannel_logout_uri": "https://app.example.test/out"}
        connection.execute(update(table(Client)).values(details=details))
        session_id = connection.execute(select(table(Session).c.id)).scalar_one()
        client_id = connection.execute(select(table(Client).c.client_id)).scalar_one()
        session_clients.join(connection, session_id, client_id, "the sid", "the sub")
    create(node, path)
    fresh.take_key_of(node)
    restore(fresh, path)
    with fresh.store.reading() as connection:
        (told,) = session_clients.notices(connection)
    assert (told["sid"], told["client_id"], told["subject"]) == ("the sid", client_id, "the sub")
    assert (told["next_try_at"], told["tries"]) == (int(clock.now), 0)
    assert told["expires_at"] == int(clock.now) + session_clients.KEPT_SECONDS


def test_a_signing_key_that_was_withdrawn_after_the_backup_does_not_come_back(
    node: Node, path: Path
) -> None:
    keys = node.open()
    leaked = keys.active("ES256").kid
    create(node, path)
    keys.rotate(emergency=True, origin=ORIGIN, actor=ACTOR)
    restore(node, path, force=True)
    assert node.audit.latest(1)[0]["detail"]["keys_kept"] is False
    after = node.open()
    assert leaked not in {key.kid for key in after.list()}
    assert leaked.encode() not in after.jwks().body
    assert after.verification_key(leaked, archived=True) is None
    assert after.active("ES256").sign({"sub": "ada"}, "at+jwt")


def test_the_backup_itself_is_not_changed_by_restoring(node: Node, fresh: Node, path: Path) -> None:
    create(node, path)
    before = path.read_bytes()
    fresh.take_key_of(node)
    restore(fresh, path)
    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "backup.sqlite3",
        "backup.sqlite3.json",
        "one",
        "two",
    ]
    assert not list(fresh.settings.data_dir.glob(".restore-*"))


def test_without_its_key_a_backup_is_refused_and_nothing_is_touched(
    node: Node, fresh: Node, path: Path
) -> None:
    manifest = node.backup.create(path, ORIGIN, ACTOR)
    sentence = f"needs the key-encryption key {manifest.key}, which is not here: put the saved key"
    with pytest.raises(Invalid, match=sentence):
        restore(fresh, path)
    assert not fresh.settings.keys_dir.exists()
    keyfiles.create_key(fresh.settings.keys_dir / FILE)
    with pytest.raises(Invalid, match=sentence):
        restore(fresh, path)
    with fresh.store.reading() as connection:
        assert copies.is_empty(connection)


def test_a_database_with_people_is_replaced_only_by_force(
    node: Node, path: Path, clock: HeldClock
) -> None:
    create(node, path)
    with node.store.writing() as connection:
        rows.add(connection, Account, rows.account("later"))
    with pytest.raises(NotEmpty, match="--force replaces all of it"):
        restore(node, path)
    restore(node, path, force=True)
    with node.store.reading() as connection:
        assert rows.number(connection, Account) == 1


def test_a_database_that_was_started_but_never_used_is_replaced(
    node: Node, fresh: Node, path: Path
) -> None:
    create(node, path)
    fresh.open()
    fresh.take_key_of(node)
    restore(fresh, path, keep_keys=True)
    assert fresh.open().jwks().body == node.open().jwks().body


@pytest.mark.parametrize("offset", [0, 100, -1])
def test_a_damaged_backup_is_refused(node: Node, fresh: Node, path: Path, offset: int) -> None:
    create(node, path)
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)
    fresh.take_key_of(node)
    with pytest.raises(Invalid, match="it was changed"):
        restore(fresh, path)


def test_what_is_no_backup_is_refused(node: Node, fresh: Node, path: Path) -> None:
    with pytest.raises(Invalid, match=r"backup\.sqlite3\.json cannot be read: No such file"):
        restore(fresh, path)
    beside = path.with_name("backup.sqlite3.json")
    for text in ("", "[]", '{"format": 1}'):
        beside.write_text(text)
        with pytest.raises(Invalid, match="is not the manifest of a backup"):
            restore(fresh, path)
    create(node, path.with_name("good.sqlite3"))
    manifest = json.loads(path.with_name("good.sqlite3.json").read_text())
    beside.write_text(json.dumps({**manifest, "format": 2}))
    with pytest.raises(Invalid, match="has a format that this version does not know"):
        restore(fresh, path)


def test_a_backup_of_a_newer_program_is_refused(
    node: Node, fresh: Node, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(node, path)
    fresh.take_key_of(node)
    monkeypatch.setattr(schema, "newest_revision", lambda: "0000")
    with pytest.raises(Invalid, match="was made by a newer version"):
        restore(fresh, path)


def test_a_file_that_is_there_is_never_overwritten(node: Node, path: Path) -> None:
    path.write_text("mine")
    with pytest.raises(AlreadyExists):
        create(node, path)
    assert path.read_text() == "mine"
    other = path.with_name("other.sqlite3")
    other.with_name("other.sqlite3.json").write_text("mine")
    with pytest.raises(AlreadyExists):
        create(node, other)
    assert not other.exists()


def test_a_folder_that_is_not_there_is_one_sentence(node: Node, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be written"):
        create(node, tmp_path / "nowhere" / "backup.sqlite3")


@pytest.mark.only_on("postgresql")
def test_postgresql_is_backed_up_by_its_own_tools(
    store: Store, settings: Settings, audit: Audit, clock: HeldClock, path: Path
) -> None:
    task = Backup(store, settings, audit, clock)
    with pytest.raises(Invalid, match="back PostgreSQL up with its own tools"):
        task.create(path, ORIGIN, ACTOR)
    assert not path.exists()
