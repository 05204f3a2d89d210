"""Signing keys rotate while people sign in, by every kind of plan, and nobody sees a failure.

Another node of the deployment rotates them, so that the one which answers learns of it seconds
later, in the middle of what it does.
"""

from collections.abc import Callable

import pytest

from tests.conformance.judges import Judge, Outcome
from tests.conformance.plans import BY_KEY, Plan
from tests.support.browserless import Browserless
from tests.support.exam import Exam
from tests.support.idp_ahead import AheadClock
from tests.support.seeds import OPERATOR, ORIGIN
from tests.support.token_parts import header_of

pytestmark = pytest.mark.usefixtures("asked")
LONG = 2 * 3600
"""Seconds after which the next key was published for long enough to sign."""
PLANS = (
    Plan(),
    Plan(method=BY_KEY, dynamic=True),
    Plan("code id_token token", "form_post", dynamic=True),
    Plan("id_token token"),
)
Rotate = Callable[[], None]


@pytest.fixture
def rotate(exam: Exam) -> Rotate:
    """`rotate()` lets the next keys sign, of ID tokens and of access tokens."""

    def now() -> None:
        for algorithm in ("RS256", "ES256"):
            exam.services.signing_keys.rotate(
                algorithm, emergency=False, dry_run=False, origin=ORIGIN, actor=OPERATOR
            )

    return now


@pytest.mark.parametrize("plan", PLANS, ids=str, indirect=True)
def test_nothing_fails_while_keys_rotate(
    judge: Judge, browserless: Browserless, clock: AheadClock, rotate: Rotate
) -> None:
    signed: list[str] = []
    for moment in ("while signing in", "before the answer is read", "afterwards"):
        clock.advance(LONG)
        browserless.http.cookies.clear()
        sent = judge.authorization("openid email offline_access", prompt="consent")
        page = browserless.start(sent)
        if moment == "while signing in":
            rotate()
        found = browserless.finish(page).callback
        if moment == "before the answer is read":
            rotate()
        answer = judge.judged(sent, found)
        if moment == "afterwards":
            rotate()
        all_goes_on(judge, browserless, answer)
        clock.advance(6)  # nodes look at keys again after five seconds
        all_goes_on(judge, browserless, answer)
        signed.append(header_of(judge.run(browserless).id_token)["kid"])
    assert len(set(signed)) == 3, "The keys did not change."
    assert header_of(answer.id_token)["kid"] not in signed[-1:]


def all_goes_on(judge: Judge, browser: Browserless, answer: Outcome) -> None:
    """What was issued before is worth what it was."""
    userinfo = judge.userinfo(answer.access_token)
    assert userinfo.json()["sub"] == answer.claims["sub"]
    nonce = answer.claims["nonce"]
    assert judge.verified(answer.id_token, nonce)["sub"] == answer.claims["sub"]
    hinted = judge.authorization(prompt="none", id_token_hint=answer.id_token)
    silent = judge.judged(hinted, browser.start(hinted).callback)
    assert silent.claims["sid"] == answer.claims["sid"]
    if judge.plan.has_code:
        renewed = judge.refresh(answer.back["refresh_token"]).json()
        kept = ("access_token", "refresh_token")
        answer.back |= {name: renewed[name] for name in kept}
        assert judge.verified(renewed["id_token"])["sub"] == answer.claims["sub"]
        assert judge.active(renewed["access_token"])
