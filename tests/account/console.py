"""The account console as a person without scripts uses it."""

from collections.abc import Mapping

from idp.domain.services import Services
from tests.abuse_browser.asking import signed_in
from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.html_pages import Form
from tests.support.refusals import entries

MAIL = "smtp://127.0.0.1:1?tls=off"
"""A setting with which mail is put into the outbox."""
LONG_AGO = 601
"""Seconds after which a sign-in is not fresh any more."""


def opened(deployment: Deployment, path: str) -> tuple[Browserless, Page]:
    """Return a browser in which Ada is signed in, at a page of her account."""
    browser = signed_in(deployment)
    page = browser.get(path)
    assert page.status == 200, page
    return browser, page


def coming(browser: Browserless, path: str) -> Page:
    """Open a page and answer whatever stands before it."""
    page = browser.get(path)
    while "/interaction/" in page.url:
        page = browser.answer(page)
    return page


def form_of(page: Page, action: str) -> Form:
    """Return the form that is sent to that path."""
    for form in page.document.forms:
        if form.action == action:
            return form
    raise AssertionError(f"no form for {action}: {[one.action for one in page.document.forms]}")


def send(browser: Browserless, page: Page, action: str, **fields: str) -> Page:
    """Fill in the form that is sent to that path, and send it: by the button of that name and value
    where there is one.
    """
    form, pressed = form_of(page, action), None
    for name, value in fields.items():
        pressed = pressed or form.button(name, value)
        if form.button(name, value) is None:
            form.named(name).value = value
    return browser.submit(page, pressed, form)


def forge(browser: Browserless, page: Page, action: str, fields: Mapping[str, str] = {}) -> Page:
    """Send what no form of the page has, with the page's own form token."""
    token = page.document.forms[0].named("csrf_token").value
    return browser.post(action, {"csrf_token": token, **fields}, page.url)


def events(services: Services, outcome: str = "done") -> list[str]:
    """Return what the audit log tells, oldest first."""
    return [one["event"] for one in entries(services.store) if one["outcome"] == outcome]


def mails(services: Services) -> list[tuple[str, str]]:
    """Return kind and receiver of each mail, newest first."""
    return [(one.kind, one.to) for one in services.outbox.latest(50)]
