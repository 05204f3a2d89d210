"""The shipped policies, rule by rule."""

from dataclasses import replace

import pytest

from idp.domain.access import PRIVILEGED_ROLES, Access, Circumstances, Principal, Resource
from tests.access.asking import (
    ACCOUNT,
    ADMIN,
    NOTES,
    ONE_FACTOR,
    PASSKEY,
    TWO_FACTORS,
    person,
    sign_in,
)

PLAIN = person()
ENROLLED = person(second_factor=True)
TRUSTED = replace(ONE_FACTOR, trusted_device=True)
NOTHING = replace(ONE_FACTOR, assurance=0)

SIGNS_IN = "everybody-signs-in"
OWN_CONSOLE = "everybody-has-an-account-console"
ENROLLED_FACTOR = "enrolled-second-factor-is-used"
PRIVILEGED = "privileged-two-factor"
TWO = "credentials-two-factor"
FRESH = "credentials-fresh"
NO_FACTOR = "nothing-without-a-first-factor"


def aged(how: Circumstances, seconds: int) -> Circumstances:
    return replace(how, age=seconds)


# Who, what, where, how; the ids that decide; what a denial requires, None when it is allowed.
RULES = [
    (PLAIN, "sign_in", NOTES, ONE_FACTOR, SIGNS_IN, None),
    (PLAIN, "sign_in", ACCOUNT, ONE_FACTOR, SIGNS_IN, None),
    (PLAIN, "sign_in", NOTES, aged(ONE_FACTOR, 10**9), SIGNS_IN, None),
    (PLAIN, "sign_in", NOTES, NOTHING, NO_FACTOR, ""),
    (PLAIN, "enrol_credentials", ACCOUNT, NOTHING, NO_FACTOR, ""),
    (person(groups="staff"), "sign_in", NOTES, ONE_FACTOR, SIGNS_IN, None),
    (person("librarian"), "sign_in", NOTES, ONE_FACTOR, SIGNS_IN, None),
    # A second factor that is enrolled is asked for, except on a trusted device.
    (ENROLLED, "sign_in", NOTES, ONE_FACTOR, ENROLLED_FACTOR, "two-factor"),
    (ENROLLED, "sign_in", ACCOUNT, ONE_FACTOR, ENROLLED_FACTOR, "two-factor"),
    (ENROLLED, "sign_in", NOTES, TRUSTED, SIGNS_IN, None),
    (ENROLLED, "sign_in", NOTES, TWO_FACTORS, SIGNS_IN, None),
    (ENROLLED, "sign_in", NOTES, PASSKEY, SIGNS_IN, None),
    (ENROLLED, "use_account", ACCOUNT, TRUSTED, OWN_CONSOLE, None),
    # A session of before goes on in the console: else whoever just added one was asked for it.
    (ENROLLED, "use_account", ACCOUNT, ONE_FACTOR, OWN_CONSOLE, None),
    # Sensitive changes need a sign-in of the last ten minutes.
    (PLAIN, "use_account", ACCOUNT, aged(ONE_FACTOR, 601), OWN_CONSOLE, None),
    (PLAIN, "change_credentials", ACCOUNT, aged(ONE_FACTOR, 600), OWN_CONSOLE, None),
    (PLAIN, "change_credentials", ACCOUNT, aged(ONE_FACTOR, 601), FRESH, "fresh"),
    (PLAIN, "change_credentials", ACCOUNT, aged(PASSKEY, 601), FRESH, "fresh"),
    (PLAIN, "change_credentials", ACCOUNT, aged(ONE_FACTOR, -10), OWN_CONSOLE, None),
    (PLAIN, "change_credentials", ACCOUNT, aged(ONE_FACTOR, -11), FRESH, "fresh"),
    (PLAIN, "enrol_credentials", ACCOUNT, aged(ONE_FACTOR, 600), OWN_CONSOLE, None),
    (PLAIN, "enrol_credentials", ACCOUNT, aged(ONE_FACTOR, 601), FRESH, "fresh"),
    # … and the second factor, where there is one, whatever the device.
    (ENROLLED, "change_credentials", ACCOUNT, TWO_FACTORS, OWN_CONSOLE, None),
    (ENROLLED, "change_credentials", ACCOUNT, PASSKEY, OWN_CONSOLE, None),
    (ENROLLED, "change_credentials", ACCOUNT, ONE_FACTOR, TWO, "two-factor"),
    (ENROLLED, "change_credentials", ACCOUNT, TRUSTED, TWO, "two-factor"),
    (ENROLLED, "change_credentials", ACCOUNT, aged(TRUSTED, 601), f"{TWO} {FRESH}", "both"),
    (ENROLLED, "enrol_credentials", ACCOUNT, TRUSTED, TWO, "two-factor"),
    (ENROLLED, "enrol_credentials", ACCOUNT, TWO_FACTORS, OWN_CONSOLE, None),
]
for role in PRIVILEGED_ROLES:
    bare, full = person(role), person(role, "librarian", groups="staff", second_factor=True)
    RULES += [
        # Privileged roles need two factors for everything, on every device …
        (bare, "sign_in", NOTES, ONE_FACTOR, PRIVILEGED, "two-factor"),
        (bare, "sign_in", ADMIN, TRUSTED, PRIVILEGED, "two-factor"),
        (bare, "use_account", ACCOUNT, ONE_FACTOR, PRIVILEGED, "two-factor"),
        (bare, "change_credentials", ACCOUNT, ONE_FACTOR, PRIVILEGED, "two-factor"),
        (bare, "view_people", ADMIN, ONE_FACTOR, PRIVILEGED, "two-factor"),
        (bare, "sign_in", ADMIN, TWO_FACTORS, SIGNS_IN, None),
        (full, "sign_in", NOTES, TRUSTED, PRIVILEGED, "two-factor"),
        (full, "sign_in", NOTES, ONE_FACTOR, f"{ENROLLED_FACTOR} {PRIVILEGED}", "two-factor"),
        (full, "sign_in", NOTES, PASSKEY, SIGNS_IN, None),
        (full, "use_account", ACCOUNT, TRUSTED, PRIVILEGED, "two-factor"),
        # … but to enrol the one that is missing.
        (bare, "enrol_credentials", ACCOUNT, ONE_FACTOR, OWN_CONSOLE, None),
        (bare, "enrol_credentials", ACCOUNT, aged(ONE_FACTOR, 601), FRESH, "fresh"),
        (full, "enrol_credentials", ACCOUNT, ONE_FACTOR, TWO, "two-factor"),
    ]


