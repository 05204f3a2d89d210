"""What is measured: each piece of work with its requests, its floor and its targets."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from bench.material import API_SCOPE, REDIRECT_URI, VERIFIER, Material
from bench.wire import MARK, Wire, form
from idp.protocol import metadata as where

TOKENS_IN_TURN = 100
_CHAINS = 64
_CODES_A_SECOND = 1500


@dataclass(frozen=True)
class Work:
    """One piece of work. `first` and `must` are ratios to the bare application's `floor`.

    `wire` makes the requests of one run of some seconds. `tokens` tells how many access tokens one
    answer carries, and so how many audit entries it has to leave.
    """

    name: str
    title: str
    floor: str
    first: float
    must: float
    wire: Callable[[Material, int], Wire]
    tokens: int = 0


def _client_credentials(material: Material, _seconds: int) -> Wire:
    client = material.elliptic
    fields = {"grant_type": "client_credentials", "scope": API_SCOPE}
    return Wire(path=where.TOKEN, **form(client.client_id, client.secret, **fields))


def _refresh(material: Material, _seconds: int) -> Wire:
    client = material.elliptic
    fields = {"grant_type": "refresh_token", "refresh_token": MARK}
    return Wire(
        path=where.TOKEN,
        values=material.refresh_tokens(client, _CHAINS),
        use="chain",
        contains='"id_token"',
        **form(client.client_id, client.secret, **fields),
    )


def _code(material: Material, seconds: int) -> Wire:
    client = material.rsa
    fields = {
        "grant_type": "authorization_code",
        "code": MARK,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    return Wire(
        path=where.TOKEN,
        values=material.codes(client, seconds * _CODES_A_SECOND),
        use="once",
        contains='"id_token"',
        **form(client.client_id, client.secret, **fields),
    )


def _introspection(material: Material, _seconds: int) -> Wire:
    client = material.elliptic
    return Wire(
        path=where.INTROSPECT,
        values=material.access_tokens(client, TOKENS_IN_TURN),
        contains='"active": true',
        **form(client.client_id, client.secret, token=MARK),
    )


def _userinfo(material: Material, _seconds: int) -> Wire:
    return Wire(
        "GET",
        where.USERINFO,
        {"Authorization": f"Bearer {MARK}"},
        values=material.access_tokens(material.elliptic, TOKENS_IN_TURN),
        contains='"sub"',
    )


def _jwks(_material: Material, _seconds: int) -> Wire:
    return Wire("GET", where.JWKS, contains='"keys"')


def _discovery(_material: Material, _seconds: int) -> Wire:
    return Wire("GET", "/.well-known/openid-configuration", contains='"issuer"')


def _authorize(material: Material, _seconds: int) -> Wire:
    return Wire(
        "GET",
        f"{where.AUTHORIZE}?{material.authorization_query(material.elliptic)}",
        {"Cookie": MARK, "Accept": "text/html"},
        values=material.cookies,
        expect=303,
        contains=f"{REDIRECT_URI}?code=",
    )


WORKS = (
    Work("token", "token, client_credentials, ES256", "form", 0.25, 0.50, _client_credentials, 1),
    Work("refresh", "token, refresh, rotation, ID token ES256", "form", 0.12, 0.30, _refresh, 1),
    Work("code", "token, code exchange, ID token RS256", "form", 0.10, 0.25, _code, 1),
    Work("introspection", "introspection, live check", "form", 0.40, 0.50, _introspection),
    Work("userinfo", "userinfo", "document", 0.40, 0.50, _userinfo),
    Work("jwks", "JWKS", "document", 0.85, 0.90, _jwks),
    Work("discovery", "discovery", "document", 0.85, 0.90, _discovery),
    Work("authorize", "authorize, live session → code", "document", 0.10, 0.25, _authorize),
)


def bare(floor: str) -> Wire:
    """Return the request of the bare application's shape."""
    if floor == "document":
        return Wire("GET", "/document", contains="access_token")
    fields = {"grant_type": "client_credentials", "scope": quote(API_SCOPE)}
    return Wire(path="/form", contains="access_token", **form("bench", "x" * 53, **fields))
