"""People who administer, each in a browser, signed in as well as they should be."""

from collections.abc import Callable

import pytest

from idp.domain.accounts import Account
from idp.domain.audit import By
from idp.domain.services import Services
from tests.support.browserless import Browserless, Page, Person
from tests.support.deployment import Deployment
from tests.support.factors import factors, type_code
from tests.support.held_clock import HeldClock
from tests.support.html_pages import Form
from tests.support.seeds import GRACE, OPERATOR, ORIGIN

PASSWORD = "fourteen ways to wind a clock"
Enter = Callable[..., "Staff"]


class Staff:
    """Somebody in the admin console."""

    def __init__(self, browser: Browserless, services: Services, email: str) -> None:
        self.browser = browser
        self._services = services
        self._email = email

    @property
    def account(self) -> Account:
        return self._services.accounts.get(self._email)

    @property
    def actor(self) -> str:
        return f"account:{self.account.id}"

    @property
    def by(self) -> By:
        return By(self.actor, ORIGIN)

    def get(self, path: str) -> Page:
        return self.browser.get(path)

    def post(self, path: str, start: str = "/admin/people", **fields: str) -> Page:
        """Post a form's fields as if sent from the page `start`."""
        page = self.browser.get(start)
        fields["csrf_token"] = token_of(page)
        return self.browser.post(path, fields, page.url)


@pytest.fixture
def enter(services: Services, deployment: Deployment, clock: HeldClock) -> Enter:
    """`enter("administrator")` makes somebody with these roles, a password and an authenticator
    app, and signs them in.
    """

    def deed(*roles: str, groups: tuple[str, ...] = (), email: str = "") -> Staff:
        email = email or f"{'-'.join(roles) or 'nobody'}@staff.example.test"
        services.accounts.add(
            email,
            f"The {' '.join(roles) or 'person'}",
            PASSWORD,
            email_verified=True,
            roles=roles,
            groups=groups,
            origin=ORIGIN,
            actor=OPERATOR,
        )
        hands = factors(services, clock, email).with_app()
        browser = deployment.browserless(Person(email, PASSWORD))
        page = browser.answer(browser.answer(browser.get("/sign-in")))
        page = type_code(browser, page, hands.next_code())
        assert page.title.startswith("Your account"), page
        return Staff(browser, services, email)

    return deed


@pytest.fixture
def admin(enter: Enter) -> Staff:
    """An administrator."""
    return enter("administrator")


@pytest.fixture
def grace(services: Services) -> Account:
    """An ordinary person."""
    return services.accounts.get(GRACE.email)


def token_of(page: Page) -> str:
    """Return the form token of a page."""
    return page.document.forms[0].named("csrf_token").value


def form_to(page: Page, action: str) -> Form:
    """Return the form that is sent to this path."""
    found = [form for form in page.document.forms if form.action == action]
    assert found, f"No form to {action} on {page}"
    return found[0]
