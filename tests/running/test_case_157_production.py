"""SECURITY case 157: `idp serve` refuses what is unsafe, and tells all of it at once."""

import base64
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from idp.config import ConfigurationError, load
from idp.crypto.keyfiles import new_key_text
from idp.domain.preflight import environment_problems, sharing_problems
from tests.running.commands import Place
from tests.support.checkout import ROOT
from tests.support.ports import free_port

ISSUER = "https://id.example.com"
RANDOM_KEY = "MmfJz2f3Vw3sXlV0n0cXQ4y1o9k7mJ0b7bq3n2hW8rI"


def refused(place: Place, **settings: str) -> list[str]:
    """Return the sentences with which `idp serve` refused to start."""
    done = place.run("serve", "--port", str(free_port()), environment=settings)
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert not list(place.folder.rglob("*.sqlite3"))
    return sentences(done)


def sentences(done: subprocess.CompletedProcess[str]) -> list[str]:
    lines = done.stderr.splitlines()
    if len(lines) == 1:
        return lines
    assert lines[0] == f"{len(lines) - 1} problems:"
    return [line.removeprefix("- ") for line in lines[1:]]


def test_case_157_an_issuer_is_needed(place: Place) -> None:
    assert refused(place) == ["IDP_ISSUER: not set. Give the https origin of this server."]


def test_case_157_plain_http_is_for_loopback_only(place: Place) -> None:
    (sentence,) = refused(place, IDP_ISSUER="http://id.example.com")
    assert sentence == "IDP_ISSUER: must be https; plain http is for loopback only."


def test_case_157_development_mode_is_not_for_production(place: Place) -> None:
    (sentence,) = refused(place, IDP_ISSUER=ISSUER, IDP_DEVELOPMENT="true")
    assert sentence.startswith("IDP_DEVELOPMENT: ")


def test_case_157_debugging_is_not_for_production(place: Place) -> None:
    (sentence,) = refused(place, IDP_ISSUER=ISSUER, FLASK_DEBUG="1")
    assert sentence.startswith("FLASK_DEBUG: ")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("not base64url!", "does not hold 32 bytes in base64url"),
        (base64.urlsafe_b64encode(b"short" * 3).decode(), "holds a key of 15 bytes"),
        (base64.urlsafe_b64encode(b"\0" * 32).decode(), "weak key"),
        (base64.urlsafe_b64encode(b"correct horse battery staple 123").decode(), "weak key"),
    ],
)
def test_case_157_a_weak_key_is_refused(place: Place, key: str, said: str) -> None:
    (sentence,) = refused(place, IDP_ISSUER=ISSUER, IDP_KEY_ENCRYPTION_KEY=key)
    assert sentence.startswith("IDP_KEY_ENCRYPTION_KEY ")
    assert said in sentence
    assert key not in sentence


def test_case_157_a_key_file_that_others_can_read_is_refused(place: Place) -> None:
    keys = place.folder / "keys"
    keys.mkdir()
    path = keys / "key-encryption-key"
    path.write_text(RANDOM_KEY)
    path.chmod(0o644)
    (sentence,) = refused(place, IDP_ISSUER=ISSUER)
    assert sentence == f"{path} can be read or changed by others; run: chmod 600 {path}"


def test_case_157_sqlite_is_refused_where_several_nodes_could_share_it(tmp_path: Path) -> None:
    settings = load({"data_dir": tmp_path / "shared" / "idp"})
    mounts = f"/dev/sda1 / ext4 rw 0 0\nserver:/export {tmp_path}/shared nfs4 rw 0 0\n"
    (sentence,) = sharing_problems(settings, mounts)
    assert "network file system (nfs4)" in sentence
    assert sharing_problems(settings, mounts.replace("nfs4", "xfs")) == []
    assert sharing_problems(load({"data_dir": tmp_path}), mounts) == []
    elsewhere = load({"data_dir": tmp_path / "shared", "database_url": "postgresql://db/idp"})
    assert sharing_problems(elsewhere, mounts) == []


def test_case_157_what_counts_is_where_the_database_file_is(tmp_path: Path) -> None:
    mounts = f"/dev/sda1 / ext4 rw 0 0\nserver:/export {tmp_path}/shared nfs4 rw 0 0\n"
    there = {"database_url": f"sqlite:///{tmp_path}/shared/idp.sqlite3", "data_dir": tmp_path}
    (sentence,) = sharing_problems(load(there), mounts)
    assert sentence.startswith(f"IDP_DATABASE_URL: {tmp_path}/shared is on a network file system")
    here = {"database_url": f"sqlite:///{tmp_path}/idp.sqlite3", "data_dir": tmp_path / "shared"}
    assert sharing_problems(load(here), mounts) == []


def test_a_relative_database_file_lies_where_the_server_was_started() -> None:
    settings = load({"database_url": "sqlite:///var/idp.sqlite3"})
    assert settings.sqlalchemy_url == f"sqlite:///{Path.cwd()}/var/idp.sqlite3"


def test_case_157_another_database_is_refused(place: Place) -> None:
    (sentence,) = refused(place, IDP_ISSUER=ISSUER, IDP_DATABASE_URL="mysql://localhost/idp")
    assert sentence.startswith("IDP_DATABASE_URL: ")


