"""Management of a registration by its client: RFC 7592 section 2; SECURITY cases 77 and 78."""

import pytest

from idp.domain.registrations import NEVER_USED_SECONDS
from idp.domain.services import Services
from tests.registration.registrar import METADATA, Registrar
from tests.support import seeds
from tests.support.browserless import Browserless
from tests.support.held_clock import HeldClock
from tests.support.refusals import Refused, entries

pytestmark = pytest.mark.settings(registration="open")
DAY = 86400


@pytest.mark.every_database
def test_case_077_a_token_opens_the_registration_of_its_client_alone(
    registrar: Registrar, refused: Refused
) -> None:
    one, other = registrar.registered(), registrar.registered()
    unknown = {**other, "registration_client_uri": f"{registrar.endpoint}/unknown"}
    operators = {**other, "registration_client_uri": f"{registrar.endpoint}/webapp"}
    foreign = one["registration_access_token"]
    odd = {**other, "registration_client_uri": f"{registrar.endpoint}/%00"}
    for target in (other, unknown, operators, odd):
        for send in (registrar.get, registrar.put, registrar.delete):
            with refused("registration.refused", times=1):
                answer = send(target, foreign)
            assert answer.status_code == 401
            assert answer.json()["error"] == "invalid_token"
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    for registration in (one, other):
        assert registrar.get(registration).status_code == 200


def test_case_078_open_registration_does_not_open_management(
    registrar: Registrar, refused: Refused
) -> None:
    told = registrar.registered()
    for send in (registrar.get, registrar.put, registrar.delete):
        assert send(told, "").status_code == 401
        for token in (told["client_secret"], "dw_registration_", "\x7f"):
            with refused("registration.refused", times=1):
                assert send(told, token).status_code == 401
    assert registrar.get(told).status_code == 200


def test_a_client_reads_its_registration(registrar: Registrar) -> None:
    told = registrar.registered()
    answer = registrar.get(told)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    # The secret is known to nobody here any more; the token is the one that was sent.
    never_again = {"client_secret", "client_secret_expires_at"}
    assert answer.json() == {name: value for name, value in told.items() if name not in never_again}


@pytest.mark.every_database
def test_a_client_replaces_its_registration(
    registrar: Registrar, browserless: Browserless, services: Services
) -> None:
    told = registrar.registered(client_uri="https://guide.example.test", default_max_age=60)
    elsewhere = ["https://guide.example.test/elsewhere"]
    answer = registrar.put(told, redirect_uris=elsewhere, client_name="Atlas")
    assert answer.status_code == 200, answer.text
    changed = answer.json()
    assert (changed["client_name"], changed["redirect_uris"]) == ("Atlas", elsewhere)
    # What was left out has its default again (RFC 7592 section 2.2).
    assert changed["grant_types"] == ["authorization_code"]
    assert not {"client_uri", "default_max_age"} & changed.keys()
    # The secret stays, and is not told again; the token is a new one, and the only one.
    assert "client_secret" not in changed
    assert changed["registration_access_token"] != told["registration_access_token"]
    assert registrar.get(told).status_code == 401
    assert registrar.get(changed).json() == changed
    secret = told["client_secret"]
    client = registrar.client({**changed, "client_secret": secret})
    assert client.sign_in(browserless, "openid")["id_token"]
    again = registrar.put(changed, redirect_uris=elsewhere, client_secret=secret)
    assert again.status_code == 200
    written = [
        entry["event"] for entry in entries(services.store) if entry["event"][:6] == "client"
    ]
    assert written[-3:] == ["client.added", "client.changed", "client.changed"]


def test_a_client_can_choose_neither_id_nor_secret_nor_token(
    registrar: Registrar, refused: Refused
) -> None:
    told = registrar.registered()
    for changes in (
        {"client_id": "webapp"},
        {"client_id": None},
        {"client_secret": "dw_secret_of_my_own_choice"},
        {"client_secret": 1},
        {"client_secret": "\N{SNOWMAN}"},
        {"registration_access_token": "mine"},
        {"registration_client_uri": "https://evil.test"},
        {"client_secret_expires_at": 0},
        {"client_id_issued_at": 0},
        {"first_party": True},
        {"redirect_uris": ["https://guide.example.test/#"]},
    ):
        with refused("registration.refused", times=1):
            answer = registrar.put(told, **{**METADATA, **changes})
        assert answer.status_code == 400, changes
    assert registrar.get(told).status_code == 200


