"""One's own applications: registered by kind, changed, deleted."""

from typing import Any

import pytest

from idp.domain import owned_clients
from idp.domain.audit import By
from idp.domain.services import Services
from tests.account.console import events, form_of
from tests.developer.conftest import CALLBACK, Developer
from tests.support.browserless import Page
from tests.support.held_clock import HeldClock
from tests.support.refusals import entries
from tests.support.seeds import OPERATOR, ORIGIN

PRIVATE_USE = "com.example.guide:/callback"
KINDS = {
    "web": ("client_secret_basic", "web", {"authorization_code", "refresh_token"}),
    "single-page": ("none", "web", {"authorization_code", "refresh_token"}),
    "native": ("none", "native", {"authorization_code", "refresh_token"}),
    "command-line": ("none", "native", {"authorization_code", "refresh_token"}),
    "service": ("client_secret_basic", "web", {"client_credentials"}),
}
SERVICES = {"developer_service_scopes": "notes:read"}
# Redirect URIs, for a web application, and what each is told; empty: nothing is wrong with it.
JUDGED = {
    "https://guide.example.test/callback": "",
    "http://localhost:8080/callback": "",
    "http://guide.example.test/callback": "Plain http is allowed on 127.0.0.1",
    "https://guide.example.test/#top": "It must not have a fragment",
    "https://*.example.test/callback": "It must not hold a wildcard",
    "https://ada@guide.example.test/": "It must not hold a user name",
    "com.example.guide:/callback": "Private-use schemes are for native clients",
    "javascript:alert(1)": "The scheme javascript: is never allowed",
    "guide.example.test/callback": "It is not an absolute URI",
    "https://guide.example.test/\u202ecallback": "It is not an absolute URI",
}
LINKS = {
    "client_uri": "https://guide.example.test/",
    "logo_uri": "https://guide.example.test/logo.png",
    "policy_uri": "https://guide.example.test/privacy",
    "tos_uri": "https://guide.example.test/terms",
}


@pytest.mark.settings(**SERVICES)
@pytest.mark.every_database
def test_each_kind_gives_the_metadata_that_suits_it(
    developer: Developer, services: Services
) -> None:
    page = developer.get("/developer")
    assert "You have not registered an application yet." in page.text
    page = developer.get("/developer/register")
    for kind, (method, application_type, grants) in KINDS.items():
        assert f"/developer/register/{kind}" in page.document.links.values()
        more = {"scope": "notes:read"} if kind == "service" else {}
        uris = PRIVATE_USE if kind == "native" else CALLBACK
        found = developer.register(kind, uris, **more)
        client = services.clients.get(found.client_id)
        assert (client.auth_method, client.application_type) == (method, application_type)
        assert client.grant_types == grants
        assert client.require_pkce
        assert client.owner_id == developer.account_id
        assert (client.self_registered, client.trusted, client.first_party) == (True, False, False)
        assert bool(found.secret) == (method != "none")
        assert not found.secret or found.secret not in developer.get(found.path).response.text
    page = developer.get("/developer")
    assert page.text.count("Field Guide") == len(KINDS)
    added = [one for one in entries(services.store) if one["event"] == "client.added"]
    assert [one["actor"] for one in added[-5:]] == [f"account:{developer.account_id}"] * 5


def test_what_one_takes_along_holds_them_and_no_secret(
    developer: Developer, services: Services
) -> None:
    found = developer.register("web")
    account = services.accounts.get(developer.account_id)
    told = services.own.export.of(account, By(f"account:{account.id}", ORIGIN))
    (one,) = told["registered_applications"]
    assert one["client_id"] == found.client_id
    assert one["metadata"]["redirect_uris"] == [CALLBACK]
    assert found.secret not in repr(told)
    assert "digest" not in repr(told)


@pytest.mark.settings(**SERVICES)
def test_what_is_registered_works(developer: Developer) -> None:
    web = developer.register("web").client()
    tokens = web.sign_in(developer.browser, "openid email")
    assert web.active(tokens["access_token"])
    page = developer.register("single-page").client()
    assert page.sign_in(developer.browser, "openid")["id_token"]
    loopback = developer.register("command-line", "http://127.0.0.1/callback").client()
    loopback.redirect_uri = "http://127.0.0.1:49152/callback"
    assert loopback.sign_in(developer.browser, "openid")["access_token"]
    service = developer.register("service", scope="notes:read").client()
    assert service.credentials().json()["scope"] == "notes:read"
    assert service.credentials(scope="notes:write").json()["error"] == "invalid_scope"


