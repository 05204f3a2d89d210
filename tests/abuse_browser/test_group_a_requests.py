"""SECURITY group A: parameters that come twice, scopes that are not ours, who answers, and how."""

from collections.abc import Mapping

import pytest
import requests

from idp.domain.services import Services
from tests.abuse_browser.asking import (
    AUTHORIZE,
    METHODS,
    ask,
    at_password,
    redirected,
    shown,
    signed_in,
)
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.refusals import Refused, contents
from tests.support.seeds import ADA, GRACE, add_client
from tests.support.token_client import TokenClient

pytestmark = pytest.mark.settings(network_limit=10_000)
EVERY_PARAMETER: Mapping[str, str] = {
    "scope": "openid",
    "state": "again",
    "nonce": "again",
    "response_type": "code",
    "response_mode": "query",
    "code_challenge": "A" * 43,
    "code_challenge_method": "S256",
    "prompt": "login",
    "max_age": "10",
    "login_hint": "ada@example.test",
    "id_token_hint": "again",
    "ui_locales": "de",
    "claims": "{}",
    "request": "again",
    "request_uri": "again",
    "display": "page",
    "acr_values": "1",
    "nobody_knows_this": "1",
}


@pytest.fixture
def url(deployment: Deployment) -> str:
    return deployment.issuer + AUTHORIZE


def test_case_010_a_repeated_client_or_redirect_uri_is_shown(
    url: str, http: requests.Session, webapp: TokenClient, refused: Refused
) -> None:
    values = webapp.authorization()
    for name, others in {
        "client_id": ("webapp", "spa", ""),
        "redirect_uri": (webapp.redirect_uri, "https://evil.test/", ""),
    }.items():
        for other in others:
            for pairs in ([*values.items(), (name, other)], [(name, other), *values.items()]):
                for method in METHODS:
                    with refused("authorization.refused", times=1):
                        assert shown(ask(http, url, pairs, method)) == "invalid_request"


def test_case_010_every_other_repeated_parameter_is_refused(
    url: str, deployment: Deployment, webapp: TokenClient, refused: Refused
) -> None:
    """Never first-wins or last-wins; the state of two is neither."""
    browser = signed_in(deployment)
    for name, again in EVERY_PARAMETER.items():
        values = {**webapp.authorization(), name: again}
        for method in METHODS:
            with refused("authorization.refused", times=1) as entries:
                answer = ask(browser.http, url, [*values.items(), (name, again)], method)
                told = redirected(answer, webapp.redirect_uri, deployment.issuer)
            assert told["error"] == "invalid_request", name
            assert told.get("state") == (None if name == "state" else values["state"])
            assert entries[0]["client_id"] == "webapp"


def test_case_010_once_in_the_query_and_once_in_the_body_is_twice(
    url: str, http: requests.Session, deployment: Deployment, webapp: TokenClient, refused: Refused
) -> None:
    values = webapp.authorization()
    for name in ("client_id", "redirect_uri", "scope", "state", "code_challenge"):
        with refused("authorization.refused", times=1):
            answer = http.post(url, params={name: values[name]}, data=values, allow_redirects=False)
            if name in {"client_id", "redirect_uri"}:
                assert shown(answer) == "invalid_request"
            else:
                told = redirected(answer, webapp.redirect_uri, deployment.issuer)
                assert told["error"] == "invalid_request", name


def test_case_010_request_uri_is_refused_in_any_number(
    url: str, http: requests.Session, deployment: Deployment, webapp: TokenClient, refused: Refused
) -> None:
    for pairs, error in (
        ([("request_uri", "urn:a")], "request_uri_not_supported"),
        ([("request", "a")], "invalid_request_object"),
        ([("request", "a"), ("request_uri", "urn:a")], "invalid_request"),
        ([("registration", "{}")], "registration_not_supported"),
        ([("request_uri", "urn:a"), ("request_uri", "urn:b")], "invalid_request"),
    ):
        for method in METHODS:
            with refused("authorization.refused", times=1):
                answer = ask(http, url, [*webapp.authorization().items(), *pairs], method)
                told = redirected(answer, webapp.redirect_uri, deployment.issuer)
            assert told["error"] == error


def test_case_012_a_scope_that_the_client_may_not_ask_for_is_not_there(
    services: Services, deployment: Deployment, webapp: TokenClient
) -> None:
    """Neither consent, nor token, nor ID token know of it."""
    details = {
        "client_name": "Narrow",
        "redirect_uris": ["https://narrow.example.test/cb"],
        "scope": "notes:read",
    }
    secret = add_client(services, details, "narrow")
    browser = deployment.browserless()
    narrow = TokenClient(
        deployment.new_http(),
        browser.discovery,
        "narrow",
        secret,
        redirect_uri="https://narrow.example.test/cb",
    )
    asked = "openid email offline_access notes:write notes:read"
    page = browser.start(narrow.authorization(asked))
    browser.person = ADA
    page = browser.answer(browser.answer(page))
    assert "Read your notes" in page.text
    assert "See your email address" not in page.text
    assert "Change your notes" not in page.text
    tokens = narrow.redeem(browser.finish(page).callback).json()
    assert tokens["scope"] == "notes:read"
    assert "id_token" not in tokens
    assert "refresh_token" not in tokens
    assert narrow.userinfo(tokens["access_token"]).status_code == 403


def test_case_012_a_client_that_may_ask_for_nothing_of_it_is_told(
    url: str, services: Services, deployment: Deployment, http: requests.Session, refused: Refused
) -> None:
    details = {"redirect_uris": ["https://narrow.example.test/cb"], "scope": "notes:read"}
    add_client(services, details, "narrow")
    values = {
        **deployment.client("webapp").authorization("openid email"),
        "client_id": "narrow",
        "redirect_uri": "https://narrow.example.test/cb",
    }
    for method in METHODS:
        with refused("authorization.refused", times=1):
            answer = ask(http, url, values, method)
            told = redirected(answer, "https://narrow.example.test/cb", deployment.issuer)
        assert told["error"] == "invalid_scope"


