"""How the kit keeps what the server publishes: fresh, through outages, and without storms."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from idp.domain.services import Services
from idp.guard import Answer, Guard, Needs, Refused, Request
from idp.guard.authorization_server import UNKNOWN_SECONDS
from idp.guard.documents import Kept, lifetime
from idp.guard.errors import Unavailable
from tests.support import signed
from tests.support.guard_http import Wire
from tests.support.held_clock import HeldClock
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

# Where the server keeps its tokens changes nothing here.
pytestmark = pytest.mark.only_on("sqlite")

METADATA = "/.well-known/oauth-authorization-server"
JWKS = "/.well-known/jwks.json"
STALE, PAUSE = 3600, 10


@pytest.fixture
def claims(service: TokenClient) -> dict[str, Any]:
    """What a token of a client says, which lasts for the whole test."""
    token = service.credentials(scope="notes:read").json()["access_token"]
    return {**claims_of(token), "exp": 4_000_000_000}


@pytest.fixture
def token(claims: dict[str, Any], services: Services) -> str:
    """A token by the server's key."""
    return services.signing_keys.active("ES256").sign(claims, "at+jwt")


def answer(guard: Guard, token: str) -> str:
    outcome = guard.check(Request("GET", "/", (f"Bearer {token}",)), Needs())
    return outcome.problem if isinstance(outcome, Refused) else "granted"


def unknown(claims: dict[str, Any], kid: str) -> str:
    """Return a token by a key that nobody published."""
    return signed.sign(claims, signed.new_key(kid=kid), typ="at+jwt")


def test_it_asks_once_for_many_tokens(
    guard: Guard, token: str, wire: Wire, clock: HeldClock
) -> None:
    for _ in range(5):
        assert answer(guard, token) == "granted"
    assert wire.paths == [METADATA, JWKS]
    clock.advance(299)
    assert answer(guard, token) == "granted"
    assert len(wire.paths) == 2
    clock.advance(1)
    assert answer(guard, token) == "granted"
    assert wire.paths.count(JWKS) == 2


def test_who_says_not_to_keep_it_is_not_asked_each_time_either(
    make_guard: Callable[..., Guard], token: str, wire: Wire, clock: HeldClock
) -> None:
    guard = make_guard(stale=0)
    keys = wire.session.get(f"https://id.example.test{JWKS}").json()
    wire.documents[JWKS], wire.headers = keys, {"cache-control": "no-store"}
    for _ in range(5):
        assert answer(guard, token) == "granted"
    clock.advance(PAUSE)
    assert answer(guard, token) == "granted"
    assert wire.paths.count(JWKS) == 2


def test_nothing_is_asked_for_what_no_key_could_save(guard: Guard, wire: Wire) -> None:
    for nonsense in ("a", "a.b.c", "e30.e30.e30", "x" * 20_000):
        assert answer(guard, nonsense) == "token-invalid"
    # What is no JWT may be something that only the server can read.
    assert wire.paths == [METADATA, "/oauth2/introspect"]


def test_keys_are_believed_for_a_stated_time_while_the_server_is_away(
    guard: Guard, token: str, wire: Wire, clock: HeldClock
) -> None:
    assert answer(guard, token) == "granted"
    wire.cut = True
    clock.advance(300 + STALE - 1)
    assert answer(guard, token) == "granted"
    clock.advance(1)
    assert answer(guard, token) == "unavailable"
    wire.cut = False
    clock.advance(1)
    assert answer(guard, token) == "granted"


def test_a_server_that_is_away_is_not_asked_for_each_request(
    guard: Guard, token: str, wire: Wire, clock: HeldClock
) -> None:
    answer(guard, token)
    wire.documents[JWKS] = "no key set"
    clock.advance(300)
    for _ in range(5):
        assert answer(guard, token) == "granted"
    assert wire.paths.count(JWKS) == 2
    clock.advance(PAUSE)
    assert answer(guard, token) == "granted"
    assert wire.paths.count(JWKS) == 3


def test_without_any_keys_nobody_comes_in(
    guard: Guard, token: str, wire: Wire, clock: HeldClock
) -> None:
    wire.documents[JWKS] = {"keys": "none"}
    for _ in range(5):
        assert answer(guard, token) == "unavailable"
    assert wire.paths.count(JWKS) == 1
    del wire.documents[JWKS]
    clock.advance(1)
    assert answer(guard, token) == "granted"


def test_a_new_key_is_found_and_a_withdrawn_one_forgotten(
    guard: Guard, token: str, claims: dict[str, Any], wire: Wire, clock: HeldClock
) -> None:
    assert answer(guard, token) == "granted"
    new = signed.new_key(kid="new")
    wire.documents[JWKS] = signed.public(new)
    made = signed.sign(claims, new, typ="at+jwt")
    clock.advance(PAUSE)
    assert answer(guard, made) == "granted"
    assert wire.paths.count(JWKS) == 2
    clock.advance(PAUSE)
    assert answer(guard, token) == "token-invalid"


def test_made_up_keys_do_not_make_it_ask_each_time(
    guard: Guard, token: str, claims: dict[str, Any], wire: Wire, clock: HeldClock
) -> None:
    assert answer(guard, token) == "granted"
    forged = [unknown(claims, f"key {number}") for number in range(4)]
    for each in forged:
        assert answer(guard, each) == "token-invalid"
    assert wire.paths.count(JWKS) == 1
    clock.advance(PAUSE)
    for each in forged:
        assert answer(guard, each) == "token-invalid"
    assert wire.paths.count(JWKS) == 2
    # The first of them was looked for just now, and is not looked for again so soon.
    clock.advance(PAUSE)
    assert answer(guard, forged[0]) == "token-invalid"
    assert wire.paths.count(JWKS) == 2
    clock.advance(UNKNOWN_SECONDS)
    assert answer(guard, forged[0]) == "token-invalid"
    assert wire.paths.count(JWKS) == 3


