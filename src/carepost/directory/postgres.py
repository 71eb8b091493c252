"""The office on PostgreSQL: read as the role `engine`, which sees the `engine_*` views and nothing else."""

from typing import Any

import psycopg

from carepost.directory.ownkeys import SqlOwnSecrets
from carepost.directory.recipients import SqlCertificates
from carepost.directory.shelf import SqlShelf
from carepost.directory.sql import SqlSource
from carepost.directory.threads import SqlThreads
from carepost.ground.keys import PurposeKeys
from carepost.ground.postgres import PATIENCE, role_url

BEGIN = (
    "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SELECT set_config('carepost.org', '*', true)",
)


def source(url: str, keys: PurposeKeys) -> SqlSource:
    """`url`: CAREPOST_DATABASE_URL; `keys` with the purposes `database` and `evidence`. The engine reads every
    organisation, and says so in each transaction."""
    return _source(role_url(url, "engine", keys), keys)


def owner_source(url: str, keys: PurposeKeys) -> SqlSource:
    """As the owner of the tables (row security binds it too): before the roles are there, while a home is restored."""
    return _source(url, keys)


def threads(url: str, keys: PurposeKeys) -> SqlThreads:
    """The portal's conversations. `url` and `keys` as for `source`."""
    own = role_url(url, "engine", keys)
    return SqlThreads(lambda: _connect(own), keys, begin=BEGIN, placeholder="%s")


def certificates(url: str, keys: PurposeKeys) -> SqlCertificates:
    """Recipients' certificates. `url` and `keys` as for `source`."""
    own = role_url(url, "engine", keys)
    return SqlCertificates(lambda: _connect(own), begin=BEGIN, placeholder="%s")


def own_secrets(url: str, keys: PurposeKeys) -> SqlOwnSecrets:
    """The organisations' own keys. `url` and `keys` as for `source`, and with the purpose `mail`."""
    own = role_url(url, "engine", keys)
    return SqlOwnSecrets(lambda: _connect(own), keys, begin=BEGIN, placeholder="%s")


def shelf(url: str, keys: PurposeKeys) -> SqlShelf:
    """Templates and uploads. `url` and `keys` as for `source`, and with the purpose `content`."""
    own = role_url(url, "engine", keys)
    return SqlShelf(lambda: _connect(own), keys, begin=BEGIN, placeholder="%s")


def _source(url: str, keys: PurposeKeys) -> SqlSource:
    return SqlSource(lambda: _connect(url), begin=BEGIN, placeholder="%s", keys=keys)


def _connect(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    connection = psycopg.connect(url, autocommit=True, **PATIENCE)
    connection.execute("SET statement_timeout = '5s'")
    return connection
