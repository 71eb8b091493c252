"""No connection to PostgreSQL waits for hours for a server that is gone without a word: also the office's and the
directory's, without which a node refuses everything after a minute."""

import socket
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from carepost.directory import postgres as directory
from carepost.settings import databases
from carepost.spool.postgres import schema

pytestmark = pytest.mark.postgres


def _office(url: str) -> psycopg.Connection[Any]:
    """As Django's backend opens it."""
    made = databases._postgres(url)
    return psycopg.connect(
        host=made["HOST"], port=made["PORT"], user=made["USER"], password=made["PASSWORD"], dbname=made["NAME"],
        **made["OPTIONS"],
    )  # fmt: skip


@pytest.mark.parametrize("opened", [schema.connect, directory._connect, _office])
def test_a_cut_connection_is_given_up_after_seconds(
    opened: Callable[[str], psycopg.Connection[Any]], postgres_url: str
) -> None:
    with opened(postgres_url) as connection, socket.socket(fileno=connection.fileno()) as seen:
        try:
            # milliseconds for what was sent and is not acknowledged; seconds for a silence in which nothing was sent
            assert seen.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
            assert seen.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert seen.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5
        finally:
            seen.detach()


def test_what_the_url_says_goes_first() -> None:
    made = databases._postgres("postgresql://u:p@127.0.0.1:5432/office?connect_timeout=30&sslmode=require")
    assert (made["OPTIONS"]["connect_timeout"], made["OPTIONS"]["sslmode"]) == ("30", "require")
    assert made["OPTIONS"]["tcp_user_timeout"] == 10_000