def test_case_013_every_answer_names_its_issuer(
    deployment: Deployment, browserless: Browserless, webapp: TokenClient
) -> None:
    """Byte for byte what the metadata says, in successes and in errors of every kind."""
    url = deployment.issuer + AUTHORIZE
    issuer = browserless.discovery["issuer"]
    assert issuer == deployment.issuer
    values = webapp.authorization()
    for wrong in ({"response_type": "nothing"}, {"scope": "nothing"}, {"prompt": "none"}):
        answer = ask(browserless.http, url, values | wrong)
        redirected(answer, webapp.redirect_uri, issuer)
    assert browserless.authorize(webapp.authorization())["iss"] == issuer
    assert browserless.authorize(webapp.authorization())["iss"] == issuer
    browserless.allows = False
    said_no = browserless.authorize(webapp.authorization("openid email"))
    assert (said_no["error"], said_no["iss"]) == ("access_denied", issuer)


def test_case_014_what_follows_a_password_is_303(
    deployment: Deployment, browserless: Browserless, webapp: TokenClient
) -> None:
    """A 307 would send the password on to the client, a 302 may."""
    http, issuer = browserless.http, deployment.issuer
    page = at_password(browserless, browserless.start(webapp.authorization()))
    page.form.fill("current-password", ADA.password)
    answer = http.post(
        issuer + page.form.action,
        data=page.form.values(),
        headers={"Referer": page.url},
        allow_redirects=False,
    )
    statuses = [answer.status_code]
    while "Location" in answer.headers and answer.headers["Location"].startswith("/"):
        answer = http.get(issuer + answer.headers["Location"], allow_redirects=False)
        statuses.append(answer.status_code)
    assert statuses == [303, 303, 200]
    page = browserless.get("/")
    assert page.status == 200


def test_a_long_state_and_nonce_come_back_whole(
    url: str, deployment: Deployment, browserless: Browserless, webapp: TokenClient
) -> None:
    state, nonce = "s" * 990 + "&=?#+ %é", "n" * 384
    values = webapp.authorization(state=state, nonce=nonce)
    webapp.verifiers[state] = next(reversed(webapp.verifiers.values()))
    callback = browserless.authorize(values)
    assert callback["state"] == state
    assert webapp.redeem(callback).status_code == 200
    told = redirected(
        ask(browserless.http, url, {**values, "scope": "nothing"}, "POST"),
        webapp.redirect_uri,
        deployment.issuer,
    )
    assert told["state"] == state


def test_too_long_a_parameter_is_refused_and_not_sent_back(
    url: str, http: requests.Session, deployment: Deployment, webapp: TokenClient, refused: Refused
) -> None:
    for name in ("state", "nonce", "login_hint", "nobody_knows_this"):
        values = {**webapp.authorization(), name: "x" * 100_000}
        with refused("authorization.refused", times=1):
            answer = ask(http, url, values, "POST")
            told = redirected(answer, webapp.redirect_uri, deployment.issuer)
        assert told["error"] == "invalid_request"
        assert len(answer.headers["Location"]) < 1000, "no proxy would take it"


def test_a_post_from_elsewhere_comes_without_cookie_and_goes_on_with_it(
    url: str, deployment: Deployment, webapp: TokenClient
) -> None:
    """SameSite=Lax: the POST itself is stored, and answered in a GET that has the cookie."""
    browser = signed_in(deployment)
    browser.authorize(webapp.authorization())
    values = webapp.authorization()
    stored = ask(deployment.new_http(), url, values, "POST")
    assert stored.status_code == 303
    assert not stored.cookies
    page = browser.get(stored.headers["Location"])
    assert page.callback["state"] == values["state"]
    assert webapp.redeem(page.callback).status_code == 200


def test_a_posted_request_belongs_to_the_first_browser_that_opens_it(
    url: str, deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    stored = ask(deployment.new_http(), url, webapp.authorization(), "POST").headers["Location"]
    first, second = deployment.browserless(ADA), deployment.browserless(GRACE)
    page = first.get(stored)
    assert page.title.startswith("Sign in")
    before = contents(services.store)
    assert second.get(stored).status == 404
    assert contents(services.store) == before
    assert "code" in first.finish(page).callback


def test_head_opens_and_ends_nothing_that_get_would_not(
    url: str, deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    """A scanner's HEAD or GET of an address that it saw has no cookie, so it gets nowhere."""
    browser = deployment.browserless()
    page = browser.start(webapp.authorization())
    before = contents(services.store)
    scanner = deployment.new_http()
    for path in ("", "/sign-in", "/password", "/account", "/switch", "/consent", "/cancel"):
        address = page.url.removesuffix("/sign-in") + path
        for method in ("HEAD", "GET"):
            answer = scanner.request(method, address, allow_redirects=False)
            assert answer.status_code == (405 if path == "/cancel" else 404), path
    for path in ("/sign-in", "/password", "/account", "/switch", "/consent", "/cancel"):
        address = page.url.removesuffix("/sign-in") + path
        answer = browser.http.head(address, allow_redirects=False)
        assert answer.status_code in {200, 303, 405}
    # No form token is asked of a HEAD, so what it carries counts for nothing.
    form = {"identifier": ADA.email, "password": ADA.password, "decision": "switch"}
    for path in ("/sign-in", "/password", "/account", "/switch", "/consent"):
        browser.http.head(page.url.removesuffix("/sign-in") + path, data=form)
    assert contents(services.store) == before
    assert "code" in browser.finish(page).callback
