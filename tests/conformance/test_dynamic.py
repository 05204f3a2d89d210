"""OpenID Connect Dynamic OP: what each module of the suite asks for, beyond Basic.

The relying party registers itself over https.
"""

import secrets
import time
from typing import Any

import pytest

from tests.conformance.judges import Judge, Judges, key
from tests.conformance.plans import CALLBACK, MODULES, Plan, dynamic_plans_of
from tests.keys import forging
from tests.registration import drawing
from tests.support.browserless import Browserless
from tests.support.exam import Exam
from tests.support.idp_ahead import AheadClock
from tests.support.seeds import ADA
from tests.support.signed import public, sign
from tests.support.token_parts import header_of

pytestmark = pytest.mark.usefixtures("asked")
PATIENCE = 30  # seconds; less than the minute between two looks
WITH_QUERY = f"{CALLBACK}?foo=bar"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat each module with every client authentication that matters to it."""
    name = metafunc.function.__name__.removeprefix("test_").replace("_", "-")
    (module,) = (module for module in MODULES if module.lower() == name)
    metafunc.parametrize("plan", dynamic_plans_of(module), ids=str, indirect=True)


def place(ending: str = "json") -> str:
    """Return a new path of the relying party's own server."""
    return f"/{secrets.token_hex(8)}.{ending}"


def test_idtoken_rs256(judges: Judges, plan: Plan, browserless: Browserless) -> None:
    judge = judges.judge(plan, id_token_signed_response_alg="RS256")
    answer = judge.run(browserless)
    assert header_of(answer.id_token)["alg"] == "RS256"
    assert answer.claims["sub"]


def test_userinfo_rs256(judges: Judges, plan: Plan, browserless: Browserless, exam: Exam) -> None:
    assert "RS256" in exam.discovery["userinfo_signing_alg_values_supported"]
    judge = judges.judge(plan, userinfo_signed_response_alg="RS256")
    answer = judge.run(browserless, "openid email")
    userinfo = judge.userinfo(answer.access_token)
    assert userinfo.headers["Content-Type"] == "application/jwt"
    claims = judge.opened(userinfo.text)
    assert claims["aud"] in (judge.client_id, [judge.client_id])
    assert (claims["iss"], claims["sub"]) == (judge.discovery.issuer, answer.claims["sub"])
    assert claims["email"] == ADA.email


def test_ensure_redirect_uri_in_authorization_request(
    judge: Judge, browserless: Browserless
) -> None:
    page = browserless.start(judge.authorization(redirect_uri=None))
    assert (page.status, page.left_for) == (400, None)
    assert "redirect_uri" in page.text


def test_redirect_uri_query_ok(judges: Judges, plan: Plan, browserless: Browserless) -> None:
    judge = judges.judge(plan, redirect_uris=[WITH_QUERY])
    answer = judge.run(browserless)
    assert answer.front["foo"] == "bar"
    assert answer.claims["sub"]


def test_redirect_uri_query_mismatch(judges: Judges, plan: Plan, browserless: Browserless) -> None:
    judge = judges.judge(plan, redirect_uris=[WITH_QUERY])
    page = browserless.start(judge.authorization(redirect_uri=f"{CALLBACK}?foo=baz"))
    assert (page.status, page.left_for) == (400, None)
    assert "redirect_uri" in page.text


def test_redirect_uri_query_added(judge: Judge, browserless: Browserless) -> None:
    page = browserless.start(judge.authorization(redirect_uri=WITH_QUERY))
    assert (page.status, page.left_for) == (400, None)
    assert "redirect_uri" in page.text


def test_redirect_uri_regfrag(judges: Judges, plan: Plan) -> None:
    keys = public(key())
    wanted = plan.metadata(jwks=keys, redirect_uris=[f"{CALLBACK}#fragment"])
    answer = judges.registrar().post(wanted)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_redirect_uri"


def shown(judge: Judge, browser: Browserless) -> list[str]:
    """Return where the links lead of the page that asks for consent."""
    page = browser.start(judge.authorization())
    while not any(form.button("decision", "allow") for form in page.document.forms):
        page = browser.answer(page)
    return [part.split('"')[0] for part in page.response.text.split('href="')[1:]]


def test_registration_policy_uri(judges: Judges, plan: Plan, browserless: Browserless) -> None:
    address = "https://rp.example.test/policy"
    assert address in shown(judges.judge(plan, policy_uri=address), browserless)
    assert address not in shown(judges.judge(plan), browserless)


def test_registration_tos_uri(judges: Judges, plan: Plan, browserless: Browserless) -> None:
    address = "https://rp.example.test/terms"
    assert address in shown(judges.judge(plan, tos_uri=address), browserless)
    assert address not in shown(judges.judge(plan), browserless)


def test_registration_logo_uri(
    judges: Judges, plan: Plan, browserless: Browserless, exam: Exam
) -> None:
    """The first page shows the picture, which the server fetches at once and serves itself."""
    picture = drawing.png(40, 40)
    address = exam.site.put(place("png"), picture, "image/png")
    judge = judges.judge(plan, logo_uri=address)
    source, until = "", time.monotonic() + PATIENCE
    while not source and time.monotonic() < until:
        page = browserless.start(judge.authorization())
        source = page.response.text.partition('<img class="logo" src="')[2].partition('"')[0]
        assert address not in page.response.text
    found = judge.http.get(f"{exam.issuer}{source}")
    assert (found.headers["Content-Type"], found.content) == ("image/png", picture)


