"""Every way to prove who one is, over HTTP, with mail that arrives: what is secret is noted."""

import re
import time
from collections.abc import Callable
from urllib.parse import urljoin

import pyotp

from tests.pages_live.mailbox import Mailbox, code_in, link_in, words
from tests.support.browserless import Browserless, Page, Person
from tests.support.deployment import Deployment
from tests.support.factors import go, options, present, token_of, type_code
from tests.support.html_pages import Form
from tests.support.secrets_seen import SecretsSeen
from tests.support.software_authenticator import SoftwareAuthenticator

MAY = Person("may@example.test", "seven lanterns above a frozen lake", "May")
MOVED = "may@elsewhere.example.test"
AFTER_RESET = "nine kettles singing in the kitchen"
APP = "Use a code from your authenticator app"
RECOVERY_CODE = "Use a recovery code"
SEED = re.compile(r"otpauth://[^\"]*[?&;]secret=([A-Z2-7]+)")
RECOVERY = re.compile(r"\b[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}\b")


class FactorFlows:
    """One person who uses everything."""

    def __init__(self, deployment: Deployment, seen: SecretsSeen, mailbox: Mailbox) -> None:
        self._deployment = deployment
        self._seen = seen
        self._mailbox = mailbox
        self._device = SoftwareAuthenticator()
        self._seed = ""
        self._codes: list[str] = []
        for password in (MAY.password, AFTER_RESET):
            seen.note("password", password)

    def everything(self, invite: Callable[[str], None]) -> None:
        """Go through all of it; `invite` invites an address."""
        browser = self.sign_up()
        self.set_up(browser)
        self.second_steps()
        self.mailed_links()
        self.passkey()
        self.move(browser)
        self.reset()
        self.invited(invite)

    def sign_up(self) -> Browserless:
        """Make an account by the code of a mail."""
        browser = self._deployment.browserless(MAY)
        page = fill(browser, browser.get("/sign-up"), identifier=MAY.email)
        page = self._type_mailed(browser, page, MAY.email)
        page = fill(browser, page, name=MAY.name, password=MAY.password)
        assert page.title.startswith("Your account"), page
        return browser

    def set_up(self, browser: Browserless) -> None:
        """Set up a passkey and an app in the console; recovery codes come with the second."""
        page = browser.get("/account/security/passkeys/add")
        headers = {"X-CSRFToken": token_of(page), "Referer": page.url, "Origin": browser.origin}
        asked = browser.http.post(
            urljoin(page.url, "/account/security/passkeys/options"), headers=headers
        )
        made = self._device.create(asked.text, browser.origin)
        fields = {"csrf_token": token_of(page), "response": made}
        page = browser.post(page.url, fields, page.url)
        assert page.url.endswith("/rename?done=passkey"), page
        page = browser.get("/account/security/authenticators/add")
        page = self._by_passkey(browser, page)
        self._seed = seed_on(self._seen, page)
        page = fill(browser, page, code=app_code(self._seen, self._seed))
        self._codes = recovery_codes_on(self._seen, page)
        assert len(self._codes) == 10, page

    def second_steps(self) -> None:
        """Sign in by app, trusting the browser; by recovery code, well and wrongly."""
        browser, page = self._after_password()
        page = type_code(
            browser, go(browser, page, APP), app_code(self._seen, self._seed, 1), trust=True
        )
        self._signed_in(browser, page)
        browser, page = self._after_password()
        page = go(browser, page, RECOVERY_CODE)
        page = type_code(browser, page, self._codes[0][::-1])
        assert page.status == 400
        page = type_code(browser, page, self._codes[0].upper())
        self._signed_in(browser, page)

    def mailed_links(self) -> None:
        """Sign in by a link, and by a code that another device shows; then the second step."""
        browser, page, link = self._asked()
        page = press(browser, browser.get(link), "confirm")
        self._signed_in(browser, self._recover(browser, page, self._codes[1]))
        browser, page, link = self._asked()
        other = self._deployment.browserless()
        shown = press(other, other.get(link), "show")
        code = re.search(r"\b\d{3} ?\d{3}\b", shown.text)
        assert code is not None, shown
        page = fill(browser, page, code=code[0])
        self._signed_in(browser, self._recover(browser, page, self._codes[2]))
        browser, page, link = self._asked()
        press(other, other.get(link), "disown")

    def passkey(self) -> None:
        """Sign in by passkey alone."""
        browser = self._deployment.browserless(MAY)
        self._signed_in(browser, self._by_passkey(browser, browser.get("/sign-in")))

    def move(self, browser: Browserless) -> None:
        """Change the address, by the link that is mailed there."""
        page = fill(browser, browser.get("/account/email"), email=MOVED)
        mail = self._mailbox.next(MOVED)
        self._seen.mail(words(mail))
        page = fill(browser, page, code=self._wrong(code_in(mail)))
        assert page.status == 400, page
        page = fill(browser, browser.get(link_in(mail)))
        assert page.url.endswith("?done=address"), page

    def reset(self) -> None:
        """Forget the password and choose another."""
        browser = self._deployment.browserless(Person(MOVED, AFTER_RESET))
        page = browser.answer(browser.get("/sign-in"))
        page = fill(browser, go(browser, page, "Forgot password?"))
        page = self._type_mailed(browser, page, MOVED)
        page = fill(browser, page, password=AFTER_RESET)
        page = browser.answer(browser.answer(page))
        self._signed_in(browser, self._recover(browser, page, self._codes[3]))

    def invited(self, invite: Callable[[str], None]) -> None:
        """Make an account by an invitation."""
        email = "june@example.test"
        invite(email)
        mail = self._mailbox.next(email)
        self._seen.mail(words(mail))
        browser = self._deployment.browserless(Person(email, MAY.password))
        page = fill(browser, browser.get(link_in(mail)), password=MAY.password)
        assert page.status == 200, page

    def _after_password(self) -> tuple[Browserless, Page]:
        browser = self._deployment.browserless(MAY)
        page = browser.answer(browser.answer(browser.get("/sign-in")))
        assert page.title.startswith("Confirm it’s you"), page
        return browser, page

    def _by_passkey(self, browser: Browserless, page: Page) -> Page:
        answer = self._device.get(options(browser, page), browser.origin)
        self._seen.json_of(answer)
        return present(browser, page, answer)

    def _recover(self, browser: Browserless, page: Page, code: str) -> Page:
        assert page.title.startswith("Confirm it’s you"), page
        return type_code(browser, go(browser, page, RECOVERY_CODE), code)

    def _signed_in(self, browser: Browserless, page: Page) -> None:
        while "/recovery-codes" in page.url:
            page = browser.get(page.url.partition("/recovery-codes")[0])
        assert page.title.startswith("Your account"), page

    def _asked(self) -> tuple[Browserless, Page, str]:
        """Return a browser that waits for a mail, and the link that came."""
        browser = self._deployment.browserless(MAY)
        page = browser.answer(browser.get("/sign-in"))
        page = press(browser, browser.get(page.url.replace("/password", "/mail")), "send")
        mail = self._mailbox.next(MAY.email)
        while "/mail/" not in words(mail):  # notices go to the same address
            mail = self._mailbox.next(MAY.email)
        self._seen.mail(words(mail))
        return browser, page, link_in(mail)

    def _type_mailed(self, browser: Browserless, page: Page, email: str) -> Page:
        mail = self._mailbox.next(email)
        while "/mail/" not in words(mail):
            mail = self._mailbox.next(email)
        self._seen.mail(words(mail))
        return fill(browser, page, code=code_in(mail))

    @staticmethod
    def _wrong(code: str) -> str:
        return f"{(int(code) + 1) % 1_000_000:06}"


