"""A real browser: Debian's Chromium, driven by Playwright. What it complains of fails the test.

def test_sign_in(page: Page) -> None: ...

def test_error_page(page: Page, complaints: Complaints) -> None:
    complaints.expect("status of 400")
"""

import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    expect,
    sync_playwright,
)

PROGRAM = Path("/usr/bin/chromium")
LANGUAGE = "en-GB"
WAIT_MILLISECONDS = 30_000
expect.set_options(timeout=WAIT_MILLISECONDS)
# Nothing is looked up outside; names under example.test are this machine.
_ARGUMENTS = (
    "--host-resolver-rules=MAP *.example.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost,"
    " EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)


_FAILED = pytest.StashKey[bool]()


class ChromiumMissing(Exception):
    """Chromium is not installed."""


class Complaints:
    """What the pages of one test wrote to the console as errors or warnings, or failed to load."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._expected: list[str] = []

    def expect(self, text: str) -> None:
        """Let complaints that contain `text` pass, and want at least one."""
        self._expected.append(text)

    def watch(self, context: BrowserContext) -> None:
        """Listen to every page of a context."""
        context.on("console", self._console)
        context.on("weberror", lambda error: self.found.append(f"uncaught: {error.error}"))
        context.on("requestfailed", self._failed)

    def settle(self) -> None:
        """Fail if there was anything unexpected, or nothing of what was expected."""
        unexpected = [
            said for said in self.found if not any(text in said for text in self._expected)
        ]
        assert unexpected == []
        for text in self._expected:
            assert any(text in said for said in self.found), f"nothing complained of {text!r}"

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.found.append(f"{message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        reason = request.failure or ""
        # A redirect that is followed while the page before still loads aborts what it loads.
        if not re.search("ERR_ABORTED", reason):
            self.found.append(f"not loaded: {request.url} {reason}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser, started once for this run (for each worker of xdist, its own). 0.7 s."""
    if not PROGRAM.exists():
        raise ChromiumMissing(
            f"No {PROGRAM}. Install it: apt-get install --no-install-recommends chromium"
        )
    arguments = [*_ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> Complaints:
    """What the browser complains of; unexpected complaints fail the test at its end."""
    return Complaints()


@pytest.fixture
def browser_context(
    request: pytest.FixtureRequest, chromium: Browser, complaints: Complaints, tmp_path: Path
) -> Iterator[BrowserContext]:
    """A browser profile of its own, with empty cookies; the marker sets it up.

    `@pytest.mark.browser_options(…)` takes what Playwright's `new_context` takes, for example
    `java_script_enabled=False`, `color_scheme="dark"` or `viewport={"width": 360, "height": 740}`.
    """
    marker = request.node.get_closest_marker("browser_options")
    options = {"locale": LANGUAGE, **(marker.kwargs if marker else {})}
    context = chromium.new_context(**options)
    context.set_default_timeout(WAIT_MILLISECONDS)
    complaints.watch(context)
    yield context
    if request.node.stash.get(_FAILED, False):
        _keep_picture(context, tmp_path)
    context.close()
    complaints.settle()


@pytest.fixture
def page(browser_context: BrowserContext) -> Page:
    """An empty tab."""
    return browser_context.new_page()


def _keep_picture(context: BrowserContext, folder: Path) -> None:
    """Leave a picture of each tab in the test's folder: what a failed test saw last."""
    for number, tab in enumerate(context.pages):
        try:
            tab.screenshot(path=folder / f"tab-{number}.png")
        except Error as error:  # a tab that was closed or crashed has no picture
            print(f"no picture of tab {number}: {error.message}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell the fixtures, which end later, how the test went."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker."""
    config.addinivalue_line("markers", "browser_options(**options): of the browser context")
