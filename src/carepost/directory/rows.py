"""One row of an `engine_*` view at a time, for what there is too much of to be part of a snapshot."""

import threading
from collections.abc import Callable
from typing import Any

from carepost.ground import log
from carepost.ground.errors import Unavailable


class SqlRows:
    """Over a connection of its own, opened when it is first needed and again after a failure. `select` has two
    placeholders: organisation and id, as 32 hexadecimal digits each (both databases compare an id with its text)."""

    def __init__(self, connect: Callable[[], Any], select: str, begin: tuple[str, ...], failure: str) -> None:
        self._connect = connect
        self._select = select
        self._begin = begin
        self._failure = failure
        self._lock = threading.Lock()
        self._connection: Any = None

    def row(self, org: bytes, row: bytes) -> tuple[Any, ...] | None:
        """Blocking. Raises Unavailable."""
        with self._lock:
            try:
                return self._row(org, row)
            except Exception as error:
                self._drop()
                log.failure(self._failure, error)
                raise Unavailable("office-unreadable", "The office database cannot be read; try again later.") from None

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _row(self, org: bytes, row: bytes) -> tuple[Any, ...] | None:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
        for statement in self._begin:
            connection.execute(statement)
        found: tuple[Any, ...] | None = connection.execute(self._select, (org.hex(), row.hex())).fetchone()
        connection.execute("COMMIT")
        return found

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                connection.close()
        except Exception:  # noqa: S110  it failed already
            pass
