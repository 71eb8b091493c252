"""Every table belongs to one organisation or is listed as shared; keys of one organisation never point to another."""

import pytest
from django.apps import apps
from django.db import connection, connections, models

from carepost.directory import ownkeys, shelf, threads
from carepost.directory.sql import COLUMNS
from carepost.tenancy.postgres import SHARED

pytestmark = pytest.mark.django_db(databases=["default", "records"])

#: tables whose rows belong to an organisation without a column of that name
OWN = {"tenancy_organisation": "id", "tenancy_orgepoch": "org_id"}


def our_models() -> list[type[models.Model]]:
    ours = [config for config in apps.get_app_configs() if config.name.startswith("carepost.")]
    return [m for config in ours for m in config.get_models()]


def columns(model: type[models.Model]) -> set[str]:
    return {field.column for field in model._meta.local_concrete_fields}


def owned(model: type[models.Model]) -> bool:
    return "org_id" in columns(model)


def test_every_model_has_an_organisation_or_is_listed_as_shared() -> None:
    for model in our_models():
        table = model._meta.db_table
        assert owned(model) or table in SHARED or table in OWN, table


def test_every_table_of_an_organisation_has_org_and_id_unique_together() -> None:
    for model in our_models():
        if not owned(model) or model._meta.db_table in OWN:
            continue
        unique = [set(c.fields) for c in model._meta.constraints if isinstance(c, models.UniqueConstraint)]
        names = {f.name if f.name == "org" else f.column for f in model._meta.fields if f.column in ("org_id", "id")}
        assert names in unique, model._meta.db_table


def test_no_row_of_all_organisations_points_into_one() -> None:
    for model in our_models():
        if owned(model):
            continue
        for field in model._meta.fields:
            to = field.related_model
            assert not (isinstance(to, type) and issubclass(to, models.Model) and owned(to)), (model, field)


def test_the_engine_views_are_the_directorys() -> None:
    with connection.cursor() as cursor:
        names = {view.name for view in connection.introspection.get_table_list(cursor) if view.type == "v"}
        contract = {**COLUMNS, **shelf.COLUMNS, threads.VIEW: threads.COLUMNS, ownkeys.VIEW: ownkeys.COLUMNS}
        assert {n for n in names if n.startswith("engine_")} == set(contract)
        for view, expected in contract.items():
            cursor.execute(f"SELECT * FROM {view} WHERE 1 = 0")
            assert sorted(c[0] for c in cursor.description) == sorted(("org", *expected)), view


def tables(alias: str) -> dict[str, set[str]]:
    with connections[alias].cursor() as cursor:
        listed = connections[alias].introspection.get_table_list(cursor)
        return {
            t.name: {c.name for c in connections[alias].introspection.get_table_description(cursor, t.name)}
            for t in listed
            if t.type in ("t", "p")
        }


def test_every_table_there_is_has_an_organisation_or_is_listed_as_shared() -> None:
    for alias in ("default", "records"):
        for name, found in tables(alias).items():
            assert "org_id" in found or name in SHARED or name in OWN or name.startswith("audit_"), (alias, name)


def test_sqlite_enforces_foreign_keys() -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_postgresql_has_composite_keys_and_forced_row_security() -> None:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT t.relname, k.contype, r.relname,
                   ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, i)
                         JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i)
            FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid LEFT JOIN pg_class r ON r.oid = k.confrelid
            WHERE k.contype IN ('p', 'f') AND k.connamespace = current_schema()::regnamespace""")
        constraints = cursor.fetchall()
        have_org = {name for name, found in tables("default").items() if "org_id" in found}
        for table, kind, other, names in constraints:
            if kind == "p" and table in have_org and table != "archive_effect":
                assert names[0] == "org_id", table
            if kind == "f" and table in have_org and other in have_org:
                assert names[0] == "org_id", (table, other)
        cursor.execute("""
            SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
            AND NOT (relrowsecurity AND relforcerowsecurity)""")
        assert {name for (name,) in cursor.fetchall()} <= SHARED


def test_a_later_migration_refers_to_tables_of_an_earlier_release() -> None:
    """Their primary key is (org_id, id) by then: a reference to `id` alone would be refused at the upgrade."""
    if connection.vendor != "postgresql":
        return
    deposit = apps.get_model("mailbox", "Deposit")
    with connection.schema_editor(atomic=False) as editor:
        own = str(editor._create_fk_sql(deposit, deposit._meta.get_field("thread"), "_later"))
        item = apps.get_model("cold", "Item")
        shared = str(editor._create_fk_sql(item, item._meta.get_field("target"), "_later"))
    assert '("org_id", "thread_id") REFERENCES "mailbox_thread" ("org_id", "id")' in own
    assert '("target_id") REFERENCES "cold_target" ("id")' in shared
