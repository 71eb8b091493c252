"""What the journal did last, by name; survives a restart."""

from collections.abc import Sequence

from carepost.audit.store import Store


class Marks:
    """Over `archive_mark`, on the connection of `store`; one thread at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, name: str) -> int:
        """0 when it was never done."""
        return self.several([name])[0]

    def several(self, names: Sequence[str]) -> list[int]:
        """One number each, in one reading; some hundreds at most."""
        if not names:
            return []
        marks = ", ".join("?" * len(names))
        with self._store.reading(None):
            rows = self._store.rows(f"SELECT name, value FROM archive_mark WHERE name IN ({marks})", tuple(names))  # noqa: S608
        found = {str(name): int(value) for name, value in rows}
        return [found.get(name, 0) for name in names]

    def put(self, name: str, value: int) -> None:
        with self._store.writing():
            self._store.rows(
                "INSERT INTO archive_mark (name, value) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )
