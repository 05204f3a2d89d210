"""OpenID Connect Basic OP: what each module of the suite asks for.

Each starts in a browser without cookies, as the suite does, and goes through nginx over https.
"""

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from idp.protocol import registration
from idp.protocol.metadata_values import RegistrationError
from tests.keys import forging
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.idp_ahead import AheadClock
from tests.support.seeds import ADA, GRACE
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of, header_of

pytestmark = pytest.mark.usefixtures("asked")


def code_and_tokens(
    client: TokenClient, browser: Browserless, scope: str = "openid", **more: str
) -> tuple[dict[str, str], dict[str, Any]]:
    """Go through one authorization and return what the client was sent and got for it."""
    sent = client.authorization(scope) | more
    found = browser.authorize(sent)
    assert found.get("state") == sent["state"], found
    answer = client.redeem(found)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return found, answer.json()


def verified(client: TokenClient, id_token: str) -> dict[str, Any]:
    """Check an ID token as OpenID Connect Core section 3.1.3.7 says, with another library."""
    keys = KeySet.import_key_set(client.http.get(client.discovery["jwks_uri"]).json())
    claims: dict[str, Any] = dict(jwt.decode(id_token, keys, algorithms=["RS256"]).claims)
    assert claims["iss"] == client.discovery.issuer
    assert claims["aud"] == client.client_id
    assert claims["exp"] > claims["iat"]
    return claims


def test_server(webapp: TokenClient, browserless: Browserless) -> None:
    found, answer = code_and_tokens(webapp, browserless)
    claims = verified(webapp, answer["id_token"])
    assert claims["nonce"] == webapp.nonces[found["state"]]
    assert answer["token_type"] == "Bearer"
    assert webapp.userinfo(answer["access_token"]).json()["sub"] == claims["sub"]


def test_response_type_missing(webapp: TokenClient, browserless: Browserless) -> None:
    page = browserless.start(webapp.authorization(response_type=None))
    assert page.callback["error"] in {"invalid_request", "unsupported_response_type"}
    assert "code" not in page.callback


def test_idtoken_signature(webapp: TokenClient, browserless: Browserless) -> None:
    _, answer = code_and_tokens(webapp, browserless)
    header = header_of(answer["id_token"])
    published = webapp.http.get(webapp.discovery["jwks_uri"]).json()["keys"]
    assert header["alg"] == "RS256"
    assert header["kid"] in {key["kid"] for key in published}
    verified(webapp, answer["id_token"])


def test_idtoken_unsigned(webapp: TokenClient, browserless: Browserless) -> None:
    assert "none" not in webapp.discovery["id_token_signing_alg_values_supported"]
    wanted = {
        "redirect_uris": ["https://app.example.test/callback"],
        "id_token_signed_response_alg": "none",
    }
    with pytest.raises(RegistrationError):
        registration.validate(wanted, operator=True)
    _, answer = code_and_tokens(webapp, browserless)
    assert answer["id_token"].split(".")[2]


def test_userinfo_get(webapp: TokenClient, browserless: Browserless) -> None:
    _, answer = code_and_tokens(webapp, browserless)
    userinfo = webapp.userinfo(answer["access_token"])
    assert userinfo.headers["Content-Type"] == "application/json"
    assert userinfo.json()["sub"] == claims_of(answer["id_token"])["sub"]


def test_userinfo_post_header(webapp: TokenClient, browserless: Browserless) -> None:
    _, answer = code_and_tokens(webapp, browserless)
    header = {"Authorization": f"Bearer {answer['access_token']}"}
    userinfo = webapp.http.post(webapp.discovery["userinfo_endpoint"], headers=header)
    assert userinfo.status_code == 200
    assert userinfo.json()["sub"] == claims_of(answer["id_token"])["sub"]


def test_userinfo_post_body(webapp: TokenClient, browserless: Browserless) -> None:
    _, answer = code_and_tokens(webapp, browserless)
    form = {"access_token": answer["access_token"]}
    userinfo = webapp.http.post(webapp.discovery["userinfo_endpoint"], data=form)
    assert userinfo.status_code == 200
    assert userinfo.json()["sub"] == claims_of(answer["id_token"])["sub"]


def test_ensure_request_without_nonce_succeeds_for_code_flow(
    webapp: TokenClient, browserless: Browserless
) -> None:
    found = browserless.authorize(webapp.authorization(nonce=None))
    answer = webapp.redeem(found)
    assert answer.status_code == 200
    assert "nonce" not in claims_of(answer.json()["id_token"])


def scoped(client: TokenClient, browser: Browserless, scope: str) -> dict[str, Any]:
    """Return what userinfo tells for a scope, which was granted as asked."""
    _, answer = code_and_tokens(client, browser, scope)
    assert answer["scope"] == scope
    claims: dict[str, Any] = client.userinfo(answer["access_token"]).json()
    return claims


def test_scope_profile(webapp: TokenClient, browserless: Browserless) -> None:
    claims = scoped(webapp, browserless, "openid profile")
    assert claims["name"] == ADA.name
    assert isinstance(claims["updated_at"], int)
    assert "email" not in claims


