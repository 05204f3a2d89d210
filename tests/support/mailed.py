"""Mailed proofs of a browser: as its reader types the code, or at once behind the pages."""

from collections.abc import Mapping
from typing import Any

from idp.domain.access import Resource
from idp.domain.magic_links import Proven
from idp.domain.proving import Visit
from idp.domain.requirements import Demand
from idp.domain.services import Services
from idp.web.browser_session import cookie_name
from tests.support.browserless import Browserless, Page
from tests.support.factors import start_of
from tests.support.seeds import ORIGIN


def latest(services: Services, kind: str) -> Mapping[str, Any]:
    """Return the values of the newest mail, which is of that kind."""
    mail = services.outbox.latest(1)[0]
    assert mail.kind == kind, mail.kind
    return mail.values


def kinds(services: Services) -> list[str]:
    """Return the kinds of all mails, newest first."""
    return [mail.kind for mail in services.outbox.latest(100)]


def visit_of(services: Services, browser: Browserless, page: Page) -> Visit:
    """Return what the server makes of a browser at a page of an interaction."""
    cookie = browser.http.cookies[cookie_name(services.settings)]
    found = services.interactions.find(start_of(page).rpartition("/")[2], cookie)
    demand = Demand("sign_in", Resource("console", "account"))
    return Visit(found, demand, None, cookie, "", ORIGIN)


def proven(services: Services, browser: Browserless, page: Page, code: str) -> Proven:
    """Check a code as the page does where it is typed."""
    return services.magic_links.with_code(visit_of(services, browser, page), code)


def type_mailed_code(browser: Browserless, page: Page, code: str) -> Page:
    """Type a code into the page that waits for it."""
    form = next(form for form in page.document.forms if form.editable("one-time-code"))
    form.fill("one-time-code", code)
    pressed = next((one for one in form.controls if one.button), None)
    return browser.submit(page, pressed, form)
