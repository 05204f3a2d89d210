"""SECURITY group P: what is allowed is what was shown, and what is taken back is gone."""

import pytest

from idp.domain.services import Services
from tests.abuse_browser.asking import signed_in
from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.refusals import Refused, contents, entries
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN, add_client
from tests.support.token_client import TokenClient


def allowed(services: Services, client_id: str = "webapp") -> set[str]:
    account = services.accounts.get(ADA.email)
    return {scope for _, scope in services.consents.find(account.id, client_id)}


def at_consent(browser: Browserless, client: TokenClient, scope: str, **more: str) -> Page:
    page = browser.start(client.authorization(scope, **more))
    while page.form.button("decision", "allow") is None:
        page = browser.answer(page)
    return page


def test_case_122_what_the_form_adds_is_ignored(
    browserless: Browserless, webapp: TokenClient, services: Services
) -> None:
    page = at_consent(browserless, webapp, "openid email")
    fields = [
        *page.form.values(page.form.button("decision", "allow")),
        ("scope", "openid email phone address offline_access notes:write"),
        ("scopes", "phone"),
        ("asked", "phone"),
        ("client_id", "stranger"),
        ("redirect_uri", "https://evil.test/"),
        ("resource", "https://files.example.test/api"),
        ("account_id", services.accounts.get(GRACE.email).id),
    ]
    done = browserless.post(page.url + "?scope=phone&client_id=stranger", fields, page.url)
    assert done.left_for is not None
    assert done.left_for.startswith("https://app.example.test/callback?code=")
    assert allowed(services) == {"openid", "email"}
    assert webapp.redeem(done.callback).json()["scope"] == "openid email"


def test_case_122_two_tabs_each_allow_what_they_show(
    browserless: Browserless, webapp: TokenClient, services: Services
) -> None:
    """The form of one, sent to the address of the other, allows what that address has stored."""
    small = at_consent(browserless, webapp, "openid")
    large = at_consent(browserless, webapp, "openid email notes:write")
    done = browserless.submit(small, small.form.button("decision", "allow"))
    assert webapp.redeem(done.callback).json()["scope"] == "openid"
    assert allowed(services) == {"openid"}
    again = browserless.get(large.url)
    assert "Change your notes" in again.text
    assert allowed(services) == {"openid"}
    done = browserless.submit(again, again.form.button("decision", "allow"))
    assert webapp.redeem(done.callback).json()["scope"] == "openid email notes:write"


def test_case_122_a_request_changed_after_it_was_shown_is_another_request(
    browserless: Browserless, webapp: TokenClient
) -> None:
    page = at_consent(browserless, webapp, "openid")
    other = browserless.start(webapp.authorization("openid phone"))
    assert other.url != page.url
    done = browserless.submit(page, page.form.button("decision", "allow"))
    assert webapp.redeem(done.callback).json()["scope"] == "openid"


@pytest.mark.parametrize("decision", [None, "", "ALLOW", "yes", "allow "])
def test_case_122_nothing_but_allow_allows(
    decision: str | None, browserless: Browserless, webapp: TokenClient, services: Services
) -> None:
    page = at_consent(browserless, webapp, "openid email")
    before = contents(services.store)
    fields = page.form.values() + ([("decision", decision)] if decision is not None else [])
    again = browserless.post(page.url, fields, page.url)
    assert again.title == page.title
    assert contents(services.store) == before


def test_case_122_a_get_allows_nothing(
    browserless: Browserless, webapp: TokenClient, services: Services
) -> None:
    page = at_consent(browserless, webapp, "openid email")
    before = contents(services.store)
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
        answer = browserless.http.request(
            method,
            page.url,
            params={"decision": "allow", **dict(page.form.values())},
            allow_redirects=False,
        )
        assert answer.status_code in {200, 405}
    assert contents(services.store) == before


def test_case_122_cancel_is_told_and_recorded(
    browserless: Browserless, webapp: TokenClient, refused: Refused, services: Services
) -> None:
    page = at_consent(browserless, webapp, "openid email")
    with refused("authorization.refused", changes=["one_time"], times=1) as told:
        done = browserless.submit(page, page.form.button("decision", "cancel"))
    assert done.callback["error"] == "access_denied"
    assert told[0]["client_id"] == "webapp"
    assert told[0]["actor"] == f"account:{services.accounts.get(ADA.email).id}"
    assert not allowed(services)


