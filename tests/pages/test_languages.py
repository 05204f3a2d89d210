"""Which language a page speaks, and how it is picked: `ui_locales`, cookie, account, browser."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest
import requests
from flask import Flask

from idp.domain.languages import LANGUAGES, known
from idp.domain.services import Services
from idp.domain.texts import Text, counted, marked
from idp.store import accounts as rows
from idp.web.i18n import format_datetime, in_language, said
from tests.abuse_browser.asking import signed_in
from tests.support.application import ISSUER
from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.seeds import ADA
from tests.support.token_client import TokenClient

HTML = re.compile(r'<html lang="(\w+)" dir="(\w+)" data-theme="(\w+)">')
COOKIE = "__Host-doorward-language"
THEME = "__Host-doorward-theme"


def html(page: Page | requests.Response) -> tuple[str, str, str]:
    """Language, direction and theme of a page."""
    found = HTML.search(page.text if isinstance(page, requests.Response) else page.response.text)
    assert found
    return found[1], found[2], found[3]


def set_cookie(browser: Browserless, name: str, value: str) -> None:
    browser.http.cookies.set(name, value, domain="id.example.test", secure=True)


def give(services: Services, **values: str) -> None:
    """Let Ada's account have a language or a theme."""
    account = services.accounts.get(ADA.email)
    with services.store.writing() as connection:
        rows.change(connection, account.id, dict(values))


def pick(page: Page, browser: Browserless, name: str, value: str, **changes: str) -> Page:
    """Press a button of the menu below a page."""
    form = next(form for form in page.document.menus if form.button(name, value))
    for control in form.controls:
        control.value = changes.get(control.name, control.value)
    return browser.submit(page, form.button(name, value), form)


@pytest.mark.parametrize(
    ("asked", "cookie", "account", "accepted", "spoken"),
    [
        (None, None, None, None, "en"),
        (None, None, None, "fr-CA, de;q=0.9", "fr"),
        (None, None, None, "tlh, pt;q=0.9, es;q=0.2, *;q=0.1", "es"),
        (None, None, None, "de;q=0, ja;q=0.1", "ja"),
        (None, None, None, "de;q=0", "en"),
        (None, None, "ja", "fr", "ja"),
        (None, None, "tlh", "fr", "fr"),
        (None, "de", "ja", "fr", "de"),
        ("es", "de", "ja", "fr", "es"),
        ("tlh pt-BR", "de", "ja", "fr", "de"),
        ("tlh ar-EG de", None, None, "fr", "ar"),
        ("EN-us", "de", "ja", "fr", "en"),
    ],
)
def test_who_has_the_say(
    deployment: Deployment,
    services: Services,
    webapp: TokenClient,
    asked: str | None,
    cookie: str | None,
    account: str | None,
    accepted: str | None,
    spoken: str,
) -> None:
    browser = signed_in(deployment)
    if account:
        give(services, language=account)
    if cookie:
        set_cookie(browser, COOKIE, cookie)
    if accepted:
        browser.http.headers["Accept-Language"] = accepted
    page = browser.start(webapp.authorization("openid email", ui_locales=asked))
    assert page.form.button("decision", "allow")
    assert html(page)[:2] == (spoken, "rtl" if spoken == "ar" else "ltr")


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_client_gets_its_language_on_every_page_of_the_way(
    deployment: Deployment, webapp: TokenClient, language: str
) -> None:
    browser = deployment.browserless()
    page = browser.start(webapp.authorization("openid email", ui_locales=f"tlh {language}"))
    spoken = []
    while page.left_for is None:
        spoken.append(html(page)[0])
        page = browser.answer(page)
    assert spoken == [language] * 3
    assert "code" in page.callback


def test_the_words_are_of_the_language(deployment: Deployment, webapp: TokenClient) -> None:
    page = deployment.browserless().start(webapp.authorization("openid", ui_locales="de"))
    assert page.title == "Anmelden – Doorward"
    assert "Weiter zu" in page.text or "weiter zu" in page.text


def test_errors_speak_too(deployment: Deployment, webapp: TokenClient) -> None:
    browser = deployment.browserless()
    request = webapp.authorization("openid", ui_locales="fr", redirect_uri="https://evil.test/")
    assert html(browser.start(request))[0] == "fr"
    page = browser.get("/oauth2/logout", {"client_id": "nobody", "ui_locales": "es"})
    assert (page.status, html(page)[0]) == (400, "es")
    browser.http.headers["Accept-Language"] = "ja"
    nothing = browser.get("/nothing")
    assert (nothing.status, html(nothing)[0]) == (404, "ja")
    assert "There is nothing here" not in nothing.text


