"""Invitations: one mail, one account; nobody gives away more than they may."""

import json
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from click.testing import CliRunner

from idp.cli.main import main
from idp.domain.accounts import Account
from idp.domain.assignments import Wanted
from idp.domain.audit import By
from idp.domain.errors import AlreadyExists, DomainError, Invalid
from idp.domain.invitations import MayNotInvite
from idp.domain.services import Services
from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.refusals import Refused, contents, entries
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN

pytestmark = pytest.mark.settings(sign_up="invitation", development=True)
EMAIL = "new@example.test"
PASSWORD = "four quite unrelated words"
BY = By(OPERATOR, ORIGIN)
WEEK = 7 * 86400
TRIES = 8
Invite = Callable[..., str]


@pytest.fixture
def invite(services: Services) -> Invite:
    """Invites somebody and returns the link's token."""

    def deed(email: str = EMAIL, *, by: By = BY, **given: Any) -> str:
        link = services.invitations.invite(email, by=by, **given)
        start = f"{services.settings.issuer}/invitation/"
        assert link.startswith(start)
        return link.removeprefix(start)

    return deed


def accept(services: Services, token: str, name: str = "New", password: str = PASSWORD) -> Account:
    return services.invitations.accept(token, name, password, ORIGIN)


def dead(services: Services, token: str, refused: Refused) -> None:
    """Check that a link does nothing, and says so."""
    with refused("invitation.accepted", times=1), pytest.raises(DomainError):
        accept(services, token)
    assert services.invitations.look(token) is None


def acting(services: Services, email: str, **held: Iterable[str]) -> By:
    """Return a person as the one who invites, with those roles and groups."""
    account = services.accounts.get(email)
    if held:
        account = services.memberships.grant(email, origin=ORIGIN, actor=OPERATOR, **held)
    return By(f"account:{account.id}", ORIGIN)


@pytest.mark.every_database
def test_the_link_makes_one_account_with_all_that_was_given(
    services: Services, invite: Invite
) -> None:
    token = invite(name="Nora", roles=["auditor"], groups=["staff"])
    invited = services.invitations.look(token)
    assert invited
    assert (invited.email, invited.name) == (EMAIL, "Nora")
    made = accept(services, token, "Nora New")
    assert (made.email, made.email_verified, made.name) == (EMAIL, True, "Nora New")
    assert made.roles == {"auditor"}
    assert made.groups == {"staff"}
    told = {entry["event"]: entry for entry in entries(services.store)}
    sent, accepted = told["invitation.sent"], told["invitation.accepted"]
    assert (sent["actor"], sent["outcome"]) == (OPERATOR, "done")
    assert (accepted["actor"], accepted["account_id"]) == (f"account:{made.id}", made.id)
    assert accepted["detail"] == {"invitation": sent["detail"]["invitation"], "by": OPERATOR}
    assert told["account.added"]["account_id"] == made.id


def test_the_mail_has_the_link_and_who_sends_it(services: Services, invite: Invite) -> None:
    token = invite(by=acting(services, ADA.email, roles=["administrator"]))
    (mail,) = services.outbox.latest(10)
    assert (mail.kind, mail.to) == ("invitation", EMAIL)
    link = f"{services.settings.issuer}/invitation/{token}"
    assert mail.values == {"link": link, "days": 7, "inviter": ADA.name}


@pytest.mark.settings(sign_up="invitation")
def test_without_mail_the_link_is_there_still(services: Services, invite: Invite) -> None:
    token = invite()
    assert services.outbox.latest(10) == []
    assert accept(services, token).email == EMAIL


def test_a_link_works_once(services: Services, invite: Invite, refused: Refused) -> None:
    token = invite()
    accept(services, token)
    dead(services, token, refused)


@pytest.mark.every_database
def test_many_at_once_make_one_account(services: Services, invite: Invite) -> None:
    token, start = invite(), threading.Barrier(TRIES, timeout=30)

    def one(number: int) -> bool:
        start.wait()
        try:
            accept(services, token, f"Number {number}")
        except DomainError:
            return False
        return True

    with ThreadPoolExecutor(TRIES) as pool:
        assert sum(pool.map(one, range(TRIES))) == 1


