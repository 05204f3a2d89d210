"""OpenID Connect Dynamic OP: what each module of the suite asks for, beyond Basic.

The relying party registers itself over https.
"""

import pytest

from tests.conformance.judges import Judge, Judges
from tests.conformance.plans import CALLBACK, Plan
from tests.registration.registrar import Registrar
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.exam import Exam
from tests.support.token_parts import header_of

pytestmark = pytest.mark.usefixtures("asked")
PLAN = Plan(dynamic=True)
WITH_QUERY = f"{CALLBACK}?foo=bar"


@pytest.fixture
def judge(judges: Judges) -> Judge:
    """A relying party that registered itself."""
    return judges.judge(PLAN)


def test_idtoken_rs256(judges: Judges, browserless: Browserless) -> None:
    judge = judges.judge(PLAN, id_token_signed_response_alg="RS256")
    answer = judge.run(browserless)
    assert header_of(answer.id_token)["alg"] == "RS256"
    assert answer.claims["sub"]


def test_ensure_redirect_uri_in_authorization_request(
    judge: Judge, browserless: Browserless
) -> None:
    page = browserless.start(judge.authorization(redirect_uri=None))
    assert (page.status, page.left_for) == (400, None)
    assert "redirect_uri" in page.text


def test_redirect_uri_query_ok(judges: Judges, browserless: Browserless) -> None:
    judge = judges.judge(PLAN, redirect_uris=[WITH_QUERY])
    answer = judge.run(browserless)
    assert answer.front["foo"] == "bar"
    assert answer.claims["sub"]


def test_redirect_uri_query_mismatch(judges: Judges, browserless: Browserless) -> None:
    judge = judges.judge(PLAN, redirect_uris=[WITH_QUERY])
    page = browserless.start(judge.authorization(redirect_uri=f"{CALLBACK}?foo=baz"))
    assert (page.status, page.left_for) == (400, None)
    assert "redirect_uri" in page.text


def test_redirect_uri_query_added(judge: Judge, browserless: Browserless) -> None:
    page = browserless.start(judge.authorization(redirect_uri=WITH_QUERY))
    assert (page.status, page.left_for) == (400, None)
    assert "redirect_uri" in page.text


def test_redirect_uri_regfrag(deployment: Deployment) -> None:
    registrar = Registrar(deployment.new_http(), deployment.issuer)
    answer = registrar.post(redirect_uris=[f"{CALLBACK}#fragment"])
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_redirect_uri"


def shown(judges: Judges, browser: Browserless, field: str) -> list[str]:
    """Return where the links lead of the page that asks for consent."""
    judge = judges.judge(PLAN, **{field: f"https://rp.example.test/{field}"})
    page = browser.start(judge.authorization())
    while not any(form.button("decision", "allow") for form in page.document.forms):
        page = browser.answer(page)
    return [part.split('"')[0] for part in page.response.text.split('href="')[1:]]


def test_registration_policy_uri(judges: Judges, browserless: Browserless) -> None:
    links = shown(judges, browserless, "policy_uri")
    assert "https://rp.example.test/policy_uri" in links
    assert "https://rp.example.test/tos_uri" not in links


def test_registration_tos_uri(judges: Judges, browserless: Browserless) -> None:
    links = shown(judges, browserless, "tos_uri")
    assert "https://rp.example.test/tos_uri" in links
    assert "https://rp.example.test/policy_uri" not in links


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
