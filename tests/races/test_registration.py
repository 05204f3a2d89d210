"""Tokens that open a registration, and assertions, work as often as they say: on two nodes at once.

RFC 7591 section 1.2, RFC 7592 section 2, RFC 7523 section 3 (SECURITY cases 32 and 77).
"""

import itertools
import json
import time
from collections import Counter
from typing import Any

import pytest
import requests

from tests.races.together import together
from tests.registration.registrar import Registrar
from tests.support.serving import Serve, Serving
from tests.support.signed import AssertingClient, new_key, public

TRIES = 12
USES = 3


def registrar(serving: Serving, uses: int) -> Registrar:
    """Return who may register that often, from whichever node answers."""
    bounds = ["--uses", str(uses), "--scope", "openid", "--scope", "notes:read"]
    grants = [f"--grant-type={name}" for name in ("authorization_code", "client_credentials")]
    made = serving.command("registration-tokens", "add", "races", *bounds, *grants, "--json")
    token = json.loads(made)["initial_access_token"]
    return Registrar(serving.new_http(), serving.issuer, token)


def statuses(answers: list[requests.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def winner(answers: list[requests.Response]) -> dict[str, Any]:
    """Check that one request was answered and all others refused; return its answer."""
    assert statuses(answers) == {200: 1, 401: TRIES - 1}
    assert {each.json()["error"] for each in answers if each.status_code == 401} == {
        "invalid_token"
    }
    return next(dict(each.json()) for each in answers if each.status_code == 200)


def use_up(developer: Registrar) -> None:
    answers = together(TRIES, lambda: developer.post(scope="openid", grant_types=None))
    assert statuses(answers) == {201: USES, 401: TRIES - USES}
    assert developer.post(scope="openid", grant_types=None).status_code == 401


def replace_one_registration(developer: Registrar) -> None:
    """Whoever wins has the token, the name and the only secret."""
    numbers = itertools.count()
    mine = {"scope": "openid", "grant_types": None}
    public_one = developer.registered(token_endpoint_auth_method="none", **mine)
    uris = public_one["redirect_uris"]

    def put() -> requests.Response:
        return developer.put(
            public_one, redirect_uris=uris, scope="openid", client_name=f"Number {next(numbers)}"
        )

    won = winner(together(TRIES, put))
    read = developer.get(won)
    assert read.status_code == 200
    assert read.json()["client_name"] == won["client_name"]
    assert developer.get(public_one).status_code == 401
    client = developer.client(won)
    assert client.client_secret
    assert client.introspect("no token").json() == {"active": False}


def replace_and_delete_one_registration(developer: Registrar) -> None:
    """One deed is done, and what was deleted does not come back."""
    turn = itertools.count()
    mine = developer.registered(scope="openid", grant_types=None)

    def change() -> requests.Response:
        if next(turn) % 2:
            return developer.delete(mine)
        return developer.put(mine, redirect_uris=mine["redirect_uris"], scope="openid")

    done = [each for each in together(TRIES, change) if each.status_code != 401]
    assert len(done) == 1
    if done[0].status_code == 204:
        assert developer.get(mine).status_code == 401
    else:
        assert developer.delete(done[0].json()).status_code == 204


def bring_one_assertion(developer: Registrar) -> None:
    """Each node remembers what the other one saw."""
    key = new_key()
    mine = developer.registered(
        {"grant_types": ["client_credentials"], "scope": "notes:read"},
        token_endpoint_auth_method="private_key_jwt",
        jwks=public(key),
    )
    client = AssertingClient(
        developer.client(mine | {"redirect_uris": []}), key, "ES256", time.time
    )
    assertion = client.assertion()
    assert statuses(together(TRIES, lambda: client.send(assertion))) == {200: 1, 401: TRIES - 1}
    # Requests go to the nodes in turn.
    assert statuses([client.send(assertion) for _ in range(2)]) == {401: 2}
    assert client.send(client.assertion()).status_code == 200


@pytest.mark.every_database
def test_case_032_case_077_what_works_once_works_once_on_two_nodes(serve: Serve) -> None:
    serving = serve(nodes=2, registration="token", network_limit=100_000)
    developer = registrar(serving, USES + 3)
    replace_one_registration(developer)
    replace_and_delete_one_registration(developer)
    bring_one_assertion(developer)
    use_up(developer)
