"""On PostgreSQL the logs of one organisation are unseen under another's name, and nothing is seen under none."""

from typing import Any

import psycopg
import pytest

from carepost.ground import ids

pytestmark = pytest.mark.postgres

TABLES = ("audit_leaf", "audit_node", "audit_on", "audit_checkpoint", "audit_key")


def test_rows_are_seen_under_their_organisation_only(on_postgres: Any) -> None:
    on_postgres.grow(3)
    for table in TABLES:
        with on_postgres.store.reading(on_postgres.org):
            orgs = {bytes(org) for (org,) in on_postgres.store.rows(f"SELECT DISTINCT org FROM {table}")}
        assert orgs == {on_postgres.org}, table
        assert on_postgres.store.rows(f"SELECT * FROM {table}") == []
        with on_postgres.store.reading(on_postgres.third):
            assert on_postgres.store.rows(f"SELECT * FROM {table}") == []


def test_a_read_writes_nothing_and_no_scope_writes_for_another(on_postgres: Any) -> None:
    on_postgres.grow(1)
    insert = "INSERT INTO audit_on (org, subject, idx) VALUES (?, ?, 99)"
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), on_postgres.store.reading(on_postgres.org):
        on_postgres.store.rows(insert, (on_postgres.org, b"x"))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        on_postgres.store.rows(insert, (on_postgres.org, b"x"))
    with on_postgres.store._connection.transaction(force_rollback=True):
        on_postgres.store.rows("SELECT set_config('carepost.org', ?, true)", (ids.text(on_postgres.org),))
        on_postgres.store.rows(insert, (on_postgres.org, b"x"))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            on_postgres.store.rows(insert, (on_postgres.other, b"x"))
