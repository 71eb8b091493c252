"""One connection that is opened again when it broke, for questions beside the groups of a shard."""

import threading
from typing import Any

import psycopg

from carepost.ground import log
from carepost.ground.errors import Unavailable
from carepost.spool.postgres import schema


class Asking:
    """Callable from any thread, one question at a time. `name`: as the server lists it."""

    def __init__(self, url: str, name: str) -> None:
        self._url, self._name = url, name
        self._lock = threading.Lock()
        self._connection: schema.Connection | None = None

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Raises Unavailable when the server does not answer."""
        with self._lock:
            for again in (True, False):
                try:
                    if self._connection is None:
                        self._connection = schema.connect(self._url, self._name)
                    cursor = self._connection.execute(sql.encode(), values)
                    return cursor.fetchall() if cursor.description else []
                except psycopg.Error as error:
                    kept, self._connection = self._connection, None
                    if kept is not None:
                        kept.close()
                    if not again or not isinstance(error, psycopg.OperationalError):
                        log.failure("spool-holding-failed", error)
                        break
        raise Unavailable("spool-away", "The database of the spool does not answer; try again later.")

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
