"""Addresses that compare alike and are delivered elsewhere: straße.example is not strasse.example.

An account is found by any spelling of its address (SECURITY case 85); what proves who somebody is
must go to the address that the account has.
"""

import pytest

from idp.domain.services import Services
from tests.support.browserless import Browserless, Page
from tests.support.by_mail import asking, latest, press
from tests.support.deployment import Deployment
from tests.support.factors import start_of
from tests.support.seeds import OPERATOR, ORIGIN

pytestmark = pytest.mark.settings(smtp_url="smtp://127.0.0.1:1?tls=off", sign_up="open")
VICTIM = "kim@strasse.example"
LOOK_ALIKES = [
    "kim@straße.example",
    "\u212aim@strasse.example",
    "kim@\uff53trasse.example",
    "KIM@STRASSE.EXAMPLE",
]


@pytest.fixture(autouse=True)
def kim(services: Services) -> None:
    services.accounts.add(VICTIM, origin=ORIGIN, actor=OPERATOR)


@pytest.mark.parametrize("typed", LOOK_ALIKES)
def test_a_link_to_sign_in_goes_to_the_address_of_the_account(
    deployment: Deployment, services: Services, typed: str
) -> None:
    _, page = asking(deployment, typed)
    assert latest(services).to == VICTIM
    assert f"•••@{typed.partition('@')[2]}" in page.text, "the page says what was typed"


@pytest.mark.parametrize("way", ["forgot", "sign-up"])
@pytest.mark.parametrize("typed", LOOK_ALIKES)
def test_a_link_to_set_a_password_and_the_answer_to_a_sign_up_go_there_too(
    deployment: Deployment, services: Services, typed: str, way: str
) -> None:
    browser = deployment.browserless()
    page = browser.start(deployment.client("webapp").authorization())
    page = asked_at(browser, page, way, typed)
    assert "Check your email" in page.title, page
    assert latest(services).to == VICTIM
    press(browser, page, "send")
    assert {mail.to for mail in services.outbox.latest(10)} == {VICTIM}


def asked_at(browser: Browserless, page: Page, way: str, typed: str) -> Page:
    asking_page = browser.get(f"{start_of(page)}/{way}")
    form = asking_page.document.forms[0]
    form.fill("username", typed)
    return browser.submit(asking_page, form=form)
