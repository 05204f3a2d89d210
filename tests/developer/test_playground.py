"""One's own applications in the playground, which is there in development alone."""

import pytest

from idp.domain.services import Services
from tests.account.console import form_of
from tests.developer.conftest import Developer, Registered
from tests.support.browserless import Page

ISSUER = "http://localhost:8000"
BACK = f"{ISSUER}/playground/callback"
in_development = pytest.mark.settings(issuer=ISSUER, development=True)


def brought(developer: Developer, found: Registered) -> Page:
    """Go from an application's page to the playground."""
    page = developer.send(f"{found.path}/playground", at=found.path)
    assert page.status == 200, page
    assert page.url == f"{ISSUER}/playground?client={found.client_id}"
    return page


def went_on(developer: Developer, page: Page, step: str, secret: str = "") -> Page:
    """Send the form of a step, and answer what the server asks."""
    form = next(one for one in page.document.forms if one.button("step", step))
    if secret:
        form.named("secret").value = secret
    page = developer.browser.submit(page, form.button("step", step), form)
    while "/interaction/" in page.url:
        page = developer.browser.answer(page)
    return page


@in_development
@pytest.mark.parametrize("kind", ["web", "single-page", "command-line"])
def test_an_application_walks_through_a_sign_in(
    developer: Developer, services: Services, kind: str
) -> None:
    found = developer.register(kind)
    page = brought(developer, found)
    assert services.clients.get(found.client_id).redirect_uris[-1] == BACK
    assert brought(developer, found).text.startswith(page.text[:20])
    assert services.clients.get(found.client_id).redirect_uris.count(BACK) == 1
    assert "This page stands in for Field Guide" in page.text
    page = went_on(developer, page, "start", found.secret)
    assert page.url.startswith(f"{BACK}?"), page
    page = went_on(developer, page, "exchange")
    assert "Tokens, opened up" in page.text, page
    assert "Signature and claims are right" in page.text
    page = went_on(developer, page, "introspect")
    assert ("401" in page.text) == (kind != "web")
    page = went_on(developer, page, "refresh")
    assert page.text.count("200 OK") >= 1
    if found.secret:
        assert found.secret not in page.response.text
        assert f'-u {found.client_id}:"$CLIENT_SECRET"' in page.text


@in_development
def test_the_secret_has_to_be_entered(developer: Developer) -> None:
    found = developer.register("web")
    page = brought(developer, found)
    page = went_on(developer, page, "start")
    assert page.status == 400
    assert "Enter the secret that was shown when it was made." in page.text
    page = went_on(developer, page, "start", "dw_secret_wrong")
    page = went_on(developer, page, "exchange")
    assert "invalid_client" in page.text
    assert "dw_secret_wrong" not in page.response.text


@in_development
def test_what_does_not_come_back_to_the_playground_is_not_there(
    developer: Developer, services: Services
) -> None:
    found = developer.register("web")
    for name in (found.client_id, "webapp", "service", "nobody", "%00"):
        page = developer.get(f"/playground?client={name}")
        assert page.status == 404, name
    assert services.clients.get(found.client_id).redirect_uris[-1] != BACK
    token = dict(form_of(developer.get(found.path), f"{found.path}/playground").values())
    for name in ("webapp", "nobody"):
        answer = developer.browser.post(f"/developer/{name}/playground", token, f"{ISSUER}/")
        assert answer.status == 404, name


@pytest.mark.settings(
    issuer=ISSUER, development=True, registration_redirect_hosts="guide.example.test"
)
def test_a_bound_of_the_operator_holds_for_the_playground_too(
    developer: Developer, services: Services
) -> None:
    found = developer.register("web")
    page = developer.send(f"{found.path}/playground", at=found.path)
    assert page.status == 400
    assert f"{BACK}: It is not at one of: guide.example.test." in page.text
    assert form_of(page, f"{found.path}/edit").named("client_name").value == "Field Guide"
    assert services.clients.get(found.client_id).redirect_uris[-1] != BACK


def test_there_is_none_in_production(developer: Developer) -> None:
    found = developer.register("web")
    assert "layground" not in developer.get(found.path).text
    answer = developer.browser.post(f"{found.path}/playground", {}, f"{developer.browser.origin}/")
    assert answer.status in {400, 404, 405}