def test_machines_are_answered_in_english(deployment: Deployment) -> None:
    http = deployment.new_http()
    http.headers["Accept-Language"] = "de"
    answer = http.get(f"{ISSUER}/.well-known/nothing")
    assert answer.json()["error_description"].startswith("The address may be mistyped")


def test_a_client_that_signs_out_gets_its_language(
    deployment: Deployment, webapp: TokenClient
) -> None:
    browser = signed_in(deployment)
    asked = {"client_id": webapp.client_id, "ui_locales": "ar fr"}
    page = browser.get("/oauth2/logout", asked)
    assert page.form.button("decision", "sign_out")
    assert html(page)[:2] == ("ar", "rtl")


@pytest.mark.parametrize(
    "garbage",
    [
        " ".join(["x"] * 2000),
        "de" * 2000,
        "-" * 4000,
        "\t\n\x0b  ",
        "' OR 1=1 --",
        "../../../etc/passwd",
        "ﷺ 😀 \u0660",
        "de_DE.UTF-8",
        "%(client)s {0}",
    ],
)
def test_case_154_nonsense_in_ui_locales_is_no_error(
    deployment: Deployment, webapp: TokenClient, garbage: str
) -> None:
    page = deployment.browserless().start(webapp.authorization("openid", ui_locales=garbage))
    assert (page.status, html(page)[0]) == (200, "en")


