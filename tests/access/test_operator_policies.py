"""An operator's own policies: per client, role, group, network and action."""

import re
from dataclasses import replace

import pytest

from idp.domain.access import Circumstances, Decision, Principal, Resource
from tests.access.asking import ACCOUNT, ADMIN, NOTES, ONE_FACTOR, PASSKEY, TWO_FACTORS, Folder
from tests.access.asking import person as p
from tests.support.checkout import ROOT

PER_CLIENT = """
@id("payroll-needs-a-passkey") @sentence("Payroll needs a passkey.")
@requires("phishing-resistant")
forbid (
  principal,
  action == Doorward::Action::"sign_in",
  resource == Doorward::Application::"payroll"
) unless { context.phishing_resistant };
"""
PER_ROLE = """
@id("librarians-use-two-factors") @sentence("Librarians use a second factor.")
@requires("two-factor")
forbid (principal in Doorward::Role::"librarian", action, resource)
when { context.assurance < 2 };
"""
PER_GROUP = """
@id("contractors-stay-out") @sentence("Contractors use our own applications only.")
forbid (
  principal in Doorward::Group::"contractors",
  action == Doorward::Action::"sign_in",
  resource is Doorward::Application
) unless { resource.first_party };
"""
PER_NETWORK = """
@id("console-from-the-office") @sentence("The admin console is open in the office only.")
forbid (principal, action in Doorward::Action::"administration", resource)
unless { context.network.isInRange(ip("10.0.0.0/8")) || context.network.isInRange(ip("fd00::/8")) };
"""
PER_ACTION = """
@id("fresh-keys") @sentence("Confirm it’s you before keys are rotated.") @requires("fresh")
forbid (principal, action == Doorward::Action::"rotate_keys", resource)
when { context.age > 60 };
"""
A_PERMIT = """
@id("help-desk-looks") @sentence("The help desk may look people up.")
permit (
  principal in Doorward::Group::"help-desk",
  action == Doorward::Action::"view_people",
  resource == Doorward::Console::"admin"
);
"""
PAYROLL = Resource("application", "payroll")
OURS = Resource("application", "intranet", first_party=True)
OFFICE = replace(PASSKEY, address="10.1.2.3")
IPV6_OFFICE = replace(PASSKEY, address="fd00::7")


@pytest.mark.parametrize(
    ("policy", "who", "action", "where", "how", "requires"),
    [
        (PER_CLIENT, p(), "sign_in", PAYROLL, TWO_FACTORS, "phishing-resistant"),
        (PER_CLIENT, p(), "sign_in", PAYROLL, PASSKEY, None),
        (PER_CLIENT, p(), "sign_in", NOTES, ONE_FACTOR, None),
        (PER_CLIENT, p(), "sign_in", Resource("console", "payroll"), ONE_FACTOR, None),
        (PER_ROLE, p("librarian"), "sign_in", NOTES, ONE_FACTOR, "two-factor"),
        (PER_ROLE, p("librarian"), "use_account", ACCOUNT, ONE_FACTOR, "two-factor"),
        (PER_ROLE, p("librarian"), "sign_in", NOTES, TWO_FACTORS, None),
        (PER_ROLE, p(groups="librarian"), "sign_in", NOTES, ONE_FACTOR, None),
        (PER_GROUP, p(groups="staff contractors"), "sign_in", NOTES, PASSKEY, ""),
        (PER_GROUP, p(groups="contractors"), "sign_in", OURS, ONE_FACTOR, None),
        (PER_GROUP, p(groups="contractors"), "sign_in", ACCOUNT, ONE_FACTOR, None),
        (PER_GROUP, p(groups="staff"), "sign_in", NOTES, ONE_FACTOR, None),
        (PER_NETWORK, p("administrator"), "view_people", ADMIN, PASSKEY, ""),
        (PER_NETWORK, p("administrator"), "view_people", ADMIN, OFFICE, None),
        (PER_NETWORK, p("administrator"), "view_people", ADMIN, IPV6_OFFICE, None),
        (PER_NETWORK, p("administrator"), "sign_in", NOTES, PASSKEY, None),
        (PER_ACTION, p("operator"), "rotate_keys", ADMIN, replace(PASSKEY, age=61), "fresh"),
        (PER_ACTION, p("operator"), "rotate_keys", ADMIN, replace(PASSKEY, age=60), None),
        (PER_ACTION, p("operator"), "view_keys", ADMIN, replace(PASSKEY, age=61), None),
        (A_PERMIT, p(groups="help-desk"), "view_people", ADMIN, ONE_FACTOR, None),
        (A_PERMIT, p(groups="help-desk"), "change_people", ADMIN, ONE_FACTOR, ""),
    ],
)
def test_a_policy_of_the_operator(
    folder: Folder,
    policy: str,
    who: Principal,
    action: str,
    where: Resource,
    how: Circumstances,
    requires: str | None,
) -> None:
    folder.write("own.cedar", policy)
    decision = folder.access().decide(who, action, where, how)
    assert decision.allowed == (requires is None)
    assert decision.requires == frozenset((requires or "").split())


