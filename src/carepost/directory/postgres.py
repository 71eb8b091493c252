"""The office on PostgreSQL: read as the role `engine`, which sees the `engine_*` views and nothing else."""

from typing import Any

import psycopg

from carepost.directory.sql import SqlSource
from carepost.ground.keys import PurposeKeys
from carepost.ground.postgres import role_url

BEGIN = (
    "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SELECT set_config('carepost.org', '*', true)",
)


def source(url: str, keys: PurposeKeys) -> SqlSource:
    """`url`: CAREPOST_DATABASE_URL; `keys` with the purposes `database` and `evidence`. The engine reads every
    organisation, and says so in each transaction."""
    own = role_url(url, "engine", keys)

    def connect() -> psycopg.Connection[tuple[Any, ...]]:
        connection = psycopg.connect(own, autocommit=True, connect_timeout=5)
        connection.execute("SET statement_timeout = '5s'")
        return connection

    return SqlSource(connect, begin=BEGIN, placeholder="%s", keys=keys)
