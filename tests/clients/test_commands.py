"""`idp clients` and `idp resources`, as an operator uses them."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from idp.cli.main import main

METADATA = {
    "client_name": "Shop",
    "redirect_uris": ["https://shop.example.com/cb"],
    "scope": "openid invoices.read",
}
API = "https://api.example.com"
Idp = Callable[..., Result]


@pytest.fixture
def idp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Idp:
    """Runs the command on a database of its own; `metadata` goes to its input."""
    (tmp_path / "keys").mkdir()
    monkeypatch.setenv("IDP_ISSUER", "http://localhost:8000")
    monkeypatch.setenv("IDP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("IDP_KEYS_DIR", str(tmp_path / "keys"))

    def run(*words: str, metadata: Any = None, code: int = 0) -> Result:
        text = None if metadata is None else json.dumps(metadata)
        result = CliRunner().invoke(main, words, input=text)
        assert result.exit_code == code, result.output
        return result

    return run


def printed(result: Result) -> Any:
    return json.loads(result.stdout)


def test_a_client_from_registration_to_the_end(idp: Idp) -> None:
    idp("resources", "add", API, "--name", "API", "--scope", "invoices.read=Read your invoices")
    answer = idp("clients", "add", "--metadata", "-", "--json", metadata=METADATA)
    assert answer.stderr == ""
    added = printed(answer)
    assert re.fullmatch(r"dw_secret_[\w-]{43}", added["client_secret"])
    assert added["client_secret_expires_at"] == 0
    assert METADATA.items() <= added.items()
    client_id = added["client_id"]
    assert [one["client_id"] for one in printed(idp("clients", "list", "--json"))] == [client_id]
    shown = printed(idp("clients", "show", client_id, "--json"))
    assert (shown["disabled"], shown["client_secrets"]) == (False, 1)
    assert "client_secret" not in shown
    rotated = printed(idp("clients", "rotate-secret", client_id, "--keep-old", "60", "--json"))
    assert rotated["client_secret"] != added["client_secret"]
    shown = printed(idp("clients", "show", client_id, "--json"))
    assert shown["client_secrets"] == 2
    assert printed(idp("clients", "disable", client_id, "--json"))["disabled"] is True
    assert printed(idp("clients", "enable", client_id, "--json"))["disabled"] is False


def test_people_get_the_whole_secret_on_a_line_of_its_own(idp: Idp) -> None:
    added = idp("clients", "add", "--metadata", "-", "--client-id", "shop", metadata=METADATA)
    assert re.search(r"^client_secret: dw_secret_[\w-]{43}$", added.stdout, re.MULTILINE)
    assert "shown this once" in added.stderr
    rotated = idp("clients", "rotate-secret", "shop")
    assert re.search(r"^client_secret: dw_secret_[\w-]{43}$", rotated.stdout, re.MULTILINE)
    server = idp("resources", "add", API, "--name", "API", "--scope", "a=See A")
    assert re.search(r"^credential_secret: dw_resource_[\w-]{43}$", server.stdout, re.MULTILINE)
    assert "a = See A" in server.stdout
    for words in (("clients", "list"), ("clients", "show", "shop"), ("resources", "list")):
        assert "dw_" not in idp(*words).output


def test_a_public_client_of_our_own(idp: Idp) -> None:
    metadata = {**METADATA, "token_endpoint_auth_method": "none"}
    words = ("clients", "add", "--metadata", "-", "--client-id", "spa", "--first-party", "--json")
    added = printed(idp(*words, metadata=metadata))
    assert added["client_id"] == "spa"
    assert added["first_party"] is True
    assert "client_secret" not in added
    assert "already" in idp(*words, metadata=metadata, code=1).stderr
    assert "public client" in idp("clients", "rotate-secret", "spa", code=1).stderr


def test_what_is_ignored_or_missing_is_said(idp: Idp) -> None:
    metadata = {**METADATA, "unheard_of": "https://a.example/", "default_resource": API}
    added = idp("clients", "add", "--metadata", "-", "--json", metadata=metadata)
    assert "Ignored: unheard_of." in added.stderr
    assert "No resource server has the scope invoices.read yet." in added.stderr
    assert f"There is no resource server {API} yet." in added.stderr
    assert "unheard_of" not in printed(added)


def test_a_dry_run_registers_nothing(idp: Idp) -> None:
    words = ("clients", "add", "--metadata", "-", "--dry-run", "--json")
    assert printed(idp(*words, metadata=METADATA))["require_pkce"] is True
    assert printed(idp("clients", "list", "--json")) == []


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"redirect_uris": ["http://shop.example.com/"]}, "invalid_redirect_uri"),
        ({**METADATA, "grant_types": ["password"]}, "invalid_client_metadata"),
        ([], "JSON object"),
    ],
)
def test_metadata_is_checked(idp: Idp, metadata: Any, said: str) -> None:
    assert said in idp("clients", "add", "--metadata", "-", metadata=metadata, code=1).stderr
    assert printed(idp("clients", "list", "--json")) == []


def test_metadata_is_json(idp: Idp, tmp_path: Path) -> None:
    file = tmp_path / "client.json"
    file.write_text('{"client_name": ')
    assert "not JSON" in idp("clients", "add", "--metadata", str(file), code=1).stderr
    file.write_text(json.dumps(METADATA))
    idp("clients", "add", "--metadata", str(file))


@pytest.mark.parametrize("command", ["show", "disable", "enable", "rotate-secret"])
def test_unknown_clients(idp: Idp, command: str) -> None:
    assert "no such client" in idp("clients", command, "nobody", code=1).stderr


def test_a_resource_server(idp: Idp) -> None:
    words = ["--name", "Notes", "--scope", "read=Read your notes", "--scope", "write=Change = them"]
    lifetime = ["--access-token-lifetime", "300", "--json"]
    added = printed(idp("resources", "add", API, *words, *lifetime))
    assert added["scopes"] == {"read": "Read your notes", "write": "Change = them"}
    assert added["access_token_lifetime"] == 300
    assert re.fullmatch(r"dw_resource_[\w-]{43}", added["credential_secret"])
    shown = printed(idp("resources", "show", API, "--json"))
    assert shown == {name: added[name] for name in added if name != "credential_secret"}
    [listed] = printed(idp("resources", "list", "--json"))
    assert (listed["identifier"], listed["scopes"]) == (API, ["read", "write"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "http://localhost:8000", "--name", "A"), "userinfo"),
        (("add", "api", "--name", "A"), "absolute URI"),
        (("add", API, "--name", "A", "--scope", "read"), "SCOPE=WORDS"),
        (("add", API, "--name", "A", "--scope", "openid=Know"), "OpenID Connect"),
        (("add", API, "--name", "A", "--access-token-lifetime", "5"), "300 to 900"),
        (("show", API), "no such resource server"),
    ],
)
def test_what_no_resource_server_is(idp: Idp, words: tuple[str, ...], said: str) -> None:
    assert said in idp("resources", *words, code=1).stderr
    assert printed(idp("resources", "list", "--json")) == []


def test_initial_access_tokens_are_made_listed_and_revoked(idp: Idp) -> None:
    words = ("--uses", "3", "--scope", "openid", "--redirect-host", "*.apps.example", "--trusted")
    answer = idp("registration-tokens", "add", "Team Atlas", *words, "--json")
    assert "IDP_REGISTRATION is closed" in answer.stderr
    added = printed(answer)
    assert re.fullmatch(r"dw_initial_[\w-]{43}", added.pop("initial_access_token"))
    bounds = {"scopes": ["openid"], "redirect_hosts": ["*.apps.example"], "trusted": True}
    assert {"name": "Team Atlas", "uses_left": 3, **bounds}.items() <= added.items()
    assert added["expires_at"] - added["created_at"] == 7 * 86400
    assert printed(idp("registration-tokens", "list", "--json")) == [added]
    idp("registration-tokens", "revoke", added["id"], "--json")
    assert printed(idp("registration-tokens", "list", "--json")) == []
    idp("registration-tokens", "revoke", added["id"], code=1)
    idp("registration-tokens", "add", "\t", code=1)
