"""One's own applications: registered by kind, changed, deleted, and nobody else's."""

import pytest

from idp.domain.services import Services
from tests.developer.conftest import CALLBACK, Developer
from tests.support.refusals import entries

KINDS = {
    "web": ("client_secret_basic", "web", {"authorization_code", "refresh_token"}),
    "single-page": ("none", "web", {"authorization_code", "refresh_token"}),
    "native": ("none", "native", {"authorization_code", "refresh_token"}),
    "command-line": ("none", "native", {"authorization_code", "refresh_token"}),
    "service": ("client_secret_basic", "web", {"client_credentials"}),
}
with_services = pytest.mark.settings(developer_service_scopes="notes:read")


@with_services
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
        found = developer.register(
            kind, "com.example.guide:/cb" if kind == "native" else CALLBACK, **more
        )
        client = services.clients.get(found.client_id)
        assert (client.auth_method, client.application_type) == (method, application_type)
        assert client.grant_types == grants
        assert client.require_pkce
        assert client.owner_id == developer.account_id
        assert (client.self_registered, client.trusted, client.first_party) == (True, False, False)
        assert bool(found.secret) == (method != "none")
        assert found.secret not in developer.get(found.path).response.text or not found.secret
    page = developer.get("/developer")
    assert page.text.count("Field Guide") == len(KINDS)
    actors = {one["actor"] for one in entries(services.store) if one["event"] == "client.added"}
    assert f"account:{developer.account_id}" in actors
