"""What a PostgreSQL spread over several servers (Citus) asks of the tables: each is distributed by its organisation,
every unique key begins with it and every foreign key contains it; or it is small, and each server has a copy."""

import pytest
from django.db import connection

from carepost.tenancy.postgres import SHARED

pytestmark = pytest.mark.django_db(databases=["default", "records"])

#: what a table is distributed by, where that column is not `org_id`
BY = {
    "tenancy_organisation": "id", "audit_leaf": "org", "audit_node": "org", "audit_on": "org", "audit_key": "org",
    "audit_checkpoint": "org",
}  # fmt: skip
#: keys that are unique over all organisations, and why: these stay, as tables of their own, on one server
GLOBAL = {
    # a list of what the journal owes, worked off by it alone in the order of its sources
    ("archive_effect", "kind"),
    # a name to sign in with is nobody else's (docs/decisions/0006)
    ("tenancy_credential", "username"),
    # a short name is one organisation's
    ("tenancy_organisation", "slug"),
}

_KEYS = """
SELECT t.relname, a.attname::text
FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
WHERE i.indisunique AND t.relnamespace = current_schema()::regnamespace"""
_REFERENCES = """
SELECT t.relname, r.relname, ARRAY(SELECT a.attname::text FROM unnest(k.conkey) u(n)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n)
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace"""


def test_every_unique_key_begins_with_the_organisation() -> None:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(_KEYS)
        keys = {(table, first) for table, first in cursor.fetchall() if table not in SHARED}
    assert len(keys) > 30
    wrong = {(table, first) for table, first in keys if first != BY.get(table, "org_id")}
    assert wrong <= GLOBAL, "add the organisation to the key, or say above why it is everybody's"


def test_no_reference_leaves_its_organisation() -> None:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(_REFERENCES)
        found = cursor.fetchall()
    assert len(found) > 30
    for table, other, columns in found:
        if table in SHARED:
            assert other in SHARED, (table, other)
        elif other not in SHARED:
            assert BY.get(table, "org_id") in columns or columns == ["organisation_id"], (table, other, columns)
