"""The wheel holds the whole server: code, migrations, pages and styles, and nothing else."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.house import sources

SHIPPED = ("idp", "static", "templates")
NEEDED = {Path("setup.cfg"), Path("pyproject.toml"), Path("README.md"), Path("LICENSE")}


def test_the_wheel_holds_what_the_server_needs(tmp_path: Path) -> None:
    shipped = [path for path in sources.TRACKED if path.parts[0] in SHIPPED]
    for path in [*shipped, *NEEDED]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sources.ROOT / path, tmp_path / path)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--no-index", "-w", tmp_path / "out", tmp_path], check=True)
    (wheel,) = (tmp_path / "out").glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {path if path.parts[0] == "idp" else Path("idp") / path for path in shipped}
    assert held == {path.as_posix() for path in expected}
