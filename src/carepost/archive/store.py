"""The log and history of this installation as the office reads them: the `records` database behind `audit.store`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from carepost.audit.store import PostgresStore, SqliteStore, Store
from carepost.ground import ids

#: where a connection keeps whose history is being read on it; and what is nobody, for None is everybody
_READING: Final = "carepost_reading"
_NOBODY: Final = b"nobody"


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
            with _once(self._wrapper, org, super().reading):
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
            with _once(self._wrapper, org, super().reading):
                yield


@contextmanager
def _once(
    wrapper: Any, org: bytes | None, begin: Callable[[bytes | None], AbstractContextManager[None]]
) -> Iterator[None]:
    """Within a reading of the same organisation it goes on: over a connection each costs four statements more."""
    if wrapper.__dict__.get(_READING, _NOBODY) == org:
        yield
        return
    with begin(org):
        wrapper.__dict__[_READING] = org
        try:
            yield
        finally:
            del wrapper.__dict__[_READING]


@contextmanager
def speaking(connection: Any, org: str) -> Iterator[None]:
    """Row security's organisation (UUID text, or "*") within a transaction of PostgreSQL that goes on afterwards."""
    before = connection.execute("SELECT current_setting('carepost.org', true)").fetchone()[0] or ""
    connection.execute("SELECT set_config('carepost.org', %s, true)", (org,))
    yield
    connection.execute("SELECT set_config('carepost.org', %s, true)", (before,))
