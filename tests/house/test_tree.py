"""What may stand in the repository, file by file."""

import configparser
import re
from pathlib import Path

import pytest

from tests.house import sources

INLINE = {
    "a script without src": re.compile(r"<script(?![^>]*\bsrc=)[^>]*>", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "an event handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "a javascript: link": re.compile(r"=\s*[\"']?\s*javascript:", re.IGNORECASE),
}
# Packages come from wherever the machine that installs them is told to look.
REGISTRY = re.compile(
    r"index[-_]url|find-links\s*[= ]\s*https?:|https?://[^\s\"']*/simple\b|\"resolved\"\s*:\s*\"https?:"
    r"|^\s*deb(-src)? https?:|^\s*(\S*:)?registry\s*=\s*https?:"
    r"|(pypi|pythonhosted|npmjs)\.(org|com)\b|\bdeb\.debian\.org\b",
    re.MULTILINE,
)
PRIVATE_KEY = re.compile("-----BEGIN [A-Z ]*PRIVATE KEY-----")


def texts(*suffixes: str) -> list[tuple[Path, str]]:
    return [(path, sources.read(path)) for path in sources.TRACKED if path.suffix in suffixes]


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a script without src", "<script>go()</script>"),
        ("a style element", "<style>p { margin: 0 }</style>"),
        ("a style attribute", '<p class="a" style="margin: 0">'),
        ("an event handler", '<button type="button" onclick="go()">'),
        ("a javascript: link", '<a href="javascript:go()">'),
    ],
)
def test_what_a_strict_policy_blocks_is_found(what: str, text: str) -> None:
    assert [name for name, pattern in INLINE.items() if pattern.search(text)] == [what]


def test_templates_hold_no_inline_script_or_style() -> None:
    templates = [(path, text) for path, text in texts(".html") if path.parts[0] == "templates"]
    assert templates
    found = [
        f"{path}: {what}"
        for path, text in templates
        for what, pattern in INLINE.items()
        if pattern.search(text)
    ]
    assert found == []


def test_every_python_package_is_listed_in_setup_cfg() -> None:
    setup = configparser.ConfigParser()
    setup.read_string(sources.read(Path("setup.cfg")))
    listed = setup["options"]["packages"].split()
    mapped = {"idp.static", "idp.templates"}
    present = {".".join(path.parent.parts) for path in sources.PYTHON if path.parts[0] == "idp"}
    assert listed == sorted(listed)
    assert set(listed) - mapped == present
    assert mapped <= set(listed)


def test_no_file_names_a_package_registry() -> None:
    binary = {".png", ".ico", ".woff2", ".gz", ".mo"}
    found = [
        str(path)
        for path in sources.TRACKED
        if path.suffix not in binary and REGISTRY.search(sources.read(path))
    ]
    assert found == []


def test_no_key_material_is_in_git() -> None:
    assert [path.name for path in sources.TRACKED if path.parts[0] == "keys"] == ["README.md"]
    found = [
        str(path)
        for path, text in texts(".pem", ".key", ".json", ".py", ".txt", ".md", ".yml")
        if PRIVATE_KEY.search(text) and path.parts[0] != "tests"
    ]
    assert found == []
