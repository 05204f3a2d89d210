"""Clicks of an impatient person: the same form twice, with the cookie that the page came with."""

from urllib.parse import urljoin

import requests

from tests.support.browserless import Browserless, Page, origin_of
from tests.support.html_pages import Control


def click(browser: Browserless, page: Page, pressed: Control | None = None) -> requests.Response:
    """Send a page's form and follow nothing."""
    target = urljoin(page.url, page.form.action)
    values = page.form.values(pressed)
    headers = {"Referer": page.url}
    return browser.http.post(target, data=values, headers=headers, allow_redirects=False)


def click_elsewhere(browser: Browserless, page: Page, action: str) -> requests.Response:
    """Send a page's form by a button that has an address of its own."""
    headers = {"Referer": page.url}
    target = urljoin(page.url, action)
    return browser.http.post(
        target, data=page.form.values(), headers=headers, allow_redirects=False
    )


def click_twice(
    browser: Browserless, page: Page, pressed: Control | None = None
) -> tuple[requests.Response, requests.Response]:
    """Send a form twice before the first answer has arrived; the second answer's cookie stays."""
    cookies = browser.http.cookies.copy()
    first = click(browser, page, pressed)
    browser.http.cookies = cookies
    return first, click(browser, page, pressed)


def follow(browser: Browserless, answer: requests.Response) -> Page:
    """Go on from an answer."""
    assert answer.status_code == 303, f"{answer.status_code} {answer.text[:500]}"
    target = urljoin(str(answer.url), answer.headers["Location"])
    if origin_of(target) != browser.origin:
        return Page(answer, str(answer.url), target)
    return browser.get(target)
