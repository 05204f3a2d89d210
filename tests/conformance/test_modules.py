"""Each name in modules.txt has a test function of its own, with two assertions at least.

That it makes a request is checked while it runs, by the fixture `asked`.
"""

import ast
from collections import Counter
from dataclasses import replace
from pathlib import Path

from tests.conformance.plans import LISTS, MODULES, OTHER_METHODS, plans_of

HERE = Path(__file__).parent
FILES = (
    "test_basic.py",
    "test_dynamic.py",
    "test_config.py",
    "test_rp_initiated_logout.py",
    "test_back_channel_logout.py",
    "test_front_channel_logout.py",
    "test_session_management.py",
    "test_third_party_login.py",
)
REPEATED = MODULES[: MODULES.index("ensure-request-without-nonce-fails") + 1]


def functions() -> list[ast.FunctionDef]:
    trees = [ast.parse((HERE / name).read_text("utf-8")) for name in FILES]
    return [
        node
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def function_of(name: str) -> str:
    return "test_" + name.lower().replace("-", "_")


def test_each_module_has_one_function_and_each_function_one_module() -> None:
    assert len(MODULES) == len(set(MODULES)) == 77
    found = Counter(function.name for function in functions())
    assert found == Counter(function_of(name) for name in MODULES)


def test_each_function_asserts_twice() -> None:
    few = [
        function.name
        for function in functions()
        if sum(isinstance(node, ast.Assert) for node in ast.walk(function)) < 2
    ]
    assert few == []


def test_each_function_is_watched_for_a_request() -> None:
    for name in FILES:
        text = (HERE / name).read_text("utf-8")
        assert 'pytestmark = pytest.mark.usefixtures("asked")' in text, name


def test_each_list_has_as_many_modules_as_the_suite_s() -> None:
    number = Counter(
        name for module in REPEATED for name, plans in plans_of(module).items() if plans
    )
    assert number.keys() == LISTS.keys()
    assert {number[name] for name in ("Basic", "Form Post Basic")} == {38}
    assert {number[name] for name in ("Hybrid", "Form Post Hybrid")} == {37}
    assert {number[name] for name in ("Implicit", "Form Post Implicit")} == {31}
    # The module for client_secret_post is that method's already.
    assert {number[f"Basic by {method}"] for method in OTHER_METHODS} == {37}


def test_each_list_is_run_with_every_response_type_and_both_kinds_of_clients() -> None:
    run = {plan for module in REPEATED for plans in plans_of(module).values() for plan in plans}
    for plans in LISTS.values():
        for plan in plans:
            assert {replace(plan, dynamic=False), replace(plan, dynamic=True)} <= run, plan
