"""What the journal did last, by name; survives a restart."""

from carepost.audit.store import Store


class Marks:
    """Over `archive_mark`, on the connection of `store`; one thread at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, name: str) -> int:
        """0 when it was never done."""
        with self._store.reading(None):
            rows = self._store.rows("SELECT value FROM archive_mark WHERE name = ?", (name,))
        return int(rows[0][0]) if rows else 0

    def put(self, name: str, value: int) -> None:
        with self._store.writing():
            self._store.rows(
                "INSERT INTO archive_mark (name, value) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )
