"""Statements of the hot paths: SQLAlchemy words them once, and from then on the driver runs them.

Through `Connection.execute` the same work costs three to five times as much. What depends on the
values in more than these (lists, a choice of columns) can't be such a statement.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Dialect, Insert, TextualSelect
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import Select

from idp.store.errors import renamed

Clause = Select[Any] | CompoundSelect[Any] | TextualSelect | UpdateBase
Values = Mapping[str, Any]
Row = dict[str, Any]
Conversions = Sequence[tuple[str, Callable[[Any], Any]]]


class Statement:
    """A statement with named parameters; what an INSERT gets no value for is NULL.

    Every way to run it raises Conflict and StoreUnavailable.
    """

    def __init__(self, clause: Clause) -> None:
        self._clause = clause
        self._wordings: dict[str, _Wording] = {}

    def first(self, connection: Connection, values: Values) -> Row | None:
        """Return the first row; None when there is none."""
        wording = self._wording(connection)
        cursor = wording.run(connection, values)
        found = cursor.fetchone()
        cursor.close()
        return wording.row(found) if found else None

    def all(self, connection: Connection, values: Values) -> list[Row]:
        """Return every row."""
        wording = self._wording(connection)
        return [wording.row(found) for found in wording.run(connection, values).fetchall()]

    def run(self, connection: Connection, values: Values) -> int:
        """Return how many rows were changed."""
        cursor = self._wording(connection).run(connection, values)
        changed: int = cursor.rowcount
        cursor.close()
        return changed

    def _wording(self, connection: Connection) -> "_Wording":
        dialect = connection.dialect
        wording = self._wordings.get(dialect.name)
        if wording is None:
            wording = self._wordings[dialect.name] = _Wording(self._clause, dialect)
        return wording


class _Wording:
    """A statement as one kind of database takes it."""

    def __init__(self, clause: Clause, dialect: Dialect) -> None:
        if dialect.positional:
            kind: Any = type(dialect)
            dialect = kind(paramstyle="named")
        compiled = clause.compile(dialect=dialect)
        binds, columns = compiled.binds, clause.exported_columns
        self._text = str(compiled)
        self._known = len(binds)
        self._fixed = {
            name: bind.value
            for name, bind in binds.items()
            if not bind.required or isinstance(clause, Insert)
        }
        self._into: Conversions = [
            (name, convert)
            for name, bind in binds.items()
            if (convert := bind.type.dialect_impl(dialect).bind_processor(dialect))
        ]
        self._names = [str(column.key) for column in columns]
        self._outof: Conversions = [
            (str(column.key), convert)
            for column in columns
            if (convert := column.type.dialect_impl(dialect).result_processor(dialect, None))
        ]

    def run(self, connection: Connection, values: Values) -> Any:
        """Run it and return the driver's cursor."""
        prepared = {**self._fixed, **values}
        if len(prepared) != self._known:
            raise TypeError(f"Other values are needed than {sorted(values)}: {self._text}")
        for name, convert in self._into:
            prepared[name] = convert(prepared[name])
        raw: Any = connection.connection.driver_connection
        try:
            return raw.execute(self._text, prepared)
        except connection.dialect.loaded_dbapi.Error as error:
            raise renamed(error, connection.dialect.loaded_dbapi) or error from error

    def row(self, found: Sequence[Any]) -> Row:
        """Return a row by the names of its columns."""
        row = dict(zip(self._names, found, strict=True))
        for name, convert in self._outof:
            row[name] = convert(row[name])
        return row
