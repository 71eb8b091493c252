"""Nodes are changed one after the other while mail goes on: the first of a new version brings the tables to it, and
those of the version before go on working beside it. So a migration only adds, and what is taken away goes one release
after the code that needed it (docs/operations.md).

`tests/vectors/released_migrations.txt` lists what the release before had; a release writes it anew."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db import migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models import NOT_PROVIDED

ROOT = Path(__file__).parents[2]
RELEASED = frozenset((ROOT / "tests" / "vectors" / "released_migrations.txt").read_text().split())
#: that only add, whatever is in them; taking an index or a constraint away refuses nobody's rows
ADDING = (
    migrations.CreateModel, migrations.AddIndex, migrations.RemoveIndex, migrations.RemoveConstraint,
    migrations.RenameIndex, migrations.AlterModelOptions, migrations.AlterModelManagers,
)  # fmt: skip
#: "room.migration" -> why its Python or SQL may run under nodes of the version before
EXAMINED = {
    "archive.0005_sums": "tables are added; what the version before counts without them is found and summed",
    "archive.0006_packs": "tables and a column are added; what the version before counts is found and packed",
    "archive.0007_content": "columns with a default in the database are added: what the version before writes has them",
    "destinations.0006_ahead": "an engine view is added",
    "keyring.0009_under": "engine views are made again, with columns added",
    "keyring.0010_own_authority": "an engine view is made again, with columns added",
    "keyring.0011_authority_warned": "an engine view is made again as it was, around a column added",
    "webhooks.calls.0002_about": "an index",
    "tenancy.0012_address_tokens": "engine views are made again, with columns added",
}


def fresh() -> list[tuple[str, migrations.Migration]]:
    """Our migrations since the release before, as (room.name, migration)."""
    ours = {one.label: one.name.removeprefix("carepost.") for one in apps.get_app_configs() if "carepost." in one.name}
    found = MigrationLoader(None).disk_migrations
    named = [(f"{ours[app]}.{name}", found[app, name]) for app, name in sorted(found) if app in ours]
    return [(name, one) for name, one in named if name not in RELEASED]


def refused(operation: Operation, made: set[str]) -> str:
    """Why the version before could not work beside it; "": it can. `made`: models of the same migration."""
    if isinstance(operation, ADDING):
        return ""
    table = str(getattr(operation, "model_name", "")).lower()
    if table in made:
        return ""
    if isinstance(operation, migrations.AddField):
        field = operation.field
        if field.null or field.db_default is not NOT_PROVIDED:
            return ""
        return "rows written by the version before have no value for it: null=True, or db_default"
    if isinstance(operation, migrations.AlterField):
        return "" if operation.field.null else "it may refuse what the version before writes"
    if isinstance(operation, migrations.AddConstraint):
        return "it may refuse what the version before writes"
    return "it takes away, or nobody can tell: list it in EXAMINED with the reason"


def test_what_is_released_is_still_there() -> None:
    ours = {one.label: one.name.removeprefix("carepost.") for one in apps.get_app_configs() if "carepost." in one.name}
    named = {f"{ours[app]}.{name}" for app, name in MigrationLoader(None).disk_migrations if app in ours}
    assert named >= RELEASED, "a released migration is never changed into another"


def test_migrations_since_the_last_release_only_add() -> None:
    wrong = []
    for name, migration in fresh():
        made = {one.name.lower() for one in migration.operations if isinstance(one, migrations.CreateModel)}
        for operation in migration.operations:
            why = refused(operation, made)
            told = isinstance(operation, migrations.RunPython | migrations.RunSQL) and name in EXAMINED
            if why and not told:
                wrong.append(f"{name}: {operation.describe()}: {why}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE delivery", "ALTER TABLE delivery DROP COLUMN rev", "ALTER TABLE delivery RENAME COLUMN a TO b",
        "ALTER TABLE delivery ADD COLUMN a integer NOT NULL", "ALTER TABLE delivery ALTER COLUMN a SET NOT NULL",
    ],
    ids=["drop", "column", "rename", "not-null", "set-not-null"],
)  # fmt: skip
def test_what_the_spools_files_may_not_say(text: str) -> None:
    assert takes_away(text)
    assert not takes_away("ALTER TABLE delivery ADD COLUMN a integer NOT NULL DEFAULT 0;\nCREATE INDEX x ON a (b);")


def test_the_spools_files_only_add() -> None:
    for file in sorted((ROOT / "src" / "carepost" / "spool" / "postgres" / "sql").glob("*.sql"))[1:]:
        assert not takes_away(file.read_text()), file.name


def takes_away(text: str) -> bool:
    said = re.sub(r"--[^\n]*", "", text)
    for statement in said.split(";"):
        words = " ".join(statement.upper().split())
        if re.search(r"\bDROP (TABLE|COLUMN|SCHEMA)\b|\bRENAME\b|SET NOT NULL|\bALTER COLUMN \w+ TYPE\b", words):
            return True
        if "ADD COLUMN" in words and "NOT NULL" in words and "DEFAULT" not in words:
            return True
    return False
