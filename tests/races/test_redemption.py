"""What works once works once, however many try at the same moment and wherever they try.

Two gunicorn masters share one database and take requests in turn; `serve` prints their workers and
fails if one of them gave all answers.
"""

from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from tests.races.together import together
from tests.support.serving import Serve, Serving
from tests.support.token_client import TokenClient

TRIES = 50
ROUNDS = 20
SCOPE = "openid offline_access notes:read"
both_databases = pytest.mark.every_database
no_window = {"refresh_retry_window": 0}


def one_success(answers: list[requests.Response]) -> dict[str, str]:
    """Check that one answer has tokens and all others refuse; return the tokens."""
    won = [answer.json() for answer in answers if answer.status_code == 200]
    lost = [answer for answer in answers if answer.status_code != 200]
    assert len(won) == 1, [answer.status_code for answer in answers]
    assert {(answer.status_code, answer.json()["error"]) for answer in lost} == {
        (400, "invalid_grant")
    }
    return dict(won[0])


def assert_dead(client: TokenClient, tokens: dict[str, str]) -> None:
    """Check that nothing of it works (RFC 6749 section 4.1.2, RFC 9700 section 4.14.2)."""
    assert not client.active(tokens["access_token"])
    assert client.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def redeem_at_once(serving: Serving) -> None:
    """Let everybody redeem one code."""
    deployment = serving.deployment
    client = deployment.client()
    callback = deployment.browserless().authorize(client.authorization(SCOPE))
    tokens = one_success(together(TRIES, lambda: client.redeem(callback)))
    assert_dead(client, tokens)


def refresh_at_once(serving: Serving) -> list[requests.Response]:
    """Let everybody use one refresh token."""
    deployment = serving.deployment
    client = deployment.client()
    token = client.sign_in(deployment.browserless(), SCOPE)["refresh_token"]
    return together(TRIES, lambda: client.refresh(token))


@both_databases
def test_a_code_is_redeemed_once_and_revoked_for_the_others_sake(serve: Serve) -> None:
    redeem_at_once(serve(nodes=2))


@both_databases
def test_without_a_retry_window_a_refresh_token_works_once(serve: Serve) -> None:
    serving = serve(nodes=2, **no_window)
    tokens = one_success(refresh_at_once(serving))
    assert_dead(serving.deployment.client(), tokens)


@both_databases
def test_within_the_retry_window_every_success_carries_the_same_successor(serve: Serve) -> None:
    serving = serve(nodes=2)
    answers = refresh_at_once(serving)
    assert {answer.status_code for answer in answers} == {200}
    (successor,) = {answer.json()["refresh_token"] for answer in answers}
    again = serving.deployment.client().refresh(successor)
    assert again.status_code == 200
    assert again.json()["refresh_token"] != successor


@both_databases
def test_a_request_that_is_finished_by_many_clicks_gives_one_code(serve: Serve) -> None:
    deployment = serve(nodes=2).deployment
    client, browser = deployment.client(), deployment.browserless()
    page = browser.start(client.authorization(SCOPE))
    while page.form.button("decision", "allow") is None:
        page = browser.answer(page)
    consent = page.form.values(page.form.button("decision", "allow"))
    interaction = page.url.removesuffix("/consent")
    headers = {"Referer": page.url, "Origin": deployment.issuer}

    def click() -> requests.Response:
        browser.http.post(page.url, data=consent, headers=headers, allow_redirects=False)
        return browser.http.get(interaction, allow_redirects=False)

    answers = together(TRIES, click)
    assert {answer.status_code for answer in answers} == {303}
    (target,) = {answer.headers["Location"] for answer in answers}
    callback = dict(parse_qsl(urlsplit(target).query))
    assert client.redeem(callback).status_code == 200


@pytest.mark.slow
@both_databases
def test_codes_are_redeemed_once_round_after_round(serve: Serve) -> None:
    serving = serve(nodes=2, workers=2)
    for _ in range(ROUNDS):
        redeem_at_once(serving)


@pytest.mark.slow
@both_databases
def test_refresh_tokens_work_once_round_after_round(serve: Serve) -> None:
    serving = serve(nodes=2, workers=2, **no_window)
    for _ in range(ROUNDS):
        tokens = one_success(refresh_at_once(serving))
        assert_dead(serving.deployment.client(), tokens)


@pytest.mark.slow
@both_databases
def test_successors_are_the_same_round_after_round(serve: Serve) -> None:
    serving = serve(nodes=2, workers=2)
    for _ in range(ROUNDS):
        answers = refresh_at_once(serving)
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["refresh_token"] for answer in answers}) == 1
