"""What is the same in every application of a run is made once: a run builds thousands of them.

Whatever is kept depends on nothing but the text that it is made of, and nobody changes it.
"""

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from idp.domain import policy_files
from idp.domain.policies import PolicySet, Schema, Source, parse
from idp.store.database import Store

_STATEMENTS = 4000


@pytest.fixture(scope="session", autouse=True)
def _made_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        _addresses(patch)
        _policies(patch)
        _statements(patch)
        yield


def _addresses(patch: pytest.MonkeyPatch) -> None:
    """Werkzeug compiles a rule to code that depends on its text alone: 40 ms for an application."""
    compiled: dict[tuple[str, bool], Any] = {}
    compiles = Rule._compile_builder

    def remembered(rule: Rule, append_unknown: bool = True) -> Any:
        key = rule.rule, append_unknown
        if key not in compiled:
            compiled[key] = compiles(rule, append_unknown)
        return compiled[key]

    patch.setattr(Rule, "_compile_builder", remembered)


def _policies(patch: pytest.MonkeyPatch) -> None:
    """Those that are shipped are parsed and checked once: 10 ms."""

    @functools.cache
    def shipped(schema: Schema, sources: tuple[Source, ...]) -> PolicySet:
        return parse(schema, sources)

    def remembered(schema: Schema, sources: Sequence[Source]) -> PolicySet:
        read = shipped if all(source.shipped for source in sources) else parse
        return read(schema, tuple(sources))

    patch.setattr(policy_files, "Schema", functools.cache(Schema))
    patch.setattr(policy_files, "parse", remembered)


def _statements(patch: pytest.MonkeyPatch) -> None:
    """SQLAlchemy keeps for each engine what it has compiled: 20 ms for a sign-in. SQLite's engines
    differ in nothing that SQL is made of.
    """
    compiled: LRUCache[Any, Any] = LRUCache(_STATEMENTS)
    begins = Store.__init__

    def sharing(store: Store, engine: Engine) -> None:
        if isinstance(engine.dialect, SQLiteDialect_pysqlite):
            engine._compiled_cache = compiled
        begins(store, engine)

    alike = SQLiteDialect_pysqlite
    patch.setattr(alike, "__eq__", lambda one, other: type(one) is type(other), raising=False)
    patch.setattr(alike, "__hash__", lambda one: hash(type(one)), raising=False)
    patch.setattr(Store, "__init__", sharing)
