"""The log and history of this installation as the office reads them: the `records` database behind `audit.store`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from carepost.audit.store import PostgresStore, SqliteStore, Store
from carepost.ground import ids


def store() -> Store:
    """On this thread's connection of the alias `records`."""
    wrapper = connections["records"]
    wrapper.ensure_connection()
    return _Postgres(wrapper) if settings.CAREPOST_ONE_DATABASE else _Sqlite(wrapper)


class _Sqlite(SqliteStore):
    """Inside a transaction of Django's its state is read as it stands."""

    def __init__(self, wrapper: BaseDatabaseWrapper) -> None:
        super().__init__(wrapper.connection)
        self._wrapper = wrapper

    @contextmanager
    def reading(self, org: bytes | None) -> Iterator[None]:
        if self._wrapper.in_atomic_block:
            yield
        else:
            with super().reading(org):
                yield


class _Postgres(PostgresStore):
    """Inside a transaction of Django's the organisation is set for as long as is read, and then what it was before."""

    def __init__(self, wrapper: Any) -> None:
        super().__init__(wrapper.connection)
        self._wrapper = wrapper

    @contextmanager
    def reading(self, org: bytes | None) -> Iterator[None]:
        if self._wrapper.in_atomic_block:
            with speaking(self._wrapper.connection, "*" if org is None else ids.text(org)):
                yield
        else:
            with super().reading(org):
                yield


@contextmanager
def speaking(connection: Any, org: str) -> Iterator[None]:
    """Row security's organisation (UUID text, or "*") within a transaction of PostgreSQL that goes on afterwards."""
    before = connection.execute("SELECT current_setting('carepost.org', true)").fetchone()[0] or ""
    connection.execute("SELECT set_config('carepost.org', %s, true)", (org,))
    yield
    connection.execute("SELECT set_config('carepost.org', %s, true)", (before,))
