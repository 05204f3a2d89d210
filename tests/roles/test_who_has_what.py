"""Groups in groups, roles in roles, assignments that end: who has what in the end."""

import pytest

from idp.domain.assignments import Wanted
from idp.domain.audit import By
from idp.domain.errors import AlreadyExists, Invalid, NotFound
from idp.domain.roles import LastAdministrator
from idp.domain.services import Services
from idp.store.assignments import Holder
from tests.support.held_clock import HeldClock
from tests.support.refusals import last_entry
from tests.support.seeds import ADA, GRACE, NOTES_API, OPERATOR, ORIGIN

BY = By(OPERATOR, ORIGIN)


def roles(services: Services, email: str = ADA.email) -> set[str]:
    """Return what a person has, which is what the policies are told, too."""
    account = services.accounts.get(email)
    assert services.requirements.standing(account.id).roles == account.roles
    return set(account.roles)


def groups(services: Services, email: str = ADA.email) -> set[str]:
    account = services.accounts.get(email)
    assert services.requirements.standing(account.id).groups == account.groups
    return set(account.groups)


def join(services: Services, *names: str, email: str = ADA.email) -> None:
    services.memberships.grant(email, groups=names, origin=ORIGIN, actor=OPERATOR)


class TestGroups:
    def test_who_is_in_a_group_is_in_those_around_it(self, services: Services) -> None:
        join(services, "kitchen")
        for name in ("house", "estate", "garden"):
            services.groups.add(name, "", BY)
        services.groups.nest("kitchen", "house", BY)
        services.groups.nest("house", "estate", BY)
        assert groups(services) == {"kitchen", "house", "estate"}
        services.groups.unnest("kitchen", "house", BY)
        assert groups(services) == {"kitchen"}
        assert last_entry(services, "group.unnested")["detail"] == {
            "name": "kitchen",
            "outer": "house",
        }

    @pytest.mark.parametrize("outer", ["a", "b", "c"])
    def test_no_group_is_in_itself(self, services: Services, outer: str) -> None:
        for name in "abc":
            services.groups.add(name, "", BY)
        services.groups.nest("a", "b", BY)
        services.groups.nest("b", "c", BY)
        inner = {"a": "c", "b": "c", "c": "c"}[outer]
        with pytest.raises(Invalid):
            services.groups.nest(inner, outer, BY)
        assert {one.name: one.inside for one in services.groups.list()} == {
            "a": ("b",),
            "b": ("c",),
            "c": (),
        }

    def test_a_group_that_goes_takes_with_it_what_it_brought(self, services: Services) -> None:
        join(services, "kitchen")
        services.groups.add("house", "", BY)
        services.groups.nest("kitchen", "house", BY)
        services.roles.add("cook", "", BY)
        services.assignments.give("group", "house", Wanted("cook"), BY)
        assert roles(services) == {"cook"}
        services.groups.remove("house", BY)
        assert (roles(services), groups(services)) == (set(), {"kitchen"})

    def test_nobody_leaves_a_group_that_another_brings(self, services: Services) -> None:
        join(services, "kitchen")
        services.groups.add("house", "", BY)
        services.groups.nest("kitchen", "house", BY)
        with pytest.raises(NotFound, match="by another group only"):
            services.memberships.revoke(ADA.email, groups=["house"], origin=ORIGIN, actor=OPERATOR)

    def test_names_are_taken_once(self, services: Services) -> None:
        services.groups.add("house", "", BY)
        with pytest.raises(AlreadyExists):
            services.groups.add("house", "", BY)
        services.groups.add("estate", "", BY)
        services.groups.nest("house", "estate", BY)
        with pytest.raises(AlreadyExists):
            services.groups.nest("house", "estate", BY)
        with pytest.raises(NotFound):
            services.groups.nest("house", "nowhere", BY)


class TestRoles:
    def test_a_role_brings_what_it_includes(self, services: Services) -> None:
        for name in ("chief", "editor", "reader"):
            services.roles.add(name, f"The {name}.", BY)
        services.roles.include("chief", "editor", BY)
        services.roles.include("editor", "reader", BY)
        services.assignments.give("account", ADA.email, Wanted("chief"), BY)
        assert roles(services) == {"chief", "editor", "reader"}
        services.roles.exclude("editor", "reader", BY)
        assert roles(services) == {"chief", "editor"}
        with pytest.raises(NotFound, match="another role brings it"):
            services.memberships.revoke(ADA.email, roles=["editor"], origin=ORIGIN, actor=OPERATOR)

    def test_no_role_includes_itself(self, services: Services) -> None:
        for name in ("chief", "editor"):
            services.roles.add(name, "", BY)
        services.roles.include("chief", "editor", BY)
        for included in ("chief", "editor"):
            with pytest.raises(Invalid):
                services.roles.include("editor", included, BY)

    def test_a_role_of_an_api_is_its_own(self, services: Services) -> None:
        services.roles.add("editor", "", BY)
        services.roles.add(f"editor@{NOTES_API}", "Edits notes.", BY)
        services.roles.add(f"reader@{NOTES_API}", "", BY)
        services.roles.include(f"editor@{NOTES_API}", f"reader@{NOTES_API}", BY)
        with pytest.raises(Invalid):
            services.roles.include(f"editor@{NOTES_API}", "editor", BY)
        with pytest.raises(NotFound):
            services.roles.add("editor@https://nowhere.example.test", "", BY)
        services.assignments.give("account", ADA.email, Wanted(f"editor@{NOTES_API}"), BY)
        assert roles(services) == set()
        (given,) = services.assignments.of("account", ADA.email)
        assert (given.role, given.place) == (f"editor@{NOTES_API}", NOTES_API)

    @pytest.mark.parametrize("role", ["administrator", "operator", "auditor"])
    def test_our_own_roles_stay(self, services: Services, role: str) -> None:
        with pytest.raises(Invalid):
            services.roles.remove(role, BY)

    def test_a_role_that_goes_is_nobodys(self, services: Services) -> None:
        services.roles.add("cook", "", BY)
        services.assignments.give("account", ADA.email, Wanted("cook"), BY)
        services.roles.remove("cook", BY)
        assert roles(services) == set()
        assert services.assignments.of("account", ADA.email) == []


