"""OpenID Connect Basic, Hybrid, Implicit and Form Post OP: what each module of the suite asks for.

Each starts in a browser without cookies, as the suite does, and goes through nginx over https.
"""

import json
import secrets
from dataclasses import replace
from typing import Any

import pytest

from idp.protocol import registration
from idp.protocol.metadata_values import RegistrationError
from tests.conformance.judges import UNSIGNED, Judge, Judges, Outcome
from tests.conformance.plans import BASIC, CALLBACK, POST, plans_of
from tests.keys import forging
from tests.support.browserless import Browserless
from tests.support.exam import Exam
from tests.support.idp_ahead import AheadClock
from tests.support.seeds import ADA, GRACE
from tests.support.token_client import challenge
from tests.support.token_parts import header_of

pytestmark = pytest.mark.usefixtures("asked")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat each module as each list has it."""
    module = metafunc.function.__name__.removeprefix("test_").replace("_", "-")
    plans = [plan for some in plans_of(module).values() for plan in some]
    metafunc.parametrize("plan", plans, ids=str, indirect=True)


def told(judge: Judge, answer: Outcome) -> dict[str, Any]:
    """Return what a relying party learns about a person: where it gets an access token, from
    userinfo (section 5.4).
    """
    if not judge.plan.has_access_token:
        return answer.claims
    claims: dict[str, Any] = judge.userinfo(answer.access_token).json()
    return claims


def test_server(judge: Judge, browserless: Browserless) -> None:
    answer = judge.run(browserless)
    assert answer.claims["nonce"] == judge.nonces[answer.front["state"]]
    assert told(judge, answer)["sub"] == answer.claims["sub"]


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


def test_idtoken_unsigned(judges: Judges, judge: Judge, browserless: Browserless) -> None:
    """Only for a client that registered for it, where the operator lets it."""
    assert UNSIGNED in judge.discovery["id_token_signing_alg_values_supported"]
    assert judge.run(browserless).id_token.split(".")[2]
    wanted = {"redirect_uris": [CALLBACK], "id_token_signed_response_alg": UNSIGNED}
    with pytest.raises(RegistrationError):
        registration.validate(wanted, operator=True)
    careless = judges.judge(judge.plan, id_token_signed_response_alg=UNSIGNED)
    answer = careless.run(browserless)
    assert header_of(answer.id_token)["alg"] == UNSIGNED
    assert answer.id_token.endswith(".")


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
    """Return what is told for a scope, which was granted as asked."""
    answer = client.run(browser, scope)
    for granted in (answer.front, answer.back):
        assert set(granted.get("scope", scope).split()) == set(scope.split())
    return told(client, answer)


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
    bindings = {"nonce", "at_hash", "c_hash", "s_hash"}
    assert set(judge.discovery["claims_supported"]) >= claims.keys() - bindings


def test_alternate_happy_flow(judge: Judge, browserless: Browserless) -> None:
    """The order of scopes and parameters says nothing; long values come back as they were."""
    nonce, state = "n" * 384, "s" * 1000
    sent = judge.authorization("email openid", nonce=nonce)
    judge.verifiers[state] = judge.verifiers[sent["state"]]
    sent = dict(reversed((sent | {"state": state}).items()))
    answer = judge.judged(sent, browserless.authorize(sent))
    assert answer.front["state"] == state
    assert answer.claims["nonce"] == nonce
    assert told(judge, answer)["email"] == ADA.email


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
    assert not page.left, "Nobody was asked."
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
    assert not page.left, "Nobody was asked."
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


def ended(judge: Judge, answer: Outcome) -> list[int]:
    """Return what userinfo says to each access token that came of a code."""
    tokens = filter(None, (answer.front.get("access_token"), answer.back["access_token"]))
    return [judge.userinfo(token).status_code for token in tokens]


def test_codereuse(judge: Judge, browserless: Browserless) -> None:
    answer = judge.run(browserless)
    again = judge.redeem(answer.front)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert set(ended(judge, answer)) == {401}


def test_codereuse_30seconds(judge: Judge, browserless: Browserless, clock: AheadClock) -> None:
    answer = judge.run(browserless)
    assert set(ended(judge, answer)) == {200}
    clock.advance(30)
    again = judge.redeem(answer.front)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert set(ended(judge, answer)) == {401}


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


def test_server_client_secret_post(judges: Judges, judge: Judge, browserless: Browserless) -> None:
    judge = judges.judge(replace(judge.plan, method=POST))
    answer = judge.run(browserless)
    assert told(judge, answer)["sub"] == answer.claims["sub"]
    judge.method = BASIC
    refused = judge.refresh("any")
    assert refused.status_code in {400, 401}, "The method that was registered is the only one."


def request_object(client: Judge, **more: str) -> str:
    """Return an unsigned request object that says what a request says."""
    return forging.unsigned({"alg": UNSIGNED}, client.authorization() | more)


def test_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(
    judges: Judges, judge: Judge, browserless: Browserless, exam: Exam
) -> None:
    assert judge.discovery["request_uri_parameter_supported"] is True
    path = f"/{secrets.token_hex(8)}.jwt"
    sent = judge.authorization(request_uri=exam.site.url(path))
    found = browserless.start(sent).callback
    assert (found["error"], found["state"]) == ("request_uri_not_supported", sent["state"])
    judge = judges.judge(judge.plan, request_uris=[exam.site.url(path)])
    sent = judge.authorization()
    exam.site.put(path, forging.unsigned({"alg": UNSIGNED}, sent), "application/jose")
    names = ("client_id", "response_type", "scope")
    bare = {name: sent[name] for name in names} | {"request_uri": exam.site.url(path)}
    answer = judge.judged(sent, browserless.authorize(bare))
    assert answer.claims["sub"]


def test_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(
    judges: Judges, judge: Judge, browserless: Browserless
) -> None:
    sent = judge.authorization(request=request_object(judge))
    found = browserless.start(sent).callback
    assert (found["error"], found["state"]) == ("request_not_supported", sent["state"])
    assert judge.discovery["request_parameter_supported"] is True
    judge = judges.judge(judge.plan, request_object_signing_alg=UNSIGNED)
    sent = judge.authorization()
    inside = forging.unsigned({"alg": UNSIGNED}, sent)
    answer = judge.judged(sent, browserless.authorize({**sent, "state": "x", "request": inside}))
    assert answer.claims["sub"]


def test_ensure_request_object_with_redirect_uri(
    judges: Judges, judge: Judge, browserless: Browserless
) -> None:
    """What stands inside wins, where objects without signature are taken."""
    evil = "https://evil.example.test/callback"
    bare = browserless.start(judge.authorization(request=request_object(judge), redirect_uri=evil))
    assert (bare.status, bare.left_for) == (400, None)
    careless = judges.judge(judge.plan, request_object_signing_alg=UNSIGNED)
    sent = careless.authorization()
    inside = forging.unsigned({"alg": UNSIGNED}, sent)
    outside = {**sent, "redirect_uri": evil, "request": inside}
    assert careless.judged(sent, browserless.authorize(outside)).claims["sub"]
    other = request_object(careless, redirect_uri=evil)
    page = browserless.start({**sent, "request": other})
    assert (page.status, page.left_for) == (400, None)


def test_refresh_token(judges: Judges, judge: Judge, browserless: Browserless) -> None:
    first = judge.run(browserless, "openid offline_access", prompt="consent")
    second = judge.refresh(first.back["refresh_token"]).json()
    renewed = second.get("id_token")
    after = judge.verified(renewed) if renewed else first.claims
    for name in ("iss", "sub", "aud", "auth_time"):
        assert first.claims[name] == after[name], name
    assert second["access_token"] != first.access_token
    foreign = judges.judge(judge.plan, client_name="Another").refresh(second["refresh_token"])
    assert foreign.json()["error"] == "invalid_grant"


def test_ensure_request_with_valid_pkce_succeeds(judge: Judge, browserless: Browserless) -> None:
    verifier = "v" * 43
    sent = judge.authorization(code_challenge=challenge(verifier), code_challenge_method="S256")
    found = browserless.authorize(sent)
    answer = judge.redeem(found, code_verifier=verifier)
    assert answer.status_code == 200
    assert judge.verified(answer.json()["id_token"], sent["nonce"])["sub"]


def test_claims_essential(judge: Judge, browserless: Browserless) -> None:
    place = "userinfo" if judge.plan.has_access_token else "id_token"
    wanted = {place: {"name": {"essential": True}}}
    answer = judge.run(browserless, claims=json.dumps(wanted))
    assert told(judge, answer)["name"] == ADA.name
    assert "email" not in told(judge, answer)
    assert ("name" in answer.claims) == (place == "id_token")


def test_ensure_request_without_nonce_fails(judge: Judge, browserless: Browserless) -> None:
    found = browserless.start(judge.authorization(nonce=None)).callback
    assert found["error"] == "invalid_request"
    assert not {"code", "id_token", "access_token"} & found.keys()
