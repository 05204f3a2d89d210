"""Garbage in every path, query and form of the consoles and of a sign-in, by somebody who may do
everything: an answer each time, and never a failure of ours.

PostgreSQL refuses what SQLite takes (NUL bytes, numbers that are too large), so both are asked.
"""

import re
from urllib.parse import quote

import pytest

from idp.domain.audit import By
from idp.domain.services import Services
from idp.web.kinds import Kind
from idp.web.routes import ROUTES
from tests.support.browserless import Browserless, Page, Person
from tests.support.deployment import Deployment
from tests.support.factors import factors, token_of, type_code
from tests.support.held_clock import HeldClock
from tests.support.seeds import OPERATOR, ORIGIN

pytestmark = pytest.mark.settings(
    smtp_url="smtp://127.0.0.1:1?tls=off", sign_up="open", network_limit=10_000_000
)
ROOT = Person("root@staff.example.test", "fourteen ways to wind a clock")
GARBAGE = (
    "a\0b@example.test",
    "-" * 36,
    "\u202e\r\nX: y\x1b[31m<script>{{7*7}}%s%(count)s",
    "9" * 400,
    "0001-01-01T00:00",
    "[" * 20_000,
)
FIELDS = (
    *("q", "after", "before", "event", "outcome", "person", "actor", "client", "since", "until"),
    *("identifier", "password", "code", "response", "name", "account", "decision", "email"),
    *("role", "group", "roles", "groups", "session", "typed", "handle", "language", "theme"),
    *("return_to", "next", "given_name", "zoneinfo", "birthdate", "website", "locale", "keep"),
    *("phone_number", "street_address", "choice", "trust"),
)
KINDS = {Kind.PAGE, Kind.FINISHING_PAGE}
PAGES = [one for one in ROUTES if one.kind in KINDS and one.path != "/sign-out"]
_VARIABLE = re.compile(r"<([a-z_]+)>")


@pytest.fixture
def root(services: Services, deployment: Deployment, clock: HeldClock) -> Browserless:
    """An administrator, signed in with two factors."""
    services.accounts.add(
        ROOT.email, "Root", ROOT.password, roles=["administrator"], origin=ORIGIN, actor=OPERATOR
    )
    hands = factors(services, clock, ROOT.email).with_app()
    browser = deployment.browserless(ROOT)
    page = browser.answer(browser.answer(browser.get("/sign-in")))
    type_code(browser, page, hands.next_code())
    return browser


def sent(browser: Browserless, method: str, path: str, garbage: str, start: Page) -> int:
    """Send it in every field; return the status."""
    fields = dict.fromkeys(FIELDS, garbage)
    headers = {"Referer": start.url, "Origin": browser.origin}
    if method == "GET":
        # No request line is longer than what servers take.
        query = {name: value[:100] for name, value in fields.items()}
        query |= {"before": garbage[:1000]}
        url = browser.origin + path
        return browser.http.get(
            url, params=query, headers=headers, allow_redirects=False
        ).status_code
    form = fields | {"csrf_token": token_of(start)}
    url = browser.origin + path
    return browser.http.post(url, data=form, headers=headers, allow_redirects=False).status_code


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda text: ascii(text)[:20])
def test_garbage_is_answered(
    root: Browserless, deployment: Deployment, services: Services, garbage: str
) -> None:
    start = root.get("/account")
    stranger = deployment.browserless()
    begun = stranger.start(deployment.client("webapp").authorization("openid"))
    handle = begun.url.split("/interaction/")[1].split("/")[0]
    token = services.invitations.invite("new@example.test", by=By(OPERATOR, ORIGIN)).rpartition(
        "/"
    )[2]
    known = {"account_id": services.accounts.get(ROOT.email).id, "handle": handle, "token": token}
    failed = []
    for route in PAGES:
        browser, page = (stranger, begun) if "<handle>" in route.path else (root, start)
        for values in ({}, known):

            def put(found: re.Match[str], values: dict[str, str] = values) -> str:
                return quote(values.get(found[1], garbage[:500]), safe="")

            path = _VARIABLE.sub(put, route.path)
            for method in route.methods:
                status = sent(browser, method, path, garbage, page)
                if status >= 500:
                    failed.append((status, method, path[:120]))
    assert failed == [], "\n".join(map(str, failed))
