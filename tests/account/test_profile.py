"""Personal info, and the address: field by field, and proven first."""

import pytest

from idp.domain.addresses import LIFETIME, TRIES
from idp.domain.audit import By
from idp.domain.errors import Invalid, Throttled
from idp.domain.profiles import ADDRESS_FIELDS, FIELDS
from idp.domain.services import Services
from idp.domain.throttling import MAILS
from tests.account.console import MAIL, coming, events, forge, mails, opened, send
from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.refusals import Refused, contents
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN

PROFILE = "/account/profile"
EMAIL = "/account/email"
NEW = "countess@example.test"
by_mail = pytest.mark.settings(smtp_url=MAIL)


@pytest.mark.every_database
def test_what_is_typed_is_kept_and_the_rest_stays(
    deployment: Deployment, services: Services
) -> None:
    before = services.accounts.get(ADA.email)
    browser, page = opened(deployment, PROFILE)
    page = send(browser, page, PROFILE, nickname="  The  Countess ", region="England", gender="")
    assert "Your changes were saved" in page.text
    after = services.accounts.get(ADA.email)
    assert after.profile["nickname"] == "The Countess"
    assert after.profile["address"] == {**before.profile["address"], "region": "England"}
    kept = before.profile.keys() - {"address"}
    assert {name: after.profile[name] for name in kept} == {
        name: before.profile[name] for name in kept
    }
    assert events(services)[-1] == "account.changed"


def test_an_empty_field_is_taken_out_and_a_new_number_is_not_proven(
    deployment: Deployment, services: Services
) -> None:
    assert services.accounts.get(ADA.email).profile["phone_number_verified"]
    browser, page = opened(deployment, PROFILE)
    parts = dict.fromkeys(ADDRESS_FIELDS, "")
    send(browser, page, PROFILE, birthdate="", phone_number="+44 20 7946 0001", **parts)
    profile = services.accounts.get(ADA.email).profile
    assert "birthdate" not in profile
    assert "address" not in profile
    assert "phone_number_verified" not in profile


@pytest.mark.parametrize(
    ("field", "unfit"),
    [
        ("birthdate", "1815-13-10"),
        ("birthdate", "10.12.1815"),
        ("website", "javascript:alert(1)"),
        ("website", "https://"),
        ("zoneinfo", "Europe/Atlantis"),
        ("locale", "English please"),
        ("phone_number", "call me"),
        ("name", "x" * 201),
        ("nickname", "a\u202eb"),
    ],
)
def test_what_is_unfit_is_said_at_its_field_and_nothing_is_kept(
    field: str, unfit: str, deployment: Deployment, services: Services
) -> None:
    browser, page = opened(deployment, PROFILE)
    before = contents(services.store)["accounts"]
    page = send(browser, page, PROFILE, **{"given_name": "Augusta", field: unfit})
    assert page.status == 400
    assert "aria-invalid" in page.response.text or field == "zoneinfo"
    assert f'id="{field}-error"' in page.response.text
    assert contents(services.store)["accounts"] == before


@pytest.mark.parametrize("fit", ["1815-12-10", "1815", "0000-02-29", ""])
def test_birthdays_may_leave_out_a_part(fit: str, services: Services) -> None:
    ada = services.accounts.get(ADA.email)
    services.own.profiles.change(ada, {"birthdate": fit}, By(f"account:{ada.id}", ORIGIN))
    assert services.accounts.get(ADA.email).profile.get("birthdate", "") == fit


FORGED = {
    "email": "root@example.test",
    "email_verified": "true",
    "roles": "administrator",
    "groups": "staff",
    "sub": "somebody-else",
    "subject": "somebody-else",
    "id": "x",
    "disabled_at": "0",
    "deletes_at": "1",
    "phone_number_verified": "true",
    "address": "{}",
    "profile": "{}",
    "picture": "https://evil.example/p.png",
}


@pytest.mark.every_database
def test_case_137_nobody_sets_what_is_not_a_field(
    deployment: Deployment, services: Services
) -> None:
    browser, page = opened(deployment, PROFILE)
    before = services.accounts.get(ADA.email)
    page = forge(browser, page, PROFILE, {**FORGED, "nickname": "Countess"})
    assert page.status == 200
    after = services.accounts.get(ADA.email)
    assert after.profile == {**before.profile, "nickname": "Countess"}
    for name in ("id", "subject", "email", "email_verified", "roles", "groups", "deletes_at"):
        assert getattr(after, name) == getattr(before, name), name
    assert not FORGED.keys() & {*FIELDS, *ADDRESS_FIELDS}