def seed_on(seen: SecretsSeen, page: Page) -> str:
    """Return the seed of the app that a page shows."""
    found = SEED.search(page.response.text)
    assert found is not None, page
    seen.seed(found[1])
    return found[1]


def app_code(seen: SecretsSeen, seed: str, ahead: int = 0) -> str:
    """Return a code of the app, `ahead` steps from now: each works once."""
    code = pyotp.TOTP(seed).at(int(time.time()) + 30 * ahead)
    seen.note_code("app code", code)
    return code


def recovery_codes_on(seen: SecretsSeen, page: Page) -> list[str]:
    """Return the recovery codes that a page shows."""
    codes = list(dict.fromkeys(RECOVERY.findall(page.text)))
    for code in codes:
        seen.note("recovery code", code)
        seen.note("recovery code", code.replace("-", ""))
    return codes


def fill(browser: Browserless, page: Page, **values: str) -> Page:
    """Fill in the form that has these fields, on a page of any frame, and send it."""
    form = _form(page, set(values))
    for name, value in values.items():
        form.named(name).value = value
    return browser.submit(page, form=form)


def _form(page: Page, names: set[str]) -> Form:
    """Return the first form that has these fields and is none of the account menu."""
    for form in page.document.forms:
        there = {control.name for control in form.controls}
        if names <= there and form.action not in {"/sign-out", "/account/switch"}:
            return form
    raise AssertionError(f"No form with {names}: {page}")


def press(browser: Browserless, page: Page, decision: str) -> Page:
    """Press the button with this value."""
    for form in page.document.forms:
        button = form.button("decision", decision)
        if button is not None:
            return browser.submit(page, button, form)
    raise AssertionError(f"There is no button {decision}: {page}")
