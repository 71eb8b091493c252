"""PostgreSQL for the office: `carepost.org` is set in each transaction, so that row security knows the organisation.

The value is `tenancy.scope.active()` and is local to the transaction: a connection handed to somebody else carries
nothing. A statement outside a transaction gets one of its own around it when an organisation is active.
"""

from collections.abc import Callable
from typing import Any

from django.db.backends.ddl_references import Columns, Statement
from django.db.backends.postgresql import base
from django.db.backends.postgresql import schema as editing

from carepost.tenancy import scope

_SAVEPOINTS = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")
_SET = "SELECT set_config('carepost.org', %s, true)"


_KEY = """
SELECT array_length(k.conkey, 1) FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
WHERE k.contype = 'p' AND t.relname = %s AND k.connamespace = current_schema()::regnamespace"""


class SchemaEditor(editing.DatabaseSchemaEditor):
    """References to tables of an earlier release: their primary key is (org_id, id) by then (`tenancy.postgres`)."""

    #: a column's reference is made as a table's is, by the method below
    sql_create_column_inline_fk = ""

    def _create_fk_sql(self, model: Any, field: Any, suffix: str) -> Statement:
        made: Statement = super()._create_fk_sql(model, field, suffix)  # type: ignore[misc]
        to = field.target_field.model._meta.db_table
        with self.connection.cursor() as cursor:
            cursor.execute(_KEY, [to])
            row = cursor.fetchone()
        if row is not None and row[0] == 2:
            made.parts["column"] = Columns(model._meta.db_table, ["org_id", field.column], self.quote_name)
            made.parts["to_column"] = Columns(to, ["org_id", field.target_field.column], self.quote_name)
        return made


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = SchemaEditor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: what the running transaction was told last; None: nothing yet
        self._told: str | None = None
        self.execute_wrappers.append(self._scoped)

    def set_autocommit(self, *args: Any, **kwargs: Any) -> None:
        self._told = None
        super().set_autocommit(*args, **kwargs)

    def savepoint_rollback(self, sid: str) -> None:
        super().savepoint_rollback(sid)
        # what was set inside the savepoint is undone with it
        self._told = None

    def rollback(self) -> None:
        self._told = None
        super().rollback()

    def commit(self) -> None:
        self._told = None
        super().commit()

    def close(self) -> None:
        self._told = None
        super().close()

    def _scoped(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        active = scope.active()
        if not self.get_autocommit():
            # a transaction that failed takes nothing but the end of its savepoint
            if active != (self._told or "") and not sql.startswith(_SAVEPOINTS):
                self.connection.execute(_SET, (active,))
                self._told = active
            return execute(sql, params, many, context)
        if not active:
            return execute(sql, params, many, context)
        with self.connection.transaction():
            self.connection.execute(_SET, (active,))
            return execute(sql, params, many, context)
