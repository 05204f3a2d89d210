"""Activity: the audit log in plain words, a page at a time, and what helps against strangers."""

import re
from pathlib import Path

import pytest

from idp.domain.activity import PAGE
from idp.domain.services import Services
from idp.web.account.activity import EVENTS
from tests.abuse_browser.asking import at_password, signed_in, try_password
from tests.account.console import events, opened, send
from tests.support.deployment import Deployment
from tests.support.refusals import entries
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN

ACTIVITY = "/account/activity"
NOT_ME = f"{ACTIVITY}/not-me"


def test_it_tells_what_happened_and_who_did_it(deployment: Deployment, services: Services) -> None:
    deployment.client("webapp").sign_in(signed_in(deployment), "openid email")
    services.memberships.grant(ADA.email, groups=["staff"], origin=ORIGIN, actor=OPERATOR)
    stranger = deployment.browserless()
    try_password(stranger, at_password(stranger, stranger.get("/sign-in")), "a guess")
    _, page = opened(deployment, ACTIVITY)
    for words in (
        "You signed in to an application: Field Notes",
        "You were put into a group: staff not by you",
        "A sign-in failed",
        "Your account was made not by you",
    ):
        assert words in page.text, words
    assert "token.issued" not in page.text


def test_a_stranger_s_failure_is_not_called_the_person_s(
    deployment: Deployment, services: Services
) -> None:
    browser = deployment.browserless()
    try_password(browser, at_password(browser, browser.get("/sign-in")), "a guess")
    _, page = opened(deployment, ACTIVITY)
    assert "A sign-in failed not by you" not in page.text


@pytest.mark.every_database
def test_pages_have_everything_once_and_nothing_of_others(
    deployment: Deployment, services: Services
) -> None:
    ada = services.accounts.get(ADA.email)
    for number in range(PAGE):
        services.memberships.grant(ADA.email, groups=[f"g{number}"], origin=ORIGIN, actor=OPERATOR)
    services.memberships.grant(GRACE.email, groups=["hers"], origin=ORIGIN, actor=OPERATOR)
    browser, page = opened(deployment, ACTIVITY)
    seen = re.findall(r"group: (g\d+|hers)", page.text)
    page = browser.get(page.document.links["Earlier"])
    seen += re.findall(r"group: (g\d+|hers)", page.text)
    assert sorted(seen) == sorted(f"g{number}" for number in range(PAGE))
    assert "Earlier" not in page.document.links
    assert browser.get(page.document.links["Newest"]).url.endswith(ACTIVITY)
    assert len(list(services.own.activity.all(ada.id))) >= PAGE


@pytest.mark.parametrize("before", ["x", "%00", "' OR 1=1 --", "x" * 5000])
def test_what_is_no_entry_begins_at_the_newest(before: str, deployment: Deployment) -> None:
    browser, _ = opened(deployment, ACTIVITY)
    assert browser.get(ACTIVITY, {"before": before}).status == 200
    assert "You signed in" in browser.get(ACTIVITY, {"before": before}).text


def test_case_136_another_persons_entry_is_a_place_and_not_a_view(
    deployment: Deployment, services: Services
) -> None:
    services.memberships.grant(GRACE.email, groups=["hers"], origin=ORIGIN, actor=OPERATOR)
    hers = next(
        one["id"] for one in reversed(entries(services.store)) if one["event"] == "group.joined"
    )
    browser, _ = opened(deployment, ACTIVITY)
    assert "hers" not in browser.get(ACTIVITY, {"before": hers}).text


@pytest.mark.every_database
def test_that_was_not_me_locks_everybody_else_out(
    deployment: Deployment, services: Services
) -> None:
    own = deployment.client("own")
    thief = signed_in(deployment)
    held = own.sign_in(thief, "openid offline_access")
    browser, page = opened(deployment, ACTIVITY)
    page = browser.get(page.document.links["This wasn’t me"])
    page = send(browser, page, NOT_ME)
    assert page.title.startswith("Change password"), page
    assert "/interaction/" in thief.get("/account").url
    assert own.refresh(held["refresh_token"]).json()["error"] == "invalid_grant"
    assert "account.not_me" in events(services)


ENTRY = re.compile(r'Entry\(\s*"([a-z_.]+)"')
OF_SYSTEMS = frozenset(
    {
        "administrator.added",
        "authorization.refused",
        "consent.refused",
        "invitation.accepted",
        "invitation.sent",
        "introspection",
        "sign_in.factor",
        "token.issued",
        "userinfo",
    }
)


def test_every_event_with_words_is_one_that_is_written() -> None:
    sources = [path.read_text() for path in Path("idp").rglob("*.py")]
    written = set(ENTRY.findall("".join(sources)))
    kinds = ("password", "passkey", "authenticator", "recovery_codes")
    written |= {f"{kind}.{deed}" for kind in kinds for deed in ("added", "renamed", "removed")}
    quoted = {event for event in EVENTS if any(f'"{event}"' in text for text in sources[1:])}
    assert set(EVENTS) <= written | quoted
    assert not set(EVENTS) & OF_SYSTEMS