def test_case_157_everything_is_told_at_once(place: Place) -> None:
    (place.folder / "var").write_text("not a folder")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = place.run(
            "serve",
            "--port",
            str(port),
            environment={
                "IDP_ISSUER": "http://id.example.com",
                "IDP_CODE_LIFETIME": "3600",
                "IDP_HASH_SLOTS": "many",
                "IDP_TRUSTED_PROXY": "10.0.0.0/8",
                "IDP_KEY_ENCRYPTION_KEY": "weak",
                "FLASK_DEBUG": "true",
            },
        )
    assert done.returncode == 2
    assert [sentence.split(" ")[0] for sentence in sentences(done)] == [
        "IDP_CODE_LIFETIME:",
        "IDP_HASH_SLOTS:",
        "IDP_ISSUER:",
        "FLASK_DEBUG:",
        "IDP_TRUSTED_PROXY:",
        "IDP_DATA_DIR:",
        "IDP_KEY_ENCRYPTION_KEY",
        "Port",
    ]


def test_case_157_an_issuer_that_cannot_be_read_is_told_once(place: Place) -> None:
    (sentence,) = refused(place, IDP_ISSUER="https://id.example.com/path")
    assert sentence == "IDP_ISSUER: must be a bare origin, without path, trailing slash or user."


@pytest.mark.parametrize(
    ("issuer", "said"),
    [
        ("https://id.example.com:99999", "must name a port from 1 to 65535."),
        ("https://id.example.com:many", "must name a port from 1 to 65535."),
        ("https://id.example.com:0", "must name a port from 1 to 65535, or none."),
        ("https://id.example.com:", "must name a port from 1 to 65535, or none."),
        ("https://id.example.com:08443", "must name a port from 1 to 65535, or none."),
        ("https://id.example.com:443", "must leave out :443, the default, as browsers do."),
        ("https://[2001:db8::1]:443", "must leave out :443, the default, as browsers do."),
        ("http://localhost:80", "must leave out :80, the default, as browsers do."),
    ],
)
def test_case_157_a_port_that_browsers_would_not_send_is_refused(issuer: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        load({"issuer": issuer})
    assert refusal.value.problems == [f"IDP_ISSUER: {said}"]


@pytest.mark.parametrize(
    "issuer", ["https://id.example.com", "https://[2001:db8::1]:8443", "http://localhost:443"]
)
def test_an_issuer_may_name_another_port(issuer: str) -> None:
    assert load({"issuer": issuer}).issuer == issuer


def test_case_157_another_wsgi_server_refuses_the_same(place: Place) -> None:
    settings = {"IDP_ISSUER": "http://id.example.com", "IDP_DEVELOPMENT": "true"}
    done = imported(place, settings | {"FLASK_DEBUG": "1"})
    assert done.returncode == 1
    assert [line.partition(":")[0] for line in done.stderr.splitlines()[-3:]] == [
        "idp.config_sources.ConfigurationError",
        "IDP_DEVELOPMENT",
        "FLASK_DEBUG",
    ]
    assert not list(place.folder.rglob("*.sqlite3"))


def test_case_157_the_database_is_private_whoever_makes_it(place: Place) -> None:
    done = imported(place, {"IDP_ISSUER": ISSUER})
    assert done.returncode == 0, done.stderr
    (place.folder / "var").chmod(0o755)
    found = {path.name: path.stat().st_mode & 0o777 for path in (place.folder / "var").iterdir()}
    assert found.pop("doorward.sqlite3") == 0o600
    assert set(found.values()) <= {0o600}


def imported(place: Place, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Import the application as gunicorn does, with the umask that systems have."""
    return subprocess.run(
        ["sh", "-c", f"umask 022; exec {sys.executable} -c 'import wsgi'"],
        cwd=ROOT,
        env=place.environment | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_case_157_a_secret_file_that_is_missing_is_refused(place: Place) -> None:
    problems = refused(place, IDP_ISSUER=ISSUER, IDP_KEY_ENCRYPTION_KEY_FILE="/nowhere/key")
    assert problems[0].startswith("IDP_KEY_ENCRYPTION_KEY_FILE: cannot read /nowhere/key")


def test_case_157_a_given_key_file_that_everybody_can_read_is_refused(
    place: Place, tmp_path: Path
) -> None:
    given = tmp_path / "key"
    given.write_text(new_key_text())
    given.chmod(0o644)
    problems = refused(place, IDP_ISSUER=ISSUER, IDP_KEY_ENCRYPTION_KEY_FILE=str(given))
    assert problems == [
        f"IDP_KEY_ENCRYPTION_KEY_FILE: everybody on this machine may read {given}; chmod 600 it."
    ]


def test_misspelt_settings_are_noticed_and_strangers_left_alone() -> None:
    assert environment_problems({"IDP_ISSUER": "x", "IDP_ISSUER_FILE": "y", "PATH": "z"}) == []
    # Kubernetes adds these for a service called idp.
    assert environment_problems({"IDP_PORT": "tcp://10.0.0.1:80", "IDP_SERVICE_HOST": "x"}) == []
    (sentence,) = environment_problems({"IDP_ISUER": "https://id.example.com"})
    assert sentence == "IDP_ISUER: there is no such setting; IDP_ISSUER is meant, perhaps."


def test_case_157_a_production_start_never_makes_demo_data_or_links(place: Place) -> None:
    port = free_port()
    settings = {"IDP_ISSUER": f"http://localhost:{port}"}
    with place.serving("serve", "--port", str(port), environment=settings) as running:
        running.wait(f"http://localhost:{port}/health/ready")
        assert place.json("users", "list") == []
        assert place.json("clients", "list") == []
        running.stop()
        assert running.process.stdout is not None
    assert "administrator" not in running.log.read_text()
