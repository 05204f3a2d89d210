"""The running server, somebody who looks at its pages, and what people do on them."""

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FloatRect, Page, expect

from idp.app import create_app, services_of
from idp.config import load
from idp.domain.services import Services
from tests.mail import mail_server
from tests.pages_live.live import Live, application, serving
from tests.pages_live.mailbox import Mailbox
from tests.pages_live.pictures import lean
from tests.support.browserless import Person
from tests.support.looking import AXE, COLOURS, EVERYTHING, SCHEMES, spill, unfold, violations
from tests.support.ports import free_port
from tests.support.seeds import ADA, OPERATOR, ORIGIN

DOCS = Path(__file__).parents[2] / "docs" / "screenshots"
RENEW = bool(os.environ.get("DOORWARD_SCREENSHOTS"))
SIZES = {1280: 800, 360: 720}
TALLEST = 2200
NEWCOMERS = count(1)
PASSWORD = "seven umbrellas beside a quiet harbour"
Look = Callable[..., None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one worker have all of it: one server and one browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("pages_live"))


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    """The mails that the server sends."""
    with mail_server.serving() as server:
        yield Mailbox(server)


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox) -> Iterator[Live]:
    """`idp dev`; at its usual port when the documentation's pictures are renewed."""
    folder = tmp_path_factory.mktemp("live")
    port = 8000 if RENEW else free_port()
    smtp_port = mailbox.server.port
    with (
        application(5000 if RENEW else 0) as elsewhere,
        serving(folder, port, elsewhere, smtp_port) as live,
    ):
        yield live


@pytest.fixture(scope="session")
def look(chromium: Browser) -> Iterator[Look]:
    """`look(page)` judges a page.

    With a name and `DOORWARD_SCREENSHOTS=1` it renews the page's pictures under docs/ too.
    """
    blank = chromium.new_page()

    def judge(page: Page, name: str = "") -> None:
        if name and RENEW:
            _picture(page, name, blank)
        page.evaluate(AXE)
        unfold(page)
        for scheme in SCHEMES:
            page.set_viewport_size({"width": 1280, "height": 800})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert violations(page, COLOURS) == [], (page.url, scheme)
        page.set_viewport_size({"width": 320, "height": 640})
        assert violations(page, EVERYTHING) == [], page.url
        assert spill(page) == 0, page.url
        page.set_viewport_size({"width": 1280, "height": 800})
        page.emulate_media(color_scheme="light")

    yield judge
    blank.close()


def _picture(page: Page, name: str, blank: Page) -> None:
    # A page at rest: no field has taken the focus by itself.
    page.evaluate("() => document.activeElement.blur()")
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        tall = page.evaluate("() => document.documentElement.scrollHeight")
        clip = FloatRect(x=0, y=0, width=width, height=min(max(tall, height), TALLEST))
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            picture = page.screenshot(full_page=True, animations="disabled", clip=clip)
            file = DOCS / f"{name}-{width}-{scheme}.png"
            file.write_bytes(lean(blank, picture))
            assert file.stat().st_size < 250_000


class Visitor:
    """What a person does on our pages."""

    def __init__(self, page: Page, live: Live) -> None:
        self.page = page
        self.live = live

    def identify(self, person: Person = ADA) -> None:
        """Say who it is."""
        self.page.get_by_label("Email", exact=True).fill(person.email)
        self.page.get_by_role("button", name="Continue").click()

    def prove(self, password: str = ADA.password, button: str = "Sign in") -> None:
        """Give the password."""
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("button", name=button).click()

    def sign_in(self, person: Person = ADA) -> None:
        """Sign in from where the page is asked who it is."""
        self.identify(person)
        self.prove(person.password)

    def sign_in_here(self, person: Person = ADA) -> None:
        """Sign in without any application."""
        self.page.goto(f"{self.live.issuer}/sign-in")
        self.sign_in(person)
        expect(self.page.get_by_role("heading", name="You are signed in")).to_be_visible()

    def decide(self, button: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=button, exact=True).click()

    def heading(self, text: str) -> None:
        """Expect a page with this heading."""
        expect(self.page.get_by_role("heading", level=1, name=text, exact=True)).to_be_visible()

    def arrives(self) -> dict[str, str]:
        """Expect to be back at the application; return what it was sent."""
        expect(self.page).to_have_title("Field Notes")
        assert self.page.url.startswith(self.live.elsewhere)
        return dict(self.page.evaluate("[...new URL(location).searchParams]"))


@pytest.fixture
def visitor(page: Page, live: Live) -> Visitor:
    """Somebody at an empty tab."""
    return Visitor(page, live)


@pytest.fixture(scope="session")
def live_services(live: Live) -> Iterator[Services]:
    """The parts of the server, on the database of the one that runs."""
    data = live.database.parent
    keys = data.parent / "keys"
    opened = services_of(
        create_app(load({"issuer": live.issuer, "data_dir": data, "keys_dir": keys}))
    )
    yield opened
    opened.store.close()


@pytest.fixture
def person(live_services: Services) -> Person:
    """Somebody new, with a password, of whom no other test knows."""
    person = Person(f"person-{next(NEWCOMERS)}@example.test", PASSWORD, "Katherine Johnson")
    live_services.accounts.add(
        person.email, person.name, PASSWORD, email_verified=True, origin=ORIGIN, actor=OPERATOR
    )
    return person
