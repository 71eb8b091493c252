"""Which database each alias is, and which tables live where.

Embedded: `default` is office.db, `records` is records.db (its one writer is the journal), both under SQLCipher.
PostgreSQL: both aliases are one database, so only `default` migrates there.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings

from carepost.ground import postgres
from carepost.settings.runtime import Runtime

#: apps whose tables live in records.db
RECORDS_APPS = frozenset({"archive", "webhookcalls"})

_SQLITE = "carepost.settings.sqlcipher"
_POSTGRES = "carepost.settings.postgres"


def databases(runtime: Runtime) -> dict[str, dict[str, Any]]:
    if runtime.config.database_url:
        one = _postgres(_url(runtime))
        return {"default": one, "records": {**one, "TEST": {"MIRROR": "default"}}}
    if runtime.home is not None:
        return {
            "default": _sqlite(str(runtime.home.office_db), lambda: runtime.keys.raw("database", b"office.db")),
            "records": _sqlite(str(runtime.home.records_db), lambda: runtime.keys.raw("database", b"records.db")),
        }
    if runtime.in_memory:
        # named for tests too: a parallel run would otherwise make files beside the code
        memory = {**_sqlite(":memory:", None), "TEST": {"NAME": ":memory:"}}
        return {"default": memory, "records": dict(memory)}
    return {"default": {"ENGINE": "django.db.backends.dummy"}, "records": {"ENGINE": "django.db.backends.dummy"}}


def _url(runtime: Runtime) -> str:
    """The owner migrates; everybody else comes as the role of its process (the command line as staff)."""
    url = runtime.config.database_url
    if runtime.home is None or runtime.role == "migrate":
        return url
    return postgres.role_url(url, "staff" if runtime.role == "command" else runtime.role, runtime.keys)


def on_postgres(runtime: Runtime) -> bool:
    return bool(runtime.config.database_url)


def _sqlite(name: str, key: Callable[[], bytes] | None) -> dict[str, Any]:
    # the key is a function so that no dump of the settings can show it
    return {
        "ENGINE": _SQLITE,
        "NAME": name,
        "OPTIONS": {"raw_key": key, "transaction_mode": "IMMEDIATE", "timeout": 10},
        "CONN_MAX_AGE": None,
    }


def _postgres(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    # what the URL says goes first
    options: dict[str, Any] = {**postgres.PATIENCE, **dict(parse_qsl(parts.query))}
    host = options.pop("host", None) or parts.hostname or ""
    return {
        "ENGINE": _POSTGRES,
        "NAME": postgres.database_name(url),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(host),
        "PORT": str(options.pop("port", parts.port or "")),
        "OPTIONS": options,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }


class Router:
    """Archive and audit tables in `records`, the rest in `default`."""

    def db_for_read(self, model: type, **_hints: object) -> str:
        return self._of(model._meta.app_label)  # type: ignore[attr-defined]

    db_for_write = db_for_read

    def allow_relation(self, *_objects: object, **_hints: object) -> bool | None:
        return None

    def allow_migrate(self, db: str, app_label: str, **_hints: object) -> bool:
        if _one_database():
            return db == "default"
        return db == self._of(app_label)

    @staticmethod
    def _of(app_label: str) -> str:
        return "records" if app_label in RECORDS_APPS else "default"


def _one_database() -> bool:
    return bool(settings.CAREPOST_ONE_DATABASE)
