"""Secrets of one's own applications: shown once, two live ones, the old one ended."""

import re

import pytest

from idp.domain.services import Services
from tests.account.console import events, form_of
from tests.developer.conftest import Developer, Registered, text_of
from tests.support.held_clock import HeldClock
from tests.support.refusals import entries

DAY = 86400


def rotated(developer: Developer, found: Registered, seconds: int = 7 * DAY) -> str:
    """Make a new secret, and return it."""
    page = developer.send(f"{found.path}/secret", overlap=str(seconds))
    assert page.status == 200
    assert page.response.headers["Cache-Control"] == "no-store"
    assert text_of(page, "client-id") == found.client_id
    secret = text_of(page, "client-secret")
    assert re.fullmatch(r"dw_secret_[A-Za-z0-9_-]{43}", secret)
    return secret


def works(developer: Developer, found: Registered, secret: str) -> bool:
    """Whether the token endpoint knows the client by this secret."""
    answer = found.client(secret).refresh("no such token")
    return bool(answer.json()["error"] == "invalid_grant")


@pytest.mark.every_database
def test_two_secrets_live_until_the_stated_time(
    developer: Developer, services: Services, clock: HeldClock
) -> None:
    found = developer.register("web")
    assert works(developer, found, found.secret)
    second = rotated(developer, found)
    assert second != found.secret
    assert works(developer, found, found.secret)
    assert works(developer, found, second)
    page = developer.get(found.path)
    assert page.text.count("Made on") == 2
    assert page.text.count("Works until") == 2
    for secret in (found.secret, second):
        assert secret not in page.response.text
    clock.advance(7 * DAY - 1)
    assert works(developer, found, found.secret)
    clock.advance(1)
    assert not works(developer, found, found.secret)
    assert works(developer, found, second)
    (entry,) = (one for one in entries(services.store) if one["event"] == "client.secret_rotated")
    assert entry["actor"] == f"account:{developer.account_id}"
    assert entry["detail"] == {"keep_old_seconds": 7 * DAY}


@pytest.mark.every_database
def test_the_old_one_ends_when_its_owner_says_so_and_the_new_one_never(
    developer: Developer, services: Services, clock: HeldClock
) -> None:
    found = developer.register("web")
    clock.advance(60)
    second = rotated(developer, found)
    page = developer.get(found.path)
    form = form_of(page, f"{found.path}/secret/end")
    (button,) = (one for one in form.controls if one.button)
    (kept,) = {at for at, ends in services.clients.secret_dates(found.client_id) if ends is None}
    values = dict(form.values())
    for made in (str(kept), "0", "-1", "x", "9" * 5000, "", "٣"):
        answer = developer.browser.post(form.action, {**values, "made": made}, page.url)
        assert answer.status == 404, made
    assert works(developer, found, found.secret)
    page = developer.browser.submit(page, button, form)
    assert "The old secret has ended." in page.text
    assert page.text.count("Made on") == 1
    assert not works(developer, found, found.secret)
    assert works(developer, found, second)
    assert events(services).count("client.secret_ended") == 1


def test_there_are_never_more_than_two(developer: Developer, clock: HeldClock) -> None:
    found = developer.register("web")
    second = rotated(developer, found)
    third = rotated(developer, found)
    assert [works(developer, found, one) for one in (found.secret, second, third)] == [
        False,
        True,
        True,
    ]
    last = rotated(developer, found, 0)
    assert not any(works(developer, found, one) for one in (second, third))
    assert works(developer, found, last)


def test_nothing_is_made_without_a_choice_or_for_who_has_no_secret(
    developer: Developer, services: Services
) -> None:
    found = developer.register("web")
    page = developer.get(f"{found.path}/secret")
    values = dict(page.document.forms[0].values())
    for overlap in ("", "1", "-1", str(400 * DAY), "x"):
        answer = developer.browser.post(
            f"{found.path}/secret", {**values, "overlap": overlap}, page.url
        )
        assert answer.status == 200
        assert "dw_secret_" not in answer.response.text
    public = developer.register("single-page")
    answer = developer.browser.post(f"{public.path}/secret", {**values, "overlap": "0"}, page.url)
    assert answer.status == 404
    assert events(services).count("client.secret_rotated") == 0
