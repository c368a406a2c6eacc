"""Statements of the hot paths: written with SQLAlchemy like all others, compiled once, and handed to the driver as they
are. What SQLAlchemy does around each statement takes longer than either database takes to answer it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, Select, UpdateBase
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session

Row = tuple[Any, ...]
Convert = Callable[[Any], Any]


class Prepared:
    """One statement. What it is given, and what it finds, are the types that its columns have in Python."""

    def __init__(self, statement: Select[*tuple[Any, ...]] | UpdateBase) -> None:
        self.statement = statement
        self.compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection | Session, values: Mapping[str, Any]) -> list[Row]:
        """Of a SELECT, or of what returns rows."""
        found, compiled = self._run(connection, values, lambda cursor: cursor.fetchall())
        return [compiled.read(row) for row in found]

    def count(self, connection: Connection | Session, values: Mapping[str, Any]) -> int:
        """How many rows it touched."""
        touched, _ = self._run(connection, values, lambda cursor: cursor.rowcount)
        return cast("int", touched)

    def _run(
        self, connection: Connection | Session, values: Mapping[str, Any], answer: Callable[[Any], Any]
    ) -> "tuple[Any, _Compiled]":
        """Raises what SQLAlchemy raises: its own errors, made of the driver's."""
        through = connection.connection() if isinstance(connection, Session) else connection
        dialect = through.dialect
        compiled = self.compiled.get(dialect.name) or self._compile(dialect)
        cursor = through.connection.cursor()
        try:
            cursor.execute(compiled.text, compiled.given(values))
            return answer(cursor), compiled
        except dialect.loaded_dbapi.Error as error:
            # Raises it as SQLAlchemy's own, and lets go of a connection that died.
            through._handle_dbapi_exception(error, compiled.text, None, cursor, None)  # noqa: SLF001
        finally:
            cursor.close()

    def _compile(self, dialect: Dialect) -> "_Compiled":
        compiled = self.statement.compile(dialect=dialect)
        binders = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect) for bind, name in compiled.bind_names.items()
        }
        columns = self.statement.exported_columns
        converted = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        made = _Compiled(
            text=str(compiled),
            constants={name: value for name, value in compiled.params.items() if value is not None},
            binders=binders,
            positions=tuple(cast("Any", compiled).positiontup or ()),
            readers=tuple((place, convert) for place, convert in enumerate(converted) if convert is not None),
        )
        self.compiled[dialect.name] = made
        return made


@dataclass(frozen=True, slots=True)
class _Compiled:
    """`positions`: which value stands where, for a driver that knows them by place and not by name. `readers`: what is
    made of which column, where the driver's own will not do.
    """

    text: str
    constants: Mapping[str, Any]
    binders: Mapping[str, Convert | None]
    positions: tuple[str, ...]
    readers: tuple[tuple[int, Convert], ...]

    def given(self, values: Mapping[str, Any]) -> Any:
        """As the driver takes them."""
        bound = {
            name: value if convert is None else convert(value)
            for name, convert in self.binders.items()
            for value in (values[name] if name in values else self.constants[name],)
        }
        return tuple(bound[name] for name in self.positions) if self.positions else bound

    def read(self, row: Row) -> Row:
        """As the driver found it; NULL is None, whatever its column."""
        read = list(row)
        for place, convert in self.readers:
            if read[place] is not None:
                read[place] = convert(read[place])
        return tuple(read)
