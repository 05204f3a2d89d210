"""The ceilings of the server's files, and proof that each rule of them can fail."""

from pathlib import Path

import pytest

from tests.house import ceilings, sources

DRAWERS = {"helpers", "utils", "util", "common", "misc", "part2"}

BREAKERS = {
    "301 lines": "x = 1\n" * 301,
    "f has 41 lines": "def f():\n" + "    x = 1\n" * 40,
    "f has 9 branches": "def f(a):\n" + "    if a: x = 1\n" * 9,
    "hides an import": "def f():\n    import os\n",
    "catches everything": "try:\n    x = 1\nexcept Exception:\n    pass\n",
    "suppresses everything": "with contextlib.suppress(Exception):\n    x = 1\n",
    "NotImplementedError": "def f():\n    raise NotImplementedError('f')\n",
    "line 1: # TODO": "# TODO: one day\n",
}
INNOCENTS = {
    "a long docstring": 'def f():\n    """A\n' + "    line\n" * 60 + '    """\n    return 1\n',
    "branches of a nested function": "def f(a):\n"
    + "    if a: x = 1\n" * 8
    + "    def g():\n        if a: x = 1\n",
    "a broad handler that raises": "try:\n    x = 1\nexcept Exception:\n    raise Ours()\n",
    "a word in a string": "x = 'TODO'\n",
}


@pytest.mark.parametrize(("said", "text"), BREAKERS.items(), ids=BREAKERS)
def test_a_rule_finds_what_breaks_it(said: str, text: str) -> None:
    found = list(ceilings.problems(text))
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize("text", INNOCENTS.values(), ids=INNOCENTS)
def test_a_rule_leaves_others_alone(text: str) -> None:
    assert list(ceilings.problems(text)) == []


def test_the_server_stays_below_its_ceilings() -> None:
    assert sources.SERVER
    found = [
        f"{path}: {said}"
        for path in sources.SERVER
        for said in ceilings.problems(sources.read(path))
    ]
    assert found == []


@pytest.mark.parametrize(
    "path", [path for path in sources.PYTHON if path.parts[0] == "idp"], ids=str
)
def test_no_module_is_a_drawer(path: Path) -> None:
    assert DRAWERS.isdisjoint([*path.parent.parts, path.stem])