def test_a_link_ends_after_a_week(
    services: Services, invite: Invite, clock: HeldClock, refused: Refused
) -> None:
    token = invite()
    clock.advance(WEEK - 1)
    assert services.invitations.look(token)
    clock.advance(1)
    dead(services, token, refused)


def test_a_newer_one_takes_its_place_however_the_address_is_spelt(
    services: Services, invite: Invite, refused: Refused
) -> None:
    older = invite()
    other = invite("somebody.else@example.test")
    newer = invite(f" {EMAIL.upper()} ")
    dead(services, older, refused)
    assert services.invitations.look(other)
    assert accept(services, newer).email == EMAIL.upper()


def test_what_is_wrong_leaves_the_link_as_it_was(services: Services, invite: Invite) -> None:
    token = invite()
    before = contents(services.store)
    with pytest.raises(Invalid) as short:
        accept(services, token, password="short")
    assert short.value.field == "password"
    with pytest.raises(Invalid) as odd:
        accept(services, token, name="\a")
    assert odd.value.field == "name"
    assert contents(services.store) == before
    assert accept(services, token)


def test_who_has_an_account_is_not_invited_and_an_account_made_meanwhile_stays(
    services: Services, invite: Invite
) -> None:
    with pytest.raises(AlreadyExists):
        invite(ADA.email.upper())
    token = invite(roles=["auditor"])
    made = services.accounts.add(EMAIL, origin=ORIGIN, actor=OPERATOR)
    with pytest.raises(AlreadyExists):
        accept(services, token)
    assert services.accounts.get(EMAIL) == made


@pytest.mark.settings(sign_up="closed")
def test_nobody_is_invited_to_a_closed_server(services: Services, refused: Refused) -> None:
    assert not services.invitations.possible
    with refused("invitation.sent", times=1), pytest.raises(MayNotInvite):
        services.invitations.invite(EMAIL, by=BY)


@pytest.mark.parametrize(
    ("held", "given"),
    [
        ({}, {"roles": ["editor"]}),
        ({}, {"groups": ["staff"]}),
        ({"roles": ["editor"]}, {"roles": ["editor", "publisher"]}),
        ({"roles": ["operator"]}, {"roles": ["administrator"]}),
        ({"roles": ["operator"]}, {"roles": ["operator"]}),
        ({"roles": ["auditor", "editor"]}, {"roles": ["auditor"]}),
        ({"groups": ["staff"]}, {"groups": ["board", "staff"]}),
    ],
)
def test_case_138_nobody_gives_more_than_they_may(
    services: Services, invite: Invite, refused: Refused, held: Any, given: Any
) -> None:
    by = acting(services, GRACE.email, **held)
    with refused("invitation.sent", times=1) as told, pytest.raises(MayNotInvite):
        invite(by=by, **given)
    assert told[0]["actor"] == by.actor
    assert {name: value.split() for name, value in told[0]["detail"].items() if value} == given


def test_what_was_put_into_ones_hands_may_be_given_and_an_administrator_gives_anything(
    services: Services, invite: Invite
) -> None:
    by = acting(services, GRACE.email, roles=["editor"], groups=["staff"])
    with pytest.raises(MayNotInvite):
        invite(by=by, roles=["editor"], groups=["staff"])
    lead = Wanted("lead", grantable=("editor",))
    services.roles.add("lead", "", By(OPERATOR, ORIGIN))
    services.assignments.give("account", GRACE.email, lead, By(OPERATOR, ORIGIN))
    made = accept(services, invite(by=by, roles=["editor"], groups=["staff"]))
    assert made.roles == {"editor"}
    assert made.groups == {"staff"}
    by = acting(services, ADA.email, roles=["administrator"])
    made = accept(services, invite("second@example.test", by=by, roles=["administrator"]))
    assert made.roles == {"administrator"}


