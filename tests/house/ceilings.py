"""What one file of the server may hold. Each rule takes a parsed file and names what breaks it."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

LINES_PER_FILE = 300
LINES_PER_FUNCTION = 40
BRANCHES_PER_FUNCTION = 8

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DOCUMENTED = (ast.Module, ast.ClassDef, *FUNCTIONS)
BRANCHES = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.ExceptHandler,
    ast.IfExp,
    ast.comprehension,
    ast.match_case,
    ast.BoolOp,
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def problems(text: str) -> Iterator[str]:
    tree = ast.parse(text)
    yield from file_length(text, tree)
    for node in ast.walk(tree):
        for rule in (function_length, branching, hidden_imports, broad_handlers, hollow_bodies):
            yield from (f"line {getattr(node, 'lineno', 0)}: {said}" for said in rule(node))
    yield from unfinished_work(text)


def file_length(text: str, tree: ast.Module) -> Iterator[str]:
    filled = sum(1 for line in text.splitlines() if line.strip())
    lines = filled - sum(docstring_lines(node) for node in ast.walk(tree))
    if lines > LINES_PER_FILE:
        yield f"{lines} lines, at most {LINES_PER_FILE}"


def function_length(node: ast.AST) -> Iterator[str]:
    if isinstance(node, FUNCTIONS):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1 - docstring_lines(node)
        if lines > LINES_PER_FUNCTION:
            yield f"{node.name} has {lines} lines, at most {LINES_PER_FUNCTION}"


def branching(node: ast.AST) -> Iterator[str]:
    if isinstance(node, FUNCTIONS):
        branches = sum(isinstance(inner, BRANCHES) for inner in own_nodes(node))
        if branches > BRANCHES_PER_FUNCTION:
            yield f"{node.name} has {branches} branches, at most {BRANCHES_PER_FUNCTION}"


def hidden_imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, FUNCTIONS) and any(
        isinstance(inner, ast.Import | ast.ImportFrom) for inner in own_nodes(node)
    ):
        yield f"{node.name} hides an import"


def broad_handlers(node: ast.AST) -> Iterator[str]:
    """`except Exception` that swallows, and `suppress(Exception)`."""
    if isinstance(node, ast.ExceptHandler):
        raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
        if is_broad(node.type) and not raises:
            yield "catches everything and does not raise"
    if isinstance(node, ast.Call) and name_of(node.func) == "suppress":
        yield from ("suppresses everything" for caught in node.args if is_broad(caught))


def hollow_bodies(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Raise) and node.exc is not None:
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        if name_of(raised) == "NotImplementedError":
            yield "raises NotImplementedError"


def unfinished_work(text: str) -> Iterator[str]:
    for line, comment in comments(text):
        if UNFINISHED.search(comment):
            yield f"line {line}: {comment}"


def comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function without those of the functions inside it."""
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, FUNCTIONS):
            waiting += ast.iter_child_nodes(node)


def docstring_lines(node: ast.AST) -> int:
    if not isinstance(node, DOCUMENTED) or ast.get_docstring(node, clean=False) is None:
        return 0
    docstring = node.body[0]
    return (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1


def is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(is_broad(one) for one in caught.elts)
    return caught is None or name_of(caught) in ("Exception", "BaseException")


def name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""
