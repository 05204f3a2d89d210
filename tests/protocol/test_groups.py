"""The scope `groups`: who is told which groups a person is in, and who is not."""

import pytest

from idp.domain.services import Services
from idp.protocol.claims import CLAIMS
from tests.support.browserless import Browserless
from tests.support.more_clients import Register
from tests.support.seeds import ADA, OPERATOR, ORIGIN
from tests.support.statements import counted
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

SCOPES = "openid email groups offline_access"


@pytest.fixture
def portal(register: Register, services: Services) -> TokenClient:
    """A client that may see groups; Ada is in two."""
    services.memberships.grant(
        ADA.email, groups=("poets", "engines"), origin=ORIGIN, actor=OPERATOR
    )
    return register("portal", scope=SCOPES)


def test_userinfo_tells_them_in_order(portal: TokenClient, browserless: Browserless) -> None:
    issued = portal.sign_in(browserless, "openid groups")
    assert portal.userinfo(issued["access_token"]).json()["groups"] == ["engines", "poets"]
    assert "groups" not in claims_of(issued["id_token"])
    assert "groups" not in claims_of(issued["access_token"])


def test_who_leaves_a_group_is_out_of_it_at_the_next_request(
    portal: TokenClient, browserless: Browserless, services: Services
) -> None:
    issued = portal.sign_in(browserless, "openid groups")
    for left, told in (("poets", ["engines"]), ("engines", [])):
        services.memberships.revoke(ADA.email, groups=[left], origin=ORIGIN, actor=OPERATOR)
        assert portal.userinfo(issued["access_token"]).json()["groups"] == told


def test_groups_are_in_the_id_token_of_who_registered_so(
    register: Register, portal: TokenClient, browserless: Browserless, services: Services
) -> None:
    client = register("tokens", scope=SCOPES, claims_in_id_token=True)
    issued = client.sign_in(browserless, SCOPES)
    assert claims_of(issued["id_token"])["groups"] == ["engines", "poets"]
    services.memberships.revoke(ADA.email, groups=["poets"], origin=ORIGIN, actor=OPERATOR)
    refreshed = client.refresh(issued["refresh_token"]).json()
    assert claims_of(refreshed["id_token"])["groups"] == ["engines"]


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("scope", ["openid email offline_access", SCOPES])
def test_groups_are_looked_up_for_who_may_see_them_alone(
    portal: TokenClient, browserless: Browserless, services: Services, scope: str
) -> None:
    callback = browserless.authorize(portal.authorization(scope))
    services.store.close_idle()  # those that are open already would not be counted
    with counted(services.store) as statements:
        issued = portal.redeem(callback).json()
        issued = portal.refresh(issued["refresh_token"]).json()
        answer = portal.userinfo(issued["access_token"]).json()
        portal.introspect(issued["access_token"])
    assert ("groups" in answer) == ("groups" in scope)
    looked_up = sum("FROM group_memberships" in said.replace("\n", "") for said in statements)
    assert looked_up == (4 if "groups" in scope else 0)


def test_a_client_that_is_not_registered_for_it_does_not_get_it(
    webapp: TokenClient, portal: TokenClient, browserless: Browserless
) -> None:
    issued = webapp.sign_in(browserless, "openid groups")
    assert issued["scope"] == "openid"
    assert "groups" not in webapp.userinfo(issued["access_token"]).json()


def test_the_person_is_asked_in_plain_words(portal: TokenClient, browserless: Browserless) -> None:
    page = browserless.start(portal.authorization("openid groups"))
    while "See which groups you are in" not in page.text:
        page = browserless.answer(page)
    assert page.title.startswith("Allow access")


def test_discovery_names_scope_and_claim(webapp: TokenClient) -> None:
    assert "groups" in webapp.discovery["scopes_supported"]
    assert "groups" in webapp.discovery["claims_supported"]
    assert len(set(CLAIMS)) == len(CLAIMS)
