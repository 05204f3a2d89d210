"""Clients in the database: found, cached, changed with an audit entry, secrets as digests."""

import re
import threading
from typing import Any

import pytest

from idp.crypto import secrets
from idp.domain.audit import Audit, Origin
from idp.domain.clients import Client, Clients
from idp.domain.errors import AlreadyExists, Invalid, NotFound
from idp.protocol import registration
from idp.store.database import Store
from tests.support.databases import Database
from tests.support.held_clock import HeldClock

BY: dict[str, Any] = {"origin": Origin("192.0.2.1", "r1"), "actor": "operator:test"}


def added(clients: Clients, details: dict[str, Any], **more: Any) -> tuple[Client, str]:
    client, secret = clients.add(details, secret=True, **BY, **more)
    assert secret is not None
    return client, secret


@pytest.mark.every_database
def test_a_client_is_read_as_it_was_registered(clients: Clients) -> None:
    metadata = {
        "client_name": "Phone app",
        "client_name#de": "Telefon-App",
        "redirect_uris": ["com.example.app:/cb", "http://127.0.0.1/cb"],
        "post_logout_redirect_uris": ["com.example.app:/bye"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid offline_access invoices.read",
        "id_token_signed_response_alg": "ES256",
        "default_max_age": 3600,
        "require_auth_time": True,
        "default_resource": "https://api.example.com",
        "claims_in_id_token": True,
        "logo_uri": "https://app.example.com/logo.png",
        "first_party": True,
    }
    details = registration.validate(metadata, operator=True)
    client, secret = clients.add(details, secret=False, client_id="phone-app", **BY)
    assert secret is None
    assert clients.find("phone-app") == clients.get("phone-app") == client
    assert client.client_id == "phone-app"
    assert client.name == "Phone app"
    assert client.redirect_uris == ("com.example.app:/cb", "http://127.0.0.1/cb")
    assert client.post_logout_redirect_uris == ("com.example.app:/bye",)
    assert client.grant_types == {"authorization_code", "refresh_token"}
    assert client.response_types == {"code"}
    assert client.scopes == {"openid", "offline_access", "invoices.read"}
    assert (client.auth_method, client.application_type) == ("none", "native")
    assert (client.public, client.impersonable, client.require_pkce) == (True, True, True)
    assert (client.first_party, client.disabled, client.secrets) == (True, False, ())
    assert client.id_token_algorithm == "ES256"
    assert client.default_resource == "https://api.example.com"
    assert client.default_max_age == 3600
    assert client.claims_in_id_token
    assert client.details["logo_uri"] == "https://app.example.com/logo.png"
    assert client.client_uri is client.policy_uri is client.tos_uri is None
    assert client.created_at == 1_800_000_000
    assert client.details["client_name#de"] == "Telefon-App"


def test_a_name_is_always_there(clients: Clients) -> None:
    details = registration.validate({"redirect_uris": ["https://a.example/cb"]}, operator=True)
    client, _ = added(clients, details)
    assert client.name == client.client_id


@pytest.mark.parametrize(
    ("auth_method", "redirect_uri", "impersonable"),
    [
        ("none", "https://app.example.com/cb", False),
        ("none", "https://localhost/cb", True),
        ("none", "http://localhost:8000/cb", True),
        ("none", "http://[::1]/cb", True),
        ("none", "com.example.app:/cb", True),
        ("client_secret_basic", "http://localhost:8000/cb", False),
    ],
)
@pytest.mark.only_on("sqlite")
def test_who_can_be_impersonated(
    clients: Clients, auth_method: str, redirect_uri: str, impersonable: bool
) -> None:
    metadata = {
        "redirect_uris": [redirect_uri],
        "token_endpoint_auth_method": auth_method,
        "application_type": "native",
    }
    details = registration.validate(metadata, operator=False)
    client, _ = clients.add(details, secret=False, **BY)
    assert client.impersonable is impersonable


@pytest.mark.parametrize("client_id", ["", "a b", "a/b", "a\0", "\N{SNOWMAN}", "x" * 101, "a\n"])
@pytest.mark.every_database
def test_a_client_id_is_unreserved_characters(
    clients: Clients, details: dict[str, Any], client_id: str
) -> None:
    with pytest.raises(Invalid):
        clients.add(details, secret=True, client_id=client_id, **BY)
    assert clients.find(client_id) is None
    with pytest.raises(NotFound):
        clients.get(client_id)
    assert clients.list() == []


@pytest.mark.every_database
def test_a_client_id_is_taken_once(clients: Clients, details: dict[str, Any]) -> None:
    added(clients, details, client_id="one")
    with pytest.raises(AlreadyExists):
        clients.add(details, secret=True, client_id="one", **BY)
    assert [client.client_id for client in clients.list()] == ["one"]


def test_every_client_is_listed_once(clients: Clients, details: dict[str, Any]) -> None:
    added(clients, details, client_id="b")
    added(clients, details, client_id="a")
    clients.rotate_secret("b", 60, **BY)
    assert [client.client_id for client in clients.list()] == ["b", "a"]
    assert [len(client.secrets) for client in clients.list()] == [2, 1]


def test_ids_and_secrets_have_their_form(clients: Clients, details: dict[str, Any]) -> None:
    client, secret = added(clients, details)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", client.client_id)
    assert re.fullmatch(r"dw_secret_[A-Za-z0-9_-]{43}", secret)


@pytest.mark.every_database
def test_no_secret_is_in_the_database(
    clients: Clients, details: dict[str, Any], migrated_database: Database
) -> None:
    _, first = added(clients, details, client_id="one")
    second = clients.rotate_secret("one", 60, **BY)
    dump = migrated_database.dump()
    assert "one" in dump
    for secret in (first, second):
        assert secret not in dump
        assert secret.removeprefix("dw_secret_") not in dump


def test_only_the_secret_opens(clients: Clients, details: dict[str, Any]) -> None:
    client, secret = added(clients, details)
    other, other_secret = added(clients, details)
    assert clients.check_secret(client, secret)
    assert clients.check_secret(other, other_secret)
    wrong = ["", secret[:-1], f"{secret} ", secret.upper(), other_secret, "\N{SNOWMAN}", "\ud800"]
    assert not any(clients.check_secret(client, text) for text in wrong)
    assert not clients.check_secret(None, secret)


def test_a_digest_of_another_purpose_does_not_open(
    clients: Clients, details: dict[str, Any]
) -> None:
    client, secret = added(clients, details)
    assert client.secrets[0][0] == secrets.digest("client_secret", secret)
    assert client.secrets[0][0] != secrets.digest("resource_credential", secret)


def test_as_many_comparisons_for_nobody(
    clients: Clients, details: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, secret = added(clients, details)
    counted: list[bytes] = []
    compare = secrets.same

    def counting(left: bytes, right: bytes) -> bool:
        counted.append(right)
        return compare(left, right)

    monkeypatch.setattr(secrets, "same", counting)
    works = []
    for asked, presented in ((client, secret), (client, "wrong"), (None, secret)):
        counted.clear()
        clients.check_secret(asked, presented)
        works.append(len(counted))
    assert works == [2, 2, 1]


@pytest.mark.every_database
def test_a_rotated_secret_replaces_the_old_at_once(
    clients: Clients, details: dict[str, Any]
) -> None:
    _, first = added(clients, details, client_id="one")
    second = clients.rotate_secret("one", **BY)
    client = clients.get("one")
    assert clients.check_secret(client, second)
    assert not clients.check_secret(client, first)
    assert len(client.secrets) == 1


@pytest.mark.every_database
def test_two_secrets_work_while_they_overlap_and_never_three(
    clients: Clients, details: dict[str, Any], clock: HeldClock
) -> None:
    _, first = added(clients, details, client_id="one")
    second = clients.rotate_secret("one", 60, **BY)
    assert [clients.check_secret(clients.get("one"), each) for each in (first, second)] == [1, 1]
    third = clients.rotate_secret("one", 120, **BY)
    opened = [clients.check_secret(clients.get("one"), each) for each in (first, second, third)]
    assert opened == [False, True, True]
    clock.advance(119)
    assert clients.check_secret(clients.get("one"), second)
    clock.advance(1)
    assert not clients.check_secret(clients.get("one"), second)
    assert clients.check_secret(clients.get("one"), third)
    fourth = clients.rotate_secret("one", 60, **BY)
    assert clients.check_secret(clients.get("one"), third)
    assert clients.check_secret(clients.get("one"), fourth)


@pytest.mark.parametrize("seconds", [-1, 90 * 86400 + 1])
def test_an_overlap_is_bounded(clients: Clients, details: dict[str, Any], seconds: int) -> None:
    added(clients, details, client_id="one")
    with pytest.raises(Invalid):
        clients.rotate_secret("one", seconds, **BY)


def test_nothing_to_rotate(clients: Clients) -> None:
    metadata = {
        "redirect_uris": ["https://a.example/cb"],
        "token_endpoint_auth_method": "none",
    }
    clients.add(
        registration.validate(metadata, operator=True), secret=False, client_id="public", **BY
    )
    with pytest.raises(Invalid):
        clients.rotate_secret("public", **BY)
    assert clients.get("public").secrets == ()
    with pytest.raises(NotFound):
        clients.rotate_secret("nobody", **BY)


@pytest.mark.every_database
def test_case_038_a_disabled_client_has_no_working_secret(
    clients: Clients, details: dict[str, Any]
) -> None:
    _, secret = added(clients, details, client_id="one")
    assert clients.disable("one", **BY).disabled
    found = clients.find("one")
    assert found is not None
    assert found.disabled
    assert not clients.check_secret(found, secret)
    assert not clients.enable("one", **BY).disabled
    assert clients.check_secret(clients.find("one"), secret)
    for change in (clients.disable, clients.enable):
        with pytest.raises(NotFound):
            change("nobody", **BY)


def test_other_nodes_notice_within_the_cache_time(
    clients: Clients, other_node: Clients, details: dict[str, Any], clock: HeldClock
) -> None:
    assert other_node.find("one") is None
    added(clients, details, client_id="one")
    clock.advance(4.9)
    assert clients.find("one") is not None
    assert other_node.find("one") is None
    clock.advance(0.2)
    assert other_node.find("one") is not None
    clients.disable("one", **BY)
    clock.advance(4.9)
    known = other_node.find("one")
    assert known is not None
    assert not known.disabled
    clock.advance(0.2)
    known = other_node.find("one")
    assert known is not None
    assert known.disabled


def test_a_known_client_costs_no_statement(
    clients: Clients, details: dict[str, Any], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    added(clients, details, client_id="one")
    clients.find("one")
    clients.find("nobody")
    monkeypatch.setattr(store, "reading", lambda: pytest.fail("asked the database"))
    assert clients.find("one") is clients.find("one")
    assert clients.find("nobody") is None


def test_every_change_is_audited_without_the_secret(
    clients: Clients, details: dict[str, Any], audit: Audit
) -> None:
    _, secret = added(clients, details, client_id="one")
    second = clients.rotate_secret("one", 60, **BY)
    clients.disable("one", **BY)
    clients.enable("one", **BY)
    entries = audit.latest()
    assert {entry["event"] for entry in entries} == {
        "client.added",
        "client.secret_rotated",
        "client.disabled",
        "client.enabled",
    }
    for entry in entries:
        assert (entry["client_id"], entry["actor"]) == ("one", "operator:test")
        assert (entry["address"], entry["request_id"]) == ("192.0.2.1", "r1")
        assert secret not in str(entry)
        assert second not in str(entry)


def test_a_secret_is_not_in_what_is_printed(clients: Clients, details: dict[str, Any]) -> None:
    client, _ = added(clients, details)
    assert client.secrets[0][0].hex() not in repr(client)
    assert repr(client.secrets[0][0]) not in repr(client)


def test_threads_share_the_cache(clients: Clients, details: dict[str, Any]) -> None:
    added(clients, details, client_id="one")
    found: list[Client | None] = []

    def look() -> None:
        found.extend(clients.find("one") for _ in range(200))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    clients.disable("one", **BY)
    for thread in threads:
        thread.join()
    assert len(found) == 1600
    assert None not in found
    known = clients.find("one")
    assert known is not None
    assert known.disabled
