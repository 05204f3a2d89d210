"""What the kit can be told, and what it refuses to work with."""

from typing import Any

import pytest

from idp.guard import ConfigurationError, Published, Settings

GOOD = {"issuer": "https://id.example.com", "resource": "https://api.example.com"}


@pytest.mark.parametrize(
    ("resource", "where"),
    [
        ("https://api.example.com", "https://api.example.com/.well-known/{}"),
        ("https://api.example.com/", "https://api.example.com/.well-known/{}"),
        ("https://api.example.com/v1", "https://api.example.com/.well-known/{}/v1"),
        ("https://api.example.com:8443/v1/", "https://api.example.com:8443/.well-known/{}/v1/"),
        ("https://api.example.com/v1?a=b", "https://api.example.com/.well-known/{}/v1?a=b"),
        ("http://localhost:8003", "http://localhost:8003/.well-known/{}"),
    ],
)
def test_where_the_metadata_is(resource: str, where: str) -> None:
    """RFC 9728 section 3.1."""
    settings = Settings("https://id.example.com", resource, published=Published())
    assert settings.metadata_url == where.format("oauth-protected-resource")
    assert settings.metadata_url.startswith("http")
    assert Settings("https://id.example.com", resource).metadata_url == ""


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("issuer", {"issuer": ""}),
        ("issuer", {"issuer": "http://id.example.com"}),
        ("issuer", {"issuer": "https://id.example.com/#a"}),
        ("resource", {"resource": ""}),
        ("resource", {"resource": "api"}),
        ("resource", {"resource": "https://api.example.com/#a"}),
        ("resource", {"resource": 'https://api.example.com/"a', "realm": "Notes"}),
        ("resource", {"resource": "https://api.example.com/\r\nX: y", "realm": "Notes"}),
        ("resource", {"resource": "urn:example:api", "published": Published()}),
        ("resource", {"resource": "http://api.example.com", "published": Published()}),
        ("engine", {"engine": "http://engine.example.com/access/v1/evaluation"}),
        ("realm", {"realm": 'Field "Notes"'}),
        ("realm", {"realm": "Notes\r\nX: y"}),
        ("realm", {"realm": "Café"}),
        ("algorithms", {"algorithms": ()}),
        ("algorithms", {"algorithms": ("ES256", "none")}),
        ("algorithms", {"algorithms": ("HS256",)}),
        ("Times", {"leeway": -1}),
        ("Times", {"stale": -1}),
        ("Times", {"timeout": 0}),
        ("Times", {"engine_timeout": -1.0}),
    ],
)
def test_settings_that_would_not_be_safe(name: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}"):
        Settings(**{**GOOD, **changes})


def test_a_resource_need_not_be_an_address() -> None:
    for resource in ("urn:example:api", "com.example.app:/a", "https://[::1]:8000/a?b=%20&c='d'"):
        assert Settings("https://id.example.com", resource).metadata_path == ""