def test_case_137_nor_past_the_page(services: Services) -> None:
    before = services.accounts.get(ADA.email)
    by = By(f"account:{before.id}", ORIGIN)
    assert services.own.profiles.change(before, FORGED, by) == ()
    assert services.accounts.get(ADA.email) == before


def test_case_137_nor_with_language_and_appearance(
    deployment: Deployment, services: Services
) -> None:
    browser, page = opened(deployment, PROFILE)
    fields = {**FORGED, "language": "de", "theme": "dark"}
    forge(browser, page, "/account/preferences", fields)
    after = services.accounts.get(ADA.email)
    assert (after.language, after.theme) == ("de", "dark")
    assert (after.email, after.roles) == (ADA.email, frozenset())


def test_language_and_appearance_count_here_and_in_every_browser(
    deployment: Deployment, services: Services
) -> None:
    browser, page = opened(deployment, PROFILE)
    page = send(browser, page, "/account/preferences", language="de", theme="dark")
    assert '<html lang="de" dir="ltr" data-theme="dark">' in page.response.text
    elsewhere = deployment.browserless()
    page = coming(elsewhere, PROFILE)
    assert '<html lang="de" dir="ltr" data-theme="dark">' in page.response.text
    send(elsewhere, page, "/account/preferences", language="", theme="system")
    assert services.accounts.get(ADA.email).language is None
    assert events(services)[-1] == "account.preferences_changed"


@pytest.mark.parametrize("wrong", [{"language": "xx", "theme": "dark"}, {"theme": "plaid"}])
def test_there_are_no_other_languages_or_appearances(
    wrong: dict[str, str], deployment: Deployment, services: Services
) -> None:
    browser, page = opened(deployment, PROFILE)
    assert forge(browser, page, "/account/preferences", wrong).status == 400
    assert services.accounts.get(ADA.email).language is None


def asked(deployment: Deployment, email: str = NEW) -> tuple[Browserless, Page]:
    """Ask for an address and return the page where the code is typed."""
    browser, page = opened(deployment, EMAIL)
    page = send(browser, page, EMAIL, email=email)
    assert "Check your email" in page.title, page
    return browser, page


def latest(services: Services) -> dict[str, str]:
    mail = services.outbox.latest(1)[0]
    assert (mail.kind, mail.to) == ("prove_address", NEW)
    return dict(mail.values)


def type_code(browser: Browserless, page: Page, code: str) -> Page:
    return send(browser, page, page.url.removeprefix(browser.origin), code=code)


@by_mail
@pytest.mark.every_database
def test_a_code_proves_the_new_address_and_both_are_told(
    deployment: Deployment, services: Services
) -> None:
    browser, page = asked(deployment)
    assert services.accounts.get(ADA.email).email == ADA.email
    code = latest(services)["code"]
    page = type_code(browser, page, f"{code[:3]} {code[3:]}")
    assert "Your address was changed" in page.text
    account = services.accounts.get(NEW)
    assert (account.email, account.email_verified, account.name) == (NEW, True, ADA.name)
    assert set(mails(services)[:2]) == {
        ("address_changed_new", NEW),
        ("address_changed_old", ADA.email),
    }
    assert events(services)[-1] == "address.changed"
    with pytest.raises(Exception, match="no account"):
        services.accounts.get(ADA.email)


@by_mail
def test_a_link_proves_it_too_and_opening_it_does_not(
    deployment: Deployment, services: Services
) -> None:
    asked(deployment)
    link = latest(services)["link"]
    elsewhere = deployment.browserless()
    coming(elsewhere, link)
    before = contents(services.store)
    for _ in range(2):
        page = elsewhere.get(link)
        assert NEW in page.text
    assert contents(services.store)["accounts"] == before["accounts"]
    page = send(elsewhere, page, link.removeprefix(elsewhere.origin))
    assert services.accounts.get(NEW).email_verified
    page = elsewhere.get(link)
    assert "work no more" in page.text


@by_mail
def test_a_link_is_for_who_asked(deployment: Deployment, services: Services) -> None:
    asked(deployment)
    link = latest(services)["link"]
    other = deployment.browserless(GRACE)
    page = coming(other, link)
    assert "work no more" in page.text
    forge(other, page, link.removeprefix(other.origin))
    assert services.accounts.get(GRACE.email).email == GRACE.email
    assert services.accounts.get(ADA.email).email == ADA.email


