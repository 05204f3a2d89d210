"""The search finds what was planted, in every form, and a sign-in leaves something to find."""

import base64
from pathlib import Path

import pytest

from tests.support.deployment import Deployment
from tests.support.secrets_seen import SecretsSeen, files

SECRET = "kQ3-secret/with+signs=and more"


@pytest.mark.parametrize(
    "planted",
    [
        SECRET.encode(),
        SECRET.encode().hex().encode(),
        base64.b64encode(SECRET.encode()),
        b"kQ3-secret%2Fwith%2Bsigns%3Dand%20more",
    ],
)
def test_a_secret_is_found_however_it_is_written(planted: bytes) -> None:
    seen = SecretsSeen()
    seen.note("code", SECRET)
    (found,) = seen.leaks({"log": b"before " + planted + b" after", "dump": b"nothing"})
    assert found.startswith("code in log")


def test_command_output_is_read() -> None:
    seen = SecretsSeen()
    seen.output("Demo client  demo   secret dw_secret_AbCdEfGhIjKlMnOpQrStUvWx\n")
    seen.output("Demo user    demo@example.com   password Xy7-Xy7-Xy7-Xy7\n")
    seen.output("Administrator http://localhost/setup/administrator/QwErTyUiOpAsDfGhJkLz works\n")
    assert seen.known == {
        "printed secret": {"dw_secret_AbCdEfGhIjKlMnOpQrStUvWx", "QwErTyUiOpAsDfGhJkLz"},
        "printed password": {"Xy7-Xy7-Xy7-Xy7"},
    }


def test_a_sign_in_shows_its_secrets(deployment: Deployment, tmp_path: Path) -> None:
    seen = SecretsSeen()
    browser, client = deployment.browserless(), deployment.client("webapp")
    seen.watch(browser.http)
    seen.watch(client.http)
    tokens = client.sign_in(browser, "openid offline_access notes:read")
    client.refresh(tokens["refresh_token"])
    client.introspect(tokens["access_token"])
    expected = {"access token", "refresh token", "ID token", "code", "verifier", "cookie"}
    expected |= {"client secret", "password", "form token", "access token signature"}
    assert expected <= seen.known.keys()
    assert len(seen.known["refresh token"]) == 2
    (tmp_path / "leak").write_text(f"x{tokens['refresh_token']}x")
    assert [leak.partition(" in ")[0] for leak in seen.leaks(files(tmp_path))] == ["refresh token"]
