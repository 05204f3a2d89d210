"""The browser shows our pages, keeps away from the network, and its complaints are noticed."""

import pytest
from playwright.sync_api import Error, Page, expect

from tests.support.chromium import Complaints
from tests.support.serving import Serve


def test_it_shows_a_page_of_ours(serve: Serve, page: Page) -> None:
    page.goto(serve().issuer)
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_complaints_fail_unless_expected(page: Page, complaints: Complaints) -> None:
    page.goto("data:text/html,<script>throw new Error('broken')</script>")
    with pytest.raises(AssertionError, match="broken"):
        complaints.settle()
    complaints.expect("broken")
    complaints.settle()


def test_what_is_expected_must_happen() -> None:
    complaints = Complaints()
    complaints.expect("something")
    with pytest.raises(AssertionError):
        complaints.settle()


def test_it_finds_nothing_outside(page: Page, complaints: Complaints) -> None:
    complaints.expect("ERR_NAME_NOT_RESOLVED")
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("http://example.com/")


@pytest.mark.browser_options(java_script_enabled=False)
def test_it_runs_without_scripts(page: Page) -> None:
    page.goto("data:text/html,<p>quiet</p><script>document.body.textContent='loud'</script>")
    assert page.inner_text("body") == "quiet"
