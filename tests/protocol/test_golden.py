"""What tokens and documents say, to the last claim. A change here is a change for every client."""

from typing import Any

import pytest

from tests.protocol.conftest import Compare, without
from tests.support.browserless import Browserless
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register
from tests.support.seeds import NOTES_API
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of, header_of

RANDOM = ("sub", "sid", "jti", "nonce", "at_hash", "authorization_id", "kid")


def shown(token: str) -> dict[str, Any]:
    """Return header and claims of a token."""
    return {
        "header": without(header_of(token), *RANDOM),
        "claims": without(claims_of(token), *RANDOM),
    }


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("openid", "openid"),
        ("every_scope", "openid profile email address phone offline_access notes:read"),
        ("without_openid", "notes:read"),
    ],
)
def test_what_a_code_gives(
    name: str, scope: str, webapp: TokenClient, browserless: Browserless, golden: Compare
) -> None:
    asked = webapp.authorization(scope)
    answer = webapp.redeem(browserless.authorize(asked)).json()
    golden(
        f"token_response_{name}",
        without(answer, "access_token", "id_token", "refresh_token"),
    )
    golden(f"access_token_{name}", shown(answer["access_token"]))
    if "id_token" in answer:
        golden(f"id_token_{name}", shown(answer["id_token"]))
        assert claims_of(answer["id_token"])["nonce"] == asked["nonce"]
        userinfo = webapp.userinfo(answer["access_token"]).json()
        golden(f"userinfo_{name}", without(userinfo, "sub"))
        assert userinfo["sub"] == claims_of(answer["id_token"])["sub"]
        assert userinfo["sub"] == claims_of(answer["access_token"])["sub"]


def test_what_a_refresh_gives(
    webapp: TokenClient, browserless: Browserless, clock: HeldClock, golden: Compare
) -> None:
    issued = webapp.sign_in(browserless, "openid offline_access")
    clock.advance(300)
    answer = webapp.refresh(issued["refresh_token"]).json()
    golden("token_response_refresh", without(answer, "access_token", "id_token", "refresh_token"))
    # auth_time, acr and amr tell of the sign-in, not of the refresh; no nonce is repeated.
    golden("id_token_refresh", shown(answer["id_token"]))


def test_what_client_credentials_give(service: TokenClient, golden: Compare) -> None:
    answer = service.credentials(scope="notes:read").json()
    golden("token_response_client_credentials", without(answer, "access_token"))
    golden("access_token_client_credentials", shown(answer["access_token"]))


def test_an_id_token_with_the_claims_and_the_algorithm_that_were_registered(
    register: Register, browserless: Browserless, golden: Compare
) -> None:
    client = register("es256", id_token_signed_response_alg="ES256", claims_in_id_token=True)
    issued = client.sign_in(browserless, "openid profile email")
    golden("id_token_claims_and_es256", shown(issued["id_token"]))


def test_introspection(
    webapp: TokenClient,
    service: TokenClient,
    notes_api: TokenClient,
    browserless: Browserless,
    golden: Compare,
) -> None:
    issued = webapp.sign_in(browserless, "openid notes:read offline_access", resource=NOTES_API)
    with_email = webapp.sign_in(browserless, "openid email")
    own = service.credentials(scope="notes:read").json()["access_token"]
    golden(
        "introspection",
        {
            "access token, by its client": without(
                webapp.introspect(issued["access_token"]).json(), *RANDOM
            ),
            "access token, by the API": without(
                notes_api.introspect(issued["access_token"]).json(), *RANDOM
            ),
            "access token with email": without(
                webapp.introspect(with_email["access_token"]).json(), *RANDOM
            ),
            "refresh token, by its client": without(
                webapp.introspect(issued["refresh_token"]).json(), *RANDOM
            ),
            "refresh token, by the API": notes_api.introspect(issued["refresh_token"]).json(),
            "client credentials, by the API": without(notes_api.introspect(own).json(), "jti"),
        },
    )


def test_discovery(webapp: TokenClient, golden: Compare) -> None:
    issuer = webapp.discovery.issuer
    both = [
        webapp.http.get(f"{issuer}/.well-known/{name}").json()
        for name in ("openid-configuration", "oauth-authorization-server")
    ]
    golden("discovery", both[0])
    assert both[0] == both[1]


def test_jwks(webapp: TokenClient, golden: Compare) -> None:
    document = webapp.http.get(webapp.discovery["jwks_uri"]).json()
    assert document.keys() == {"keys"}
    keys = [without(key, "kid", "x", "y", "n") for key in document["keys"]]
    golden("jwks", sorted(keys, key=str))
    assert len({key["kid"] for key in document["keys"]}) == len(keys)
    private = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
    assert not private & {name for key in document["keys"] for name in key}