def test_scope_email(webapp: TokenClient, browserless: Browserless) -> None:
    claims = scoped(webapp, browserless, "openid email")
    assert (claims["email"], claims["email_verified"]) == (ADA.email, True)
    assert "name" not in claims


def test_scope_address(webapp: TokenClient, browserless: Browserless) -> None:
    claims = scoped(webapp, browserless, "openid address")
    assert claims["address"]["country"] == "United Kingdom"
    assert "phone_number" not in claims


def test_scope_phone(webapp: TokenClient, browserless: Browserless) -> None:
    claims = scoped(webapp, browserless, "openid phone")
    assert claims["phone_number"].startswith("+44")
    assert claims["phone_number_verified"] is True


def test_scope_all(webapp: TokenClient, browserless: Browserless) -> None:
    claims = scoped(webapp, browserless, "openid profile email address phone")
    assert {"sub", "name", "email", "address", "phone_number"} <= claims.keys()
    assert set(webapp.discovery["claims_supported"]) >= claims.keys()


def test_alternate_happy_flow(webapp: TokenClient, browserless: Browserless) -> None:
    """Long values for state and nonce come back as they were."""
    nonce, state = "n" * 384, "s" * 1000
    sent = webapp.authorization("openid email", nonce=nonce)
    webapp.verifiers[state] = webapp.verifiers[sent["state"]]
    found = browserless.authorize(sent | {"state": state})
    answer = webapp.redeem(found)
    assert found["state"] == state
    assert claims_of(answer.json()["id_token"])["nonce"] == nonce


def test_display_page(webapp: TokenClient, browserless: Browserless) -> None:
    found, answer = code_and_tokens(webapp, browserless, display="page")
    assert "error" not in found
    assert "id_token" in answer


def test_display_popup(webapp: TokenClient, browserless: Browserless) -> None:
    found, answer = code_and_tokens(webapp, browserless, display="popup")
    assert "error" not in found
    assert "id_token" in answer


def test_prompt_login(webapp: TokenClient, browserless: Browserless, clock: AheadClock) -> None:
    _, first = code_and_tokens(webapp, browserless)
    clock.advance(2)
    sent = webapp.authorization(prompt="login")
    page = browserless.start(sent)
    assert page.left_for is None, "Nobody was asked."
    second = webapp.redeem(browserless.finish(page).callback).json()
    before, after = claims_of(first["id_token"]), claims_of(second["id_token"])
    assert after["auth_time"] >= before["auth_time"] + 2
    assert after["sub"] == before["sub"]


def test_prompt_none_not_logged_in(webapp: TokenClient, browserless: Browserless) -> None:
    page = browserless.start(webapp.authorization(prompt="none"))
    assert page.callback["error"] == "login_required"
    assert page.callback["iss"] == webapp.discovery.issuer


def test_prompt_none_logged_in(webapp: TokenClient, browserless: Browserless) -> None:
    _, first = code_and_tokens(webapp, browserless)
    page = browserless.start(webapp.authorization(prompt="none"))
    second = webapp.redeem(page.callback).json()
    before, after = claims_of(first["id_token"]), claims_of(second["id_token"])
    assert after["sub"] == before["sub"]
    assert after["auth_time"] == before["auth_time"]


def test_max_age_1(webapp: TokenClient, browserless: Browserless, clock: AheadClock) -> None:
    _, first = code_and_tokens(webapp, browserless)
    clock.advance(2)
    since = int(clock())
    page = browserless.start(webapp.authorization(max_age="1"))
    assert page.left_for is None, "Nobody was asked."
    second = webapp.redeem(browserless.finish(page).callback).json()
    before, after = claims_of(first["id_token"]), claims_of(second["id_token"])
    assert after["auth_time"] >= before["auth_time"] + 2
    assert since <= after["auth_time"] <= after["iat"]


def test_max_age_10000(webapp: TokenClient, browserless: Browserless, clock: AheadClock) -> None:
    _, first = code_and_tokens(webapp, browserless)
    clock.advance(2)
    page = browserless.start(webapp.authorization(max_age="10000"))
    second = webapp.redeem(page.callback).json()
    before, after = claims_of(first["id_token"]), claims_of(second["id_token"])
    assert after["auth_time"] == before["auth_time"]
    assert after["iat"] >= before["iat"] + 2


def test_ensure_request_with_unknown_parameter_succeeds(
    webapp: TokenClient, browserless: Browserless
) -> None:
    found, answer = code_and_tokens(webapp, browserless, extra="foobar")
    assert "error" not in found
    assert "id_token" in answer


def test_id_token_hint(webapp: TokenClient, browserless: Browserless) -> None:
    _, first = code_and_tokens(webapp, browserless)
    hint = {"prompt": "none", "id_token_hint": first["id_token"]}
    second = webapp.redeem(browserless.start(webapp.authorization() | hint).callback).json()
    assert claims_of(second["id_token"])["sub"] == claims_of(first["id_token"])["sub"]
    browserless.http.cookies.clear()
    browserless.person = GRACE
    code_and_tokens(webapp, browserless)
    other = browserless.start(webapp.authorization() | hint).callback
    assert other["error"] == "login_required"


