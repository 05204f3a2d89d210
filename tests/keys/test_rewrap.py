"""A new key-encryption key: all is sealed again, nothing is lost, the old key becomes useless."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Column, LargeBinary, select

from idp.config import ConfigurationError, Settings
from idp.crypto.sealing import SealBroken, Sealer
from idp.domain import client_secrets, outbox, rewrap
from idp.domain.audit import Audit, Origin
from idp.domain.audit_log.parts import audit_log
from idp.domain.client_secrets import ClientSecrets
from idp.domain.credentials import totp
from idp.domain.installation import open_sealer
from idp.domain.one_time import OneTimeValues
from idp.domain.outbox import Outbox
from idp.domain.rewrap import PLACES, Rewrap
from idp.domain.server_secrets import NAMES, ServerSecrets
from idp.domain.signing_keys import SigningKeys
from idp.outbound.fetching import Fetcher
from idp.store import authenticators, sealed_columns
from idp.store.database import Connection, Store
from idp.store.tables import (
    Account,
    Authenticator,
    Client,
    ClientSecret,
    OutgoingMail,
    db,
    table,
)
from tests.keys.sealing_keys import KEY, OTHER_KEY, text_of
from tests.storage import rows
from tests.support.databases import Database
from tests.support.held_clock import HeldClock

ORIGIN = Origin()
PKCS8 = ("020100300d06092a864886f70d010101", "020100301306072a8648ce3d020106082a8648ce3d0301")
"""How RSA and P-256 keys begin, in hexadecimal."""
BY_MAC = {"token_endpoint_auth_method": "client_secret_jwt"}
SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
WAITING = {
    "signing_keys": 4,
    "sealed_secrets": len(NAMES),
    "client_secrets": 2,
    "one_time": 10,
    "authenticators": 4,
    "outgoing_mail": 4,
    "audit_keys": 1,
}
"""What `Node.fill` seals."""
Given = Callable[..., Settings]


@pytest.fixture
def given(settings: Settings) -> Given:
    def change(key: bytes, previous: bytes | None = None) -> Settings:
        update = {"key_encryption_key": SecretStr(text_of(key))}
        if previous:
            update["previous_key_encryption_key"] = SecretStr(text_of(previous))
        return settings.model_copy(update=update)

    return change


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewrap, "BATCH", 3)


class Node:
    """What one node seals, under the keys that it was given."""

    def __init__(self, store: Store, audit: Audit, clock: HeldClock, settings: Settings) -> None:
        self.store = store
        self.sealer = open_sealer(store, settings)
        self.keys = SigningKeys(store, self.sealer, audit, clock, settings)
        self.secrets = ServerSecrets(store, self.sealer, clock)
        self.one_time = OneTimeValues(self.sealer, clock)
        self.client_secrets = ClientSecrets(self.sealer)
        self.outbox = Outbox(store, self.sealer, clock, settings)
        self.rewrap = Rewrap(store, self.sealer, audit)
        secret = self.secrets.get("audit-log")
        self.audit_log = audit_log(
            store, self.sealer, audit, clock, settings, secret, Fetcher(settings)
        )
        self.keys.ensure()

    def fill(self) -> None:
        self.secrets.ensure()
        self.audit_log.sealer.seal(1)
        for number in range(10):
            self.put(f"v{number}")
        person = rows.account()
        with self.store.writing() as connection:
            rows.add(connection, Account, person)
            for number in range(4):
                self.enrol(connection, person["id"], f"authenticator {number}")
                self.outbox.put(connection, "mail_test", person["email"], {"number": number})
            rows.add(connection, Client, rows.client("shop"))
            for secret in ("one", "another"):
                sealed = self.client_secrets.row("shop", secret, rows.NOW, BY_MAC)
                rows.add(connection, ClientSecret, sealed)

    def enrol(self, connection: Connection, account_id: str, authenticator_id: str) -> None:
        sealed = self.sealer.seal(SEED.encode(), totp.place(account_id, authenticator_id))
        row = {
            "id": authenticator_id,
            "account_id": account_id,
            "name": "Phone",
            "sealed_seed": sealed,
            "last_step": 0,
            "created_at": rows.NOW,
            "last_used_at": None,
        }
        authenticators.add(connection, row)

    def put(self, value: str) -> None:
        with self.store.writing() as connection:
            self.one_time.put(connection, "code", value, {"value": value}, 60)

    def everything(self) -> list[object]:
        """Open all that is sealed."""
        token = self.keys.active("RS256").sign({}, "JWT")
        with self.store.reading() as connection:
            found = [self.one_time.find(connection, "code", f"v{n}") for n in range(10)]
            mails, apps, known = [
                connection.execute(select(rows).order_by(*rows.primary_key)).mappings().all()
                for rows in map(table, (OutgoingMail, Authenticator, ClientSecret))
            ]
        payloads: list[object] = [one.payload for one in found if one]
        payloads += [self.open(row["sealed"], outbox.place(row["id"])) for row in mails]
        payloads += [
            self.open(row["sealed_seed"], totp.place(row["account_id"], row["id"])) for row in apps
        ]
        payloads += [self.open(row["sealed"], client_secrets.place(row["digest"])) for row in known]
        self.audit_log.sealer.seal(100)
        return [payloads, [self.secrets.get(name) for name in NAMES], token.split(".")[0]]

    def open(self, sealed: bytes, place: str) -> str:
        return self.sealer.unseal(sealed, place).decode()


@pytest.fixture
def nodes(store: Store, audit: Audit, clock: HeldClock, given: Given) -> Callable[..., Node]:
    return lambda *keys: Node(store, audit, clock, given(*keys))


def test_case_158_everything_opens_before_while_and_after(
    nodes: Callable[..., Node], audit: Audit
) -> None:
    old = nodes(KEY)
    old.fill()
    before = old.everything()
    both = nodes(OTHER_KEY, KEY)
    assert both.everything() == before
    assert both.rewrap.waiting() == WAITING
    assert both.rewrap.run(ORIGIN, "operator:ada") == WAITING
    assert both.rewrap.waiting() == dict.fromkeys(WAITING, 0)
    assert nodes(OTHER_KEY).everything() == before
    (entry,) = audit.latest(1)
    assert entry["event"] == "key_encryption_key.changed"
    assert entry["detail"]["one_time"] == 10


def test_case_160_the_old_key_opens_nothing_afterwards(nodes: Callable[..., Node]) -> None:
    old = nodes(KEY)
    old.fill()
    nodes(OTHER_KEY, KEY).rewrap.run(ORIGIN, "operator:ada")
    with pytest.raises(ConfigurationError, match="is not the one of this database"):
        nodes(KEY)
    with pytest.raises(SealBroken), old.store.reading() as connection:
        old.one_time.find(connection, "code", "v1")


def test_the_old_key_is_asked_for_until_the_work_is_done(
    nodes: Callable[..., Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes(KEY).fill()
    both = nodes(OTHER_KEY, KEY)
    replace: Callable[..., bool] = sealed_columns.replace
    calls = iter(range(100))

    def interrupted(*arguments: Any) -> bool:
        if next(calls) == 7:
            raise KeyboardInterrupt
        return replace(*arguments)

    monkeypatch.setattr(sealed_columns, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        both.rewrap.run(ORIGIN, "operator:ada")
    assert sum(both.rewrap.waiting().values()) == sum(WAITING.values()) - 7
    with pytest.raises(ConfigurationError):
        nodes(OTHER_KEY)
    both.rewrap.run(ORIGIN, "operator:ada")
    assert nodes(OTHER_KEY).rewrap.waiting() == dict.fromkeys(WAITING, 0)


def test_what_a_late_node_seals_under_the_old_key_is_met_too(
    nodes: Callable[..., Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    late = nodes(KEY, OTHER_KEY)
    late.fill()
    both = nodes(OTHER_KEY, KEY)
    waiting, calls = Rewrap.waiting, iter(range(100))

    def meanwhile(task: Rewrap) -> dict[str, int]:
        if next(calls) == 1:
            late.put("late")
        return waiting(task)

    monkeypatch.setattr(Rewrap, "waiting", meanwhile)
    assert both.rewrap.run(ORIGIN, "operator:ada")["one_time"] == 11


def test_doing_it_again_changes_and_records_nothing(
    nodes: Callable[..., Node], audit: Audit
) -> None:
    node = nodes(KEY)
    before = audit.latest()
    assert sum(node.rewrap.run(ORIGIN, "operator:ada").values()) == 0
    assert audit.latest() == before


def test_every_sealed_column_of_the_database_is_known() -> None:
    def is_sealed(column: Column[object]) -> bool:
        return isinstance(column.type, LargeBinary) and column.name.startswith("sealed")

    tables = db.metadata.sorted_tables
    sealed = {column for table in tables for column in table.columns if is_sealed(column)}
    assert {column.sealed for column in sealed_columns.COLUMNS} == sealed
    assert {column.name for column in sealed_columns.COLUMNS} == set(PLACES)


def test_case_160_a_stolen_database_shows_no_key(
    nodes: Callable[..., Node], migrated_database: Database, sealer: Sealer
) -> None:
    node = nodes(KEY)
    node.fill()
    dump = migrated_database.dump().lower()
    secrets = [KEY, *(node.secrets.get(name) for name in NAMES), b'{"value": "v1"}']
    for secret in secrets:
        assert secret.hex() not in dump
        assert text_of(secret).lower() not in dump
    for begin in PKCS8:
        assert begin not in dump
    assert '"d":' not in dump
