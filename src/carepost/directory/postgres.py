"""The office on PostgreSQL: read as the role `engine`, which sees the `engine_*` views and nothing else."""

from typing import Any

import psycopg

from carepost.directory.sql import SqlSource
from carepost.ground.keys import PurposeKeys


def source(url: str, keys: PurposeKeys) -> SqlSource:
    """`keys` with the purpose `evidence`. The engine reads every organisation, and says so in each transaction."""

    def connect() -> psycopg.Connection[tuple[Any, ...]]:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
        connection.execute("SET statement_timeout = '5s'")
        return connection

    begin = (
        "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "SELECT set_config('carepost.org', '*', true)",
    )
    return SqlSource(connect, begin=begin, placeholder="%s", keys=keys)
