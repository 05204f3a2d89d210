"""The reference of the kit says what the code says."""

import dataclasses
import re

import pytest

from idp.guard import Needs, Refused, Settings
from idp.guard.outcome import Refusals
from tests.support.checkout import ROOT

PAGE = (ROOT / "docs/reference/guard.md").read_text("utf-8")


def rows(heading: str) -> dict[str, list[str]]:
    """Return the table below a heading: cells by what stands first, without its backticks."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = re.findall(r"^\| `([\w-]+)` \|(.*)\|$", section, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in lines}


@pytest.mark.parametrize("kind", [Settings, Needs])
def test_each_field_and_its_default(kind: type[Settings | Needs]) -> None:
    stands = {name: cells[0] for name, cells in rows(kind.__name__).items()}
    assert stands == {
        field.name: "" if field.default is dataclasses.MISSING else f"`{field.default!r}`"
        for field in dataclasses.fields(kind)
    }


def test_each_answer() -> None:
    refusals = Refusals(Settings("https://id.example.com", "https://api.example.com"))
    needs = Needs("read", roles="editor", acr_values="strong", max_age=1)
    made: list[Refused] = [
        refusals.token_missing(needs),
        refusals.malformed(),
        refusals.token_invalid(),
        refusals.scope_missing(needs),
        refusals.role_missing(needs),
        refusals.sign_in_insufficient(needs),
        refusals.denied(),
        refusals.unavailable(),
    ]
    told = rows("Answers")
    assert {name: cells[1] for name, cells in told.items()} == {
        each.problem: str(each.status) for each in made
    }
    for each in made:
        challenge = dict(each.headers).get("WWW-Authenticate", "")
        error = re.search(r' error="\w+"', challenge)
        said = re.search(r'error="\w+"', told[each.problem][2])
        assert (error and error[0].strip()) == (said and said[0]), each.problem
