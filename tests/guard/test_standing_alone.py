"""The kit works in an environment of its own, made of the base requirements of setup.cfg alone."""

import configparser
import json
import re
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import pytest

from tests.support import signed
from tests.support.checkout import ROOT

PROGRAM = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
from idp.guard import Answer, Granted, Guard, Needs, Refused, Request, Route, Settings
from idp.guard.asgi import GuardedASGI
from idp.guard.wsgi import GuardedWSGI

jwks, token = json.load(sys.stdin)
ISSUER = "https://id.example.com"

class Published:
    def send(self, method, url, headers, body, seconds):
        said = jwks if url == ISSUER + "/jwks" else {"issuer": ISSUER, "jwks_uri": ISSUER + "/jwks"}
        return Answer(200, {"content-type": "application/json"}, json.dumps(said).encode())

guard = Guard(Settings(ISSUER, "https://api.example.com"), Published())
asked = [guard.check(Request("GET", "/", (f"Bearer {each}",)), Needs("notes:read"))
         for each in (token, token[:-4] + "AAAA")]
missing = []
for name in ("idp.guard.flask", "flask", "sqlalchemy", "authlib", "joserfc", "requests"):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        missing.append(name)
print(json.dumps({
    "outcomes": [type(each).__name__ for each in asked],
    "missing": missing,
    "of_idp": sorted(name for name in sys.modules if name.startswith("idp")
                     and not name.startswith("idp.guard")),
}))
"""


def base_requirements() -> list[str]:
    setup = configparser.ConfigParser()
    setup.read_string((ROOT / "setup.cfg").read_text("utf-8"))
    lines = setup["options"]["install_requires"].split("\n")
    return [name_of(line) for line in lines if line.strip()]


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement.strip())
    assert found
    return found[0]


def closure(names: list[str]) -> set[str]:
    """Return distributions and what they need on this machine."""
    found: set[str] = set()
    while names:
        name = names.pop()
        try:
            needed = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        if name not in found:
            found.add(name)
            names += [name_of(each) for each in needed if "extra ==" not in each]
    return found


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A fresh virtual environment; its packages are links to ours."""
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    site = tmp_path / "venv/lib" / version / "site-packages"
    for name in closure(base_requirements()):
        for file in metadata.files(name) or []:
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (site / top).exists():
                (site / top).symlink_to(Path(sys.prefix) / "lib" / version / "site-packages" / top)
    kit = tmp_path / "kit"
    kit.mkdir()
    (kit / "idp").symlink_to(ROOT / "idp")
    return tmp_path


def test_the_base_requirements_are_enough(environment: Path) -> None:
    assert base_requirements() == ["cryptography"]
    key = signed.new_key("ES256")
    claims = {
        "iss": "https://id.example.com",
        "aud": "https://api.example.com",
        "sub": "ada",
        "client_id": "webapp",
        "iat": 1_700_000_000,
        "exp": 4_000_000_000,
        "jti": "1",
        "scope": "notes:read",
    }
    token = signed.sign(claims, key, typ="at+jwt")
    done = subprocess.run(
        [environment / "venv/bin/python", "-I", "-c", PROGRAM, environment / "kit"],
        input=json.dumps([signed.public(key), token]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert json.loads(done.stdout) == {
        "outcomes": ["Granted", "Refused"],
        "missing": [
            "idp.guard.flask",
            "flask",
            "sqlalchemy",
            "authlib",
            "joserfc",
            "requests",
        ],
        "of_idp": ["idp"],
    }


def test_the_command_says_that_the_server_is_missing(environment: Path) -> None:
    program = "import sys; sys.path.insert(0, sys.argv[1]); import idp.cli"
    done = subprocess.run(
        [environment / "venv/bin/python", "-I", "-c", program, environment / "kit"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install 'doorward[server]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