def test_login_hint(webapp: TokenClient, browserless: Browserless) -> None:
    page = browserless.start(webapp.authorization(login_hint=ADA.email))
    assert ADA.email in page.response.text
    answer = webapp.redeem(browserless.finish(page).callback)
    assert answer.status_code == 200


def test_ui_locales(webapp: TokenClient, browserless: Browserless) -> None:
    found, answer = code_and_tokens(webapp, browserless, ui_locales="se xx-YY")
    assert "error" not in found
    assert "id_token" in answer


def test_claims_locales(webapp: TokenClient, browserless: Browserless) -> None:
    found, answer = code_and_tokens(webapp, browserless, claims_locales="se xx-YY")
    assert "error" not in found
    assert "id_token" in answer


def test_ensure_request_with_acr_values_succeeds(
    webapp: TokenClient, browserless: Browserless
) -> None:
    found, answer = code_and_tokens(webapp, browserless, acr_values="1 2 urn:unknown")
    assert "error" not in found
    assert claims_of(answer["id_token"])["acr"]


def test_codereuse(webapp: TokenClient, browserless: Browserless) -> None:
    found, answer = code_and_tokens(webapp, browserless)
    again = webapp.redeem(found)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert webapp.userinfo(answer["access_token"]).status_code == 401


def test_codereuse_30seconds(
    webapp: TokenClient, browserless: Browserless, clock: AheadClock
) -> None:
    found, answer = code_and_tokens(webapp, browserless)
    assert webapp.userinfo(answer["access_token"]).status_code == 200
    clock.advance(30)
    again = webapp.redeem(found)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert webapp.userinfo(answer["access_token"]).status_code == 401


def test_ensure_registered_redirect_uri(webapp: TokenClient, browserless: Browserless) -> None:
    page = browserless.start(webapp.authorization(redirect_uri="https://app.example.test/other"))
    assert (page.status, page.left_for) == (400, None)
    assert "redirect_uri" in page.text


def test_ensure_post_request_succeeds(webapp: TokenClient, browserless: Browserless) -> None:
    sent = webapp.authorization()
    page = browserless.post(webapp.discovery["authorization_endpoint"], sent)
    found = browserless.finish(page).callback
    assert found["state"] == sent["state"]
    assert webapp.redeem(found).status_code == 200


def test_server_client_secret_post(deployment: Deployment, browserless: Browserless) -> None:
    client = deployment.client("stranger")
    assert client.method == "client_secret_post"
    _, answer = code_and_tokens(client, browserless)
    assert verified(client, answer["id_token"])["sub"]


def request_object(client: TokenClient, **more: str) -> str:
    """Return an unsigned request object that says what the request says."""
    return forging.unsigned({"alg": "none"}, client.authorization() | more)


def test_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(
    webapp: TokenClient, browserless: Browserless
) -> None:
    sent = webapp.authorization(request_uri="https://app.example.test/request.jwt")
    found = browserless.start(sent).callback
    assert found["error"] == "request_uri_not_supported"
    assert found["state"] == sent["state"]
    assert webapp.discovery["request_uri_parameter_supported"] is False


def test_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(
    webapp: TokenClient, browserless: Browserless
) -> None:
    sent = webapp.authorization(request=request_object(webapp))
    found = browserless.start(sent).callback
    assert found["error"] == "request_not_supported"
    assert found["state"] == sent["state"]
    assert webapp.discovery["request_parameter_supported"] is False


def test_ensure_request_object_with_redirect_uri(
    webapp: TokenClient, browserless: Browserless
) -> None:
    """Not supported; what it says of a redirect URI is worth nothing."""
    evil = request_object(webapp, redirect_uri="https://evil.example.test/callback")
    page = browserless.start(webapp.authorization(request=evil))
    assert page.callback["error"] == "request_not_supported"
    assert str(page.left_for).startswith("https://app.example.test/callback?")
    bare = browserless.start(webapp.authorization(request=evil, redirect_uri=None))
    assert (bare.status, bare.left_for) == (400, None)


def test_refresh_token(
    webapp: TokenClient, deployment: Deployment, browserless: Browserless
) -> None:
    _, first = code_and_tokens(webapp, browserless, "openid offline_access", prompt="consent")
    second = webapp.refresh(first["refresh_token"]).json()
    before, after = claims_of(first["id_token"]), verified(webapp, second["id_token"])
    for name in ("iss", "sub", "aud", "auth_time"):
        assert before[name] == after[name], name
    assert second["access_token"] != first["access_token"]
    foreign = deployment.client("stranger").refresh(second["refresh_token"])
    assert foreign.json()["error"] == "invalid_grant"


def test_ensure_request_with_valid_pkce_succeeds(
    webapp: TokenClient, browserless: Browserless
) -> None:
    sent = webapp.authorization()
    assert sent["code_challenge_method"] == "S256"
    answer = webapp.redeem(browserless.authorize(sent))
    assert answer.status_code == 200
