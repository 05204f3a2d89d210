"""Data and privacy: everything to take along but secrets, and deletion with second thoughts."""

import json

import pytest

from idp.config import Settings
from idp.domain.audit import By
from idp.domain.errors import NotFound
from idp.domain.roles import LastAdministrator
from idp.domain.services import Services
from tests.abuse_browser.asking import signed_in
from tests.account.console import events, forge, mails, opened, send
from tests.support.browserless import Person
from tests.support.database_dump import of_sqlite
from tests.support.deployment import Deployment
from tests.support.factors import factors
from tests.support.held_clock import HeldClock
from tests.support.refusals import Refused, contents, entries
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN

DATA = "/account/data"
EXPORT = f"{DATA}/download"
DELETE = f"{DATA}/delete"
CANCEL = f"{DELETE}/cancel"
both_databases = pytest.mark.every_database


@both_databases
def test_everything_is_in_the_file_and_no_secret(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    browser = signed_in(deployment)
    tokens = deployment.client("webapp").sign_in(browser, "openid email offline_access")
    browser.get(EXPORT)
    page = browser.get(EXPORT)
    mine = factors(services, clock, ADA.email)
    codes = mine.recovery_codes()
    page = send(browser, page, EXPORT)
    answer = page.response
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-account.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    told = json.loads(answer.text)
    account = services.accounts.get(ADA.email)
    assert told["account"]["sub"] == account.subject
    assert told["account"]["profile"] == dict(account.profile)
    assert told["credentials"]["recovery_codes_left"] == 10
    assert told["credentials"]["password_set_at"] == "2027-01-15T08:00:00+00:00"
    assert [one["client_id"] for one in told["applications"]] == ["webapp"]
    assert len(told["sessions"]) == 1
    assert len(told["devices"]) == 1
    assert {"sign_in", "account.exported"} <= {one["event"] for one in told["activity"]}
    secrets = (ADA.password, *codes, *tokens.values(), *browser.http.cookies.values())
    for secret in secrets:
        assert (
            not isinstance(secret, str)
            or secret in tokens.get("scope", "")
            or (secret not in answer.text)
        ), secret
    assert "$argon2" not in answer.text
    assert GRACE.email not in answer.text
    assert events(services)[-1] == "account.exported"


@both_databases
def test_keys_of_every_kind_are_in_it_without_their_seeds(
    services: Services, clock: HeldClock
) -> None:
    mine = factors(services, clock, ADA.email).with_app().with_passkey()
    by = By(f"account:{mine.account.id}", ORIGIN)
    told = json.dumps(services.own.export.of(mine.account, by))
    assert mine.secret not in told
    credentials = json.loads(told)["credentials"]
    assert [one["name"] for one in credentials["authenticators"]] == ["Authenticator app"]
    assert credentials["passkeys"][0].keys() == {
        "id",
        "name",
        "aaguid",
        "provider",
        "synced",
        "backed_up",
        "created_at",
        "last_used_at",
        "transports",
    }


@both_databases
def test_a_deletion_waits_can_be_cancelled_and_is_done_when_due(
    deployment: Deployment, services: Services, clock: HeldClock, settings: Settings
) -> None:
    browser, page = opened(deployment, DELETE)
    ada = services.accounts.get(ADA.email)
    page = send(browser, page, DELETE, email="somebody@example.test")
    assert page.status == 400
    assert services.accounts.get(ADA.email).deletes_at is None
    page = send(browser, page, DELETE, email=f" {ADA.email.upper()} ")
    assert "will be deleted on 29 January 2027" in page.text
    due = services.accounts.get(ADA.email).deletes_at
    assert due == int(clock()) + settings.deletion_grace
    assert mails(services)[0] == ("deletion_planned", ADA.email)
    clock.advance(3600)
    page = signed_in(deployment).get("/account")
    assert "Cancel deletion" in page.text, "whoever signs in meanwhile is told"
    page = send(browser, browser.get("/account"), CANCEL)
    assert "Your account stays" in page.text
    assert services.accounts.get(ADA.email).deletes_at is None
    assert mails(services)[0] == ("deletion_cancelled", ADA.email)
    clock.advance(settings.deletion_grace)
    assert services.own.deletion.delete_due() == 0
    services.own.deletion.plan(ada, ADA.email, By(f"account:{ada.id}", ORIGIN))
    clock.advance(settings.deletion_grace - 1)
    assert services.housekeeping.run_once()
    assert services.accounts.get(ADA.email)
    clock.advance(1)
    assert services.housekeeping.run_once()
    with pytest.raises(NotFound):
        services.accounts.get(ADA.email)
    told = [one for one in entries(services.store) if one["account_id"] == ada.id]
    assert [one["event"] for one in told if one["event"].startswith("account.")] == [
        "account.added",
        "account.deletion_planned",
        "account.deletion_cancelled",
        "account.deletion_planned",
        "account.deleted",
    ]
    assert services.accounts.get(GRACE.email)


@both_databases
def test_a_deleted_account_is_gone_with_all_that_was_its_own(
    deployment: Deployment, services: Services, clock: HeldClock, settings: Settings
) -> None:
    """SECURITY case 116, for a deletion."""
    browser = signed_in(deployment)
    webapp = deployment.client("webapp")
    held = webapp.sign_in(browser, "openid offline_access")
    factors(services, clock, ADA.email).with_passkey().recovery_codes()
    ada = services.accounts.get(ADA.email)
    services.own.deletion.plan(ada, ADA.email, By(f"account:{ada.id}", ORIGIN))
    clock.advance(settings.deletion_grace)
    services.own.deletion.delete_due()
    assert browser.get("/").title.startswith("Welcome")
    assert webapp.refresh(held["refresh_token"]).json()["error"] == "invalid_grant"
    assert not webapp.active(held["access_token"])
    assert services.requirements.standing(ada.id).credentials == frozenset()
    assert services.sessions.of(ada.id) == []
    again = services.accounts.add(ADA.email, "New", origin=ORIGIN, actor=OPERATOR)
    assert again.subject != ada.subject


def test_asked_for_twice_it_stays_as_planned(services: Services, clock: HeldClock) -> None:
    ada = services.accounts.get(ADA.email)
    by = By(f"account:{ada.id}", ORIGIN)
    first = services.own.deletion.plan(ada, ADA.email, by)
    clock.advance(3600)
    assert services.own.deletion.plan(ada, ADA.email, by) == first
    services.own.deletion.cancel(ada, by)
    services.own.deletion.cancel(ada, by)
    assert [kind for kind, _ in mails(services)] == ["deletion_cancelled", "deletion_planned"]


@both_databases
def test_the_last_administrator_stays(
    services: Services, clock: HeldClock, settings: Settings, refused: Refused
) -> None:
    services.memberships.grant(ADA.email, roles=["administrator"], origin=ORIGIN, actor=OPERATOR)
    ada = services.accounts.get(ADA.email)
    by = By(f"account:{ada.id}", ORIGIN)
    with refused("account.deletion_planned"), pytest.raises(LastAdministrator):
        services.own.deletion.plan(ada, ADA.email, by)
    services.memberships.grant(GRACE.email, roles=["administrator"], origin=ORIGIN, actor=OPERATOR)
    services.own.deletion.plan(ada, ADA.email, by)
    services.accounts.disable(GRACE.email, ORIGIN, OPERATOR)
    clock.advance(settings.deletion_grace)
    assert services.own.deletion.delete_due() == 0, "planned while there was another one"
    assert services.accounts.get(ADA.email)


def test_an_administrator_deletes_nothing_without_a_second_factor(
    deployment: Deployment, services: Services
) -> None:
    """Who becomes privileged needs a second factor for it from then on."""
    browser, page = opened(deployment, DELETE)
    services.memberships.grant(ADA.email, roles=["administrator"], origin=ORIGIN, actor=OPERATOR)
    before = contents(services.store)["accounts"]
    page = send(browser, page, DELETE, email=ADA.email)
    assert "/interaction/" in page.url, "a second factor is needed from now on"
    assert contents(services.store)["accounts"] == before


def test_who_cancels_nothing_changes_nothing(deployment: Deployment, services: Services) -> None:
    browser, page = opened(deployment, DATA)
    before = contents(services.store)
    assert forge(browser, page, CANCEL).status == 200
    assert contents(services.store) == before


@pytest.mark.only_on("sqlite")
def test_nothing_of_a_deleted_person_is_left_but_the_log(
    services: Services, clock: HeldClock, settings: Settings
) -> None:
    email = "short-lived@example.test"
    person = Person(email, "four score and seven relays ago", "Short Lived")
    services.accounts.add(email, person.name, person.password, origin=ORIGIN, actor=OPERATOR)
    account = services.accounts.get(email)
    services.own.deletion.plan(account, email, By(f"account:{account.id}", ORIGIN))
    clock.advance(settings.deletion_grace)
    services.own.deletion.delete_due()
    dump = of_sqlite(settings.database_file)
    for value in (email, person.name, account.subject):
        assert value not in dump, value
    assert account.id in dump