def test_a_person_is_told_that_nobody_here_checked_the_name(developer: Developer) -> None:
    web = developer.register("web").client()
    page = developer.browser.start(web.authorization("openid"))
    assert "This name is self-declared by guide.example.test" in page.text


def test_each_redirect_uri_is_told_its_own_reason_and_what_was_typed_stays(
    developer: Developer, services: Services
) -> None:
    typed = "\r\n".join(JUDGED)
    known = {client.client_id for client in services.clients.list()}
    page = developer.send("/developer/register/web", client_name="Field Guide", redirect_uris=typed)
    assert page.status == 400
    assert page.title.startswith("Error: ")
    form = form_of(page, "/developer/register/web")
    assert form.named("redirect_uris").value.split() == typed.split()
    assert form.named("client_name").value == "Field Guide"
    rest = page.text
    for uri, reason in JUDGED.items():
        _, found, rest = rest.partition(f"{uri}: ")
        assert found, uri
        assert rest.startswith(reason or "can be registered"), uri
    assert {client.client_id for client in services.clients.list()} == known
    # What is wrong is mended, and it is registered.
    form.named("redirect_uris").value = "\n".join(uri for uri, why in JUDGED.items() if not why)
    page = developer.browser.submit(page, form=form)
    assert page.status == 200, page
    assert "Field Guide is registered." in page.text


def refused(developer: Developer, kind: str = "web", **fields: str) -> Page:
    """Send what can't be registered."""
    fields = {"client_name": "Field Guide", **fields}
    if kind != "service":
        fields.setdefault("redirect_uris", CALLBACK)
    page = developer.send(f"/developer/register/{kind}", **fields)
    assert page.status == 400, page
    return page


@pytest.mark.settings(**SERVICES)
def test_what_else_can_be_wrong(developer: Developer, services: Services) -> None:
    before = len(services.clients.list())
    assert "client_name must not be empty." in refused(developer, client_name=" ").text
    long = refused(developer, client_name="x" * 101)
    assert "client_name has at most 100 printable characters." in long.text
    hidden = refused(developer, client_name="Field\u202eGuide")
    assert "client_name has at most 100 printable characters." in hidden.text
    assert "redirect_uris must hold at least one URI." in refused(developer, redirect_uris="").text
    many = "\n".join(f"https://guide.example.test/{n}" for n in range(21))
    assert (
        "redirect_uris must be a list of at most 20" in refused(developer, redirect_uris=many).text
    )
    endless = "\n".join(["https://guide.example.test/" + "x" * 3000] * 9)
    assert "at most 2000 characters" in refused(developer, redirect_uris=endless).text
    none = refused(developer, "service", scope="")
    assert "scope must hold at least one." in none.text
    page = refused(developer, "service", scope="files:read")
    assert "'files:read' is not allowed here" in page.text
    for kind in ("nothing", "%00", "implicit"):
        assert developer.get(f"/developer/register/{kind}").status == 404
    assert len(services.clients.list()) == before


@pytest.mark.settings(
    registration_redirect_hosts="*.example.com", registration_scopes="openid,notes:read"
)
def test_the_operators_bounds_hold_as_for_clients_that_register_themselves(
    developer: Developer, services: Services
) -> None:
    page = refused(developer)
    assert f"{CALLBACK}: It is not at one of: *.example.com." in page.text
    found = developer.register("web", "https://guide.example.com/callback")
    assert services.clients.get(found.client_id).scopes == {"openid", "notes:read"}
    # Nobody gets tokens for themselves for scopes that people would be asked about.
    assert "/developer/register/service" not in developer.get("/developer/register").response.text
    assert developer.get("/developer/register/service").status == 404


def test_changes_are_checked_alike_and_written_down(
    developer: Developer, services: Services
) -> None:
    found = developer.register("web")
    edit = f"{found.path}/edit"
    bye = "https://guide.example.test/bye"
    values: dict[str, str] = {
        **LINKS,
        "client_name": "Field Guide 2",
        "redirect_uris": f"{CALLBACK}\n{CALLBACK}/2",
        "post_logout_redirect_uris": bye,
    }
    page = developer.send(edit, **{**values, "logo_uri": "logo.png", "redirect_uris": "http://x"})
    assert page.status == 400
    assert "logo_uri is not a URI." in page.text
    assert "http://x: Plain http is allowed on" in page.text
    assert form_of(page, edit).named("client_name").value == "Field Guide 2"
    assert services.clients.get(found.client_id).name == "Field Guide"
    before = services.clients.get(found.client_id)
    page = developer.send(edit, **values)
    assert "Your changes were saved." in page.text
    after = services.clients.get(found.client_id)
    lists = {"redirect_uris": [CALLBACK, f"{CALLBACK}/2"], "post_logout_redirect_uris": [bye]}
    changed: dict[str, Any] = {**LINKS, **lists, "client_name": "Field Guide 2"}
    assert after.details == {**before.details, **changed}
    assert after.secrets == before.secrets
    assert after.owner_id == developer.account_id
    # What is emptied is gone.
    developer.send(edit, **{**values, **dict.fromkeys(LINKS, "")})
    assert not set(LINKS) & set(services.clients.get(found.client_id).details)
    assert events(services).count("client.changed") == 2


