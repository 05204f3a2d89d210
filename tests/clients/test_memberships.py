"""Roles and groups: who gets and loses them, what is recorded, and who can't lose them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from idp.domain.accounts import Account
from idp.domain.errors import AlreadyExists, Invalid, NotFound
from idp.domain.roles import LastAdministrator
from idp.domain.services import Services
from tests.support.refusals import Refused, entries, last_entry
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN

pytestmark = pytest.mark.every_database
BY: dict[str, Any] = {"origin": ORIGIN, "actor": OPERATOR}


def recorded(services: Services, since: int) -> list[tuple[str, str, str]]:
    """Return event, name and actor of what came after `since` entries, in no order: one moment."""
    return sorted(
        (entry["event"], entry["detail"].get("name", ""), entry["actor"])
        for entry in entries(services.store)[since:]
    )


def test_what_is_given_and_taken_is_shown_and_recorded(services: Services) -> None:
    before = len(entries(services.store))
    given = services.memberships.grant(
        ADA.email, roles=["auditor", "operator"], groups=["poets"], **BY
    )
    assert given.roles == {"auditor", "operator"}
    assert given.groups == {"poets"}
    assert services.accounts.get(given.id) == given
    assert given in services.accounts.page()
    left = services.memberships.revoke(given.subject, roles=["auditor"], groups=["poets"], **BY)
    assert left.roles == {"operator"}
    assert left.groups == frozenset()
    assert services.accounts.get(GRACE.email).roles == frozenset()
    assert recorded(services, before) == [
        ("group.added", "poets", OPERATOR),
        ("group.joined", "poets", OPERATOR),
        ("group.left", "poets", OPERATOR),
        ("role.granted", "auditor", OPERATOR),
        ("role.granted", "operator", OPERATOR),
        ("role.revoked", "auditor", OPERATOR),
    ]


def test_a_new_person_may_bring_both(services: Services) -> None:
    added = services.accounts.add("new@example.test", roles=["auditor"], groups=["b", "a"], **BY)
    assert added.roles == {"auditor"}
    assert added.groups == {"a", "b"}
    added_so = last_entry(services, "account.added")["detail"]
    assert added_so == {"roles": "auditor", "groups": "a b"}


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda to: to.grant(ADA.email, roles=["x", "auditor"], **BY), AlreadyExists, "auditor"),
        (lambda to: to.grant(ADA.email, groups=["x", "poets"], **BY), AlreadyExists, "poets"),
        (lambda to: to.grant("nobody", roles=["x"], **BY), NotFound, "no account"),
        (lambda to: to.grant(ADA.email, roles=["An Auditor"], **BY), Invalid, "lower-case"),
        (lambda to: to.grant(ADA.email, groups=["a,b"], **BY), Invalid, "no comma"),
        (lambda to: to.grant(ADA.email, groups=["a b"], **BY), Invalid, "no space"),
        (lambda to: to.grant(ADA.email, groups=["a\x07"], **BY), Invalid, "printable"),
        (lambda to: to.grant(ADA.email, groups=["a" * 101], **BY), Invalid, "100"),
        (lambda to: to.revoke(ADA.email, roles=["auditor", "x"], **BY), NotFound, "role x"),
        (lambda to: to.revoke(ADA.email, groups=["poets", "x"], **BY), NotFound, "group x"),
    ],
)
def test_all_of_a_call_or_nothing(
    services: Services, change: Callable[[Any], Account], error: type[Exception], said: str
) -> None:
    before = services.memberships.grant(ADA.email, roles=["auditor"], groups=["poets"], **BY)
    noted = len(entries(services.store))
    with pytest.raises(error, match=said):
        change(services.memberships)
    assert services.accounts.get(ADA.email) == before
    assert len(entries(services.store)) == noted


def test_spellings_of_a_group_are_one_group(services: Services) -> None:
    services.memberships.grant(ADA.email, groups=["cafe\u0301"], **BY)
    with pytest.raises(AlreadyExists):
        services.memberships.grant(ADA.email, groups=["caf\u00e9"], **BY)
    left = services.memberships.revoke(ADA.email, groups=["cafe\u0301"], **BY)
    assert left.groups == frozenset()


def take(services: Services, key: str) -> None:
    services.memberships.revoke(key, roles=["administrator"], **BY)


def disable(services: Services, key: str) -> None:
    services.accounts.disable(key, ORIGIN, OPERATOR)


WAYS = {"role.revoked": take, "account.disabled": disable}


@pytest.mark.parametrize("event", WAYS)
def test_the_last_administrator_stays(services: Services, refused: Refused, event: str) -> None:
    services.memberships.grant(ADA.email, roles=["administrator"], **BY)
    with refused(event, times=1), pytest.raises(LastAdministrator, match=ADA.email):
        WAYS[event](services, ADA.email)
    services.memberships.grant(GRACE.email, roles=["administrator"], **BY)
    WAYS[event](services, ADA.email)
    with refused(event, times=1), pytest.raises(LastAdministrator, match=GRACE.email):
        WAYS[event](services, GRACE.email)


def test_a_disabled_administrator_is_nobody_to_rely_on(services: Services) -> None:
    for key in (ADA.email, GRACE.email):
        services.memberships.grant(key, roles=["administrator"], **BY)
    disable(services, GRACE.email)
    with pytest.raises(LastAdministrator):
        take(services, ADA.email)
    take(services, GRACE.email)
    assert services.accounts.get(GRACE.email).roles == frozenset()


def test_who_is_no_administrator_can_always_go(services: Services) -> None:
    services.memberships.grant(ADA.email, roles=["administrator"], **BY)
    with pytest.raises(NotFound):
        take(services, GRACE.email)
    disable(services, GRACE.email)


@pytest.mark.parametrize("event", WAYS)
def test_of_two_who_go_at_once_one_stays(services: Services, event: str) -> None:
    def go(key: str) -> bool:
        try:
            WAYS[event](services, key)
        except LastAdministrator:
            return False
        return True

    for _ in range(5):
        for key in (ADA.email, GRACE.email):
            services.accounts.enable(key, ORIGIN, OPERATOR)
            if "administrator" not in services.accounts.get(key).roles:
                services.memberships.grant(key, roles=["administrator"], **BY)
        with ThreadPoolExecutor(2) as threads:
            assert sorted(threads.map(go, (ADA.email, GRACE.email))) == [False, True]