@by_mail
def test_five_wrong_codes_end_it(
    deployment: Deployment, services: Services, refused: Refused
) -> None:
    browser, page = asked(deployment)
    right = latest(services)["code"]
    wrong = "000000" if right != "000000" else "111111"
    with refused("address.changed", changes={"one_time"}, times=TRIES):
        for _ in range(TRIES):
            page = type_code(browser, page, wrong)
            assert page.status == 400
    assert "work no more" in type_code(browser, page, right).text
    assert services.accounts.get(ADA.email).email == ADA.email


@by_mail
def test_link_and_code_end_with_time_and_with_the_next_ones(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    browser, first = asked(deployment)
    before = latest(services)
    page = browser.get(EMAIL)
    second = send(browser, page, EMAIL, email=NEW)
    assert "work no more" in type_code(browser, first, before["code"]).text
    assert "work no more" in browser.get(before["link"]).text
    code = latest(services)["code"]
    clock.advance(LIFETIME)
    assert "work no more" in type_code(browser, second, code).text
    assert services.accounts.get(ADA.email).email == ADA.email


@by_mail
def test_an_address_of_somebody_else_gets_no_mail_and_looks_the_same(
    deployment: Deployment, services: Services
) -> None:
    _, taken = asked(deployment, GRACE.email.upper())
    assert mails(services) == []
    _, free = asked(deployment)
    assert taken.text.replace(GRACE.email.upper(), "") == free.text.replace(NEW, "")


@by_mail
@pytest.mark.every_database
def test_an_address_that_somebody_took_meanwhile_stays_theirs(
    deployment: Deployment, services: Services
) -> None:
    browser, page = asked(deployment)
    code = latest(services)["code"]
    services.accounts.add(NEW, "Somebody", origin=ORIGIN, actor=OPERATOR)
    page = type_code(browser, page, code)
    assert page.status == 400
    assert services.accounts.get(NEW).name == "Somebody"
    assert services.accounts.get(ADA.email).name == ADA.name


@by_mail
@pytest.mark.parametrize("typed", ["", "ada", "a b@example.test", ADA.email.upper()])
def test_what_is_no_new_address(typed: str, deployment: Deployment, services: Services) -> None:
    browser, page = opened(deployment, EMAIL)
    page = send(browser, page, EMAIL, email=typed)
    assert page.status == 400
    assert mails(services) == []


@by_mail
def test_nobody_fills_other_peoples_mailboxes(deployment: Deployment, services: Services) -> None:
    browser, page = opened(deployment, EMAIL)
    for _ in range(MAILS):
        assert send(browser, page, EMAIL, email=NEW).status == 200
    assert send(browser, page, EMAIL, email=NEW).status == 429
    assert len(mails(services)) == MAILS


@by_mail
def test_many_accounts_together_do_not_fill_one_mailbox(services: Services) -> None:
    """Anybody may have many accounts, and each could have asked for so many mails."""
    for number in range(MAILS + 1):
        email = f"one{number}@example.test"
        account = services.accounts.add(email, origin=ORIGIN, actor=OPERATOR)
        by = By(f"account:{account.id}", ORIGIN)
        if number == MAILS:
            with pytest.raises(Throttled):
                services.own.addresses.ask(account, NEW.upper(), by)
            services.own.addresses.ask(account, "another@example.test", by)
        else:
            services.own.addresses.ask(account, NEW, by)
    assert sum(mail.to != "another@example.test" for mail in services.outbox.latest(99)) == MAILS


@by_mail
def test_an_address_that_was_never_proven_is_proven_the_same_way(services: Services) -> None:
    services.accounts.add(NEW, "New", origin=ORIGIN, actor=OPERATOR)
    new = services.accounts.get(NEW)
    by = By(f"account:{new.id}", ORIGIN)
    handle = services.own.addresses.ask(new, NEW, by)
    proven = services.own.addresses.prove_by_code(new, handle, latest(services)["code"], by)
    assert proven.email_verified
    assert mails(services) == [("prove_address", NEW)], "nothing changed that anybody has to know"
    with pytest.raises(Invalid):
        services.own.addresses.ask(proven, NEW, by)


def test_without_mail_there_is_no_way_to_prove_one(deployment: Deployment) -> None:
    browser, page = opened(deployment, PROFILE)
    assert "Change address" not in page.text
    assert browser.get(EMAIL).status == 404
