"""A page does something for a POST alone: HEAD and whatever else is not one carries no form token
that anybody checked, so `request.method == "GET"` decides nothing.
"""

import ast
from pathlib import Path

import pytest

from tests.house import sources

WEB = [path for path in sources.SERVER if path.parts[:2] == ("idp", "web")]


def misled(text: str) -> list[int]:
    """The lines of `if` statements that take everything but GET for a POST."""
    asked = ("request.method == 'GET'", "request.method != 'GET'")
    return [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.If) and any(words in ast.unparse(node.test) for words in asked)
    ]


@pytest.mark.parametrize("path", WEB, ids=str)
def test_a_page_asks_whether_it_is_a_post(path: Path) -> None:
    assert misled(sources.read(path)) == []


def test_the_rule_finds_what_breaks_it() -> None:
    assert misled('if request.method == "GET":\n    pass\n') == [1]
    assert misled('if done or request.method != "GET":\n    pass\n') == [1]
    assert misled('if request.method == "POST":\n    pass\n') == []
