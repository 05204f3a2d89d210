"""SECURITY group G: introspection and revocation."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from idp.domain.services import Services
from idp.store.tables import ResourceServer, table
from tests.abuse.answers import assert_error, tokens, works
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.raw_requests import RawRequests
from tests.support.refusals import Refused, contents, entries
from tests.support.seeds import ADA, FILES_API, GRACE, NOTES_API, OPERATOR, ORIGIN
from tests.support.statements import counted
from tests.support.token_client import TokenClient, basic

INACTIVE = {"active": False}
SCOPE = "openid notes:read offline_access"


@pytest.fixture
def issued(webapp: TokenClient, browserless: Browserless) -> dict[str, Any]:
    """Tokens of Ada's for the notes."""
    return webapp.sign_in(browserless, SCOPE)


def shown(answer: requests.Response) -> tuple[int, bytes, dict[str, str]]:
    """Return all of an answer that somebody could learn from."""
    headers = {name: text for name, text in answer.headers.items() if name != "X-Request-Id"}
    return answer.status_code, answer.content, headers


@pytest.mark.parametrize("name", ["spa", "webapp", "unknown", None, ""])
def test_case_060_without_credentials_nothing_is_told(
    name: str | None,
    issued: dict[str, Any],
    webapp: TokenClient,
    refused: Refused,
) -> None:
    form = {"token": issued["access_token"]} | ({} if name is None else {"client_id": name})
    event = "client.authentication" if name else "introspect.refused"
    with refused(event, times=1):
        answer = webapp.http.post(webapp.discovery["introspection_endpoint"], data=form)
    assert_error(answer, 401, "invalid_client")


def test_case_060_a_token_itself_is_no_credential(
    issued: dict[str, Any], raw: RawRequests, refused: Refused
) -> None:
    with refused("introspect.refused", times=1):
        answer = raw.post(
            "/oauth2/introspect",
            f"token={issued['access_token']}".encode(),
            Authorization=f"Bearer {issued['access_token']}",
        )
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("asker", ["stranger", "service", "own"])
def test_case_060_other_clients_learn_nothing(
    asker: str, kind: str, issued: dict[str, Any], deployment: Deployment, services: Services
) -> None:
    before = contents(services.store)
    client = deployment.client(asker)
    foreign = client.introspect(issued[kind])
    assert (foreign.status_code, foreign.json()) == (200, INACTIVE)
    made_up = client.introspect("a.b.c" if kind == "access_token" else "x" * 43)
    assert shown(foreign) == shown(made_up)
    assert contents(services.store) == before


def test_case_060_who_asks_for_others_is_recorded(
    issued: dict[str, Any], deployment: Deployment, refused: Refused
) -> None:
    with refused("introspection", times=1) as told:
        deployment.client("stranger").introspect(issued["access_token"])
    assert told[0]["actor"] == "client:stranger"
    assert told[0]["client_id"] == "webapp"
    with refused("introspection", times=1) as told:
        deployment.resource_server(FILES_API).introspect(issued["access_token"])
    assert told[0]["actor"] == f"resource-server:{FILES_API}"


def test_case_060_a_resource_server_learns_of_its_tokens_alone(
    issued: dict[str, Any], deployment: Deployment, service: TokenClient
) -> None:
    notes, files = deployment.resource_server(NOTES_API), deployment.resource_server(FILES_API)
    assert notes.active(issued["access_token"])
    assert not files.active(issued["access_token"])
    for_files = tokens(service.credentials(scope="files:read"))["access_token"]
    assert files.active(for_files)
    assert not notes.active(for_files)
    for api in (notes, files):
        assert not api.active(issued["refresh_token"])
        assert not api.active(issued["id_token"])


@pytest.mark.parametrize("secret", ["", "x", "dw_resource_x", "\0", "é"])
def test_case_060_a_resource_server_needs_its_secret(
    secret: str, issued: dict[str, Any], deployment: Deployment, raw: RawRequests, refused: Refused
) -> None:
    name, _ = deployment.seeds.credentials[NOTES_API]
    with refused("client.authentication", times=1):
        answer = raw.post(
            "/oauth2/introspect",
            f"token={issued['access_token']}".encode(),
            Authorization=basic(name, secret),
        )
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


