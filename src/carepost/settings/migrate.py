"""Brings the office's tables to this version; used by the supervisor before any process starts, and by tests."""

from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader

from carepost.audit.store import PostgresStore, SqliteStore
from carepost.ground.errors import ConfigError
from carepost.ground.home import Home
from carepost.ground.keys import PurposeKeys
from carepost.settings import boot, firsttables
from carepost.settings.databases import RECORDS_APPS
from carepost.tenancy import postgres


def migrate(home: Home | Path | None = None, keys: PurposeKeys | None = None, *, every: bool = False) -> None:
    """Enters Django as `migrate` when nobody has yet. Forward only. Raises ConfigError when a newer Carepost made the
    tables, or the database cannot be opened. `every`: a new home goes through each migration too."""
    if not apps.ready:
        boot.setup("migrate", at=home, keys=keys)
    for alias in aliases():
        if not every:
            firsttables.make(alias)
        _refuse_newer(alias)
        # the records hold few apps' tables; to go through everybody's history for them is half of a first start
        for named in [(app,) for app in sorted(RECORDS_APPS)] if alias == "records" else [()]:
            call_command("migrate", *named, database=alias, interactive=False, verbosity=0, skip_checks=True)
    _audit()
    if settings.CAREPOST_ONE_DATABASE:
        # rate limits are counted across nodes there
        call_command("createcachetable", verbosity=0)
        connection = connections["default"]
        with transaction.atomic(), connection.cursor() as cursor:
            postgres.grant(cursor, connection.settings_dict["NAME"], settings.CAREPOST_KEYS)


def aliases() -> tuple[str, ...]:
    return ("default",) if settings.CAREPOST_ONE_DATABASE else ("default", "records")


def _audit() -> None:
    """The audit log's own tables stand beside the archive's; their SQL is `audit`'s."""
    connection = connections["records"]
    connection.ensure_connection()
    raw = connection.connection
    store = PostgresStore(raw) if settings.CAREPOST_ONE_DATABASE else SqliteStore(raw)
    store.migrate()


def _refuse_newer(alias: str) -> None:
    loader = MigrationLoader(connections[alias])
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("carepost.")}
    unknown = [key for key in loader.applied_migrations if key[0] in ours and key not in loader.disk_migrations]
    if unknown:
        raise ConfigError(f"The office database was made by a newer Carepost ({unknown[0][0]}); update Carepost.")
