"""Each name in modules.txt has a test function of its own, with two assertions at least.

That it makes a request is checked while it runs, by the fixture `asked`.
"""

import ast
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
LINES = (HERE / "modules.txt").read_text("utf-8").splitlines()
NAMES = [line for line in LINES if line and not line.startswith("#")]
MODULES = (
    "test_basic.py",
    "test_dynamic.py",
    "test_config.py",
    "test_rp_initiated_logout.py",
    "test_back_channel_logout.py",
    "test_front_channel_logout.py",
    "test_session_management.py",
    "test_third_party_login.py",
)


def functions() -> list[ast.FunctionDef]:
    trees = [ast.parse((HERE / name).read_text("utf-8")) for name in MODULES]
    return [
        node
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def function_of(name: str) -> str:
    return "test_" + name.lower().replace("-", "_")


def test_each_module_has_one_function_and_each_function_one_module() -> None:
    assert len(NAMES) == len(set(NAMES)) == 67
    found = Counter(function.name for function in functions())
    assert found == Counter(function_of(name) for name in NAMES)


def test_each_function_asserts_twice() -> None:
    few = [
        function.name
        for function in functions()
        if sum(isinstance(node, ast.Assert) for node in ast.walk(function)) < 2
    ]
    assert few == []


def test_each_function_is_watched_for_a_request() -> None:
    for name in MODULES:
        text = (HERE / name).read_text("utf-8")
        assert 'pytestmark = pytest.mark.usefixtures("asked")' in text, name
