"""SECURITY case 89 as a table: every state of an interaction by every request to every page of it,
out of order, sent again, and from another browser.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

import pytest
import requests
from sqlalchemy import select

from idp.domain.errors import NotFound
from idp.domain.interactions import Progress
from idp.domain.services import Services
from idp.store.tables import db
from tests.abuse_browser.states import (
    NEW_PASSWORD,
    PAGES,
    SETTINGS,
    STATES,
    At,
    Kit,
    Step,
    form_token,
    post,
)
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.refusals import contents
from tests.support.seeds import ADA, GRACE

pytestmark = pytest.mark.settings(**SETTINGS)
every_state = pytest.mark.parametrize("state", STATES)

DECISIONS: Mapping[str, str] = {
    "consent": "allow",
    "switch": "switch",
    "sign_out": "sign_out",
    "enrol": "authenticator",
    "mailed": "confirm",
    "new_password": "keep",
}
WORKS_AGAIN = frozenset({"codes offered", "sign-up proven"})
"""A second click makes a second set of codes, which replaces the first; and one that has just made
an account signs in to it by its password.
"""
WRONG = {
    "identifier": ADA.email,
    "username": ADA.email,
    "password": "not it",
    "code": "000000",
    "account": "018f0000-0000-7000-8000-000000000000",
    "response": "{}",
    "decision": "nonsense",
    "step": "finish",
}
RIGHT_BY_ITSELF = frozenset({"mailed", "save_codes"})
"""No answer to these is wrong: the link is the proof, and there is nothing to fill in."""
NEVER_OUT_OF_TURN = frozenset({"interaction", "cancel"})
"""The dispatcher, which is where every page leads back to, and whoever wants no more."""
_VOLATILE = frozenset(
    {
        "cookie_digest",
        "chosen_at",
        "seen_at",
        "idle_expires_at",
        "expires_at",
        "auth_time",
        "proofs",
        "last_factor",
    }
)
"""What changes when somebody proves once more what was proven, and is worth no more."""
_GAINS = (
    "accounts",
    "account_roles",
    "group_roles",
    "group_memberships",
    "passwords",
    "passkeys",
    "authenticators",
    "recovery_codes",
    "devices",
    "consents",
    "sessions",
    "authorizations",
    "refresh_tokens",
)
_STANDING = ("signed_in", "session_id", "chosen", "consented")
_PROVEN = ("proven", "account", "email", "codes")


@pytest.fixture
def kit(deployment: Deployment, services: Services, clock: HeldClock) -> Kit:
    return Kit(deployment, services, clock)


def bodies(kit: Kit, endpoint: str) -> Iterator[Mapping[str, str]]:
    """Nothing at all; what would be right elsewhere, of the same person; and another person's."""
    yield {}
    mail = kit.services.outbox.latest(1)
    code = str(mail[0].values.get("code", "")) if mail else ""
    decision = {"decision": DECISIONS.get(endpoint, "continue")}
    for person in (ADA, GRACE):
        yield {
            **decision,
            "identifier": person.email,
            "username": person.email,
            "password": person.password if endpoint == "password" else NEW_PASSWORD,
            "code": code or (kit.ada.code() if kit.ada.secret else "123456"),
            "account": kit.services.accounts.get(person.email).id,
            "name": person.name,
            "response": "{}",
            "keep": "yes",
            "trust": "yes",
            "step": "finish",
        }


def send(
    http: requests.Session, at: At, endpoint: str, method: str, fields: Mapping[str, str]
) -> requests.Response:
    """Send one request, and follow nothing."""
    return http.request(
        method,
        at.url(endpoint),
        data=fields if method == "POST" else None,
        headers={"Referer": at.page.url},
        allow_redirects=False,
    )


def assert_safe(answer: requests.Response, where: object) -> None:
    """A page of ours, or the way back to one: nothing leaves, and no code."""
    assert answer.status_code in {200, 303, 400, 403, 404, 429}, (where, answer.status_code)
    target = answer.headers.get("Location", "/")
    assert target.startswith("/"), (where, target)
    assert not target.startswith("//"), (where, target)
    assert "code=" not in target, (where, target)


def progress(kit: Kit, at: At) -> Progress:
    """Return how far the interaction got; where it is over, how far one gets without any."""
    cookie = str(at.browser.http.cookies.get("__Host-doorward", ""))
    try:
        return kit.services.interactions.find(at.start.rpartition("/")[2], cookie).progress
    except NotFound:
        return Progress()


def gained(kit: Kit, at: At) -> set[str]:
    """Everything that a sign-in is after: who is signed in, what was proven, allowed and made."""
    facts = set()
    with kit.services.store.reading() as connection:
        for name in _GAINS:
            for row in connection.execute(select(db.metadata.tables[name])).mappings():
                kept = {key: value for key, value in row.items() if key not in _VOLATILE}
                facts.add(f"{name} {kept}")
    now = progress(kit, at)
    facts |= {f"proof {now.account} {method}" for method in now.proofs}
    facts |= {f"{name} {getattr(now, name)}" for name in _STANDING if getattr(now, name)}
    return facts | {f"{name} {now.details[name]}" for name in _PROVEN if name in now.details}


