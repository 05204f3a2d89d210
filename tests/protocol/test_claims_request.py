"""The parameter `claims` as a parser sees it: OpenID Connect Core section 5.5."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol import claims_request
from idp.protocol.claims_request import ClaimsRequest, Decoded
from idp.protocol.errors import RedirectedError
from tests.support import registered

CLIENT = registered.client(scope="openid profile email")
ODD = st.text(st.characters(), max_size=10)
NAMES = st.sampled_from(["sub", "acr", "email", "name#de", "address", "locale"]) | ODD
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
WISHES = st.dictionaries(
    NAMES, st.none() | st.dictionaries(st.sampled_from(["value", "values", "essential"]), JSON)
)
CLAIMS = st.dictionaries(st.sampled_from(["userinfo", "id_token", "verified_claims"]), WISHES)


def parsed(claims: Any, scopes: str = "openid", locales: str = "") -> ClaimsRequest:
    text = claims if isinstance(claims, str) else json.dumps(claims)
    return claims_request.parse(claims_request.decode(text), locales, scopes.split(), CLIENT)


def test_what_is_kept() -> None:
    asked = {
        "userinfo": {"email": None, "address": None, "name#ja": {}, "email#ja": None, "x": None},
        "id_token": {"gender": {"values": ["a", 1, None, {}]}, "locale": {"value": ["x"]}},
        "verified_claims": 7,
    }
    found = parsed(asked, locales="ja de ja " + " ".join(f"en-a{n}" for n in range(50)))
    assert found.userinfo == {"email": [], "name#ja": []}
    assert found.id_token == {"gender": ["a", 1]}
    assert found.locales[:2] == ("ja", "de")
    assert len(found.locales) == 10
    assert found.names == {"email", "name", "gender"}
    stored = json.loads(json.dumps(found.as_json()))
    assert claims_request.from_json(stored) == found
    assert parsed(asked, scopes="notes:read") == ClaimsRequest()
    assert ClaimsRequest().as_json() is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "7",
        "[" * 100_000,
        '{"userinfo": []}',
        '{"id_token": {"email": true}}',
        '{"userinfo": {"email": {"values": "a"}}}',
        json.dumps({"userinfo": {"email": {"values": ["a"] * 51}}}),
        json.dumps({"userinfo": {f"name#a{n}": None for n in range(51)}}),
        '{"userinfo": {"email": {"value": "\\ud800"}}}',
        '{"userinfo": {"\\udfff": null}}',
        f'{{"userinfo": {{"a": {{"value": {"9" * 5000}}}}}}}',
    ],
)
def test_case_154_what_is_malformed_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(RedirectedError) as refused:
        parsed(text)
    assert refused.value.error == "invalid_request"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_no_database_takes_are_not_kept(number: str) -> None:
    assert parsed(f'{{"userinfo": {{"email": {{"value": {number}}}}}}}').userinfo == {}


@given(CLAIMS | JSON)
def test_any_claims_are_read_or_refused(claims: Any) -> None:
    try:
        decoded = claims_request.decode(json.dumps(claims))
        found = claims_request.parse(decoded, "", ["openid"], CLIENT)
        named = claims_request.subjects(decoded, None)
    except RedirectedError:
        return
    assert found.names <= {"email", "name", "locale"}
    json.dumps(found.as_json(), allow_nan=False, ensure_ascii=False).encode()
    assert all(isinstance(subject, str) for subject in named)


@pytest.mark.parametrize(
    ("wish", "hinted", "found"),
    [
        (None, None, ()),
        (None, "ada", ("ada",)),
        ({"essential": True}, "ada", ("ada",)),
        ({"values": []}, None, ()),
        ({"value": "ada"}, None, ("ada",)),
        ({"values": ["eve", "ada"]}, None, ("eve", "ada")),
        ({"values": ["eve", "ada"]}, "ada", ("ada",)),
    ],
)
def test_who_has_to_sign_in(wish: Any, hinted: str | None, found: tuple[str, ...]) -> None:
    decoded = Decoded(id_token={} if wish is None else {"sub": wish})
    assert claims_request.subjects(decoded, hinted) == found
