"""The configurations that the developer pages offer to copy, taken as they are: run, or read."""

import importlib
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from idp.web.developer.configurations import PLACEHOLDER
from tests.developer.conftest import Developer
from tests.support.exam import Exam
from tests.support.seeds import ADA

pytestmark = [pytest.mark.xdist_group("relying parties"), pytest.mark.only_on("sqlite")]
yaml: Any = importlib.import_module("yaml")  # It tells nobody its types.
SITE = "https://app.example.test"
CALLBACK = f"{SITE}/signed/in?from='doorward'"
LOOPBACK = "http://127.0.0.1/callback"
WAIT_SECONDS = 60
ADDRESS = re.compile(r"https://\S+/oauth2/authorize\?\S+")


@pytest.fixture(autouse=True)
def _trusting(exam: Exam, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its machine knows the authority that issued the server's certificate."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(exam.authority.file))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(exam.authority.file))


def came_back(developer: Developer, address: str) -> str:
    """Go where an application sends the browser, and return where the browser is sent then."""
    page = developer.browser.finish(developer.browser.get(address))
    assert page.left_for is not None
    return page.left_for


def run(program: str, text: str) -> str:
    """Run what asks nobody, and return what it prints."""
    done = subprocess.run(
        [program, "-c", text], capture_output=True, text=True, timeout=WAIT_SECONDS, check=True
    )
    return done.stdout


def run_with(developer: Developer, command: list[str], *, code: bool) -> tuple[str, str]:
    """Run what sends somebody to the server and asks what they came back with: the code, or all of
    the address. Return that address, and what is printed then.
    """
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        sent = next(filter(None, map(ADDRESS.search, process.stdout)))
        back = came_back(developer, sent[0])
        answer = parse_qs(urlsplit(back).query)["code"][0] if code else back
        printed, _ = process.communicate(f"{answer}\n", WAIT_SECONDS)
    assert process.returncode == 0
    return back, printed


def test_authlib_on_a_server(developer: Developer, tmp_path: Path) -> None:
    found = developer.register("web", CALLBACK)
    file = tmp_path / "app.py"
    file.write_text(found.configuration("authlib"), "utf-8")
    app: Flask = runpy.run_path(str(file))["app"]
    with app.test_client() as visitor:
        sent = visitor.get("/login", base_url=SITE)
        back = came_back(developer, sent.headers["Location"])
        assert back.startswith(f"{SITE}/signed/in?from=")
        parts = urlsplit(back)
        answer = visitor.get(f"{parts.path}?{parts.query}", base_url=SITE)
        assert answer.status_code == 302
        with visitor.session_transaction(base_url=SITE) as session:
            assert session["person"]["email"] == ADA.email


def test_authlib_on_a_device(developer: Developer, tmp_path: Path) -> None:
    found = developer.register("command-line", LOOPBACK)
    file = tmp_path / "sign_in.py"
    file.write_text(found.configuration("authlib"), "utf-8")
    back, printed = run_with(developer, [sys.executable, "-u", str(file)], code=False)
    assert back.startswith(f"{LOOPBACK}?")
    token = printed.split()[-1]
    assert found.client("").userinfo(token).json()["email"] == ADA.email


@pytest.mark.parametrize(("kind", "uri"), [("web", CALLBACK), ("native", "com.example.app:/cb")])
def test_curl_with_somebody_there(
    developer: Developer, tmp_path: Path, kind: str, uri: str
) -> None:
    found = developer.register(kind, uri)
    file = tmp_path / "sign-in.sh"
    file.write_text(found.configuration("curl"), "utf-8")
    back, printed = run_with(developer, ["sh", "-eu", str(file)], code=True)
    assert back.startswith(uri.partition("?")[0])
    token = json.loads(printed[printed.index("{") :])
    assert found.client().userinfo(token["access_token"]).json()["email"] == ADA.email


def test_curl_and_authlib_for_a_service(developer: Developer) -> None:
    found = developer.register("service", scope="notes:read")
    token = json.loads(run("sh", found.configuration("curl")))
    assert token["scope"] == "notes:read"
    assert found.client().active(token["access_token"])
    assert found.client().active(run(sys.executable, found.configuration("authlib")).strip())


@pytest.mark.parametrize("kind", ["web", "service"])
def test_spring_reads_who_it_is_and_whom_to_ask(
    developer: Developer, exam: Exam, kind: str
) -> None:
    more = {"scope": "notes:read"} if kind == "service" else {}
    found = developer.register(kind, CALLBACK, **more)
    client = yaml.safe_load(found.configuration("spring"))["spring"]["security"]["oauth2"]["client"]
    assert client["provider"] == {"doorward": {"issuer-uri": exam.issuer}}
    about = client["registration"]["doorward"]
    assert (about["client-id"], about["client-secret"]) == (found.client_id, found.secret)
    assert about["client-authentication-method"] == "client_secret_basic"
    wanted = {"web": ("authorization_code", CALLBACK), "service": ("client_credentials", None)}
    assert (about["authorization-grant-type"], about.get("redirect-uri")) == wanted[kind]
    assert about["scope"] == more.get("scope", "openid,profile,email")


def test_a_page_that_can_be_opened_again_holds_no_secret(developer: Developer) -> None:
    found = developer.register("web", CALLBACK)
    keys = ("authlib", "spring", "curl")
    assert all(found.secret in found.configuration(key) for key in keys)
    found.page = developer.get(found.path)
    assert all(PLACEHOLDER in found.configuration(key) for key in keys)
    assert found.secret not in found.page.response.text
