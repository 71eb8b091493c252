"""What stores really answer when something is wrong with them, and the sentence made of it."""

import contextlib
import errno
import os
import socket
import urllib.parse
from pathlib import Path

import psycopg
import pytest

from carepost.ground import database, postgres, storefaults


def _raised(path: Path, act: str, *, readonly: bool = False) -> str:
    with pytest.raises(database.DatabaseError) as caught:
        _act(path, act, readonly)
    found = storefaults.told(caught.value)
    assert found is not None and found.public == f"{found.what}: {found.mend}."
    return found.code


def test_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with contextlib.closing(database.connect(path, None)) as connection:
        connection.execute("CREATE TABLE one (a)")
        assert _raised(path, "CREATE TABLE two (a)", readonly=True) == "read-only"
        assert _raised(path, "SELECT * FROM three") == "other-tables"
        assert _raised(path, "SELECT b FROM one") == "other-tables"
        assert _raised(path, "CREATE TABLE one (a)") == "mixed-tables"
        assert _raised(path, "ALTER TABLE one ADD COLUMN a") == "mixed-tables"
        connection.execute("BEGIN IMMEDIATE")
        assert _raised(path, "INSERT INTO one VALUES (1)") == "database-locked"
        connection.execute("ROLLBACK")
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(database.DatabaseError) as caught:
            connection.execute("CREATE TABLE large AS SELECT randomblob(100000)")
        assert storefaults.told(caught.value).code == "disk-full"  # type: ignore[union-attr]
    assert _raised(tmp_path / "no" / "a.db", "SELECT 1") == "cannot-open"
    path.write_bytes(path.read_bytes()[:4096])
    assert _raised(path, "SELECT * FROM one") == "database-damaged"


def _act(path: Path, act: str, readonly: bool) -> None:
    with contextlib.closing(database.connect(path, None, readonly=readonly, timeout=0.0)) as connection:
        connection.execute(act)


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "disk-full"), (errno.EROFS, "read-only"), (errno.EIO, "disk-failing")]
)
def test_the_system(number: int, code: str) -> None:
    found = storefaults.told(OSError(number, os.strerror(number)))
    assert found is not None and found.code == code


def test_what_it_was_raised_from_counts_and_what_is_none_of_a_store_does_not() -> None:
    raised = RuntimeError("the file was not written")
    raised.__cause__ = OSError(errno.ENOSPC, "x")
    found = storefaults.told(raised)
    assert found is not None and found.code == "disk-full"
    assert _while_handling(None).code == "disk-full"  # type: ignore[union-attr]
    assert _while_handling(RuntimeError("said to be no matter")) is None
    raised.__cause__.__context__ = raised
    raised.__cause__.__cause__ = raised
    assert storefaults.told(raised) is not None, "a ring of causes ends"
    assert storefaults.told(ValueError("database is locked")) is None
    assert storefaults.told(FileNotFoundError(errno.ENOENT, "x")) is None


def _while_handling(instead: Exception | None) -> storefaults.StoreFault | None:
    """What is told of an error raised while a full disk was being handled. `instead`: raised `from` nothing."""
    try:
        try:
            raise OSError(errno.ENOSPC, "x")
        except OSError:
            if instead is not None:
                raise instead from None
            raise RuntimeError("to put it back failed too")  # noqa: B904
    except RuntimeError as error:
        return storefaults.told(error)


def _refused(url: str) -> str:
    with pytest.raises(psycopg.Error) as caught:
        psycopg.connect(url, connect_timeout=2).close()
    found = storefaults.told(caught.value)
    assert found is not None, str(caught.value)
    return found.code


@pytest.mark.postgres
def test_postgresql(postgres_url: str) -> None:
    parts = urllib.parse.urlsplit(postgres_url)
    host = parts.netloc.rpartition("@")[2]
    assert _refused(parts._replace(netloc=f"{parts.username}:wrong@{host}").geturl()) == "postgres-login"
    assert _refused(parts._replace(path="/nowhere").geturl()) == "postgres-no-database"
    # a bound port nobody listens on refuses; one that is listened on and not answered is silent
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        login = parts.netloc.rpartition("@")[0]
        assert _refused(parts._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()) == "postgres-away"
        bound.listen()
        assert _refused(parts._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()) == "postgres-away"
    with psycopg.connect(postgres_url, autocommit=True, options="-c default_transaction_read_only=on") as connection:
        for act, code in (
            ("SELECT * FROM nowhere", "other-tables"),
            ("CREATE TABLE storefaults_a (b int)", "postgres-read-only"),
        ):
            with pytest.raises(psycopg.Error) as caught:
                connection.execute(act)
            assert storefaults.told(caught.value).code == code  # type: ignore[union-attr]


@pytest.mark.postgres
def test_a_server_that_is_alive_and_stuck_is_not_waited_for_for_ever(postgres_url: str) -> None:
    with (
        psycopg.connect(postgres_url, autocommit=True) as holding,
        psycopg.connect(postgres_url, autocommit=True) as asking,
    ):
        holding.execute("SELECT pg_advisory_lock(4711)")
        for statement_s, lock_s in ((60, 1), (1, 60)):
            for bound in postgres.bounds(statement_s, lock_s):
                asking.execute(bound.encode())
            with pytest.raises(psycopg.OperationalError) as caught:
                asking.execute("SELECT pg_advisory_lock(4711)")
            assert storefaults.told(caught.value).code == "postgres-stuck"  # type: ignore[union-attr]


@pytest.mark.postgres
def test_postgresql_without_a_connection_left(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as owner, contextlib.ExitStack() as held:
        owner.execute("DROP ROLE IF EXISTS storefaults_one")
        owner.execute("CREATE ROLE storefaults_one LOGIN PASSWORD 'x' CONNECTION LIMIT 1")
        try:
            parts = urllib.parse.urlsplit(postgres_url)
            url = parts._replace(netloc=f"storefaults_one:x@{parts.netloc.rpartition('@')[2]}").geturl()
            held.enter_context(contextlib.closing(psycopg.connect(url)))
            assert _refused(url) == "postgres-crowded"
        finally:
            held.close()
            owner.execute("DROP ROLE storefaults_one")
