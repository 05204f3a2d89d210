"""The audience of a token (RFC 8707): one resource server, and the issuer for userinfo."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.clients import Client
from idp.domain.resources import OIDC_SCOPES
from idp.protocol.resource_indicators import Audience, InvalidTarget, audience
from tests.support.registered import Catalogue, client, resource_server

ISSUER = "https://id.example.com"
A, B, OFF = "https://a.example", "https://b.example", "https://off.example"
CATALOGUE = Catalogue(
    resource_server(A, "a.read", "a.write"),
    resource_server(B, "b.read"),
    resource_server(OFF, "off.read", disabled=True),
)
ALL = "openid email a.read a.write b.read off.read stray"
APP = client(scope=ALL)
DEFAULT_B = client(scope=ALL, default_resource=B)
DEFAULT_ONLY = client(scope="openid", default_resource=B)


def of(requested: list[str], scopes: list[str], app: Client = APP) -> Audience:
    return audience(requested, scopes, app, CATALOGUE, ISSUER)


@pytest.mark.parametrize(
    ("requested", "scopes", "app", "resource", "aud"),
    [
        ([A], ["a.read"], APP, A, [A]),
        ([A], ["openid", "a.read"], APP, A, [A, ISSUER]),
        ([A], ["openid"], APP, A, [A, ISSUER]),
        ([A], [], APP, A, [A]),
        ([], ["a.read", "a.write"], APP, A, [A]),
        ([], ["openid", "b.read"], APP, B, [B, ISSUER]),
        ([], ["openid", "email"], APP, None, [ISSUER]),
        ([], [], DEFAULT_B, B, [B]),
        ([], ["openid"], DEFAULT_B, B, [B, ISSUER]),
        ([], ["a.read"], DEFAULT_B, A, [A]),
        ([A], ["a.read"], DEFAULT_B, A, [A]),
        ([B], ["openid"], DEFAULT_ONLY, B, [B, ISSUER]),
    ],
)
def test_who_a_token_is_for(
    requested: list[str], scopes: list[str], app: Client, resource: str | None, aud: list[str]
) -> None:
    assert of(requested, scopes, app) == Audience(resource, aud)


@pytest.mark.parametrize(
    ("requested", "scopes", "app", "said"),
    [
        ([A, B], ["a.read"], APP, "one resource"),
        ([A, A], ["a.read"], APP, "one resource"),
        ([A] * 10_000, [], APP, "one resource"),
        (["https://unknown.example"], [], APP, "no such resource"),
        (["not a uri"], [], APP, "no such resource"),
        ([f"{A}#"], [], APP, "no such resource"),
        ([f"{A}/"], ["a.read"], APP, "no such resource"),
        ([ISSUER], ["openid"], APP, "no such resource"),
        ([OFF], ["off.read"], APP, "disabled"),
        ([], ["off.read"], APP, "disabled"),
        ([], ["stray"], APP, "no such resource"),
        ([A], ["b.read"], APP, "another resource"),
        ([A], ["a.read", "b.read"], APP, "another resource"),
        ([A], ["a.read", "stray"], APP, "another resource"),
        ([], ["a.read", "b.read"], APP, "more than one"),
        ([], ["a.read", "b.read"], DEFAULT_B, "more than one"),
        ([], [], APP, "Name a resource"),
        ([], ["email"], APP, "Name a resource"),
        ([A], ["openid"], DEFAULT_ONLY, "registered for no scope"),
    ],
)
def test_no_token_without_one_target(
    requested: list[str], scopes: list[str], app: Client, said: str
) -> None:
    with pytest.raises(InvalidTarget, match=said):
        of(requested, scopes, app)


def test_a_default_that_went_away_is_no_target() -> None:
    for default in (OFF, "https://gone.example"):
        with pytest.raises(InvalidTarget):
            of([], ["openid"], client(default_resource=default))


SCOPES = st.lists(st.sampled_from(ALL.split()), unique=True)
REQUESTED = st.lists(st.sampled_from([A, B, OFF, ISSUER, "x"]), max_size=2)


@given(REQUESTED, SCOPES, st.sampled_from([APP, DEFAULT_B, DEFAULT_ONLY]))
def test_no_token_is_good_at_two_resource_servers(
    requested: list[str], scopes: list[str], app: Client
) -> None:
    try:
        found = of(requested, scopes, app)
    except InvalidTarget:
        return
    assert found.aud
    assert set(found.aud) - {found.resource} <= {ISSUER}
    assert (ISSUER in found.aud) == ("openid" in scopes)
    server = CATALOGUE.find(found.resource) if found.resource else None
    assert set(scopes) - set(OIDC_SCOPES) <= set(server.scopes if server else ())
    assert server is None or not server.disabled
    assert not requested or requested == [found.resource]
