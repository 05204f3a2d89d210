"""Which files belong to the project: what git tracks, and what it would add."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOUSE = Path("tests/house")


def _listed(*options: str) -> list[Path]:
    """Files that git lists and that are still there, relative to the root."""
    names = subprocess.run(
        ["git", "ls-files", "-z", *options], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    return sorted(Path(name) for name in set(names) - {""} if (ROOT / name).is_file())


TRACKED = _listed("--cached", "--others", "--exclude-standard")
PYTHON = [path for path in TRACKED if path.suffix == ".py"]
# Migrations and table definitions are long lists by nature.
SERVER = [
    path
    for path in PYTHON
    if path.parts[0] == "idp"
    and "migrations" not in path.parts
    and path.parts[:3] != ("idp", "store", "tables")
    and path != Path("idp/store/tables.py")
]


def read(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")