def test_case_060_credentials_of_an_api_are_none_of_a_client(
    notes_api: TokenClient, refused: Refused
) -> None:
    with refused("client.authentication", times=1):
        assert_error(notes_api.credentials(), 401, "invalid_client")
    with refused("client.authentication", times=1):
        assert_error(notes_api.revoke("x"), 401, "invalid_client")


def test_a_disabled_resource_server_is_refused_and_gets_no_tokens(
    issued: dict[str, Any],
    webapp: TokenClient,
    service: TokenClient,
    notes_api: TokenClient,
    services: Services,
    clock: HeldClock,
    refused: Refused,
) -> None:
    row = table(ResourceServer)
    with services.store.writing() as connection:
        connection.execute(
            row.update().where(row.c.identifier == NOTES_API).values(disabled_at=int(clock()))
        )
    clock.advance(5)
    with refused("client.authentication", times=1):
        assert_error(notes_api.introspect(issued["access_token"]), 401, "invalid_client")
    with refused("token.refused", times=1):
        assert_error(service.credentials(scope="notes:read"), 400, "invalid_target")
    with refused("token.refused", times=1):
        assert_error(webapp.refresh(issued["refresh_token"]), 400, "invalid_target")


def test_an_address_that_nobody_allowed_is_not_told(
    issued: dict[str, Any], webapp: TokenClient, notes_api: TokenClient
) -> None:
    for asker in (webapp, notes_api):
        assert ADA.email not in asker.introspect(issued["access_token"]).text


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", "", "\0"])
def test_a_hint_is_a_hint(hint: str, issued: dict[str, Any], webapp: TokenClient) -> None:
    for kind in ("access_token", "refresh_token"):
        assert webapp.introspect(issued[kind], token_type_hint=hint).json()["active"]
    assert webapp.revoke(issued["access_token"], token_type_hint=hint).status_code == 200
    assert not works(webapp, issued["access_token"])


@pytest.mark.parametrize("endpoint", ["introspect", "revoke"])
@pytest.mark.parametrize("token", [None, ""])
def test_a_missing_token_is_an_invalid_request(
    token: str | None, endpoint: str, webapp: TokenClient, refused: Refused
) -> None:
    names = {"introspect": "introspection_endpoint", "revoke": "revocation_endpoint"}
    with refused(f"{endpoint}.refused", times=1):
        answer = webapp.post(names[endpoint], {"other": "x"}, token=token)
    assert_error(answer, 400, "invalid_request")


def test_a_token_is_active_to_its_last_second(
    issued: dict[str, Any], webapp: TokenClient, clock: HeldClock
) -> None:
    clock.advance(599.9)
    assert works(webapp, issued["access_token"])
    clock.advance(0.1)
    expired = webapp.introspect(issued["access_token"])
    assert shown(expired) == shown(webapp.introspect("a.b.c"))
    assert not works(webapp, issued["access_token"])


# Revocation


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("name", ["stranger", "spa"])
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_case_061_a_foreign_token_and_an_unknown_one_are_answered_alike(
    kind: str,
    name: str,
    issued: dict[str, Any],
    webapp: TokenClient,
    deployment: Deployment,
    services: Services,
) -> None:
    thief = deployment.client(name)
    header, claims, signature = issued["access_token"].split(".")
    unknown = f"{header}.{claims}.{signature[:-8]}AAAAAAAA"
    if kind == "refresh_token":
        unknown = "x" * len(issued[kind])
    thief.revoke("x")  # so that what is remembered is remembered for both
    before, told = contents(services.store), len(entries(services.store))
    seen = []
    for token in (issued[kind], unknown):
        with counted(services.store) as statements:
            seen.append((shown(thief.revoke(token)), len(statements)))
    assert seen[0] == seen[1]
    assert seen[0][0][:2] == (200, b"{}")
    assert contents(services.store) == before
    assert len(entries(services.store)) == told
    assert works(webapp, issued["access_token"])
    assert webapp.active(issued["refresh_token"])