@pytest.mark.parametrize("scope", ["openid", "openid offline_access"])
def test_case_124_a_consent_that_is_taken_back_takes_all_along(
    scope: str, deployment: Deployment, services: Services, refused: Refused
) -> None:
    browser, webapp, spa = (
        deployment.browserless(),
        deployment.client("webapp"),
        deployment.client("spa"),
    )
    tokens = webapp.sign_in(browser, f"{scope} notes:read")
    others = spa.sign_in(browser, f"{scope} notes:read")
    callback = browser.authorize(webapp.authorization(scope))
    api = deployment.resource_server()
    assert api.active(tokens["access_token"])
    account = services.accounts.get(ADA.email)
    services.consents.withdraw(account.id, "webapp", ORIGIN, OPERATOR)
    with refused("refresh.refused"):
        answer = webapp.refresh(tokens["refresh_token"])
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    with refused("code.refused", changes=["one_time"]):
        assert webapp.redeem(callback).json()["error"] == "invalid_grant"
    assert not api.active(tokens["access_token"])
    assert not webapp.active(tokens["access_token"])
    with refused("userinfo"):
        assert webapp.userinfo(tokens["access_token"]).status_code == 401
    assert api.active(others["access_token"])
    assert browser.start(webapp.authorization()).title.startswith("Allow access")
    told = [entry["event"] for entry in entries(services.store)]
    assert told.count("consent.withdrawn") == 1


def test_consent_is_asked_once_and_again_only_for_what_is_new(
    browserless: Browserless, webapp: TokenClient, services: Services
) -> None:
    page = at_consent(browserless, webapp, "openid email")
    assert "See your email address" in page.text
    browserless.submit(page, page.form.button("decision", "allow"))
    assert "code" in browserless.start(webapp.authorization("email openid")).callback
    assert "code" in browserless.start(webapp.authorization("openid")).callback
    page = at_consent(browserless, webapp, "openid email notes:read")
    before, _, after = page.text.partition("What you allowed before")
    assert "Read your notes" in before
    assert "See your email address" not in before
    assert "See your email address" in after
    browserless.submit(page, page.form.button("decision", "allow"))
    assert allowed(services) == {"openid", "email", "notes:read"}


def test_consent_is_each_persons_own(deployment: Deployment, webapp: TokenClient) -> None:
    webapp.sign_in(deployment.browserless(ADA))
    page = at_consent(deployment.browserless(GRACE), webapp, "openid")
    assert "Grace Hopper" in page.text


def test_a_scope_that_moves_to_another_resource_is_asked_for_again(
    browserless: Browserless, webapp: TokenClient, services: Services
) -> None:
    """What is remembered is the scope at its resource, not its name alone."""
    webapp.sign_in(browserless, "openid notes:read")
    account = services.accounts.get(ADA.email)
    pairs = services.consents.find(account.id, "webapp")
    assert ("https://notes.example.test/api", "notes:read") in pairs


@pytest.mark.parametrize(
    "redirect_uri", ["http://127.0.0.1:5000/callback", "com.example.notes:/callback"]
)
def test_who_can_be_impersonated_is_asked_each_time(
    redirect_uri: str, deployment: Deployment
) -> None:
    browser, native = deployment.browserless(), deployment.client("native")
    native.redirect_uri = redirect_uri
    for _ in range(2):
        page = at_consent(browser, native, "openid")
        assert "Only continue if you started this" in page.text
        done = browser.submit(page, page.form.button("decision", "allow"))
        assert native.redeem(done.callback).status_code == 200


def test_the_operators_own_client_is_not_asked_for(
    deployment: Deployment, services: Services
) -> None:
    browser, own = signed_in(deployment), deployment.client("own")
    assert "code" in browser.start(own.authorization("openid email notes:write")).callback
    assert not allowed(services, "own")
    page = browser.start(own.authorization("openid email", prompt="consent"))
    assert page.title.startswith("Allow access")


def test_not_you_signs_out_and_asks_who_it_is(
    deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    browser = signed_in(deployment)
    page = at_consent(browser, webapp, "openid email")
    question = browser.get(page.document.links["Not you?"])
    stays = browser.submit(question, question.form.button("decision", "cancel"))
    assert stays.title == page.title
    asks = browser.submit(question, question.form.button("decision", "switch"))
    assert asks.title.startswith("Sign in")
    assert ADA.email not in asks.text
    browser.person = GRACE
    page = browser.answer(browser.answer(asks))
    assert "Grace Hopper" in page.text
    tokens = webapp.redeem(browser.finish(page).callback).json()
    subject = webapp.userinfo(tokens["access_token"]).json()["sub"]
    assert subject == services.accounts.get(GRACE.email).subject
    assert not allowed(services)


def test_where_it_leads_is_told_before(browserless: Browserless, webapp: TokenClient) -> None:
    page = at_consent(browserless, webapp, "openid email")
    assert "You’ll be sent to https://app.example.test" in page.text


def test_a_name_is_only_text_on_the_page(deployment: Deployment, services: Services) -> None:
    details = {
        "client_name": "<b>Bank</b> {{7*7}} & co",
        "redirect_uris": ["https://bank.example.test/cb"],
        "scope": "openid",
    }
    secret = add_client(services, details, "bank")
    browser = signed_in(deployment)
    bank = TokenClient(
        browser.http,
        browser.discovery,
        "bank",
        secret,
        redirect_uri="https://bank.example.test/cb",
    )
    page = at_consent(browser, bank, "openid")
    assert "<b>Bank" not in page.response.text
    assert "<b>Bank</b> {{7*7}} & co wants to use your account" in page.text