def test_case_154_a_hundred_thousand_locales(
    deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    """Too long for the parameter as any other would be; for a sign-out they are cut."""
    many = " ".join(f"x{number}" for number in range(100_000))
    assert known(many.split()) == ()
    assert known(["de", "de-AT", "en"] * 100_000) == ("de", "en")
    assert known(["x" * 100_000 + "-de"]) == ()
    browser = deployment.browserless()
    for length in (4097, 100_000):
        request = webapp.authorization("openid", ui_locales=many[:length])
        page = browser.post("/oauth2/authorize", request)
        assert page.callback["error"] == "invalid_request"
    page = signed_in(deployment).post("/oauth2/logout", {"ui_locales": f"de {many[:100_000]}"})
    assert (page.status, html(page)[0]) == (200, "de")


@pytest.mark.parametrize(
    "forged",
    [
        "xx",
        "DE",
        "de.",
        "de.zz",
        "de.0123456789abcdef.fr",
        "../de",
        "de\tfr",
        "d" * 4000,
        "de_DE",
        "<script>",
    ],
)
def test_a_forged_cookie_is_ignored(deployment: Deployment, forged: str) -> None:
    http = deployment.new_http()
    page = http.get(f"{ISSUER}/", headers={"Cookie": f"{COOKIE}={forged}; {THEME}={forged}"})
    assert html(page) == ("en", "ltr", "system")


def test_a_language_is_picked_without_scripts(deployment: Deployment) -> None:
    browser = deployment.browserless()
    page = browser.get("/")
    names = [control for form in page.document.menus for control in form.controls if control.button]
    assert [each.value for each in names] == [*LANGUAGES, "system", "light", "dark"]
    for native in LANGUAGES.values():
        assert native in page.text
    page = pick(page, browser, "language", "ar")
    assert (page.url, html(page)[:2]) == (f"{ISSUER}/", ("ar", "rtl"))
    assert html(browser.get("/signed-out"))[0] == "ar"
    page = pick(page, browser, "language", "en")
    assert html(page)[:2] == ("en", "ltr")


def test_the_cookies_are_what_they_should_be(deployment: Deployment) -> None:
    browser = deployment.browserless()
    for name, value in (("language", "fr"), ("theme", "dark")):
        page = browser.get("/")
        form = next(form for form in page.document.menus if form.button(name, value))
        answer = browser.http.post(
            urljoin(page.url, form.action),
            data=form.values(form.button(name, value)),
            headers={"Referer": page.url},
            allow_redirects=False,
        )
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        cookie = answer.headers["Set-Cookie"].partition(f"__Host-doorward-{name}={value}; ")[2]
        assert cookie.endswith("Max-Age=31536000; Secure; HttpOnly; Path=/; SameSite=Lax")


def test_who_picks_in_a_sign_in_gets_it_there_whatever_the_client_asks_for(
    deployment: Deployment, webapp: TokenClient
) -> None:
    browser = deployment.browserless()
    request = webapp.authorization("openid", ui_locales="de")
    page = browser.start(request)
    assert html(page)[0] == "de"
    here = page.url
    page = pick(page, browser, "language", "es")
    assert (page.url, html(page)[0]) == (here, "es")
    page.form.fill("username", ADA.email)
    page = browser.submit(page)
    assert html(page)[0] == "es"
    # In the next sign-in the client has the say again; without a wish, the cookie has.
    assert html(browser.start(webapp.authorization("openid", ui_locales="de")))[0] == "de"
    assert html(browser.start(webapp.authorization("openid")))[0] == "es"


def test_a_theme_is_picked_and_an_account_may_have_one(
    deployment: Deployment, services: Services
) -> None:
    browser = signed_in(deployment)
    assert html(browser.get("/"))[2] == "system"
    give(services, theme="dark")
    page = browser.get("/")
    assert html(page)[2] == "dark"
    assert '<meta name="color-scheme" content="dark">' in page.response.text
    page = pick(page, browser, "theme", "light")
    assert html(page)[2] == "light"
    page = pick(page, browser, "theme", "system")
    assert html(page)[2] == "system"
    assert '<meta name="color-scheme" content="light dark">' in page.response.text


@pytest.mark.parametrize(
    "target",
    [
        "//evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "https://evil.test/",
        "https:evil.test",
        "/%0d%0aSet-Cookie:%20a=b",
        "/\r\nSet-Cookie: a=b",
        "/%2f%2fevil.test",
        "/.//evil.test",
        "/sign-in/..//evil.test",
        "/?next=//evil.test",
        "/#//evil.test",
        "javascript:alert(1)",
        "/nothing/here",
        "/sign-out",
        "/language",
        "/oauth2/authorize",
        "/static/doorward.css",
        "/health/live",
        "/" * 5000,
        "",
    ],
)
def test_case_150_the_menu_leads_to_pages_of_ours_only(deployment: Deployment, target: str) -> None:
    browser = deployment.browserless()
    for name, value in (("language", "de"), ("theme", "dark")):
        page = pick(browser.get("/signed-out"), browser, name, value, return_to=target)
        assert (page.left_for, page.url) == (None, f"{ISSUER}/"), target
        assert "a" not in page.response.cookies


def test_what_is_no_choice_is_refused(deployment: Deployment) -> None:
    browser = deployment.browserless()
    for name, wrong in (("language", "xx"), ("language", ""), ("theme", "blue")):
        form = next(form for form in browser.get("/").document.menus if name in form.action)
        fields = [*form.values(), (name, wrong)]
        page = browser.post(form.action, fields, f"{ISSUER}/")
        assert page.status == 400
    without_token = browser.post("/language", {"language": "de"}, f"{ISSUER}/")
    assert (without_token.status, html(without_token)[0]) == (400, "en")


def test_error_pages_have_no_menu(deployment: Deployment) -> None:
    browser = deployment.browserless()
    for page in (browser.get("/nothing"), browser.get("/interaction/nothing")):
        assert page.status == 404
        assert page.document.menus == []


def test_discovery_names_the_languages(deployment: Deployment) -> None:
    document = deployment.new_http().get(f"{ISSUER}/.well-known/openid-configuration").json()
    assert document["ui_locales_supported"] == list(LANGUAGES)


def test_a_text_stays_one_through_exceptions_and_str(app: Flask) -> None:
    text = marked("Go to %(client)s", client="<b>")
    assert text == "Go to <b>"
    assert isinstance(str(ValueError(text)), Text)
    wait = counted("Try again in a second.", "Try again in %(count)s seconds.", 7)
    assert (str(wait), str(counted("One.", "%(count)s.", 1))) == ("Try again in 7 seconds.", "One.")
    with app.app_context(), in_language("de"):
        assert said(text) == "Zu <b>"
        assert said(wait) == "Versuchen Sie es in 7 Sekunden erneut."
        assert said("Go to %(client)s") == "Go to %(client)s"
        shown = app.jinja_env.from_string("{{ text }} {{ other }}").render(text=text, other="ok")
        assert shown == "Zu &lt;b&gt; ok"
    with app.app_context(), in_language("tlh"):
        assert said(text) == "Go to <b>"


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "23 November 2026, 17:43 UTC"),
        ("de", "23. November 2026, 17:43 UTC"),
        ("ja", "2026年11月23日 17:43 UTC"),
    ],
)
def test_times_are_written_as_people_do(app: Flask, language: str, written: str) -> None:
    with app.app_context(), in_language(language):
        assert format_datetime(1_795_455_780) == written