def test_registration_jwks_uri(
    judges: Judges, plan: Plan, browserless: Browserless, exam: Exam
) -> None:
    address = exam.site.put(place(), public(key("published")))
    judge = judges.judge(plan, jwks=None, jwks_uri=address)
    judge.key = key("published")
    assert judge.run(browserless).claims["sub"]
    judge.key = key()
    refused = judge.refresh("any")
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def sectored(exam: Exam, *redirect_uris: str) -> dict[str, Any]:
    """Return metadata for pairwise subjects of a sector with these redirect URIs."""
    document = exam.site.put(place(), list(redirect_uris))
    return {"subject_type": "pairwise", "sector_identifier_uri": document}


def test_registration_sector_uri(
    judges: Judges, plan: Plan, browserless: Browserless, exam: Exam
) -> None:
    """Clients of one sector know a person by one name, by which no other sector knows them."""
    other = "https://other.example.test/callback"
    sector = sectored(exam, CALLBACK, other)
    first = judges.judge(plan, **sector).run(browserless).claims["sub"]
    second = judges.judge(plan, **sector, redirect_uris=[other, CALLBACK])
    assert second.run(browserless).claims["sub"] == first
    assert judges.judge(plan, subject_type="pairwise").run(browserless).claims["sub"] != first
    assert judges.judge(plan).run(browserless).claims["sub"] != first


def test_registration_sector_bad(judges: Judges, plan: Plan, exam: Exam) -> None:
    sector = sectored(exam, "https://other.example.test/callback")
    wanted = plan.metadata(**sector, jwks=public(key()))
    answer = judges.registrar().post(wanted)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/json")
    assert answer.json()["error"] == "invalid_client_metadata"


def test_refresh_token_rp_key_rotation(
    judges: Judges, plan: Plan, browserless: Browserless, exam: Exam, clock: AheadClock
) -> None:
    path = place()
    address = exam.site.put(path, public(key("before")))
    judge = judges.judge(plan, jwks=None, jwks_uri=address)
    judge.key = key("before")
    first = judge.run(browserless, "openid offline_access", prompt="consent")
    exam.site.put(path, public(key("after")))
    clock.advance(60)
    judge.key = key("after")
    second = judge.refresh(first.back["refresh_token"]).json()
    assert judge.userinfo(second["access_token"]).json()["sub"] == first.claims["sub"]
    judge.key = key("before")
    refused = judge.refresh(second["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def referred(sent: dict[str, str], address: str) -> dict[str, str]:
    """Return a request that says where its object is, and what has to stand outside besides."""
    names = ("client_id", "response_type", "scope")
    return {name: sent[name] for name in names} | {"request_uri": address}


def test_request_uri_unsigned(
    judges: Judges, plan: Plan, browserless: Browserless, exam: Exam
) -> None:
    """Nothing of signatures was registered: whose the object is says the certificate."""
    assert "none" in exam.discovery["request_object_signing_alg_values_supported"]
    address = exam.site.url(path := place("jwt"))
    judge = judges.judge(plan, request_uris=[address])
    sent = judge.authorization()
    exam.site.put(path, forging.unsigned({"alg": "none"}, sent), "application/jose")
    found = browserless.authorize(referred(sent, address))
    assert judge.judged(sent, found).claims["sub"]


def test_request_uri_signed_rs256(
    judges: Judges, plan: Plan, browserless: Browserless, exam: Exam
) -> None:
    assert "RS256" in exam.discovery["request_object_signing_alg_values_supported"]
    address = exam.site.url(path := place("jwt"))
    keys = {"jwks": public(key()), "request_object_signing_alg": "RS256"}
    judge = judges.judge(plan, **keys, request_uris=[address])
    sent = judge.authorization()
    claims = {**sent, "iss": judge.client_id, "aud": exam.issuer}
    exam.site.put(path, sign(claims, key(), "RS256"), "application/jose")
    found = browserless.authorize(referred(sent, address) | {"state": "nobody's"})
    assert judge.judged(sent, found).claims["sub"]


def test_ensure_client_assertion_with_iss_aud_succeeds(
    judge: Judge, browserless: Browserless, exam: Exam
) -> None:
    judge.assertion = {"aud": exam.issuer}
    assert judge.run(browserless).claims["sub"]
    judge.assertion = {"aud": "https://other.example.test"}
    refused = judge.refresh("any")
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_server_rotate_keys(judge: Judge, browserless: Browserless, exam: Exam) -> None:
    """The key changes between flows and within one; nobody sees a failure."""
    first = judge.run(browserless, "openid offline_access", prompt="consent")
    before = header_of(first.id_token)["kid"]
    exam.clock.advance(2 * 3600)  # the next key was published for long enough
    sent = judge.authorization()
    page = browserless.start({**sent, "prompt": "login"})
    assert before in exam.serving.command("keys", "list")
    exam.serving.command("keys", "rotate")
    exam.clock.advance(6)  # nodes look at keys again after five seconds
    during = judge.judged(sent, browserless.finish(page).callback)
    after = judge.run(browserless)
    kid = header_of(after.id_token)["kid"]
    assert kid != before
    assert header_of(during.id_token)["kid"] in {before, kid}
    published = judge.http.get(judge.discovery["jwks_uri"]).json()["keys"]
    assert {before, kid} <= {key["kid"] for key in published}
    assert judge.verified(first.id_token, first.claims["nonce"])["sub"] == after.claims["sub"]
    hinted = judge.authorization(prompt="none", id_token_hint=first.id_token)
    judge.judged(hinted, browserless.start(hinted).callback)
    renewed = judge.refresh(first.back["refresh_token"]).json()
    assert header_of(renewed["id_token"])["kid"] == kid
    assert judge.userinfo(renewed["access_token"]).status_code == 200
