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


def test_a_mail_is_read_and_its_code_found_where_it_stands_alone() -> None:
    seen = SecretsSeen()
    seen.mail("Sign in: http://localhost/mail/QwErTyUiOpAsDfGhJkLz\n\nor type\n\n    402917\n")
    assert seen.known == {"mail link": {"QwErTyUiOpAsDfGhJkLz"}}
    assert seen.codes == {"mailed code": {"402917"}}
    by_chance = b"X'14029178' a402917b 4029171 1.402917 402917/x"
    assert seen.leaks({"dump": by_chance}) == []
    for told in (b'{"code":"402917"}', b"('402917', 3)", b"code 402917 is wrong", b"c=402917;"):
        assert seen.leaks({"log": told}) == ["mailed code in log as it is"]


def test_a_seed_is_found_as_text_and_as_octets() -> None:
    seen = SecretsSeen()
    seen.seed("JBSWY3DPEHPK3PXP")
    for told in (b"JBSWY3DPEHPK3PXP", b"48656c6c6f21deadbeef", b"SGVsbG8h3q2+7w"):
        assert len(seen.leaks({"dump": told})) >= 1
