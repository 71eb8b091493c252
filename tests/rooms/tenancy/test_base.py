"""The databases under Django: both aliases, keys of the home, pragmas."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connections

from carepost.ground import home
from carepost.ground.keys import MasterKeyring


@pytest.mark.django_db(databases=["default", "records"])
def test_both_aliases_answer() -> None:
    for alias in ("default", "records"):
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT %s + 1", [41])
            assert cursor.fetchone() == (42,)


def run(code: str, at: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "CAREPOST_HOME": str(at)}
    environ.pop("CAREPOST_SETTINGS_CHECK", None)
    return subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=280)


def test_a_migrated_home_is_encrypted_and_opens_with_its_keyring_only(tmp_path: Path) -> None:
    made = home.create(tmp_path / "home", sandbox=True)
    MasterKeyring.create(made.keyring())
    code = """
from carepost.settings import boot

from carepost.settings.migrate import migrate
migrate()
from django.db import connections
for alias in ("default", "records"):
    with connections[alias].cursor() as c:
        for pragma in ("journal_mode", "synchronous", "secure_delete", "temp_store", "foreign_keys"):
            print(alias, pragma, c.execute("PRAGMA " + pragma).fetchone()[0])
"""
    done = run(code, made.path)
    assert done.returncode == 0, done.stderr
    for alias in ("default", "records"):
        for line in ("journal_mode wal", "synchronous 2", "secure_delete 1", "temp_store 2", "foreign_keys 1"):
            assert f"{alias} {line}" in done.stdout
    for file in (made.office_db, made.records_db):
        assert b"SQLite format 3" not in file.read_bytes()
        assert b"tenancy_organisation" not in file.read_bytes()
    made.keyring().unlink()
    MasterKeyring.create(made.keyring())
    again = run("from carepost.settings import boot\nboot.setup('staff')\n"
                "from django.db import connection\nconnection.ensure_connection()", made.path)  # fmt: skip
    assert again.returncode != 0
    assert "keyring does not open" in again.stderr