@pytest.mark.only_on("sqlite")
def test_case_061_so_are_a_dead_token_and_an_unknown_one(
    issued: dict[str, Any], deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    webapp.revoke(issued["refresh_token"])
    thief = deployment.client("stranger")
    thief.revoke("x")
    seen = []
    for token in (issued["refresh_token"], "x" * 43):
        with counted(services.store) as statements:
            seen.append((shown(thief.revoke(token)), len(statements)))
    assert seen[0] == seen[1]


def test_case_061_without_credentials_nothing_is_revoked(
    issued: dict[str, Any], webapp: TokenClient, refused: Refused
) -> None:
    where = webapp.discovery["revocation_endpoint"]
    for form, event in (
        ({}, "revoke.refused"),
        ({"client_id": "webapp"}, "client.authentication"),
        ({"client_id": "webapp", "client_secret": "x"}, "client.authentication"),
    ):
        with refused(event, times=1):
            answer = webapp.http.post(where, data={"token": issued["refresh_token"], **form})
        assert_error(answer, 401, "invalid_client")
    assert works(webapp, issued["access_token"])


def test_case_062_a_revoked_refresh_token_takes_its_authorization_along(
    webapp: TokenClient, deployment: Deployment, browserless: Browserless, refused: Refused
) -> None:
    spa = deployment.client("spa")
    grace = deployment.browserless(GRACE)
    others = [
        (webapp, webapp.sign_in(browserless, SCOPE)),
        (webapp, webapp.sign_in(grace, SCOPE)),
        (spa, spa.sign_in(browserless, SCOPE)),
    ]
    first = webapp.sign_in(browserless, SCOPE)
    second = tokens(webapp.refresh(first["refresh_token"]))
    assert webapp.revoke(second["refresh_token"]).status_code == 200
    for issued in (first, second):
        assert not works(webapp, issued["access_token"])
        assert not webapp.active(issued["refresh_token"])
        with refused("refresh.refused", times=1):
            assert_error(webapp.refresh(issued["refresh_token"]), 400, "invalid_grant")
    for client, issued in others:
        assert client.userinfo(issued["access_token"]).status_code == 200
        tokens(client.refresh(issued["refresh_token"]))
    assert browserless.start(webapp.authorization(prompt="none", scope="openid")).callback["code"]


def test_case_062_a_used_refresh_token_takes_it_along_too(
    issued: dict[str, Any], webapp: TokenClient
) -> None:
    second = tokens(webapp.refresh(issued["refresh_token"]))
    webapp.revoke(issued["refresh_token"])
    assert not works(webapp, second["access_token"])
    assert not webapp.active(second["refresh_token"])


def test_a_revoked_access_token_goes_alone(
    issued: dict[str, Any], webapp: TokenClient, notes_api: TokenClient
) -> None:
    second = tokens(webapp.refresh(issued["refresh_token"]))
    for _ in range(2):
        assert webapp.revoke(issued["access_token"]).status_code == 200
    assert not works(webapp, issued["access_token"])
    assert not notes_api.active(issued["access_token"])
    assert works(webapp, second["access_token"])
    tokens(webapp.refresh(second["refresh_token"]))


def test_a_revoked_token_of_a_client_stays_revoked(
    service: TokenClient, notes_api: TokenClient, services: Services, clock: HeldClock
) -> None:
    access = tokens(service.credentials(scope="notes:read"))["access_token"]
    assert service.revoke(access).status_code == 200
    for _ in range(2):
        assert not notes_api.active(access)
        assert not service.active(access)
        clock.advance(599)
        services.housekeeping.run_once()


# Userinfo


def test_case_064_what_is_no_live_token_with_openid_is_refused(
    issued: dict[str, Any],
    webapp: TokenClient,
    service: TokenClient,
    refused: Refused,
) -> None:
    without = tokens(webapp.refresh(issued["refresh_token"], scope="notes:read"))
    wrong = {
        "ID token": issued["id_token"],
        "refresh token": issued["refresh_token"],
        "a client's own": tokens(service.credentials(scope="notes:read"))["access_token"],
        "made up": "a.b.c",
        "empty": " ",
    }
    for token in wrong.values():
        with refused("userinfo", times=1):
            answer = webapp.userinfo(token)
        assert_error(answer, 401, "invalid_token")
        challenge = answer.headers["WWW-Authenticate"]
        assert challenge.startswith('Bearer realm="userinfo", error="invalid_token"')
    with refused("userinfo", times=1):
        answer = webapp.userinfo(without["access_token"])
    assert_error(answer, 403, "insufficient_scope")
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="userinfo", error="insufficient_scope"')
    assert 'scope="openid"' in challenge


def _expire(_services: Services, _issued: dict[str, Any], clock: HeldClock) -> None:
    clock.advance(600)


def _disable(services: Services, _issued: dict[str, Any], _clock: HeldClock) -> None:
    services.accounts.disable(ADA.email, ORIGIN, OPERATOR)


def _disable_client(services: Services, _issued: dict[str, Any], _clock: HeldClock) -> None:
    services.clients.disable("webapp", origin=ORIGIN, actor=OPERATOR)


def _withdraw(services: Services, _issued: dict[str, Any], _clock: HeldClock) -> None:
    account = services.accounts.get(ADA.email)
    services.consents.withdraw(account.id, "webapp", ORIGIN, OPERATOR)


@pytest.mark.parametrize("happens", [_expire, _disable, _disable_client, _withdraw])
def test_case_064_a_token_that_ended_is_refused(
    happens: Callable[[Services, dict[str, Any], HeldClock], None],
    issued: dict[str, Any],
    webapp: TokenClient,
    services: Services,
    clock: HeldClock,
    refused: Refused,
) -> None:
    happens(services, issued, clock)
    with refused("userinfo", times=1):
        assert_error(webapp.userinfo(issued["access_token"]), 401, "invalid_token")


def test_case_064_without_a_token_the_challenge_names_no_error(webapp: TokenClient) -> None:
    where = webapp.discovery["userinfo_endpoint"]
    for answer in (
        webapp.http.get(where),
        webapp.http.post(where),
        webapp.http.get(where, headers={"Authorization": "Basic eDp5"}),
    ):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="userinfo"'


def test_case_065_another_scheme_is_no_bearer_token(
    issued: dict[str, Any], webapp: TokenClient
) -> None:
    """RFC 9449 section 7.1: what is bound to a proof is no bearer token. Nothing is bound here."""
    where, token = webapp.discovery["userinfo_endpoint"], issued["access_token"]
    for scheme in ("DPoP", "Token", "BearerX", "Basic", "MAC", "Negotiate"):
        headers = {"Authorization": f"{scheme} {token}", "DPoP": "e30.e30.AA"}
        answer = webapp.http.get(where, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="userinfo"'
    answer = webapp.http.get(where, headers={"Authorization": f"Bearer {token}, DPoP {token}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("header", [True, False])
def test_case_064_a_token_in_the_url_is_refused(
    header: bool, issued: dict[str, Any], webapp: TokenClient, refused: Refused
) -> None:
    where, token = webapp.discovery["userinfo_endpoint"], issued["access_token"]
    headers = {"Authorization": f"Bearer {token}"} if header else {}
    for url in (f"{where}?access_token={token}", f"{where}?access_token="):
        with refused("userinfo.refused", times=1):
            assert_error(webapp.http.get(url, headers=headers), 400, "invalid_request")


def test_a_token_is_sent_in_one_way(
    issued: dict[str, Any], webapp: TokenClient, refused: Refused
) -> None:
    where, token = webapp.discovery["userinfo_endpoint"], issued["access_token"]
    header = {"Authorization": f"Bearer {token}"}
    assert webapp.http.post(where, headers=header).status_code == 200
    assert webapp.http.post(where, data={"access_token": token}).status_code == 200
    with refused("userinfo.refused", times=2):
        answer = webapp.http.post(where, headers=header, data={"access_token": token})
        assert_error(answer, 400, "invalid_request")
        answer = webapp.http.post(where, data=[("access_token", token), ("access_token", token)])
        assert_error(answer, 400, "invalid_request")
