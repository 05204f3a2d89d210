"""Resource servers in the database: identifiers, owned scopes, introspection credentials."""

import re
from typing import Any

import pytest

from idp.domain.audit import Audit, Origin
from idp.domain.errors import AlreadyExists, Invalid, NotFound
from idp.domain.resources import OIDC_SCOPES, Resources
from idp.protocol import scopes
from idp.store.database import Store
from tests.clients.conftest import ISSUER
from tests.support.databases import Database

BY: dict[str, Any] = {"origin": Origin(), "actor": "operator:test"}
API = "https://api.example.com"
SCOPES = {"invoices.read": "Read your invoices", "invoices.pay": "Pay your invoices"}


@pytest.mark.every_database
def test_a_resource_server_is_read_as_it_was_added(resources: Resources) -> None:
    server, secret = resources.add(API, "Invoices", SCOPES, access_token_lifetime=300, **BY)
    assert resources.find(API) == resources.show(API) == server
    assert resources.owner_of("invoices.read") == resources.owner_of("invoices.pay") == server
    assert resources.by_credential(server.credential_id) == server
    assert resources.check_credential(server.credential_id, secret) == server
    assert resources.list() == [server]
    assert (server.identifier, server.name) == (API, "Invoices")
    assert server.scopes == SCOPES
    assert server.access_token_lifetime == 300
    assert not server.disabled
    assert re.fullmatch(r"dw_resource_[A-Za-z0-9_-]{43}", secret)


@pytest.mark.every_database
def test_strangers_find_nothing(resources: Resources) -> None:
    server, secret = resources.add(API, "Invoices", SCOPES, **BY)
    for wrong in ("", f"{API}/", "https://api.example.com:443", "a\0b", "\N{SNOWMAN}", "x" * 5000):
        assert resources.find(wrong) is None
        assert resources.owner_of(wrong) is None
        assert resources.by_credential(wrong) is None
        assert resources.check_credential(wrong, secret) is None
        assert resources.check_credential(server.credential_id, wrong) is None
        with pytest.raises(NotFound):
            resources.show(wrong)
    assert resources.check_credential(server.credential_id, "\ud800") is None


@pytest.mark.every_database
def test_an_identifier_and_a_scope_are_taken_once(resources: Resources) -> None:
    resources.add(API, "Invoices", SCOPES, **BY)
    with pytest.raises(AlreadyExists):
        resources.add(API, "Again", {}, **BY)
    with pytest.raises(AlreadyExists):
        resources.add("https://two.example", "Two", {"a": "A", "invoices.pay": "Pay"}, **BY)
    assert [server.identifier for server in resources.list()] == [API]
    assert resources.owner_of("a") is None


def test_a_resource_server_may_have_no_scope(resources: Resources) -> None:
    server, _ = resources.add("urn:example:api", "Plain", {}, **BY)
    assert server.scopes == {}
    assert resources.find("urn:example:api") == server


WRONG: dict[str, tuple[str, str, dict[str, str], int | None]] = {
    "a fragment": ("https://api.example.com/#x", "A", {}, None),
    "a bare fragment": ("https://api.example.com/#", "A", {}, None),
    "a user": ("https://me@api.example.com", "A", {}, None),
    "relative": ("/api", "A", {}, None),
    "no name": (API, " ", {}, None),
    "a long name": (API, "x" * 201, {}, None),
    "a name with a line end": (API, "A\nB", {}, None),
    "a scope of OpenID Connect": (API, "A", {"email": "Mail"}, None),
    "a scope with a space": (API, "A", {"a b": "A"}, None),
    "a scope with a quote": (API, "A", {'a"': "A"}, None),
    "an empty scope": (API, "A", {"": "A"}, None),
    "a long scope": (API, "A", {"a" * 101: "A"}, None),
    "no description": (API, "A", {"a": ""}, None),
    "too many scopes": (API, "A", {f"s{number}": "S" for number in range(201)}, None),
    "too short a lifetime": (API, "A", {}, 299),
    "too long a lifetime": (API, "A", {}, 901),
}


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_refused(
    resources: Resources, wrong: tuple[str, str, dict[str, str], int | None]
) -> None:
    identifier, name, owned, lifetime = wrong
    with pytest.raises(Invalid):
        resources.add(identifier, name, owned, access_token_lifetime=lifetime, **BY)
    assert resources.list() == []


def test_an_addition_is_seen_at_once_and_audited(resources: Resources, audit: Audit) -> None:
    assert resources.find(API) is resources.owner_of("invoices.read") is None
    server, secret = resources.add(API, "Invoices", SCOPES, **BY)
    assert resources.find(API) is not None
    assert resources.owner_of("invoices.read") is not None
    [entry] = audit.latest()
    assert (entry["event"], entry["actor"]) == ("resource_server.added", "operator:test")
    assert entry["detail"] == {"identifier": API}
    assert secret not in str(entry)
    assert repr(server.credential_digest) not in repr(server)


def test_what_is_known_costs_no_statement(
    resources: Resources, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, secret = resources.add(API, "Invoices", SCOPES, **BY)

    def ask() -> list[object]:
        return [
            resources.find(API),
            resources.owner_of("invoices.pay"),
            resources.check_credential(server.credential_id, secret),
        ]

    assert ask() == [server] * 3
    monkeypatch.setattr(store, "reading", lambda: pytest.fail("asked the database"))
    assert ask() == [server] * 3


@pytest.mark.every_database
def test_no_credential_is_in_the_database(
    resources: Resources, migrated_database: Database
) -> None:
    _, secret = resources.add(API, "Invoices", SCOPES, **BY)
    dump = migrated_database.dump()
    assert API in dump
    assert secret.removeprefix("dw_resource_") not in dump


def test_every_scope_of_openid_connect_has_its_words() -> None:
    assert tuple(scopes.WORDS) == OIDC_SCOPES


def test_the_issuer_is_no_resource_server(resources: Resources) -> None:
    with pytest.raises(Invalid, match="The issuer's own URI is for userinfo"):
        resources.add(ISSUER, "Userinfo", {}, **BY)
    assert resources.list() == []
