"""What lies under tests/vendor/ is what its manifest says, and nothing else."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

VENDOR = Path(__file__).parents[1] / "vendor"


def test_every_vendored_file_has_the_digest_of_the_manifest() -> None:
    manifest = tomllib.loads((VENDOR / "manifest.toml").read_text())
    found = {path.name for path in VENDOR.iterdir()} - {"manifest.toml"}
    assert found == set(manifest)
    for name, entry in manifest.items():
        assert {"version", "licence", "source"} <= set(entry)
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == entry["sha256"]
