"""Each example starts with one command, or says what is missing; its README gives the command."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from examples.webapp.app import SCOPES
from tests.support.checkout import ROOT
from tests.support.ports import free_port

CONFIGURED = {
    "ISSUER": "http://localhost:9",
    "RESOURCE": "https://api.example.com",
    "INTROSPECTION_ID": "resource_1",
    "INTROSPECTION_SECRET": "secret",
    "CLIENT_ID": "client",
    "CLIENT_SECRET": "secret",
}


def command(module: str) -> list[str]:
    return [sys.executable, "-m", module]


@contextmanager
def started(module: str, settings: Mapping[str, str]) -> Iterator[str]:
    """Start an example and return its address."""
    port = free_port()
    environment = {**os.environ, **settings, "PORT": str(port)}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command(module), cwd=ROOT, env=environment, stdout=quiet, stderr=quiet
    )
    try:
        yield f"http://localhost:{port}"
    finally:
        process.kill()
        process.wait()


def get(url: str) -> requests.Response:
    """Fetch a page from a server that may still be starting."""
    with requests.Session() as http:
        http.trust_env = False
        http.mount("http://", HTTPAdapter(max_retries=Retry(60, backoff_factor=0.1, backoff_max=1)))
        return http.get(url, timeout=10)


def test_the_api_starts_with_one_command() -> None:
    with started("examples.api", CONFIGURED) as url:
        answer = get(f"{url}/notes")
        challenge = 'Bearer realm="Field Notes", scope="notes:read"'
        assert answer.headers["WWW-Authenticate"] == challenge


def test_the_archive_starts_with_one_command() -> None:
    settings = {**CONFIGURED, "RESOURCE": "http://localhost:8003"}
    with started("examples.archive", settings) as url:
        answer = get(f"{url}/boxes")
        where = "http://localhost:8003/.well-known/oauth-protected-resource"
        assert f'resource_metadata="{where}"' in answer.headers["WWW-Authenticate"]
        assert get(f"{url}/health").json() == {"archive": "open"}


def test_the_web_application_starts_with_one_command() -> None:
    with started("examples.webapp", CONFIGURED) as url:
        assert "Sign in" in get(url).text


@pytest.mark.parametrize("module", ["examples.api", "examples.archive", "examples.webapp"])
def test_what_is_missing_is_said_in_one_sentence(module: str) -> None:
    environment = {"PATH": os.environ["PATH"], "ISSUER": "http://localhost:8000"}
    done = subprocess.run(
        command(module), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Set ")
    assert "RESOURCE" in done.stderr
    assert "ISSUER" not in done.stderr


def test_the_readme_says_what_the_tests_do() -> None:
    readme = (ROOT / "examples/README.md").read_text("utf-8")
    for words in (
        ".venv/bin/python -m examples.api",
        ".venv/bin/python -m examples.archive",
        ".venv/bin/python -m examples.webapp",
        "idp resources add https://api.example.com",
        "idp resources add http://localhost:8003",
        "idp clients add --metadata examples/webapp/client.json",
    ):
        assert words in readme
    assert f'"scope": "{SCOPES}"' in (ROOT / "examples/webapp/client.json").read_text("utf-8")