def payroll(folder: Folder, who: Principal) -> Decision:
    return folder.access().decide(who, "sign_in", PAYROLL, ONE_FACTOR)


def test_everything_that_would_lift_it_is_told(folder: Folder) -> None:
    folder.write("own.cedar", PER_CLIENT + PER_ROLE)
    decision = payroll(folder, p("librarian"))
    assert decision.policies == ("payroll-needs-a-passkey", "librarians-use-two-factors")
    assert decision.requires == {"phishing-resistant", "two-factor"}
    assert decision.sentence == "Payroll needs a passkey. Librarians use a second factor."


def test_a_plain_no_is_not_lifted_by_a_stronger_sign_in(folder: Folder) -> None:
    folder.write("own.cedar", PER_CLIENT + PER_GROUP)
    decision = payroll(folder, p(groups="contractors"))
    assert decision.policies == ("payroll-needs-a-passkey", "contractors-stay-out")
    assert decision.requires == frozenset()
    assert decision.sentence == "Contractors use our own applications only."


def test_a_permit_of_the_operator_lifts_no_shipped_forbid(folder: Folder) -> None:
    folder.write("own.cedar", '@id("all") @sentence("Yes.") permit (principal, action, resource);')
    decision = folder.access().decide(p("operator"), "change_people", ADMIN, ONE_FACTOR)
    assert decision.policies == ("privileged-two-factor",)


def test_roles_and_groups_count_from_the_next_question(folder: Folder) -> None:
    folder.write("own.cedar", PER_GROUP)
    access = folder.access()
    for groups, allowed in (("", True), ("contractors", False), ("", True)):
        decision = access.decide(p(groups=groups), "sign_in", NOTES, ONE_FACTOR)
        assert decision.allowed == allowed


def test_the_guides_policies_do_what_it_says(folder: Folder) -> None:
    guide = (ROOT / "docs/how-to/sign-in-policies.md").read_text("utf-8")
    blocks = re.findall(r"```cedar\n(.*?)```", guide, re.DOTALL)
    assert len(blocks) == 2
    folder.write("guide.cedar", "".join(blocks))
    access = folder.access()
    outside = replace(TWO_FACTORS, address="198.51.100.1")
    contractor = p(groups="contractors")
    asked = [
        (p(), PAYROLL, outside, {"phishing-resistant"}),
        (p(), PAYROLL, ONE_FACTOR, None),
        (p(), PAYROLL, replace(PASSKEY, address="198.51.100.1"), None),
        (contractor, NOTES, PASSKEY, set()),
        (contractor, OURS, ONE_FACTOR, {"two-factor"}),
        (contractor, OURS, TWO_FACTORS, None),
    ]
    for who, where, how, requires in asked:
        decision = access.decide(who, "sign_in", where, how)
        assert decision.allowed == (requires is None)
        assert decision.requires == (requires or set())