def test_an_unknown_key_while_the_server_is_away_is_not_the_callers_fault(
    guard: Guard, token: str, claims: dict[str, Any], wire: Wire, clock: HeldClock
) -> None:
    assert answer(guard, token) == "granted"
    clock.advance(PAUSE)
    wire.cut = True
    for _ in range(2):
        assert answer(guard, unknown(claims, "new")) == "unavailable"
    assert answer(guard, token) == "granted"


def test_odd_metadata_is_not_believed(
    make_guard: Callable[..., Guard], token: str, wire: Wire
) -> None:
    good = {
        "issuer": "https://id.example.test",
        "jwks_uri": "https://id.example.test/.well-known/jwks.json",
    }
    odd: list[dict[str, Any]] = [
        {"issuer": "https://other.example.test"},
        {"issuer": "https://id.example.test/"},
        {"issuer": None},
        {"jwks_uri": "http://id.example.test/jwks.json"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": ["https://id.example.test/.well-known/jwks.json"]},
        {"jwks_uri": None},
    ]
    for metadata in odd:
        wire.documents[METADATA] = {**good, **metadata}
        assert answer(make_guard(), token) == "unavailable", metadata
    assert JWKS not in wire.paths
    wire.documents[METADATA] = good
    assert answer(make_guard(), token) == "granted"


def test_where_the_metadata_of_an_issuer_with_a_path_is(
    make_guard: Callable[..., Guard], token: str, wire: Wire
) -> None:
    """RFC 8414 section 3.1."""
    for issuer in ("https://id.example.test/one", "https://id.example.test/one/"):
        assert answer(make_guard(issuer=issuer), token) == "unavailable"
    assert wire.paths == [f"{METADATA}/one"] * 2


def test_how_long_an_answer_may_be_kept() -> None:
    told = {
        "max-age=60": 60,
        'public, MAX-AGE="7"': 7,
        "max-age=99999999": 3600,
        "no-store, max-age=600": 0,
        "no-cache": 0,
        "s-maxage=600": 300,
        "": 300,
    }
    for said, seconds in told.items():
        assert lifetime({"cache-control": said}) == seconds, said
    assert lifetime({}) == 300


def test_a_clock_that_was_set_back_makes_nothing_fresh_for_ever(clock: HeldClock) -> None:
    fetched: list[float] = []

    def fetch() -> tuple[int, int]:
        fetched.append(clock())
        return len(fetched), 300

    kept = Kept(fetch, clock, PAUSE, STALE)
    assert kept.get() == 1
    clock.advance(-86_400)
    assert kept.get() == 2


def test_one_thread_fetches_and_the_others_go_on(clock: HeldClock) -> None:
    begun, go_on = threading.Event(), threading.Event()
    fetched: list[str] = []

    def fetch() -> tuple[str, int]:
        fetched.append("again" if fetched else "first")
        if len(fetched) > 1:
            begun.set()
            assert go_on.wait(60)
        return fetched[-1], 300

    kept = Kept(fetch, clock, PAUSE, STALE)
    assert kept.get() == "first"
    clock.advance(300)
    with ThreadPoolExecutor(1) as pool:
        fetching = pool.submit(kept.get)
        assert begun.wait(60)
        assert kept.get() == "first"
        go_on.set()
        assert fetching.result() == "again"
    assert len(fetched) == 2


def test_who_has_nothing_waits_for_the_one_that_fetches(clock: HeldClock) -> None:
    begun, go_on = threading.Event(), threading.Event()
    fetched: list[int] = []

    def fetch() -> tuple[int, int]:
        fetched.append(1)
        begun.set()
        assert go_on.wait(60)
        return len(fetched), 300

    kept = Kept(fetch, clock, PAUSE, STALE)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(kept.get)
        assert begun.wait(60)
        others = [pool.submit(kept.get) for _ in range(3)]
        go_on.set()
        assert [each.result() for each in (first, *others)] == [1, 1, 1, 1]


class Broken:
    """Answers everything with the same."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def send(self, *_: Any) -> Answer:
        return self._answer


def test_an_answer_that_is_none_lets_nobody_in(
    settings_of_api: Callable[..., Any], token: str, clock: HeldClock
) -> None:
    json = {"content-type": "application/json"}
    for said in (
        Answer(500, json, b"{}"),
        Answer(302, {**json, "location": "/"}, b"{}"),
        Answer(200, {"content-type": "text/html"}, b"{}"),
        Answer(200, {}, b"{}"),
        Answer(200, json, b"[]"),
        Answer(200, json, b"{"),
        Answer(200, json, b"\xff"),
        Answer(200, json, b"[" * 200_000),
    ):
        guard = Guard(settings_of_api(), Broken(said), clock)
        assert answer(guard, token) == "unavailable", said


def test_a_failure_is_an_error(clock: HeldClock) -> None:
    def fetch() -> tuple[int, int]:
        raise Unavailable("nobody there")

    kept = Kept(fetch, clock, PAUSE, STALE)
    for _ in range(2):
        with pytest.raises(Unavailable, match="nobody there"):
            kept.get()
