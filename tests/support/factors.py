"""Second factors of seeded people, and how a browser without scripts uses them."""

import json
from dataclasses import dataclass, field
from urllib.parse import urljoin

import pyotp

from idp.domain.accounts import Account
from idp.domain.audit import By
from idp.domain.services import Services
from tests.support.browserless import Browserless, Page
from tests.support.held_clock import HeldClock
from tests.support.seeds import OPERATOR, ORIGIN
from tests.support.software_authenticator import SoftwareAuthenticator

BINDING = b"f" * 32
BY = By(OPERATOR, ORIGIN)


@dataclass
class Factors:
    """What one person has in the hands. `next_code` moves the clock on: each code works once."""

    services: Services
    clock: HeldClock
    account: Account
    secret: str = ""
    device: SoftwareAuthenticator = field(default_factory=SoftwareAuthenticator)

    def with_app(self) -> "Factors":
        """Enrol an authenticator app."""
        apps = self.services.authenticators
        begun = apps.begin(self.account, BINDING, ORIGIN)
        self.secret = begun.secret
        with self.services.store.writing() as connection:
            code = self.code()
            made = apps.enrol(connection, self.account, begun.handle, code, "", BINDING, BY)
        assert made is not None
        return self

    def with_passkey(self) -> "Factors":
        """Enrol a passkey."""
        keys = self.services.passkeys
        answer = self.device.create(
            keys.creation_options(self.account, BINDING), self.services.settings.issuer
        )
        new = keys.check_creation(self.account, BINDING, answer)
        with self.services.store.writing() as connection:
            keys.add(connection, self.account, new, "", BY)
        return self

    def recovery_codes(self) -> tuple[str, ...]:
        """Make a set."""
        prepared = self.services.recovery_codes.prepare()
        with self.services.store.writing() as connection:
            self.services.recovery_codes.replace(connection, self.account, prepared, BY)
        return prepared.codes

    def code(self) -> str:
        """Return what the app shows now."""
        return pyotp.TOTP(self.secret).at(int(self.clock()))

    def next_code(self) -> str:
        """Wait for the next code and return it."""
        self.clock.advance(30)
        return self.code()

    def wrong_code(self) -> str:
        """Return six digits that the app shows neither now nor around now."""
        shown = {pyotp.TOTP(self.secret).at(int(self.clock()) + 30 * step) for step in range(-2, 3)}
        return next(code for code in ("000000", "111111", "222222") if code not in shown)


def factors(services: Services, clock: HeldClock, email: str) -> Factors:
    """Return the hands of a person, with nothing in them yet."""
    return Factors(services, clock, services.accounts.get(email))


def start_of(page: Page) -> str:
    """Return the address of the interaction that a page belongs to."""
    before, _, after = page.url.partition("/interaction/")
    return f"{before}/interaction/{after.split('/')[0].split('?')[0]}"


def token_of(page: Page) -> str:
    """Return the form token of a page."""
    return page.document.forms[0].named("csrf_token").value


def options(browser: Browserless, page: Page, path: str = "passkey/options") -> str:
    """Fetch options as the page's script does."""
    answer = browser.http.post(
        f"{start_of(page)}/{path}",
        headers={"X-CSRFToken": token_of(page), "Referer": page.url, "Origin": browser.origin},
        allow_redirects=False,
    )
    assert answer.status_code == 200, f"{answer.status_code} {answer.text[:300]}"
    assert answer.headers["Content-Type"] == "application/json"
    json.loads(answer.text)
    return answer.text


def present(
    browser: Browserless, page: Page, response: str, path: str = "passkey", **more: str
) -> Page:
    """Send a browser's answer as the page's script does."""
    fields = {"csrf_token": token_of(page), "response": response, **more}
    return browser.post(f"{start_of(page)}/{path}", fields, page.url)


def use_passkey(browser: Browserless, page: Page, mine: Factors, **more: str) -> Page:
    """Do what a page with a passkey button asks."""
    asked = options(browser, page)
    return present(browser, page, mine.device.get(asked, browser.origin), **more)


def type_code(browser: Browserless, page: Page, code: str, *, trust: bool = False) -> Page:
    """Fill in a page that asks for a code."""
    form = page.document.forms[0]
    form.named("code").value = code
    if trust:
        form.named("trust").attributes["checked"] = ""
    return browser.submit(page, form=form)


def go(browser: Browserless, page: Page, link: str) -> Page:
    """Follow a link by its words."""
    return browser.get(urljoin(page.url, page.document.links[link]))
