"""What is kept of a client's errors: bounded, counted, forgotten, and nothing of anybody."""

import json

import pytest
import requests
from sqlalchemy import delete, select

from idp.config import Settings
from idp.domain.client_errors import KEPT, MOST, ClientErrors, Fault, Kind, Told
from idp.domain.services import Services
from idp.domain.unrevealing import LONGEST, unrevealing
from idp.store.database import Store
from idp.store.errors import StoreUnavailable
from idp.store.tables import ClientError, table
from tests.abuse_browser.asking import ask
from tests.support.held_clock import HeldClock
from tests.support.more_clients import CLIENTS
from tests.support.seeds import ORIGIN
from tests.support.token_client import TokenClient

ROWS = table(ClientError)


def told(sent: str = "") -> Told:
    fault = Fault(Kind.REDIRECT_URI, "redirect_uri", sent, ("https://app.example.test/callback",))
    return Told("authorize", "invalid_request", "It is not registered.", fault)


def rows(store: Store) -> int:
    with store.reading() as connection:
        return len(connection.execute(select(ROWS.c.digest)).all())


def test_equal_errors_are_counted_and_others_kept_newest_first(
    services: Services, clock: HeldClock
) -> None:
    errors = services.client_errors
    began = int(clock())
    for _ in range(3):
        errors.note("webapp", told("a"), ORIGIN, proven=False)
        clock.advance(10)
    errors.note("webapp", told("b"), ORIGIN, proven=False)
    errors.note("webapp", told("a"), ORIGIN, proven=True)
    errors.note("spa", told("a"), ORIGIN, proven=False)
    errors.note("nobody", told("a"), ORIGIN, proven=False)
    found = errors.latest("webapp")
    assert [(each.told.fault.sent, each.proven, each.times) for each in found[2:]] == [
        ("a", False, 3)
    ]
    assert (found[2].first_at, found[2].last_at) == (began, began + 20)
    assert {(each.told.fault.sent, each.proven) for each in found[:2]} == {
        ("b", False),
        ("a", True),
    }
    assert errors.latest("nobody") == []
    assert rows(services.store) == 4


def test_strangers_cannot_push_out_what_the_client_sent_itself(
    services: Services, clock: HeldClock
) -> None:
    errors = services.client_errors
    errors.note("webapp", told("its own"), ORIGIN, proven=True)
    for number in range(MOST + 5):
        clock.advance(1)
        errors.note("webapp", told(f"stranger {number}"), ORIGIN, proven=False)
    found = errors.latest("webapp")
    assert len(found) == MOST + 1
    assert found[0].told.fault.sent == f"stranger {MOST + 4}"
    assert found[-1].told.fault.sent == "its own"
    assert found[-2].told.fault.sent == "stranger 5"


def test_they_are_forgotten(services: Services, clock: HeldClock) -> None:
    errors = services.client_errors
    errors.note("webapp", told("a"), ORIGIN, proven=False)
    errors.note("webapp", told("b"), ORIGIN, proven=False)
    clock.advance(KEPT - 1)
    errors.note("webapp", told("b"), ORIGIN, proven=False)
    clock.advance(2)
    assert [each.told.fault.sent for each in errors.latest("webapp")] == ["b"]
    clock.advance(3600)
    services.housekeeping.run_once()
    assert rows(services.store) == 1
    with services.store.writing() as connection:
        connection.execute(delete(CLIENTS).where(CLIENTS.c.client_id == "webapp"))
    assert rows(services.store) == 0


@pytest.mark.settings(network_limit=5)
def test_nobody_can_make_the_server_write_without_end(
    webapp: TokenClient, http: requests.Session, settings: Settings, services: Services
) -> None:
    url = f"{settings.issuer}/oauth2/authorize"
    statuses = [
        ask(http, url, webapp.authorization(redirect_uri=f"https://a.test/{n}")).status_code
        for n in range(8)
    ]
    assert statuses == [400] * 5 + [429] * 3
    assert len(services.client_errors.latest("webapp")) == 5


def test_the_answer_does_not_wait_for_the_log(
    webapp: TokenClient,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise StoreUnavailable("database is locked")

    monkeypatch.setattr("idp.store.client_errors.note", fail)
    answer = webapp.refresh("made-up")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert services.client_errors.latest("webapp") == []
    assert "is not in its log" in caplog.text


def test_what_outsiders_send_can_be_stored(services: Services) -> None:
    errors: ClientErrors = services.client_errors
    odd = ("\0\ud800\u202e\n", "x" * 10_000, "🦉" * 400, "%00%zz", "'\";--")
    for sent in odd:
        errors.note("webapp", told(sent), ORIGIN, proven=False)
    assert len(errors.latest("webapp")) == len(odd)


HIDDEN = {
    "https://ada:secret@app.example.test/cb": "https://…@app.example.test/cb",
    "https://app.example.test/ada@example.test": "https://app.example.test/…@example.test",
    "https://app.example.test/cb?code=abc&x": "https://app.example.test/cb?code=…&x",
    "https://app.example.test/cb?tenant=blue": "https://app.example.test/cb?tenant=blue",
    "https://app.example.test/#access_token=abc": "https://app.example.test/#access_token=…",
    "https://app.example.test/dw_secret_mZ3kq0Jd81HHsmT4x": "https://app.example.test/…",
    "https://app.example.test/0190a0a0-0000-7000-8000-000000000000": None,
    "openid profile calendar:read": None,
    "client_secret_post": None,
}


def test_secrets_and_people_are_left_out() -> None:
    known = (
        "https://app.example.test/cb?tenant=blue",
        "https://app.example.test/0190a0a0-0000-7000-8000-000000000000",
    )
    for sent, kept in HIDDEN.items():
        assert unrevealing(sent, known) == (kept or sent)
    assert len(unrevealing("a " * 1000)) == LONGEST


def test_no_value_of_a_request_is_in_the_log(
    webapp: TokenClient, http: requests.Session, settings: Settings, services: Services
) -> None:
    secret = "dw-Zk81mQx0_7hTqLw93ndPz45"
    url = f"{settings.issuer}/oauth2/authorize"
    for name in ("state", "nonce", "login_hint", "code_challenge", "id_token_hint", "request"):
        changes = {name: secret, "code_challenge_method": "S256"}
        ask(http, url, webapp.authorization(redirect_uri=f"https://a.test/?x={secret}", **changes))
        ask(http, url, webapp.authorization(max_age="soon", **changes))
    for name in ("code", "refresh_token", "code_verifier", "client_assertion", "client_secret"):
        for grant in ("authorization_code", "refresh_token"):
            webapp.token({"grant_type": grant, name: secret})
    with services.store.reading() as connection:
        found = connection.execute(select(ROWS.c.told)).scalars().all()
    assert len(found) > 5
    assert secret not in json.dumps(list(found))
