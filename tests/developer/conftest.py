"""People who register applications, each in a browser."""

from collections.abc import Callable
from html import unescape

import pytest

from idp.domain.services import Services
from tests.account.console import form_of
from tests.support.browserless import Browserless, Page, Person
from tests.support.deployment import Deployment
from tests.support.discovery import Discovery
from tests.support.html_pages import parse
from tests.support.seeds import ADA, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient

CALLBACK = "https://guide.example.test/callback"


class Developer:
    """Somebody in the developer console."""

    def __init__(self, browser: Browserless, services: Services, deployment: Deployment) -> None:
        self.browser = browser
        self.services = services
        self.deployment = deployment

    @property
    def account_id(self) -> str:
        assert self.browser.person
        return self.services.accounts.get(self.browser.person.email).id

    def get(self, path: str) -> Page:
        return self.browser.get(path)

    def send(self, path: str, at: str = "", **fields: str) -> Page:
        """Fill in the form that the page `at` sends to `path`, and send it."""
        page = self.browser.get(at or path)
        form = form_of(page, path)
        pressed = None
        for name, value in fields.items():
            pressed = pressed or form.button(name, value)
            if form.button(name, value) is None:
                control = form.named(name)
                control.value = value
                control.attributes["checked"] = ""
        return self.browser.submit(page, pressed, form)

    def register(self, kind: str = "web", uris: str = CALLBACK, **fields: str) -> "Registered":
        """Register an application, and return what one is told of it."""
        if kind != "service":
            fields["redirect_uris"] = uris
        page = self.send(f"/developer/register/{kind}", client_name="Field Guide", **fields)
        assert page.status == 200, page
        return Registered(self, page)


class Registered:
    """An application that was registered."""

    def __init__(self, developer: Developer, page: Page) -> None:
        self.page = page
        self.client_id = text_of(page, "client-id")
        self.secret = text_of(page, "client-secret")
        self.path = f"/developer/{self.client_id}"
        self._developer = developer

    def configuration(self, key: str) -> str:
        """Return a configuration as a browser would copy it."""
        shown = self.page.response.text.partition(f'<pre id="configuration-{key}"')[2]
        return unescape(shown.partition("<code>")[2].partition("</code>")[0])

    def client(self, secret: str | None = None) -> TokenClient:
        """Return it as its programs use it."""
        deployment, services = self._developer.deployment, self._developer.services
        details = services.clients.get(self.client_id).details
        http = deployment.new_http()
        return TokenClient(
            http,
            Discovery(http, deployment.issuer),
            self.client_id,
            self.secret if secret is None else secret,
            redirect_uri=next(iter(details["redirect_uris"]), ""),
            method=details["token_endpoint_auth_method"],
        )


def text_of(page: Page, identity: str) -> str:
    """Return what can be copied there, empty where there is nothing."""
    _, found, rest = page.response.text.partition(f'<pre id="{identity}"')
    return parse(f"<pre{rest.partition('</pre>')[0]}").text if found else ""


@pytest.fixture
def enter(deployment: Deployment, services: Services) -> Callable[[Person], Developer]:
    """`enter(GRACE)` makes somebody a developer, and signs them in."""

    def deed(person: Person) -> Developer:
        account = services.accounts.get(person.email)
        services.memberships.grant(account.id, roles=["developer"], origin=ORIGIN, actor=OPERATOR)
        browser = deployment.browserless(person)
        page = browser.get("/developer")
        while "/interaction/" in page.url:
            page = browser.answer(page)
        assert page.url.endswith("/developer"), page
        return Developer(browser, services, deployment)

    return deed


@pytest.fixture
def developer(enter: Callable[[Person], Developer]) -> Developer:
    """Ada, who may register applications."""
    return enter(ADA)
