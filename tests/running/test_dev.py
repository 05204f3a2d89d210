"""`idp dev`: one block, everything in it true, and one sentence for what goes wrong."""

import json
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.running.commands import Place, secret_of
from tests.support.checkout import ROOT
from tests.support.ports import free_port

AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def token_by_curl(line: str) -> dict[str, str]:
    command = shlex.split(line)
    assert command[0] == "curl"
    done = subprocess.run([*command, "-s", "--fail"], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def test_the_block_is_aligned_complete_and_all_that_is_printed(place: Place) -> None:
    port = free_port()
    with place.serving("dev", environment={"PORT": str(port)}) as running:
        lines = running.block()
        issuer = f"http://localhost:{port}"
        assert list(lines) == [
            "Issuer",
            "Discovery",
            "Administrator",
            "Demo user",
            "Demo client",
            "Playground",
            "Mail",
            "A token",
            "Data",
            "Start over",
            "Careful",
        ]
        assert lines["Issuer"] == issuer
        assert lines["Careful"] == "development mode: do not expose"
        assert str(place.folder / "var") in lines["Data"]
        pages = ("Discovery", "Administrator", "Playground", "Mail")
        for page in (lines[name].split()[0] for name in pages):
            assert running.http.get(page).status_code == 200, page
        running.http.get(f"{issuer}/nothing-here")
        assert running.stop() == 0
    assert running.log.read_text() == ""


def test_the_printed_curl_returns_a_token_for_the_demo_api(place: Place) -> None:
    port = free_port()
    with place.serving("dev", environment={"PORT": str(port)}) as running:
        answer = token_by_curl(running.block()["A token"])
    assert answer["token_type"] == "Bearer"
    assert answer["scope"] == "notes.read"
    assert answer["access_token"].count(".") == 2


def test_a_second_start_keeps_the_data_and_makes_new_secrets(place: Place) -> None:
    port = free_port()
    with place.serving("dev", "--port", str(port)) as running:
        first = running.block()
        subject = place.json("users", "show", "demo@example.com")["subject"]
    with place.serving("dev", "--port", str(port)) as running:
        second = running.block()
        assert place.json("users", "show", "demo@example.com")["subject"] == subject
        for name in ("Demo user", "Demo client"):
            assert secret_of(first[name]) != secret_of(second[name])
        old = requests.post(
            f"{second['Issuer']}/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=("demo", secret_of(first["Demo client"])),
            timeout=10,
        )
        assert old.status_code == 401
        assert "access_token" in token_by_curl(second["A token"])


def test_another_port_works_with_the_same_data(place: Place) -> None:
    for _ in range(2):
        with place.serving("dev", "--port", str(free_port())) as running:
            assert "access_token" in token_by_curl(running.block()["A token"])


def test_it_listens_on_this_machine_only(place: Place) -> None:
    with place.serving("dev", "--port", str(port := free_port())) as running:
        running.block()
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family) as client:
                client.connect((address, port))
        listening = Path("/proc/net/tcp").read_text()
        assert f"00000000:{port:04X} 00000000:0000 0A" not in listening


def test_a_taken_port_is_one_sentence(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = place.run("dev", environment={"PORT": str(port)})
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"Port {port} of localhost is taken: stop what listens there, or choose another port. "
        f"For example: PORT={port + 1}.\n"
    )


@needs_root
def test_an_unwritable_data_folder_is_one_sentence(open_place: Place) -> None:
    data = open_place.folder / "var"
    data.mkdir(mode=0o755)
    done = open_place.run("dev", "--port", str(free_port()), before=AS_NOBODY)
    assert done.returncode == 2
    assert done.stderr == (
        f"IDP_DATA_DIR: {data} cannot be written by user 65534, who runs this.\n"
    )


@needs_root
@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_an_unwritable_keys_folder_is_one_sentence(open_place: Place, mode: int) -> None:
    data, keys = open_place.folder / "var", open_place.folder / "keys"
    data.mkdir()
    os.chown(data, 65534, 65534)
    keys.mkdir()
    keys.chmod(mode)
    done = open_place.run("dev", "--port", str(free_port()), before=AS_NOBODY)
    assert done.returncode == 2
    assert done.stderr == f"{keys / 'key-encryption-key'} cannot be written: Permission denied.\n"


def test_what_it_writes_is_private(place: Place) -> None:
    place.folder.joinpath("var").mkdir(mode=0o755)
    with place.serving("dev", "--port", str(free_port())) as running:
        running.block()
        written = [*(place.folder / "var").iterdir(), *(place.folder / "keys").iterdir()]
    assert written
    assert [path for path in written if path.stat().st_mode & 0o077] == []


def test_a_data_folder_that_is_a_file_is_one_sentence(place: Place) -> None:
    (place.folder / "var").write_text("")
    done = place.run("dev", "--port", str(free_port()))
    assert done.returncode == 2
    assert done.stderr == f"IDP_DATA_DIR: {place.folder / 'var'} cannot be made (File exists).\n"


def test_an_issuer_that_others_could_reach_is_refused(place: Place) -> None:
    done = place.run(
        "dev",
        "--port",
        str(free_port()),
        environment={"IDP_ISSUER": "https://id.example.com"},
    )
    assert done.returncode == 2
    assert done.stderr.startswith("IDP_ISSUER: `idp dev` serves this machine only")


def test_an_old_python_is_one_sentence() -> None:
    old = "import sys; sys.version_info = (3, 9, 2, 'final', 0); import idp.cli.main"
    done = subprocess.run(
        [sys.executable, "-c", old], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "Doorward needs Python 3.11 or newer; this is 3.9.\n"


def test_health_tells_whether_it_is_ready(place: Place) -> None:
    port = free_port()
    with place.serving("dev", "--port", str(port)) as running:
        running.block()
        assert place.run("health", "--url", f"http://127.0.0.1:{port}").returncode == 0
        alone = subprocess.run(
            [sys.executable, "-m", "idp.cli.health"],
            cwd=ROOT,
            env={"PORT": str(port)},
            capture_output=True,
            check=False,
        )
        assert alone.returncode == 0
    done = place.run("health", environment={"PORT": str(port)})
    assert done.returncode == 1
    assert done.stderr == f"http://127.0.0.1:{port} is not ready: Connection refused.\n"


def test_health_needs_nothing_of_the_server() -> None:
    asked = "import sys, idp.cli.health; print([n for n in sys.modules if n.startswith('idp')])"
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['idp', 'idp.cli', 'idp.cli.health']"