def test_a_secret_comes_and_goes_with_the_method(registrar: Registrar, services: Services) -> None:
    told = registrar.registered()
    public = registrar.put(told, **METADATA, token_endpoint_auth_method="none").json()
    assert "client_secret" not in public
    assert services.clients.get(told["client_id"]).secrets == ()
    secret = registrar.put(public, **METADATA).json()
    assert secret["client_secret"] != told["client_secret"]
    assert secret["client_secret_expires_at"] == 0


@pytest.mark.every_database
def test_a_deleted_client_is_gone_with_all_that_it_got(
    registrar: Registrar, browserless: Browserless, services: Services
) -> None:
    told = registrar.registered()
    client = registrar.client(told)
    tokens = client.sign_in(browserless, METADATA["scope"])
    answer = registrar.delete(told)
    assert (answer.status_code, answer.content) == (204, b"")
    assert registrar.get(told).status_code == 401
    assert registrar.delete(told).status_code == 401
    assert client.refresh(tokens["refresh_token"]).json()["error"] == "invalid_client"
    header = {"Authorization": f"Bearer {tokens['access_token']}"}
    userinfo = registrar.http.get(f"{registrar.issuer}/oauth2/userinfo", headers=header)
    assert userinfo.status_code == 401
    page = browserless.http.get(
        f"{registrar.issuer}/oauth2/authorize", params=client.authorization("openid")
    )
    assert page.status_code == 400
    assert entries(services.store)[-1]["event"] != "client.added"
    deleted = [one for one in entries(services.store) if one["event"] == "client.deleted"]
    assert [one["actor"] for one in deleted] == [f"client:{told['client_id']}"]


def test_a_disabled_client_manages_nothing(
    registrar: Registrar, services: Services, refused: Refused
) -> None:
    told = registrar.registered()
    services.clients.disable(told["client_id"], origin=seeds.ORIGIN, actor=seeds.OPERATOR)
    for send in (registrar.get, registrar.put, registrar.delete):
        with refused("registration.refused", times=1):
            assert send(told).status_code == 403


def test_what_is_not_used_is_deleted(
    registrar: Registrar,
    browserless: Browserless,
    services: Services,
    clock: HeldClock,
) -> None:
    used, unused = registrar.registered(), registrar.registered()

    def alive(registration: dict[str, str]) -> bool:
        services.housekeeping.run_once()
        return registrar.get(registration).status_code == 200

    registrar.client(used).sign_in(browserless, "openid")
    noted = services.clients.get(used["client_id"]).last_used_at
    clock.advance(DAY - 1)
    registrar.client(used).sign_in(browserless, "openid")
    assert services.clients.get(used["client_id"]).last_used_at == noted
    clock.advance(NEVER_USED_SECONDS - DAY + 1)
    assert alive(unused)
    clock.advance(1)
    assert not alive(unused)
    clock.advance(services.settings.registration_unused_lifetime - NEVER_USED_SECONDS - 1)
    assert alive(used)
    clock.advance(1)
    assert not alive(used)
    assert services.clients.get("webapp").last_used_at is None


@pytest.mark.settings(network_limit=3, registration="open")
def test_changes_are_counted_before_they_are_written(
    registrar: Registrar, services: Services, clock: HeldClock
) -> None:
    """Whoever may register could else fill the audit log, and let us fetch logos without end."""
    told = registrar.registered()

    def changed() -> int:
        return sum(one["event"] == "client.changed" for one in entries(services.store))

    for _ in range(3):
        answer = registrar.put(told, **METADATA)
        assert answer.status_code == 200
        told = answer.json()
    refused = registrar.put(told, **METADATA)
    assert (refused.status_code, changed()) == (429, 3)
    clock.advance(int(refused.headers["Retry-After"]))
    assert registrar.put(told, **METADATA).status_code == 200
    assert changed() == 4