def test_case_138_an_invitation_ends_with_the_power_of_its_sender(
    services: Services, invite: Invite, refused: Refused
) -> None:
    acting(services, GRACE.email, roles=["administrator"])
    by = acting(services, ADA.email, roles=["administrator"])
    tokens = [invite(f"{n}@example.test", by=by, roles=["administrator"]) for n in range(2)]
    services.memberships.revoke(ADA.email, roles=["administrator"], origin=ORIGIN, actor=OPERATOR)
    dead(services, tokens[0], refused)
    acting(services, ADA.email, roles=["administrator"])
    assert services.invitations.look(tokens[0])
    services.accounts.disable(ADA.email, ORIGIN, OPERATOR)
    dead(services, tokens[1], refused)


def opened(browser: Browserless, token: str) -> Page:
    return browser.get(f"/invitation/{token}")


def filled(browser: Browserless, page: Page, password: str = PASSWORD) -> Page:
    page.form.fill("name", "Nora New")
    page.form.fill("new-password", password)
    return browser.submit(page)


def test_the_page_makes_the_account_and_leads_to_the_sign_in(
    deployment: Deployment, services: Services, invite: Invite
) -> None:
    browser, token = deployment.browserless(None), invite()
    page = opened(browser, token)
    assert page.title.startswith("Create your account")
    assert EMAIL in page.text
    page = filled(browser, page, "short")
    assert page.status == 400
    assert "Use at least 15 characters." in page.text
    page = filled(browser, page)
    assert "Your account is ready." in page.text
    assert page.form.editable("username")
    assert page.form.named("identifier").value == EMAIL
    page = browser.submit(page)
    page.form.fill("current-password", PASSWORD)
    assert "Nora New" in browser.submit(page).text
    assert services.accounts.get(EMAIL).email_verified


def test_case_093_looking_uses_nothing_up(
    deployment: Deployment, services: Services, invite: Invite
) -> None:
    browser, token = deployment.browserless(None), invite()
    opened(browser, token)
    before = contents(services.store)
    for method in ("HEAD", "GET"):
        answer = browser.http.request(method, f"{services.settings.issuer}/invitation/{token}")
        assert answer.status_code == 200
    assert contents(services.store) == before
    assert services.invitations.look(token)


def test_a_second_click_is_no_guess_and_a_dead_link_says_so(
    deployment: Deployment, invite: Invite, clock: HeldClock, refused: Refused
) -> None:
    browser, token = deployment.browserless(None), invite()
    page = opened(browser, token)
    filled(browser, page)
    assert filled(browser, page).title.startswith("Sign in")
    clock.advance(61)
    for link in (token, "x" * 43):
        with refused("invitation.accepted", times=1):
            gone = opened(browser, link)
        assert gone.status == 404
        assert "This invitation does not work any more" in gone.text


def test_an_account_made_meanwhile_is_told_to_whoever_reads_its_mail(
    deployment: Deployment, services: Services, invite: Invite
) -> None:
    browser, token = deployment.browserless(None), invite()
    page = opened(browser, token)
    services.accounts.add(EMAIL, origin=ORIGIN, actor=OPERATOR)
    page = filled(browser, page)
    assert page.status == 409
    assert "You have an account already" in page.text


def test_guessing_is_counted(deployment: Deployment, services: Services) -> None:
    browser = deployment.browserless(None)
    limit = services.settings.network_limit
    answers = [opened(browser, "x" * 43).status for _ in range(limit + 1)]
    assert answers == [404] * limit + [429]


def test_the_command_prints_the_link(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idp.cli.users.services", lambda: services)
    words = ["users", "invite", EMAIL, "--name", "Nora", "--role", "auditor", "--group", "staff"]
    ran = CliRunner().invoke(main, [*words, "--json"])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.output)
    assert (told["email"], told["expires_in"], told["mailed"]) == (EMAIL, WEEK, True)
    made = accept(services, told["link"].rpartition("/")[2])
    assert made.roles == {"auditor"}
    assert made.groups == {"staff"}
