"""What each factor is to its person: how it is added, used, presented once more, named and removed.

All of it goes through the pages, those of the sign-in and those of the account console, with the
step-up that they ask for. Only what people read in their mail is looked up behind them.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable

from tests.abuse_browser.asking import at_password
from tests.account.console import coming, forge, send
from tests.factors.hands import PASSWORD, World, codes_on, sign_out
from tests.support.browserless import Browserless, Page, Person
from tests.support.by_mail import offered, press
from tests.support.by_mail import type_code as type_mailed
from tests.support.factors import options, present, start_of, token_of, type_code

ANOTHER = "a difference engine for every parlour"
ACCOUNT, SECURITY, SESSIONS = "/account", "/account/security", "/account/sessions"
Deed = Callable[[], Page]


class Factor(ABC):
    """One factor, in the hands of one person.

    `method` is its name in the audit log; `amr` what a sign-in with it says. `added` and `removed`
    are the events of the audit log, `notices` the mails about them. `shuts_out`: its removal ends
    other sessions and what applications may do without one.
    """

    method: str
    amr: frozenset[str]
    added: str
    removed: str
    notices: tuple[tuple[str, ...], tuple[str, ...]]
    renamed = ""
    replay_refused = True
    shuts_out = True

    def __init__(self, world: World) -> None:
        self.mine = world.newcomer("mina")

    @abstractmethod
    def enrol(self) -> Browserless:
        """Add it, and return the browser in which that was done."""

    @abstractmethod
    def sign_in(self, browser: Browserless) -> Page:
        """Sign in by it, and return where that led."""

    @abstractmethod
    def replay(self) -> Deed:
        """Prepare what presents once more what was presented before."""

    @abstractmethod
    def remove(self, browser: Browserless) -> Page:
        """Remove it."""

    @abstractmethod
    def after_removal(self) -> bool:
        """Whether it opens nothing any more."""

    def path(self) -> str:
        """Return the page of this one, empty where there is never more than one."""
        return ""

    def deeds(self) -> tuple[str, ...]:
        """Return what may be done with it by its id."""
        return ("rename", "remove")


class Password(Factor):
    """Set anew; the one before is what is presented once more. A passkey has to be there before it
    can be removed.
    """

    method, amr = "password", frozenset({"pwd"})
    added, removed = "password.changed", "password.removed"
    notices = (("password_changed",), ("credential_added", "credential_removed"))

    def enrol(self) -> Browserless:
        browser, path = self.mine.at_home(), f"{SECURITY}/password"
        page = send(browser, self.mine.to(browser, path), path, password=ANOTHER)
        assert "Your password was changed" in page.text, page
        self.mine.person = Person(self.mine.person.email, ANOTHER)
        return browser

    def sign_in(self, browser: Browserless) -> Page:
        return self.mine.after_password(browser)

    def replay(self) -> Deed:
        browser = self.mine.browser()
        page = at_password(browser, self.mine.start(browser))
        page.form.fill("current-password", PASSWORD)
        return lambda: browser.submit(page)

    def remove(self, browser: Browserless) -> Page:
        self.mine.held.with_passkey()
        path = f"{SECURITY}/password/remove"
        return send(browser, self.mine.to(browser, path), path)

    def after_removal(self) -> bool:
        page = self.sign_in(self.mine.browser())
        return page.status == 400 and "don’t match" in page.text


class MailedLink(Factor):
    """Enrolled by proving an address; gone when another takes its place."""

    method, amr = "mail", frozenset({"email"})
    added = removed = "address.changed"
    notices = (("address_changed_old", "address_changed_new"),) * 2

    def enrol(self) -> Browserless:
        browser = self.mine.at_home()
        self._move(browser, f"new-{self.mine.person.email}")
        return browser

    def _move(self, browser: Browserless, email: str) -> Page:
        path = f"{ACCOUNT}/email"
        page = send(browser, self.mine.to(browser, path), path, email=email)
        self.mine.person = Person(email, PASSWORD)
        code = str(self.mine.mail("prove_address").values["code"])
        page = send(browser, page, page.url.removeprefix(browser.origin), code=code)
        assert "Your address was changed" in page.text, page
        return page

    def sign_in(self, browser: Browserless) -> Page:
        page = offered(browser, self.mine.start(browser), self.mine.person.email)
        page = press(browser, page, "send")
        self.used = self.mine.mail("sign_in_link")
        return type_mailed(browser, page, str(self.used.values["code"]))

    def replay(self) -> Deed:
        browser = self.mine.browser()
        page = browser.get("/sign-in")
        link = str(self.used.values["link"]).removeprefix(browser.origin)
        fields = {"csrf_token": token_of(page), "decision": "confirm"}
        return lambda: browser.post(link, fields, page.url)

    def remove(self, browser: Browserless) -> Page:
        self.former = self.mine.person.email
        return self._move(browser, f"newer-{self.former}")

    def after_removal(self) -> bool:
        browser, services = self.mine.browser(), self.mine.world.services
        press(browser, offered(browser, self.mine.start(browser), self.former), "send")
        mail = services.outbox.latest(1)[0]
        return (mail.kind, mail.to) == ("sign_in_no_account", self.former)


class Authenticator(Factor):
    """An app, with the recovery codes that come with it."""

    method, amr = "authenticator", frozenset({"pwd", "otp", "mfa"})
    added, renamed, removed = (f"authenticator.{deed}" for deed in ("added", "renamed", "removed"))
    notices = (("credential_added", "credential_added"), ("credential_removed",))

    def enrol(self) -> Browserless:
        browser, path = self.mine.at_home(), f"{SECURITY}/authenticators/add"
        page = self.mine.to(browser, path)
        found = re.search(r"authenticator-key[^>]*>([A-Z2-7 ]+)<", page.response.text)
        assert found, page
        self.mine.held.secret = found[1].replace(" ", "")
        page = send(browser, page, path, code=self.mine.app_code(), name="Phone")
        self.mine.recovery_codes = codes_on(page)
        return browser

    def sign_in(self, browser: Browserless) -> Page:
        page = self.mine.after_password(browser)
        self.code = self.mine.app_code()
        return type_code(browser, page, self.code)

    def replay(self) -> Deed:
        browser = self.mine.browser()
        page = self.mine.after_password(browser)
        return lambda: type_code(browser, page, self.code)

    def path(self) -> str:
        (app,) = self.mine.world.services.authenticators.of(self.mine.account_id)
        return f"{SECURITY}/authenticators/{app.id}"

    def remove(self, browser: Browserless) -> Page:
        return remove_by_id(self, browser)

    def after_removal(self) -> bool:
        return self.mine.after_password(self.mine.browser()).left_for is not None


class Passkey(Factor):
    """Made and answered by a software authenticator."""

    method, amr = "synced_passkey", frozenset({"swk", "user", "mfa"})
    added, renamed, removed = (f"passkey.{deed}" for deed in ("added", "renamed", "removed"))
    notices = (("credential_added",), ("credential_removed",))

    def enrol(self) -> Browserless:
        browser, path = self.mine.at_home(), f"{SECURITY}/passkeys/add"
        page = self.mine.to(browser, path)
        answer = browser.http.post(
            f"{browser.origin}{SECURITY}/passkeys/options",
            headers={"X-CSRFToken": token_of(page), "Referer": page.url},
        )
        made = self.mine.held.device.create(answer.text, browser.origin)
        page = forge(browser, page, path, {"response": made})
        assert "The passkey was added" in page.text, page
        return browser

    def sign_in(self, browser: Browserless) -> Page:
        page = self.mine.start(browser)
        asked = options(browser, page)
        self.answer = self.mine.held.device.get(asked, browser.origin)
        return present(browser, page, self.answer)

    def replay(self) -> Deed:
        browser = self.mine.browser()
        page = self.mine.start(browser)
        options(browser, page)
        return lambda: present(browser, page, self.answer)

    def path(self) -> str:
        (key,) = self.mine.world.services.passkeys.of(self.mine.account_id)
        return f"{SECURITY}/passkeys/{key.id}"

    def remove(self, browser: Browserless) -> Page:
        return remove_by_id(self, browser)

    def after_removal(self) -> bool:
        page = self.sign_in(self.mine.browser())
        return page.status == 400 and "We don’t know this passkey" in page.text


class RecoveryCode(Factor):
    """Made as a set, beside an app; gone when another set takes its place."""

    method, amr = "recovery_code", frozenset({"pwd", "otp", "mfa"})
    added = removed = "recovery_codes.added"
    notices = (("credential_added",),) * 2
    shuts_out = False

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.home = self.mine.at_home()
        self.mine.with_app()

    def enrol(self) -> Browserless:
        path = f"{SECURITY}/recovery-codes"
        self.set = codes_on(send(self.home, self.mine.to(self.home, path), path))
        return self.home

    def sign_in(self, browser: Browserless) -> Page:
        self.used = self.set.pop()
        page = type_code(browser, self._asked(browser), self.used)
        assert "recovery codes are left" in page.text, page
        return browser.get(start_of(page))

    def _asked(self, browser: Browserless) -> Page:
        page = self.mine.after_password(browser)
        return browser.get(f"{start_of(page)}/second-factor/recovery")

    def replay(self) -> Deed:
        browser = self.mine.browser()
        page = self._asked(browser)
        return lambda: type_code(browser, page, self.used)

    def remove(self, browser: Browserless) -> Page:
        path = f"{SECURITY}/recovery-codes"
        page = send(browser, self.mine.to(browser, path), path)
        assert not set(codes_on(page)) & set(self.set)
        return page

    def after_removal(self) -> bool:
        page = type_code(browser := self.mine.browser(), self._asked(browser), self.set.pop())
        return page.status == 400


class TrustedDevice(Factor):
    """A browser that stands in for the second step; what is presented once more is its cookie of
    before it was trusted.
    """

    method, amr = "password", frozenset({"pwd"})
    added, removed = "device.trusted", "device.distrusted"
    notices = ((), ())
    replay_refused = False
    shuts_out = False

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.home = self.mine.at_home()
        self.before = self.home.http.cookies.copy()
        self.mine.with_app()
        sign_out(self.home)

    def enrol(self) -> Browserless:
        page = self.mine.after_password(self.home)
        page = type_code(self.home, page, self.mine.app_code(), trust=True)
        assert page.left_for, page
        return self.home

    def sign_in(self, browser: Browserless) -> Page:
        browser.http.cookies = self.home.http.cookies.copy()
        sign_out(browser)
        return self.mine.after_password(browser)

    def replay(self) -> Deed:
        browser = self.mine.browser()
        browser.http.cookies = self.before.copy()
        page = at_password(browser, self.mine.start(browser))
        return lambda: browser.answer(page)

    def path(self) -> str:
        found = self.mine.world.services.devices.of(self.mine.account_id)
        (device,) = [one for one in found if one.trusted_until]
        return f"{ACCOUNT}/devices/{device.id}"

    def deeds(self) -> tuple[str, ...]:
        return ("distrust", "forget")

    def remove(self, browser: Browserless) -> Page:
        page = coming(browser, SESSIONS)
        return send(browser, page, f"{self.path()}/distrust")

    def after_removal(self) -> bool:
        return self.sign_in(self.mine.browser()).url.endswith("/second-factor/code")


FACTORS: tuple[type[Factor], ...] = (
    Password,
    MailedLink,
    Authenticator,
    Passkey,
    RecoveryCode,
    TrustedDevice,
)


def remove_by_id(factor: Factor, browser: Browserless) -> Page:
    """Remove one of several."""
    path = f"{factor.path()}/remove"
    page = send(browser, factor.mine.to(browser, path), path)
    assert "It was removed" in page.text, page
    return page
