"""Whatever somebody sends gets an answer, and nobody in whom the server did not vouch for."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.guard import Guard, Needs, Refused, Request, Route, Settings
from idp.guard.access_token import said
from idp.guard.compact import read
from idp.guard.errors import InvalidToken
from idp.guard.http_client import Answer
from idp.guard.jwk import key_set
from idp.guard.routes import Table
from tests.keys import forging
from tests.support import signed

ISSUER, RESOURCE = "https://id.example.com", "https://api.example.com"
KEY = signed.new_key("ES256", kid="k")
CLAIMS = {
    "iss": ISSUER,
    "aud": RESOURCE,
    "sub": "ada",
    "client_id": "webapp",
    "iat": 1_700_000_000,
    "exp": 1_800_000_000,
    "jti": "1",
    "scope": "read",
}
TOKEN = signed.sign(CLAIMS, KEY, typ="at+jwt")
# As headers arrive, and cheaper to make than all of Unicode.
TEXT = st.binary(max_size=40).map(lambda octets: octets.decode("latin-1"))
ODD = st.sampled_from(["", "a", "a b", "\ud800", "é", "\0", RESOURCE, "ES256", "EC", "kid", "keys"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD, inner, max_size=3),
    max_leaves=10,
)
# How fast the machine is, is no matter of these tests.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Published:
    """The server, without a wire."""

    def send(self, _: str, url: str, *_rest: Any) -> Answer:
        metadata = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
        document = signed.public(KEY) if url.endswith("/keys") else metadata
        body = forging.decode(forging.part(document))
        return Answer(200, {"content-type": "application/json"}, body)


GUARD = Guard(Settings(ISSUER, RESOURCE), Published(), lambda: 1_700_000_100.0)


def status(*headers: str) -> int:
    outcome = GUARD.check(Request("GET", "/", headers), Needs("read"))
    return outcome.status if isinstance(outcome, Refused) else 200


def test_the_token_is_good() -> None:
    assert status(f"Bearer {TOKEN}") == 200


@unhurried
@given(st.lists(TEXT | TEXT.map(lambda text: f"Bearer {text}"), max_size=3))
def test_any_header(headers: list[str]) -> None:
    assert status(*headers) in (400, 401)


@unhurried
@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("AZaz09-_.=+/ \n\0é"))
def test_any_other_letter(where: int, letter: str) -> None:
    altered = TOKEN[:where] + letter + TOKEN[where + 1 :]
    assert status(f"Bearer {altered}") == (200 if altered == TOKEN else status_of(altered))


def status_of(token: str) -> int:
    """Return what a token that nobody signed may be told."""
    allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/")
    return 401 if set(token.rstrip("=")) <= allowed else 400


@unhurried
@given(st.dictionaries(st.sampled_from([*CLAIMS, "cnf", "nbf", "roles", "acr"]), JSON))
def test_any_claims_that_the_server_signed(changes: dict[str, Any]) -> None:
    try:
        token = signed.sign({**CLAIMS, **changes}, KEY, typ="at+jwt")
    except (ValueError, UnicodeEncodeError):
        return
    assert status(f"Bearer {token}") in (200, 401, 403)
    if status(f"Bearer {token}") == 200:
        claims = {**CLAIMS, **changes}
        assert claims["iss"] == ISSUER
        assert claims["aud"] == RESOURCE or RESOURCE in claims["aud"]
        assert float(claims["exp"]) > 1_700_000_090
        assert "cnf" not in claims


@unhurried
@given(JSON)
def test_any_document(document: Any) -> None:
    for reader in (key_set, said):
        with_claims: Callable[[Any], Any] = reader
        try:
            with_claims(document if isinstance(document, dict) else {"keys": [document]})
        except InvalidToken:
            continue


@unhurried
@given(st.text(alphabet='eyJ.-_=A{}":'))
def test_any_token(token: str) -> None:
    with pytest.raises(InvalidToken):
        read(token)


@unhurried
@given(TEXT, st.text(alphabet="/.\\a"))
def test_any_path_is_closed_that_no_line_names(method: str, path: str) -> None:
    table = Table(GUARD, [Route("GET", "/a", Needs("read"))])
    for sent in ((), (f"Bearer {TOKEN}",)):
        outcome = table.check(method, path, sent)
        named = method in ("GET", "HEAD") and path == "/a" and sent
        assert isinstance(outcome, Refused) is not bool(named)
