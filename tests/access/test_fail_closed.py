"""What can't be decided is denied (SECURITY case 140), and an unknown address opens nothing."""

import logging
from dataclasses import replace

import cedarpy
import pytest

from idp.domain.access import Access, Principal, Resource
from tests.access.asking import NOTES, ONE_FACTOR, Folder, person, sign_in

BREAKS = """
@id("closed-at-night") @sentence("Closed at night.")
forbid (principal, action, resource)
when { context.now * 9223372036854775807 > 0 };
"""


def test_the_trap_a_forbid_that_breaks_is_skipped_by_cedar() -> None:
    """The day this fails, Cedar has changed, and our check for errors may be looked at again."""
    request = {"principal": 'U::"a"', "action": 'Action::"b"', "resource": 'R::"c"'}
    policies = "permit (principal, action, resource); forbid (principal, action, resource) when {"
    result = cedarpy.is_authorized(request, policies + " context.absent };", [])
    assert result.allowed
    assert len(result.diagnostics.errors) == 1


def test_case_140_a_forbid_that_breaks_denies(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.write("night.cedar", BREAKS)
    access = folder.access()
    decisions = [sign_in(access, person(), NOTES) for _ in range(3)]
    assert {decision.policies for decision in decisions} == {("error", "failed", "closed-at-night")}
    for decision in decisions:
        assert not decision.allowed
        assert decision.requires == frozenset()
        assert decision.sentence.endswith("the answer is no.")
    logged = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.getMessage() for record in logged] == [
        "denied, because it could not be decided: failed closed-at-night"
    ]


def test_case_140_a_permit_that_breaks_denies_beside_one_that_holds(folder: Folder) -> None:
    folder.write("night.cedar", BREAKS.replace("forbid", "permit"))
    assert sign_in(folder.access(), person(), NOTES).policies[:2] == ("error", "failed")


def test_case_140_a_missing_attribute_is_refused_before_it_can_break(folder: Folder) -> None:
    folder.write("night.cedar", BREAKS)
    access = folder.access()
    folder.write("night.cedar", BREAKS.replace("now *", "midnight *"))
    folder.clock.advance(5)
    assert not sign_in(access, person(), NOTES).allowed


@pytest.mark.parametrize(
    ("who", "action", "where", "now"),
    [
        (person(), "fly", NOTES, 0),
        (person(), "", NOTES, 0),
        (person(), "sign_in", Resource("planet", "mars"), 0),
        (person(), "sign_in", Resource("user", "mia"), 0),
        (person(), "view_people", NOTES, 0),
        (person(), "administration", Resource("console", "admin"), 0),
        (person(), "sign_in", NOTES, 2**63),
        (Principal("\ud800", frozenset(), frozenset(), False), "sign_in", NOTES, 0),
        (person(groups="\ud800"), "sign_in", NOTES, 0),
        (person(), "sign_in", Resource("application", "\ud800"), 0),
        (person(), "\ud800", NOTES, 0),
    ],
)
def test_case_140_what_the_schema_does_not_know_denies(
    shipped: Access, who: Principal, action: str, where: Resource, now: int
) -> None:
    decision = shipped.decide(who, action, where, replace(ONE_FACTOR, now=now))
    assert not decision.allowed
    assert decision.policies == ("error", "no decision")
    assert decision.requires == frozenset()


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", 'x"] permit', "é", "", "u" * 10_000])
def test_odd_names_are_names(folder: Folder, name: str) -> None:
    folder.write(
        "own.cedar",
        '@id("x") @sentence("No.") forbid (principal in Doorward::Group::"x", action, resource);',
    )
    who = Principal(name, frozenset({name}), frozenset({name}), False)
    assert sign_in(folder.access(), who, Resource("application", name)).allowed


OFFICE = """
@id("office-only") @sentence("Come to the office.")
forbid (principal, action, resource)
unless { context.network.isInRange(ip("192.0.2.0/24")) };
"""
BLOCKED = """
@id("blocked") @sentence("Not from there.")
forbid (principal, action, resource)
when { context.network.isInRange(ip("198.51.100.0/24")) };
"""


@pytest.mark.parametrize("policy", [OFFICE, BLOCKED], ids=["allowed", "blocked"])
@pytest.mark.parametrize(
    "address", ["", "unknown", "192.0.2.7, 10.0.0.1", "192.0.2", "192.0.2.0/24"]
)
def test_case_088_an_address_that_is_none_disables_no_policy(
    folder: Folder, policy: str, address: str
) -> None:
    folder.write("network.cedar", policy)
    decision = sign_in(folder.access(), person(), NOTES, replace(ONE_FACTOR, address=address))
    assert not decision.allowed
    assert decision.policies == ("error", "unknown address")


def test_an_address_that_no_policy_reads_may_be_unknown(shipped: Access) -> None:
    assert sign_in(shipped, person(), NOTES, replace(ONE_FACTOR, address="")).allowed


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("192.0.2.255", True),
        ("::ffff:192.0.2.1", True),
        ("192.0.3.0", False),
        ("::ffff:192.0.3.0", False),
        ("fe80::1%eth0", False),
        ("0.0.0.0", False),
    ],
)
def test_addresses_are_read_in_each_form(folder: Folder, address: str, allowed: bool) -> None:
    folder.write("network.cedar", OFFICE)
    decision = sign_in(folder.access(), person(), NOTES, replace(ONE_FACTOR, address=address))
    assert decision.allowed == allowed
    assert decision.policies == (("everybody-signs-in",) if allowed else ("office-only",))
