"""docs/reference/client-metadata.md says what the tables of the module say."""

import json
import re
from typing import Any

from idp.protocol import registration
from tests.support.checkout import ROOT

ROW = re.compile(r"^\| (`[a-z_`, ]+`) \|(?: (.*?) \|)?", re.MULTILINE)
PAGE = (ROOT / "docs/reference/client-metadata.md").read_text("utf-8")
SECTIONS = dict(part.partition("\n")[::2] for part in PAGE.split("\n## "))


def rows(section: str) -> dict[str, str]:
    """Field → second column, in the order of the page."""
    found: dict[str, str] = {}
    for names, second in ROW.findall(SECTIONS[section]):
        found |= dict.fromkeys(re.findall(r"`(\w+)`", names), second)
    return found


def shown(name: str, default: Any) -> str:
    if name == "response_types":
        default = ["code"]
    if default is None:
        return "–"
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def test_honoured_fields_and_their_defaults() -> None:
    fields = registration.HONOURED.items()
    assert rows("Honoured") == {name: shown(name, field.default) for name, field in fields}


def test_refused_fields() -> None:
    assert list(rows("Refused")) == list(registration.DEMANDS)


def test_what_is_called_ignored_is_ignored() -> None:
    ignored = rows("Ignored")
    assert ignored
    known = {"redirect_uris": ["https://app.example.com/cb"]}
    plain = registration.validate(known, operator=True)
    assert registration.validate(known | ignored, operator=True) == plain
