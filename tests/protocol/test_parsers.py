"""Parsers under arbitrary input: they answer, or raise what they promise, and nothing else."""

import base64
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.audit import Origin
from idp.domain.clients import Client
from idp.protocol import authorization_request, client_authentication, logout, scopes
from idp.protocol.authorization_request import AuthorizationRequest, Checks
from idp.protocol.client_authentication import Presented
from idp.protocol.errors import MachineError, RedirectedError, ShownError, invalid_request
from idp.protocol.id_token_hints import Hint
from idp.protocol.machine_request import MachineRequest, single_values
from idp.protocol.resource_indicators import InvalidTarget, audience
from idp.protocol.userinfo import bearer_token
from tests.support import registered
from tests.support.registered import Catalogue

Value = TypeVar("Value")
ISSUER = "https://id.example.test"
RESOURCES = Catalogue(registered.resource_server("https://notes.example.test/api", "notes:read"))
CLIENT = registered.client(
    redirect_uris=["https://app.example.com/cb"],
    grant_types=["authorization_code", "refresh_token"],
    scope="openid profile offline_access notes:read",
)
NAMES = (
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "login_hint",
    "id_token_hint",
    "resource",
    "request",
    "request_uri",
    "registration",
)
HALVES = st.characters(categories=["Cs"])  # of surrogates: what no encoding has
ANY = st.text(st.characters(), max_size=50) | st.text(HALVES, min_size=1, max_size=3)
LIKELY = st.sampled_from(
    [
        "app",
        "https://app.example.com/cb",
        "code",
        "query",
        "openid",
        "openid notes:read",
        "S256",
        "a" * 43,
        "none",
        "login consent",
        "0",
        "-1",
        "٣",
        "https://notes.example.test/api",
        "",
        "x" * 5000,
    ]
)
GOOD = {
    "client_id": ["app"],
    "redirect_uri": ["https://app.example.com/cb"],
    "response_type": ["code"],
    "scope": ["openid"],
    "code_challenge": ["a" * 43],
    "code_challenge_method": ["S256"],
}
PARAMETERS = st.dictionaries(
    st.sampled_from(NAMES) | ANY, st.lists(LIKELY | ANY, min_size=1, max_size=2), max_size=10
)
FEW = st.dictionaries(st.sampled_from(NAMES), st.lists(ANY, min_size=1, max_size=1), max_size=2)
PAIRS = st.lists(st.tuples(st.sampled_from(["code", "resource", "x"]) | ANY, LIKELY | ANY))


def attempted(call: Callable[[], Value]) -> Value | MachineError:
    """Return what a call returns, or the error for machines that it raises."""
    try:
        return call()
    except MachineError as error:
        return error


def resource_problem(wanted: Sequence[str], asked: Sequence[str], client: Client) -> str | None:
    try:
        audience(wanted, asked, client, RESOURCES, ISSUER)
    except InvalidTarget as error:
        return str(error)
    return None


CHECKS = Checks(
    find_client=lambda name: CLIENT if name == "app" else None,
    hinted_subject=lambda token, _: "ada" if token == "code" else None,
    resource_problem=resource_problem,
)


def parsed(parameters: Mapping[str, Sequence[str]]) -> AuthorizationRequest | None:
    """Parse, and check what must hold whatever came in."""
    redirected: RedirectedError | None = None
    try:
        asked, client = authorization_request.parse(parameters, CHECKS)
    except ShownError:
        return None
    except RedirectedError as error:
        redirected = error
    if redirected:
        assert redirected.redirect_uri in CLIENT.redirect_uris
        assert redirected.state is None or [redirected.state] == list(parameters["state"])
        return None
    assert client is CLIENT
    return asked


@given(PARAMETERS)
def test_any_authorization_request_is_parsed_shown_or_redirected(
    parameters: dict[str, list[str]],
) -> None:
    parsed(parameters)


@given(PARAMETERS | FEW)
def test_an_accepted_authorization_request_keeps_the_rules(
    parameters: dict[str, list[str]],
) -> None:
    asked = parsed({**GOOD, **parameters})
    if asked is not None:
        assert asked.redirect_uri in CLIENT.redirect_uris
        assert set(asked.scopes) <= CLIENT.scopes
        assert asked.scopes
        assert asked.code_challenge is not None
        assert len(asked.code_challenge) == 43
        assert "none" not in asked.prompt or asked.prompt == ("none",)
        assert asked.max_age is None or asked.max_age >= 0
        assert authorization_request.from_json(asked.as_json()) == asked


