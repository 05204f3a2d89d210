"""A person with an account of their own, what they hold, and how they get to a page."""

import re
from dataclasses import dataclass, field
from itertools import count

import pyotp

from idp.domain.clock import system_clock
from idp.domain.outbox import Mail
from idp.domain.services import Services
from tests.abuse_browser.asking import at_password
from tests.support.browserless import Browserless, Page, Person
from tests.support.factors import Factors, factors, options, present, start_of, type_code
from tests.support.held_clock import HeldClock
from tests.support.seeds import OPERATOR, ORIGIN
from tests.support.serving import Serving
from tests.support.token_client import TokenClient

PASSWORD = "nine lives of the analytical engine"
_SCOPE = "openid offline_access"
_STEP_SECONDS = 30
_NUMBERS = count()


@dataclass
class World:
    """Running nodes, and the parts of one more, which nobody asks: to look behind the others."""

    serving: Serving
    services: Services

    def newcomer(self, name: str) -> "Hands":
        """Return somebody with an account and a password."""
        person = Person(f"{name}-{next(_NUMBERS)}@example.test", PASSWORD, name.title())
        self.services.accounts.add(
            person.email,
            person.name,
            person.password,
            email_verified=True,
            origin=ORIGIN,
            actor=OPERATOR,
        )
        held = factors(self.services, HeldClock(system_clock()), person.email)
        return Hands(self, person, held, self.serving.deployment.client("own"))


@dataclass
class Hands:
    """A person, and what they hold. `application` asks who they are, and shows no page for it."""

    world: World
    person: Person
    held: Factors
    application: TokenClient
    recovery_codes: list[str] = field(default_factory=list)
    codes_shown: int = 0

    @property
    def account_id(self) -> str:
        """Their account."""
        return self.held.account.id

    def browser(self) -> Browserless:
        """Return a new browser of theirs."""
        return self.world.serving.deployment.browserless(self.person)

    def start(self, browser: Browserless) -> Page:
        """Let the application ask; it gets a refresh token that outlives the session."""
        return browser.start(self.application.authorization(_SCOPE))

    def after_password(self, browser: Browserless) -> Page:
        """Type address and password."""
        return browser.answer(at_password(browser, self.start(browser)))

    def at_home(self) -> Browserless:
        """Return a browser in which they are signed in by their password."""
        browser = self.browser()
        assert self.after_password(browser).left_for
        return browser

    def app_code(self) -> str:
        """Return a code that their app did not show before: of now, and then of the next step."""
        ahead = _STEP_SECONDS * self.codes_shown
        self.codes_shown += 1
        return pyotp.TOTP(self.held.secret).at(int(system_clock()) + ahead)

    def with_app(self) -> "Hands":
        """Give them an authenticator app, behind the pages."""
        self.held.with_app()
        self.codes_shown += 1
        return self

    def confirm(self, browser: Browserless, page: Page) -> Page:
        """Do what a page before the one that was wanted asks for, with whatever they have."""
        if page.url.endswith("/passkey"):
            asked = options(browser, page)
            return present(browser, page, self.held.device.get(asked, browser.origin))
        if page.url.endswith("/second-factor/code"):
            if not self.recovery_codes:
                return type_code(browser, page, self.app_code())
            page = browser.get(f"{start_of(page)}/second-factor/recovery")
            page = type_code(browser, page, self.recovery_codes.pop())
            return browser.get(start_of(page))
        return browser.answer(page)

    def to(self, browser: Browserless, path: str) -> Page:
        """Open a page of the console, and confirm what stands before it."""
        page = browser.get(path)
        while "/interaction/" in page.url:
            page = self.confirm(browser, page)
        assert page.url.startswith(f"{browser.origin}{path}"), page
        return page

    def mail(self, kind: str) -> Mail:
        """Return the newest mail of a kind that was sent to them."""
        found = self.world.services.outbox.latest(200)
        return next(one for one in found if (one.kind, one.to) == (kind, self.person.email))


def codes_on(page: Page) -> list[str]:
    """Return the recovery codes that a page shows."""
    found = re.findall(r"\b[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}\b", page.text)
    assert len(set(found)) == 10, page
    return found


def sign_out(browser: Browserless) -> None:
    """Sign out by the button of the start page."""
    page = browser.get("/")
    form = next(one for one in page.document.forms if one.action == "/sign-out")
    browser.submit(page, form=form)