@pytest.mark.only_on("sqlite")
@every_state
def test_case_089_out_of_turn_or_from_another_browser_nothing_changes(kit: Kit, state: str) -> None:
    at = STATES[state].build(kit)
    try_elsewhere(kit, at)
    try_out_of_turn(kit, at, state)


def try_out_of_turn(kit: Kit, at: At, state: str) -> None:
    """Ask and answer every page whose turn it is not; then give wrong answers to the others, and
    say that nothing more is wanted.
    """
    turn, led = STATES[state].turn, leads_to(at)
    before, facts = contents(kit.services.store), gained(kit, at)
    token = {"csrf_token": form_token(at.page)}
    for endpoint in PAGES.keys() - turn - NEVER_OUT_OF_TURN:
        for method in PAGES[endpoint].methods:
            for fields in bodies(kit, endpoint) if method == "POST" else ({},):
                answer = send(at.browser.http, at, endpoint, method, {**token, **fields})
                assert_sent_back(answer, at, state, (endpoint, method, fields))
        assert contents(kit.services.store) == before, endpoint
    assert leads_to(at) == led
    assert (led[2] is None) == (state != "finished")
    for endpoint in sorted(turn - RIGHT_BY_ITSELF):
        for method in PAGES[endpoint].methods:
            answer = send(at.browser.http, at, endpoint, method, {**token, **WRONG})
            assert_safe(answer, (endpoint, method))
            assert gained(kit, at) <= facts, (endpoint, method)
    ended = send(at.browser.http, at, "cancel", "POST", token).headers.get("Location", "")
    assert "code=" not in ended or ended == led[2], ended
    assert gained(kit, at) <= facts


def assert_sent_back(answer: requests.Response, at: At, state: str, where: object) -> None:
    """To the dispatcher; where there is no interaction, or no such link, there is nothing."""
    assert_safe(answer, where)
    dispatcher = at.start.removeprefix(at.browser.origin)
    over = state == "expired" or "mailed" in str(where)
    assert answer.status_code in ({303, 404} if over else {303}), (where, answer.status_code)
    assert answer.headers.get("Location", dispatcher) == dispatcher, where


def leads_to(at: At) -> tuple[int, str, str | None]:
    """Return where the interaction leads now: its page, or the client that got a code just now."""
    now = at.browser.get(at.start)
    return now.status, now.url, now.left_for


def try_elsewhere(kit: Kit, at: At) -> None:
    """Try from one that has no cookie, one that nobody is signed in to, and one that Grace is."""
    grace = kit.deployment.browserless(GRACE)
    hers = grace.get("/sign-in")
    while hers.form.action != "/sign-out":
        hers = grace.answer(hers)
    stranger = kit.deployment.browserless(None)
    blank = stranger.get("/sign-in")
    bare = kit.deployment.browserless(None)
    before = contents(kit.services.store)
    for browser, page in ((bare, at.page), (stranger, blank), (grace, hers)):
        token = {"csrf_token": form_token(page)}
        for endpoint, route in PAGES.items():
            for method in route.methods:
                _, fields, _ = bodies(kit, endpoint)
                bare.http.cookies.clear()
                answer = send(browser.http, at, endpoint, method, {**token, **fields})
                where = (endpoint, method, browser.person)
                assert_safe(answer, where)
                assert ADA.name not in answer.text, where
                if endpoint != "mailed":
                    back = answer.headers.get("Location") == at.start.removeprefix(browser.origin)
                    old = browser is bare and method == "POST" and back
                    assert answer.status_code == 404 or old, where
    assert contents(kit.services.store) == before


def again(kit: Kit, at: At, request: requests.PreparedRequest) -> Iterator[requests.Response]:
    """Send a form as it was, and as the page of now would."""
    yield kit.deployment.new_http().send(request.copy(), allow_redirects=False)
    body = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
    fields = {**dict(parse_qsl(body)), "csrf_token": form_token(at.browser.get("/"))}
    yield at.browser.http.post(
        str(request.url), data=fields, headers={"Referer": at.page.url}, allow_redirects=False
    )


@every_state
def test_case_089_the_right_form_goes_on_and_no_form_gains_anything_again(
    kit: Kit, state: str
) -> None:
    """It goes on, so nothing above was refused for another reason. Then it and every form before it
    are sent again: with the cookie that they had, and as the page of now would.
    """
    at, goes_on = STATES[state].build(kit), STATES[state].on
    facts = go_on(kit, at, goes_on) if goes_on else gained(kit, at)
    *earlier, last = list(kit.sent)
    for answer in again(kit, at, last):
        assert_safe(answer, state)
    if state in WORKS_AGAIN:
        assert tables(gained(kit, at)) == tables(facts)
        facts |= gained(kit, at)
    assert gained(kit, at) <= facts
    for request in reversed(earlier):
        for answer in again(kit, at, request):
            assert_safe(answer, request.url)
            assert gained(kit, at) <= facts, request.url


def go_on(kit: Kit, at: At, step: Step) -> set[str]:
    """Send the right form, and return what was gained by then."""
    before = progress(kit, at), gained(kit, at)
    page = post(at, *step(kit, at))
    assert page.left_for or page.status == 200, page
    after = progress(kit, at), gained(kit, at)
    assert after != before
    return after[1]


def tables(facts: set[str]) -> Counter[str]:
    """Return how many rows of each table there are."""
    return Counter(name for name in (fact.split()[0] for fact in facts) if name in _GAINS)