@pytest.mark.settings(**SERVICES)
def test_a_service_keeps_what_it_may_do_when_it_is_changed(
    developer: Developer, services: Services
) -> None:
    found = developer.register("service", scope="notes:read")
    page = developer.send(f"{found.path}/edit", client_name="Nightly")
    assert "Your changes were saved." in page.text
    client = services.clients.get(found.client_id)
    assert (client.name, client.details["scope"]) == ("Nightly", "notes:read")


@pytest.mark.every_database
def test_what_is_deleted_ends_with_its_tokens(developer: Developer, services: Services) -> None:
    found = developer.register("web")
    web = found.client()
    tokens = web.sign_in(developer.browser, "openid offline_access")
    page = developer.send(f"{found.path}/delete", typed="something else")
    assert page.status == 400
    assert web.active(tokens["access_token"])
    page = developer.send(f"{found.path}/delete", typed=found.client_id)
    assert "The application is deleted" in page.text
    assert web.userinfo(tokens["access_token"]).status_code == 401
    assert web.refresh(tokens["refresh_token"]).json()["error"] == "invalid_client"
    assert services.clients.find(found.client_id) is None
    (entry,) = (one for one in entries(services.store) if one["event"] == "client.deleted")
    assert (entry["actor"], entry["client_id"]) == (
        f"account:{developer.account_id}",
        found.client_id,
    )


def test_one_that_is_disabled_is_shown_and_not_changed(
    developer: Developer, services: Services
) -> None:
    found = developer.register("web")
    page = developer.get(found.path)
    services.clients.disable(found.client_id, origin=ORIGIN, actor=OPERATOR)
    shown = developer.get(found.path)
    assert "This application is disabled." in shown.text
    assert {form.action for form in shown.document.forms} <= {"/sign-out"}
    token = page.document.forms[0].named("csrf_token").value
    for deed in ("edit", "secret", "secret/end", "delete"):
        fields = {"csrf_token": token, "typed": found.client_id, "overlap": "0", "made": "1"}
        answer = developer.browser.post(f"{found.path}/{deed}", fields, page.url)
        assert answer.status == 403, deed
        assert "This application is disabled." in answer.text
    assert services.clients.get(found.client_id).secrets


def test_nobody_has_endless_applications(
    developer: Developer, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owned_clients, "MOST", 2)
    developer.register("web")
    developer.register("single-page")
    path = "/developer/register/web"
    page = developer.send(path, client_name="One more", redirect_uris=CALLBACK)
    assert page.status == 403
    assert "You have as many applications as one person may have." in page.text
    assert len(services.registering.owned.of(developer.account_id)) == 2


@pytest.mark.settings(registration_limit=1)
def test_one_network_registers_so_many_an_hour(developer: Developer, clock: HeldClock) -> None:
    developer.register("web")
    path = "/developer/register/web"
    page = developer.send(path, client_name="One more", redirect_uris=CALLBACK)
    assert page.status == 429
    assert "Retry-After" in page.response.headers


@pytest.mark.every_database
def test_an_application_outlives_its_owner_and_is_trusted_no_more_than_before(
    developer: Developer, services: Services, clock: HeldClock
) -> None:
    found = developer.register("web")
    own = services.own.deletion
    account = services.accounts.get(developer.account_id)
    own.plan(account, account.email, By(f"account:{account.id}", ORIGIN))
    clock.advance(services.settings.deletion_grace + 1)
    own.delete_due()
    services.clients.forget()
    client = services.clients.get(found.client_id)
    assert client.owner_id is None
    assert (client.self_registered, client.trusted) == (True, False)
    services.registering.registrations.delete_unused()
    assert services.clients.find(found.client_id) is not None


def test_an_application_that_nobody_uses_stays(
    developer: Developer, services: Services, clock: HeldClock
) -> None:
    found = developer.register("web")
    clock.advance(services.settings.registration_unused_lifetime + 1)
    services.registering.registrations.delete_unused()
    services.clients.forget()
    assert services.clients.find(found.client_id) is not None