class TestAssignments:
    def test_one_that_ends_is_over_in_that_second(
        self, services: Services, clock: HeldClock
    ) -> None:
        services.roles.add("cook", "", BY)
        until = int(clock()) + 3600
        services.assignments.give("account", ADA.email, Wanted("cook", None, until), BY)
        clock.advance(3599)
        assert roles(services) == {"cook"}
        clock.advance(1)
        assert roles(services) == set()
        assert services.assignments.of("account", ADA.email) == []
        services.assignments.give("account", ADA.email, Wanted("cook"), BY)
        assert roles(services) == {"cook"}

    def test_a_time_that_has_passed_is_refused(self, services: Services, clock: HeldClock) -> None:
        services.roles.add("cook", "", BY)
        with pytest.raises(Invalid):
            services.assignments.give("account", ADA.email, Wanted("cook", None, int(clock())), BY)

    def test_one_at_an_api_counts_nowhere_else(self, services: Services) -> None:
        services.roles.add("cook", "", BY)
        services.assignments.give("account", ADA.email, Wanted("cook", NOTES_API), BY)
        assert roles(services) == set()
        services.assignments.give("account", ADA.email, Wanted("cook"), BY)
        assert roles(services) == {"cook"}
        services.assignments.take("account", ADA.email, "cook", NOTES_API, BY)
        assert roles(services) == {"cook"}
        with pytest.raises(NotFound):
            services.assignments.take("account", ADA.email, "cook", NOTES_API, BY)

    def test_it_is_given_once(self, services: Services) -> None:
        services.roles.add("cook", "", BY)
        services.groups.add("kitchen", "", BY)
        holders: list[tuple[Holder, str]] = [
            ("account", ADA.email),
            ("group", "kitchen"),
            ("client", "webapp"),
        ]
        for holder, key in holders:
            services.assignments.give(holder, key, Wanted("cook"), BY)
            with pytest.raises(AlreadyExists):
                services.assignments.give(holder, key, Wanted("cook"), BY)

    def test_who_is_not_there_gets_nothing(self, services: Services) -> None:
        services.roles.add("cook", "", BY)
        with pytest.raises(NotFound):
            services.assignments.give("client", "nobody", Wanted("cook"), BY)
        with pytest.raises(NotFound):
            services.assignments.give("group", "nobody", Wanted("cook"), BY)

    def test_an_assignment_ends_with_its_holder(self, services: Services) -> None:
        services.roles.add("cook", "", BY)
        services.groups.add("kitchen", "", BY)
        services.assignments.give("group", "kitchen", Wanted("cook"), BY)
        services.groups.remove("kitchen", BY)
        services.groups.add("kitchen", "", BY)
        assert services.assignments.of("group", "kitchen") == []


class TestTheLastAdministrator:
    @pytest.fixture(autouse=True)
    def only(self, services: Services) -> None:
        services.memberships.grant(
            GRACE.email, roles=["administrator"], origin=ORIGIN, actor=OPERATOR
        )

    def test_stays(self, services: Services) -> None:
        with pytest.raises(LastAdministrator):
            services.assignments.take("account", GRACE.email, "administrator", None, BY)
        with pytest.raises(LastAdministrator):
            services.accounts.disable(GRACE.email, ORIGIN, OPERATOR)

    def test_stays_while_others_have_it_for_a_while_or_by_a_group(
        self, services: Services, clock: HeldClock
    ) -> None:
        until = int(clock()) + 3600
        services.assignments.give("account", ADA.email, Wanted("administrator", None, until), BY)
        services.groups.add("board", "", BY)
        services.assignments.give("group", "board", Wanted("administrator"), BY)
        join(services, "board")
        assert roles(services) == {"administrator"}
        with pytest.raises(LastAdministrator):
            services.assignments.take("account", GRACE.email, "administrator", None, BY)

    def test_goes_when_there_is_another_one(self, services: Services) -> None:
        services.assignments.give("account", ADA.email, Wanted("administrator"), BY)
        services.assignments.take("account", GRACE.email, "administrator", None, BY)
        assert roles(services, GRACE.email) == set()
