"""`idp keys` and `idp backup` as an operator runs them, and a server that rotates by itself."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from idp.crypto.keyfiles import parse_key
from tests.running.commands import PATIENCE_SECONDS, Place
from tests.support.ports import free_port

REFUSED = 1
MISCONFIGURED = 2


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def states(place: Place) -> Counter[tuple[str, str]]:
    return Counter((key["algorithm"], key["state"]) for key in place.json("keys", "list"))


ALGORITHMS = ("RS256", "ES256", "PS256", "ES384", "EdDSA", "RSA-OAEP-256", "ECDH-ES")
EVERY = {(name, state): 1 for name in ALGORITHMS for state in ("active", "next")}


def test_the_first_command_makes_the_keys_and_lists_them(place: Place) -> None:
    keys = place.json("keys", "list")
    assert states(place) == EVERY
    assert set(keys[0]) == {
        "kid",
        "use",
        "algorithm",
        "state",
        "published",
        "may_sign_from",
        "signs_since",
        "signed_until",
        "needed_until",
        "unpublished",
    }
    uses = {key["algorithm"] for key in keys if key["use"] == "enc"}
    assert uses == {"RSA-OAEP-256", "ECDH-ES"}
    shown = place.run("keys", "list").stdout
    assert all(key["kid"] in shown for key in keys)


def test_a_rotation_that_is_too_early_is_refused_in_a_sentence(place: Place) -> None:
    done = place.run("keys", "rotate")
    assert (done.returncode, done.stdout) == (REFUSED, "")
    assert "it can't sign before" in done.stderr
    assert states(place) == EVERY


def test_an_emergency_can_be_tried_dry_and_then_done(place: Place) -> None:
    command = ("keys", "rotate", "--emergency", "--algorithm", "ES256")
    tried = place.json(*command, "--dry-run")
    assert [(step["key"], step["dry_run"]) for step in tried] == [
        ("withdrawn", True),
        ("activated", True),
        ("published", True),
    ]
    assert states(place) == EVERY
    done = place.json(*command)
    assert [step["kid"] for step in done[:2]] == [step["kid"] for step in tried[:2]]
    assert states(place) == {**EVERY, ("ES256", "withdrawn"): 1}


def test_a_key_is_retired_by_its_id(place: Place) -> None:
    wanted = {("RS256", "next"), ("ECDH-ES", "next")}
    for key in place.json("keys", "list"):
        if (key["algorithm"], key["state"]) in wanted:
            place.json("keys", "retire", key["kid"])
    assert states(place) == {**EVERY, ("RS256", "withdrawn"): 1, ("ECDH-ES", "withdrawn"): 1}
    assert place.run("keys", "retire", "nobody").stderr == "There is no key nobody.\n"


def test_generate_touches_nothing_and_needs_no_settings(place: Place) -> None:
    done = place.run("keys", "generate", environment={"IDP_DATABASE_URL": "oracle://nowhere"})
    assert done.returncode == 0
    assert len(parse_key(done.stdout.strip(), "it")) == 32
    assert list(place.folder.iterdir()) == []


def test_a_key_encryption_key_is_replaced_by_files(place: Place) -> None:
    before = place.json("keys", "list")
    keys = place.folder / "keys"
    (keys / "key-encryption-key").rename(keys / "previous-key-encryption-key")
    fresh = keys / "key-encryption-key"
    fresh.write_text(place.run("keys", "generate").stdout)
    fresh.chmod(0o600)
    waiting = place.json("keys", "rewrap", "--dry-run")
    assert waiting["signing_keys"] == 14
    assert place.json("keys", "rewrap") == {**waiting, "dry_run": False}
    (keys / "previous-key-encryption-key").unlink()
    assert place.json("keys", "list") == before
    fresh.unlink()
    lost = place.run("keys", "list")
    assert lost.returncode == MISCONFIGURED
    assert lost.stderr.startswith("The key-encryption key of this database is missing: restore ")


def test_a_backup_is_made_and_restored_and_the_key_is_spoken_of(
    place: Place, tmp_path: Path
) -> None:
    before = place.json("keys", "list")
    file = tmp_path / "copy.sqlite3"
    made = place.run("backup", "create", str(file))
    assert made.returncode == 0
    assert f"Keep {place.folder / 'keys' / 'key-encryption-key'} too" in made.stderr
    other = Place(tmp_path / "other")
    refused = other.run("backup", "restore", str(file))
    assert refused.returncode == REFUSED
    assert "put the saved key into" in refused.stderr
    assert not (other.folder / "keys").exists()
    (other.folder / "keys").mkdir()
    key = (place.folder / "keys" / "key-encryption-key").read_text()
    copied = other.folder / "keys" / "key-encryption-key"
    copied.write_text(key)
    copied.chmod(0o600)
    assert other.json("backup", "restore", str(file), "--dry-run")["dry_run"]
    kept = other.json("backup", "restore", str(file), "--keep-keys")
    assert (kept["dry_run"], kept["signing_keys"]) == (False, "kept")
    assert other.json("keys", "list") == before
    done = other.run("backup", "restore", str(file))
    assert done.returncode == 0
    assert "fresh ones sign from the next start on" in done.stderr
    old = {key["kid"] for key in before}
    assert not old & {key["kid"] for key in other.json("keys", "list")}


def test_a_running_server_rotates_by_itself(place: Place) -> None:
    """Real time, real threads: without a command and without a scheduled job."""
    port = free_port()
    quick = {
        "IDP_ISSUER": f"http://localhost:{port}",
        "IDP_JWKS_MAX_AGE": "1",
        "IDP_KEY_PUBLICATION_MARGIN": "0",
        "IDP_KEY_ROTATION_PERIOD": "1",
        "IDP_CLOCK_SKEW": "0",
        "IDP_CACHE_LIFETIME": "0",
    }
    with place.serving("serve", "--port", str(port), environment=quick) as running:
        running.wait(f"http://localhost:{port}/health/live")

        opening: set[str] = set()

        def published() -> dict[str, Any]:
            answer = running.http.get(f"http://localhost:{port}/.well-known/jwks.json", timeout=10)
            keys = json.loads(answer.content)["keys"]
            opening.update(key["kid"] for key in keys if key["use"] == "enc")
            return {key["kid"]: key for key in keys if key["use"] == "sig"}

        first = published()
        end = time.monotonic() + PATIENCE_SECONDS
        while len(published()) < len(first) + 4 or len(opening) < 4:
            assert time.monotonic() < end, running.log.read_text()
            time.sleep(0.1)
        assert first.keys() < published().keys()
