"""Scopes: parsed within bounds, narrowed to what is registered, grouped in plain words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol import scopes
from idp.protocol.scopes import Group, InvalidScope, Line
from tests.support.registered import Catalogue, client, resource_server

NAMES = [*scopes.WORDS, "invoices.read", "invoices.pay", "https://api.example/x", "unknown"]
LISTS = st.lists(st.sampled_from(NAMES), unique=True)
ROBOT = client(
    grant_types=["client_credentials"], scope="invoices.read invoices.pay", redirect_uris=[]
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("openid", ["openid"]),
        ("profile openid profile", ["profile", "openid"]),
        ("  openid   email ", ["openid", "email"]),
        ("a:b/c?d=e&f#g!~", ["a:b/c?d=e&f#g!~"]),
    ],
)
def test_scopes_keep_their_order_and_come_once(text: str, found: list[str]) -> None:
    assert scopes.parse(text) == found


@pytest.mark.parametrize(
    "text", ["a\tb", "a\nb", 'a"b', "a\\b", "\N{SNOWMAN}", "a\0", "a\x7f", "a" * 101, "\ud800"]
)
def test_what_no_scope_may_hold(text: str) -> None:
    with pytest.raises(InvalidScope):
        scopes.parse(f"openid {text}")


@pytest.mark.parametrize("text", [" ".join(f"s{n}" for n in range(51)), "a " * 50_000, "a" * 10**6])
def test_case_154_lists_are_bounded(text: str) -> None:
    with pytest.raises(InvalidScope):
        scopes.parse(text)


def test_case_012_only_registered_scopes_are_granted() -> None:
    app = client(scope="openid email")
    assert scopes.granted(["openid", "profile", "email", "admin"], app) == ["openid", "email"]
    assert scopes.granted(["openid"], client(scope="email")) == []


def test_offline_access_needs_the_refresh_token_grant() -> None:
    both = ["authorization_code", "refresh_token"]
    asked = ["openid", "offline_access"]
    assert scopes.granted(asked, client(grant_types=both)) == asked
    assert scopes.granted(asked, client()) == ["openid"]


@pytest.mark.parametrize("scope", scopes.WORDS)
def test_case_037_no_scope_about_a_person_without_one(scope: str) -> None:
    with pytest.raises(InvalidScope, match=scope):
        scopes.for_client_credentials(["invoices.read", scope], ROBOT)


def test_case_037_client_credentials_get_what_is_registered() -> None:
    found = scopes.for_client_credentials
    assert found(["invoices.pay", "admin"], ROBOT) == ["invoices.pay"]
    assert found([], ROBOT) == ["invoices.pay", "invoices.read"]
    with pytest.raises(InvalidScope, match="not registered"):
        found(["admin"], ROBOT)
    assert found([], client(scope="openid email")) == []


@given(LISTS, LISTS)
def test_granted_is_an_intersection_in_the_order_asked(asked: list[str], held: list[str]) -> None:
    app = client(scope=" ".join(held), grant_types=["authorization_code", "refresh_token"])
    found = scopes.granted(asked, app)
    assert set(found) == set(asked) & set(held)
    assert found == [scope for scope in asked if scope in found]
    assert scopes.granted(found, app) == found


@given(LISTS, LISTS)
def test_narrowing_twice_is_narrowing_to_both(asked: list[str], held: list[str]) -> None:
    app = client(scope=" ".join(held))
    fewer = scopes.granted(asked[::2], app)
    assert set(fewer) <= set(scopes.granted(asked, app))


@given(LISTS)
def test_client_credentials_never_get_more_than_registered(asked: list[str]) -> None:
    try:
        found = scopes.for_client_credentials(asked, ROBOT)
    except InvalidScope:
        assert asked
    else:
        assert set(found) <= ROBOT.scopes - set(scopes.WORDS)
        assert not asked or set(found) <= set(asked)


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=60) | st.text(max_size=60))
def test_what_parses_can_be_written_and_parsed_again(text: str) -> None:
    try:
        found = scopes.parse(text)
    except InvalidScope:
        return
    assert scopes.parse(" ".join(found)) == found
    assert len(set(found)) == len(found)
    assert all(scope.isascii() and scope.isprintable() and " " not in scope for scope in found)


def test_consent_is_asked_in_plain_words() -> None:
    catalogue = Catalogue(
        resource_server("https://a.example", "a.read", "a.write"),
        resource_server("https://b.example", "b.read"),
    )
    asked = ["a.write", "openid", "b.read", "email", "a.read"]
    assert scopes.describe(asked, catalogue) == [
        Group(None, (scopes.WORDS["openid"], scopes.WORDS["email"])),
        Group(
            "API at https://a.example",
            (Line("Use a.write", "a.write"), Line("Use a.read", "a.read")),
        ),
        Group("API at https://b.example", (Line("Use b.read", "b.read"),)),
    ]
    assert scopes.describe([], catalogue) == []


def test_a_scope_without_owner_is_shown_by_name() -> None:
    assert scopes.describe(["odd"], Catalogue()) == [Group(None, (Line("odd", "odd"),))]


def test_every_scope_has_plain_words() -> None:
    assert all(line.text and line.detail for line in scopes.WORDS.values())