def test_the_good_request_is_accepted() -> None:
    assert parsed(GOOD) is not None


@given(PARAMETERS)
def test_any_logout_request_is_parsed_or_shown(parameters: dict[str, list[str]]) -> None:
    def hinted(token: str) -> Hint | None:
        return Hint("ada", "app", None) if token == "code" else None

    try:
        asked = logout.parse(parameters, CHECKS.find_client, hinted)
    except ShownError:
        return
    assert asked.continue_uri is None  # the client has registered none


@given(PAIRS)
def test_any_form_has_one_value_for_each_name_or_is_refused(pairs: list[tuple[str, str]]) -> None:
    names = [name for name, _ in pairs if name != "resource"]
    found = attempted(lambda: single_values(pairs))
    if isinstance(found, MachineError):
        assert (found.error, found.status_code) == ("invalid_request", 400)
        return
    values, resources = found
    assert len(names) == len(set(names))
    assert values == {name: value for name, value in pairs if name != "resource" and value}
    assert resources == tuple(value for name, value in pairs if name == "resource" and value)


@given(PAIRS, st.dictionaries(st.sampled_from(["Authorization"]), ANY))
def test_any_request_presents_one_mechanism_or_is_refused(
    pairs: list[tuple[str, str]], headers: dict[str, str]
) -> None:
    values = dict(pairs)
    presented = attempted(lambda: client_authentication.read(headers, values))
    if isinstance(presented, MachineError):
        assert presented.error in {"invalid_client", "invalid_request"}
        return
    assert presented.client_id
    assert (presented.method == "client_secret_basic") == ("Authorization" in headers)


@given(st.binary(max_size=40))
def test_any_basic_header_is_read_or_refused(octets: bytes) -> None:
    header = "Basic " + base64.b64encode(octets).decode()
    presented = attempted(lambda: client_authentication.read({"Authorization": header}, {}))
    if isinstance(presented, MachineError):
        assert (presented.error, presented.status_code) == ("invalid_client", 401)
        return
    presented.client_id.encode()
    presented.secret.encode()


@given(st.text(min_size=1, max_size=20), st.text(max_size=20))
def test_a_basic_header_gives_back_what_went_in(client_id: str, secret: str) -> None:
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    header = "Basic " + base64.b64encode(pair.encode()).decode()
    presented = client_authentication.read({"Authorization": header}, {})
    assert presented == Presented("client_secret_basic", client_id, secret)


@given(st.dictionaries(st.sampled_from(["Authorization"]), ANY), ANY)
def test_any_bearer_token_is_read_or_refused(headers: dict[str, str], in_form: str) -> None:
    for values in ({}, {"access_token": in_form}):
        found = attempted(partial(bearer_token, headers, values))
        if isinstance(found, MachineError):
            answer = (found.error, found.status_code)
            assert answer in {("invalid_token", 401), ("invalid_request", 400)}


@given(ANY)
def test_any_scope_is_parsed_or_refused(text: str) -> None:
    try:
        found = scopes.parse(text)
    except scopes.InvalidScope:
        return
    assert len(found) == len(set(found))
    assert all(part and part.isascii() and '"' not in part for part in found)


@given(ANY)
def test_an_error_text_has_only_the_letters_it_may(text: str) -> None:
    _, body, _ = invalid_request(text)()
    told = dict(body).get("error_description", "")
    assert all(letter in " !" or "#" <= letter <= "[" or "]" <= letter <= "~" for letter in told)


@pytest.mark.parametrize("name", ["code", "token"])
def test_a_required_parameter_is_there_or_the_request_is_refused(name: str) -> None:
    request = MachineRequest(f"{ISSUER}/oauth2/token", {}, {"code": "x"}, (), Origin())
    if name == "code":
        assert request.required("code") == "x"
        return
    with pytest.raises(MachineError) as caught:
        request.required(name)
    assert caught.value.error == "invalid_request"
