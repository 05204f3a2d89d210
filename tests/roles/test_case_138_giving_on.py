"""Nobody gives on more than an assignment of theirs says: not what, nor where, nor how long."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.domain.assignments import Beyond, Wanted
from idp.domain.audit import By
from idp.domain.delegation import Gift, Power, Powers, may_give
from idp.domain.errors import DomainError
from idp.domain.services import Services
from idp.store.rights import EVERY_ROLE, EVERYWHERE
from tests.support.held_clock import HeldClock
from tests.support.refusals import last_entry
from tests.support.seeds import ADA, GRACE, NOTES_API, OPERATOR, ORIGIN

BY = By(OPERATOR, ORIGIN)
HOUR = 3600


@pytest.fixture(autouse=True)
def catalog(services: Services) -> None:
    for name in ("chief", "cook", "waiter"):
        services.roles.add(name, "", BY)


def by(services: Services, email: str = ADA.email) -> By:
    return By(f"account:{services.accounts.get(email).id}", ORIGIN)


def gives(services: Services, wanted: Wanted) -> bool:
    """Whether Ada can give it to Grace; it is taken from her again."""
    try:
        services.assignments.give("account", GRACE.email, wanted, by(services))
    except Beyond:
        refused = last_entry(services, "role.granted")
        assert (refused["outcome"], refused["actor"]) == ("refused", by(services).actor)
        assert services.assignments.of("account", GRACE.email) == []
        return False
    services.assignments.take("account", GRACE.email, wanted.role, wanted.place, BY)
    return True


@pytest.mark.parametrize("holder", ["account", "group"])
def test_case_138_what_an_assignment_names_and_nothing_else(
    services: Services, clock: HeldClock, holder: str
) -> None:
    services.memberships.grant(ADA.email, groups=["kitchen"], origin=ORIGIN, actor=OPERATOR)
    until = int(clock()) + HOUR
    held = Wanted("chief", NOTES_API, until, ("cook", "waiter"))
    if holder == "account":
        services.assignments.give("account", ADA.email, held, BY)
    else:
        services.assignments.give("group", "kitchen", held, BY)
    assert gives(services, Wanted("cook", NOTES_API, until))
    assert gives(services, Wanted("cook", NOTES_API, until - 1, ("waiter",)))
    assert not gives(services, Wanted("chief", NOTES_API, until))
    assert not gives(services, Wanted("cook", None, until))
    assert not gives(services, Wanted("cook", NOTES_API, until + 1))
    assert not gives(services, Wanted("cook", NOTES_API))
    assert not gives(services, Wanted("cook", NOTES_API, until, ("chief",)))
    assert not gives(services, Wanted("cook", NOTES_API, until, (EVERY_ROLE,)))
    clock.advance(HOUR)
    assert not gives(services, Wanted("cook", NOTES_API, until + HOUR))


def test_case_138_two_assignments_do_not_add_up(services: Services, clock: HeldClock) -> None:
    until = int(clock()) + HOUR
    services.assignments.give("account", ADA.email, Wanted("chief", None, until, ("cook",)), BY)
    services.assignments.give("account", ADA.email, Wanted("waiter", None, None, ("waiter",)), BY)
    assert not gives(services, Wanted("cook"))
    assert not gives(services, Wanted("waiter", None, None, ("cook",)))
    assert gives(services, Wanted("waiter", None, None, ("waiter",)))


def test_case_138_nobody_takes_what_they_could_not_give(services: Services) -> None:
    services.assignments.give("account", GRACE.email, Wanted("cook"), BY)
    with pytest.raises(Beyond):
        services.assignments.take("account", GRACE.email, "cook", None, by(services))
    services.assignments.give("account", ADA.email, Wanted("chief", None, None, ("cook",)), BY)
    services.assignments.take("account", GRACE.email, "cook", None, by(services))
    assert services.assignments.of("account", GRACE.email) == []


def test_case_138_a_group_is_for_who_could_give_what_it_brings(services: Services) -> None:
    for name in ("kitchen", "house"):
        services.groups.add(name, "", BY)
    services.groups.nest("kitchen", "house", BY)
    services.memberships.grant(ADA.email, groups=["kitchen"], origin=ORIGIN, actor=OPERATOR)

    def may() -> bool:
        with services.store.reading() as connection:
            powers = services.memberships.powers(connection, by(services).actor)
            return may_give(connection, powers, (), ("kitchen",))

    assert may()
    services.assignments.give("group", "house", Wanted("cook"), BY)
    assert not may()
    services.assignments.give("account", ADA.email, Wanted("chief", None, None, ("cook",)), BY)
    assert may()
    services.assignments.give("group", "kitchen", Wanted("waiter", None, None, ("chief",)), BY)
    assert not may()


def test_case_138_who_is_no_person_and_no_operator_gives_nothing(services: Services) -> None:
    for actor in ("anyone", "client:webapp", "account:nobody"):
        with pytest.raises(Beyond):
            services.assignments.give("account", GRACE.email, Wanted("cook"), By(actor, ORIGIN))


ROLES = ("administrator", "chief", "cook", "waiter")
PEOPLE = (ADA.email, GRACE.email)
DEEDS = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from(PEOPLE),
        st.sampled_from(ROLES),
        st.lists(st.sampled_from(ROLES), max_size=2, unique=True),
    ),
    max_size=8,
)
STARTS = st.lists(st.sampled_from(ROLES[1:]), max_size=2, unique=True)


class TestAnyDeeds:
    """Whatever people do among themselves, with whatever they were given to begin with."""

    @pytest.fixture
    def shared(self, services: Services) -> Services:
        return services

    def test_nobody_ends_with_a_role_that_no_grantors_assignment_named(
        self, shared: Services
    ) -> None:
        @settings(max_examples=40, deadline=None)
        @given(STARTS, STARTS, DEEDS)
        def any_deeds(
            first: list[str],
            second: list[str],
            deeds: Sequence[tuple[str, str, str, list[str]]],
        ) -> None:
            _clear(shared)
            for email, grantable in zip(PEOPLE, (first, second), strict=True):
                start = Wanted("waiter", None, None, tuple(grantable))
                shared.assignments.give("account", email, start, BY)
            for giver, taker, role, grantable in deeds:
                wanted = Wanted(role, None, None, tuple(grantable))
                try:
                    shared.assignments.give("account", taker, wanted, by(shared, giver))
                except DomainError:
                    continue
            named = {"waiter", *first, *second}
            for email in PEOPLE:
                for one in shared.assignments.of("account", email):
                    assert one.role in named, deeds
                    assert set(one.grantable) <= {*first, *second}, deeds

        any_deeds()


def _clear(services: Services) -> None:
    for email in PEOPLE:
        for one in services.assignments.of("account", email):
            services.assignments.take("account", email, one.role, one.place, BY)


NAMES = st.sampled_from("abcd")
TIMES = st.one_of(st.none(), st.integers(1, 9))
PLACES = st.sampled_from([EVERYWHERE, "notes", "wiki"])
GRANTABLE = st.frozensets(st.sampled_from(["a", "b", "c", "d", EVERY_ROLE]), max_size=3)
GIFTS = st.builds(Gift, NAMES, PLACES, TIMES, GRANTABLE)
POWERS = st.lists(st.builds(Power, GRANTABLE, PLACES, TIMES), max_size=3)


@given(POWERS, GIFTS)
@settings(deadline=None)
def test_case_138_what_is_covered_is_no_wider_than_one_power(
    powers: list[Power], gift: Gift
) -> None:
    covered = Powers(tuple(powers)).cover(gift)
    wide = [
        power
        for power in powers
        if (EVERY_ROLE in power.grantable or gift.role_id in power.grantable)
        and (EVERY_ROLE in power.grantable or gift.grantable <= power.grantable)
        and power.place in {EVERYWHERE, gift.place}
        and (power.expires_at is None or (gift.expires_at or 10) <= power.expires_at)
    ]
    assert covered == bool(wide)