@pytest.mark.parametrize(("who", "action", "where", "how", "ids", "requires"), RULES)
def test_a_rule(
    shipped: Access,
    who: Principal,
    action: str,
    where: Resource,
    how: Circumstances,
    ids: str,
    requires: str | None,
) -> None:
    decision = shipped.decide(who, action, where, how)
    wanted = {"both": "two-factor fresh", None: ""}.get(requires, requires or "")
    assert decision.allowed == (requires is None)
    assert decision.policies == tuple(ids.split())
    assert decision.requires == frozenset(wanted.split())
    assert decision.sentence


PERMISSIONS = {
    "view_people": "administrator operator auditor",
    "change_people": "administrator",
    "end_sessions": "administrator",
    "invite_people": "administrator",
    "view_clients": "administrator operator auditor",
    "change_clients": "administrator operator",
    "view_keys": "administrator operator auditor",
    "rotate_keys": "administrator operator",
    "view_audit": "administrator auditor",
    "view_configuration": "administrator operator auditor",
    "send_test_mail": "administrator operator",
}


@pytest.mark.parametrize("action", PERMISSIONS)
@pytest.mark.parametrize("role", [*PRIVILEGED_ROLES, "librarian", ""])
def test_a_permission_is_for_its_roles_alone(shipped: Access, role: str, action: str) -> None:
    who = person(*role.split(), groups="administrator", second_factor=True)
    decision = shipped.decide(who, action, ADMIN, PASSKEY)
    assert decision.allowed == (role in PERMISSIONS[action].split())
    if not decision.allowed:
        assert (decision.policies, decision.requires) == ((), frozenset())
        assert decision.sentence == "You may not do this."


@pytest.mark.parametrize("action", ["use_account", "change_credentials", "enrol_credentials"])
def test_an_action_on_the_account_is_for_its_console_alone(shipped: Access, action: str) -> None:
    who = person("administrator", second_factor=True)
    assert shipped.decide(who, action, ACCOUNT, PASSKEY).allowed
    assert not shipped.decide(who, action, ADMIN, PASSKEY).allowed


def test_a_permission_is_for_the_admin_console_alone(shipped: Access) -> None:
    who = person("administrator", second_factor=True)
    assert not shipped.decide(who, "view_people", ACCOUNT, PASSKEY).allowed


def test_a_group_or_an_account_called_like_a_role_is_none(shipped: Access) -> None:
    who = Principal("administrator", frozenset(), frozenset({"administrator", "privileged"}), False)
    assert sign_in(shipped, who, NOTES).allowed
    assert not shipped.decide(who, "view_people", ADMIN, PASSKEY).allowed


def test_two_roles_may_do_what_either_may(shipped: Access) -> None:
    both = shipped.decide(person("operator", "auditor"), "view_keys", ADMIN, PASSKEY)
    assert both.policies == ("operator-runs-the-server", "auditor-looks-on")
    assert shipped.decide(person("operator", "auditor"), "view_audit", ADMIN, PASSKEY).allowed
    assert not shipped.decide(person("operator", "auditor"), "end_sessions", ADMIN, PASSKEY).allowed


def test_each_thing_that_is_missing_is_told_once(shipped: Access) -> None:
    how = replace(ONE_FACTOR, age=601)
    who = person("operator", second_factor=True)
    decision = shipped.decide(who, "change_credentials", ACCOUNT, how)
    assert decision.policies == (PRIVILEGED, TWO, FRESH)
    assert decision.sentence == (
        "Your role needs a sign-in with two factors or a passkey. "
        "It’s been a while since you signed in. Confirm it’s you."
    )
