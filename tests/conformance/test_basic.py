"""OpenID Connect Basic OP: what each module of the suite asks for.

Each starts in a browser without cookies, as the suite does, and goes through nginx over https.
"""

import json
from typing import Any

import pytest

from idp.protocol import registration
from idp.protocol.metadata_values import RegistrationError
from tests.conformance.judges import CALLBACK, PLANS, Judge, Judges, Plan
from tests.keys import forging
from tests.support.browserless import Browserless
from tests.support.idp_ahead import AheadClock
from tests.support.seeds import ADA, GRACE
from tests.support.token_client import basic, challenge
from tests.support.token_parts import header_of

pytestmark = pytest.mark.usefixtures("asked")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat each module with clients of either kind of registration."""
    if "plan" in metafunc.fixturenames:
        metafunc.parametrize("plan", PLANS, ids=str, indirect=True)


def test_server(judge: Judge, browserless: Browserless) -> None:
    answer = judge.run(browserless)
    assert answer.claims["nonce"] == judge.nonces[answer.front["state"]]
    assert judge.userinfo(answer.access_token).json()["sub"] == answer.claims["sub"]


def test_response_type_missing(judge: Judge, browserless: Browserless) -> None:
    page = browserless.start(judge.authorization(response_type=None))
    assert page.callback["error"] in {"invalid_request", "unsupported_response_type"}
    assert "code" not in page.callback


def test_idtoken_signature(judge: Judge, browserless: Browserless) -> None:
    answer = judge.run(browserless)
    header = header_of(answer.id_token)
    published = judge.http.get(judge.discovery["jwks_uri"]).json()["keys"]
    assert header["alg"] == "RS256"
    assert header["kid"] in {key["kid"] for key in published}


def test_idtoken_unsigned(judge: Judge, browserless: Browserless) -> None:
    assert "none" not in judge.discovery["id_token_signing_alg_values_supported"]
    wanted = {
        "redirect_uris": ["https://app.example.test/callback"],
        "id_token_signed_response_alg": "none",
    }
    with pytest.raises(RegistrationError):
        registration.validate(wanted, operator=True)
    answer = judge.run(browserless)
    assert answer.id_token.split(".")[2]


def test_userinfo_get(judge: Judge, browserless: Browserless) -> None:
    answer = judge.run(browserless)
    userinfo = judge.userinfo(answer.access_token)
    assert userinfo.headers["Content-Type"] == "application/json"
    assert userinfo.json()["sub"] == answer.claims["sub"]


def test_userinfo_post_header(judge: Judge, browserless: Browserless) -> None:
    answer = judge.run(browserless)
    header = {"Authorization": f"Bearer {answer.access_token}"}
    userinfo = judge.http.post(judge.discovery["userinfo_endpoint"], headers=header)
    assert userinfo.status_code == 200
    assert userinfo.json()["sub"] == answer.claims["sub"]


def test_userinfo_post_body(judge: Judge, browserless: Browserless) -> None:
    answer = judge.run(browserless)
    form = {"access_token": answer.access_token}
    userinfo = judge.http.post(judge.discovery["userinfo_endpoint"], data=form)
    assert userinfo.status_code == 200
    assert userinfo.json()["sub"] == answer.claims["sub"]


def test_ensure_request_without_nonce_succeeds_for_code_flow(
    judge: Judge, browserless: Browserless
) -> None:
    answer = judge.run(browserless, nonce=None)
    assert "nonce" not in answer.claims
    assert answer.claims["sub"]


def scoped(client: Judge, browser: Browserless, scope: str) -> dict[str, Any]:
    """Return what userinfo tells for a scope, which was granted as asked."""
    answer = client.run(browser, scope)
    assert set(answer.back.get("scope", scope).split()) == set(scope.split())
    claims: dict[str, Any] = client.userinfo(answer.access_token).json()
    return claims


def test_scope_profile(judge: Judge, browserless: Browserless) -> None:
    claims = scoped(judge, browserless, "openid profile")
    assert claims["name"] == ADA.name
    assert isinstance(claims["updated_at"], int)
    assert "email" not in claims


def test_scope_email(judge: Judge, browserless: Browserless) -> None:
    claims = scoped(judge, browserless, "openid email")
    assert (claims["email"], claims["email_verified"]) == (ADA.email, True)
    assert "name" not in claims


def test_scope_address(judge: Judge, browserless: Browserless) -> None:
    claims = scoped(judge, browserless, "openid address")
    assert claims["address"]["country"] == "United Kingdom"
    assert "phone_number" not in claims


def test_scope_phone(judge: Judge, browserless: Browserless) -> None:
    claims = scoped(judge, browserless, "openid phone")
    assert claims["phone_number"].startswith("+44")
    assert claims["phone_number_verified"] is True


def test_scope_all(judge: Judge, browserless: Browserless) -> None:
    claims = scoped(judge, browserless, "openid profile email address phone")
    assert {"sub", "name", "email", "address", "phone_number"} <= claims.keys()
    assert set(judge.discovery["claims_supported"]) >= claims.keys()


def test_alternate_happy_flow(judge: Judge, browserless: Browserless) -> None:
    """Long values for state and nonce come back as they were."""
    nonce, state = "n" * 384, "s" * 1000
    sent = judge.authorization("openid email", nonce=nonce)
    sent["state"] = state
    answer = judge.judged(sent, browserless.authorize(sent))
    assert answer.front["state"] == state
    assert answer.claims["nonce"] == nonce


def test_display_page(judge: Judge, browserless: Browserless) -> None:
    answer = judge.run(browserless, display="page")
    assert "error" not in answer.front
    assert answer.claims["sub"]


def test_display_popup(judge: Judge, browserless: Browserless) -> None:
    answer = judge.run(browserless, display="popup")
    assert "error" not in answer.front
    assert answer.claims["sub"]


def test_prompt_login(judge: Judge, browserless: Browserless, clock: AheadClock) -> None:
    first = judge.run(browserless)
    clock.advance(2)
    sent = judge.authorization(prompt="login")
    page = browserless.start(sent)
    assert page.left_for is None, "Nobody was asked."
    before, after = first.claims, judge.judged(sent, browserless.finish(page).callback).claims
    assert after["auth_time"] >= before["auth_time"] + 2
    assert after["sub"] == before["sub"]


def test_prompt_none_not_logged_in(judge: Judge, browserless: Browserless) -> None:
    page = browserless.start(judge.authorization(prompt="none"))
    assert page.callback["error"] == "login_required"
    assert page.callback["iss"] == judge.discovery.issuer


def test_prompt_none_logged_in(judge: Judge, browserless: Browserless) -> None:
    first = judge.run(browserless)
    sent = judge.authorization(prompt="none")
    before, after = first.claims, judge.judged(sent, browserless.start(sent).callback).claims
    assert after["sub"] == before["sub"]
    assert after["auth_time"] == before["auth_time"]


def test_max_age_1(judge: Judge, browserless: Browserless, clock: AheadClock) -> None:
    first = judge.run(browserless)
    clock.advance(2)
    since = int(clock())
    sent = judge.authorization(max_age="1")
    page = browserless.start(sent)
    assert page.left_for is None, "Nobody was asked."
    before, after = first.claims, judge.judged(sent, browserless.finish(page).callback).claims
    assert after["auth_time"] >= before["auth_time"] + 2
    assert since <= after["auth_time"] <= after["iat"]


def test_max_age_10000(judge: Judge, browserless: Browserless, clock: AheadClock) -> None:
    first = judge.run(browserless)
    clock.advance(2)
    sent = judge.authorization(max_age="10000")
    before, after = first.claims, judge.judged(sent, browserless.start(sent).callback).claims
    assert after["auth_time"] == before["auth_time"]
    assert after["iat"] >= before["iat"] + 2


def test_ensure_request_with_unknown_parameter_succeeds(
    judge: Judge, browserless: Browserless
) -> None:
    answer = judge.run(browserless, extra="foobar")
    assert "error" not in answer.front
    assert answer.claims["sub"]


def test_id_token_hint(judge: Judge, browserless: Browserless) -> None:
    first = judge.run(browserless)
    hint = {"prompt": "none", "id_token_hint": first.id_token}
    sent = judge.authorization() | hint
    second = judge.judged(sent, browserless.start(sent).callback)
    assert second.claims["sub"] == first.claims["sub"]
    browserless.http.cookies.clear()
    browserless.person = GRACE
    judge.run(browserless)
    other = browserless.start(judge.authorization() | hint).callback
    assert other["error"] == "login_required"


def test_login_hint(judge: Judge, browserless: Browserless) -> None:
    sent = judge.authorization(login_hint=ADA.email)
    page = browserless.start(sent)
    assert ADA.email in page.response.text
    assert judge.judged(sent, browserless.finish(page).callback).claims["sub"]


def test_ui_locales(judge: Judge, browserless: Browserless) -> None:
    answer = judge.run(browserless, ui_locales="se xx-YY")
    assert "error" not in answer.front
    assert answer.claims["sub"]


def test_claims_locales(judge: Judge, browserless: Browserless) -> None:
    answer = judge.run(browserless, claims_locales="se xx-YY")
    assert "error" not in answer.front
    assert answer.claims["sub"]


def test_ensure_request_with_acr_values_succeeds(judge: Judge, browserless: Browserless) -> None:
    answer = judge.run(browserless, acr_values="1 2 urn:unknown")
    assert "error" not in answer.front
    assert answer.claims["acr"]


def test_codereuse(judge: Judge, browserless: Browserless) -> None:
    answer = judge.run(browserless)
    again = judge.redeem(answer.front)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert judge.userinfo(answer.access_token).status_code == 401


def test_codereuse_30seconds(judge: Judge, browserless: Browserless, clock: AheadClock) -> None:
    answer = judge.run(browserless)
    assert judge.userinfo(answer.access_token).status_code == 200
    clock.advance(30)
    again = judge.redeem(answer.front)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert judge.userinfo(answer.access_token).status_code == 401


def test_ensure_registered_redirect_uri(judge: Judge, browserless: Browserless) -> None:
    page = browserless.start(judge.authorization(redirect_uri="https://app.example.test/other"))
    assert (page.status, page.left_for) == (400, None)
    assert "redirect_uri" in page.text


def test_ensure_post_request_succeeds(judge: Judge, browserless: Browserless) -> None:
    sent = judge.authorization()
    page = browserless.post(judge.discovery["authorization_endpoint"], sent)
    answer = judge.judged(sent, browserless.finish(page).callback)
    assert answer.front["state"] == sent["state"]
    assert answer.claims["sub"]


@pytest.mark.parametrize("dynamic", [False, True], ids=["static", "dynamic"])
def test_server_client_secret_post(judges: Judges, browserless: Browserless, dynamic: bool) -> None:
    judge = judges.judge(Plan(method="client_secret_post", dynamic=dynamic))
    assert judge.run(browserless).claims["sub"]
    header = {"Authorization": basic(judge.client_id, judge.client_secret)}
    answer = judge.http.post(judge.discovery["token_endpoint"], headers=header)
    assert answer.status_code in {400, 401}, "The method that was registered is the only one."


def request_object(client: Judge, **more: str) -> str:
    """Return an unsigned request object that says what the request says."""
    return forging.unsigned({"alg": "none"}, client.authorization() | more)


def test_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(
    judge: Judge, browserless: Browserless
) -> None:
    sent = judge.authorization(request_uri="https://app.example.test/request.jwt")
    found = browserless.start(sent).callback
    assert found["error"] == "request_uri_not_supported"
    assert found["state"] == sent["state"]
    assert judge.discovery["request_uri_parameter_supported"] is True


def test_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(
    judge: Judge, browserless: Browserless
) -> None:
    sent = judge.authorization(request=request_object(judge))
    found = browserless.start(sent).callback
    assert found["error"] == "request_not_supported"
    assert found["state"] == sent["state"]
    assert judge.discovery["request_parameter_supported"] is True


def test_ensure_request_object_with_redirect_uri(judge: Judge, browserless: Browserless) -> None:
    """Not supported; what it says of a redirect URI is worth nothing."""
    evil = request_object(judge, redirect_uri="https://evil.example.test/callback")
    page = browserless.start(judge.authorization(request=evil))
    assert page.callback["error"] == "request_not_supported"
    assert str(page.left_for).startswith(f"{CALLBACK}?")
    bare = browserless.start(judge.authorization(request=evil, redirect_uri=None))
    assert (bare.status, bare.left_for) == (400, None)


def test_refresh_token(judges: Judges, judge: Judge, browserless: Browserless) -> None:
    first = judge.run(browserless, "openid offline_access", prompt="consent")
    second = judge.refresh(first.back["refresh_token"]).json()
    renewed = second.get("id_token")
    after = judge.verified(renewed) if renewed else first.claims
    for name in ("iss", "sub", "aud", "auth_time"):
        assert first.claims[name] == after[name], name
    assert second["access_token"] != first.access_token
    foreign = judges.judge(judge.plan).refresh(second["refresh_token"])
    assert foreign.json()["error"] == "invalid_grant"


def test_ensure_request_with_valid_pkce_succeeds(judge: Judge, browserless: Browserless) -> None:
    verifier = "v" * 43
    sent = judge.authorization(code_challenge=challenge(verifier), code_challenge_method="S256")
    found = browserless.authorize(sent)
    answer = judge.redeem(found, code_verifier=verifier)
    assert answer.status_code == 200
    assert judge.verified(answer.json()["id_token"], sent["nonce"])["sub"]


def test_claims_essential(judge: Judge, browserless: Browserless) -> None:
    wanted = {"userinfo": {"name": {"essential": True}}}
    answer = judge.run(browserless, claims=json.dumps(wanted))
    told = judge.userinfo(answer.access_token).json()
    assert told["name"] == ADA.name
    assert "email" not in told
