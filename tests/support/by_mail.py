"""Asking for a mailed link as a person does, and reading the mail."""

from idp.domain.outbox import Mail
from idp.domain.services import Services
from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.html_pages import Form
from tests.support.seeds import ADA

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0"

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)


def asking(deployment: Deployment, email: str = ADA.email) -> tuple[Browserless, Page]:
    """Return a browser that waits for a mail, at the page where the code is typed."""
    browser = deployment.browserless()
    browser.http.headers["User-Agent"] = WINDOWS
    page = offered(browser, browser.start(deployment.client("webapp").authorization()), email)
    page = press(browser, page, "send")
    assert "Check your email" in page.title, page
    return browser, page


def offered(browser: Browserless, page: Page, email: str = ADA.email) -> Page:
    """Say who it is and return the page that offers to mail a link."""
    page.form.fill("username", email)
    page = browser.submit(page)
    return browser.get(page.url.replace("/password", "/mail"))


def type_code(browser: Browserless, page: Page, code: str) -> Page:
    """Type a code into the page that waits for it."""
    form = code_form(page)
    form.fill("one-time-code", code)
    return browser.submit(page, form.button("decision", "code"), form)


def code_form(page: Page) -> Form:
    """Return the form with the field for the code."""
    (form,) = [form for form in page.document.forms if form.editable("one-time-code")]
    return form


def press(browser: Browserless, page: Page, decision: str) -> Page:
    """Press the button with this value."""
    for form in page.document.forms:
        button = form.button("decision", decision)
        if button is not None:
            return browser.submit(page, button, form)
    raise AssertionError(f"There is no button {decision}: {page}")


def latest(services: Services) -> Mail:
    """Return the newest mail."""
    return services.outbox.latest(1)[0]


def somebody(deployment: Deployment) -> Browserless:
    """Return another browser, which nobody has used yet."""
    browser = deployment.browserless()
    browser.http.headers["User-Agent"] = PHONE
    return browser


def token_of(services: Services) -> str:
    """Return the token of the newest mail's link."""
    return str(latest(services).values["link"]).rpartition("/")[2]
