"""A backup of an office in PostgreSQL does not wait for ever for whoever holds the log's lock."""

from pathlib import Path

import psycopg
import pytest

from carepost.audit.store import WRITER_LOCK
from carepost.ground import home as homes
from carepost.ground import storefaults
from carepost.processes.backup import office

pytestmark = pytest.mark.postgres


def test_a_journal_that_stands_still_ends_the_backup_with_words(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office, "_LOCK", 1)
    home = homes.create(tmp_path / "home")
    with psycopg.connect(postgres_url, autocommit=True) as journal:
        journal.execute("SELECT pg_advisory_lock(%s)", (WRITER_LOCK,))
        with (
            pytest.raises(psycopg.errors.LockNotAvailable) as caught,
            office.taken(home, postgres_url, tmp_path / "dump"),
        ):
            pass
        found = storefaults.told(caught.value)
        assert found is not None and found.code == "postgres-stuck" and "pg_stat_activity" in found.mend
        assert not (tmp_path / "dump").exists()
