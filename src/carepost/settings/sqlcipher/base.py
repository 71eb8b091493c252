"""Django's SQLite backend with `sqlcipher3` in place of the standard library's module.

The two modules have the same interface but separate types, so converters, adapters, cursor and errors are bound to
sqlcipher3's here. Key and pragmas are those of `ground.database` (WAL, synchronous=FULL, secure_delete,
temp_store=MEMORY); `transaction_mode` IMMEDIATE comes from the settings.
"""

import datetime
import decimal
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3._functions import (  # type: ignore[import-untyped]
    register as register_functions,
)
from django.utils.dateparse import parse_date, parse_datetime, parse_time
from sqlcipher3 import dbapi2

from carepost.ground import database

dbapi2.register_converter("bool", b"1".__eq__)
dbapi2.register_converter("date", base.decoder(parse_date))
dbapi2.register_converter("time", base.decoder(parse_time))
dbapi2.register_converter("datetime", base.decoder(parse_datetime))
dbapi2.register_converter("timestamp", base.decoder(parse_datetime))
dbapi2.register_adapter(decimal.Decimal, str)
dbapi2.register_adapter(datetime.date, base.adapt_date)
dbapi2.register_adapter(datetime.datetime, base.adapt_datetime)


class Cursor(dbapi2.Cursor):  # type: ignore[misc]  # the C module has no stubs
    """Django's %s and %(name)s in place of SQLite's ? and :name."""

    convert_query = base.SQLiteCursorWrapper.convert_query

    def execute(self, query: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> "Cursor":
        if params is None:
            return super().execute(query)  # type: ignore[no-any-return]
        names = list(params) if isinstance(params, Mapping) else None
        return super().execute(self.convert_query(query, param_names=names), params)  # type: ignore[no-any-return]

    def executemany(self, query: str, param_list: Iterable[Any]) -> "Cursor":
        rows = list(param_list)
        names = list(rows[0]) if rows and isinstance(rows[0], Mapping) else None
        return super().executemany(self.convert_query(query, param_names=names), rows)  # type: ignore[no-any-return]


class DatabaseWrapper(base.DatabaseWrapper):
    Database = dbapi2

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        self._raw_key = params.pop("raw_key", None)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = dbapi2.connect(**conn_params)
        if not self.is_in_memory_db():
            database.prepare(connection, self._raw_key() if self._raw_key else None, str(conn_params["database"]))
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA legacy_alter_table = OFF")
        register_functions(connection)
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        return self.connection.cursor(factory=Cursor)
