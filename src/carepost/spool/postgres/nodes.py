"""The nodes of an installation: a number for each home, for good, and which of them are there now."""

import time
from typing import Final

import msgspec
import psycopg

from carepost.ground import log
from carepost.ground.errors import ConfigError, Unavailable
from carepost.spool.postgres.schema import Connection, connect

#: of what nodes say to each other over their doors and in shared tables. Two nodes whose numbers differ by one work
#: together: that is how a version is changed while mail goes on
PROTOCOL: Final = 1
MOST: Final = 64
#: seconds between looks whether another node was heard of
_LOOK: Final = 0.2
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('carepost nodes'))"


class Node(msgspec.Struct, frozen=True):
    number: int
    id: str
    address: str
    version: str
    protocol: int
    #: seconds since it was last heard of
    silent_s: float
    #: it said that it ends, and was not heard of since
    left: bool = False


def join(connection: Connection, *, id: str, address: str, version: str, keyring: str, protocol: int = PROTOCOL) -> int:
    """The node's number: the one it always had, or the next that nobody ever had. As the owner of the tables.

    `keyring`: a value that tells keyrings apart. Raises ConfigError: another keyring, another node that is too old or
    too new, no number left."""
    with connection.transaction():
        connection.execute(_LOCK)
        connection.execute("INSERT INTO installation (keyring) VALUES (%s) ON CONFLICT DO NOTHING", (keyring,))
        if connection.execute("SELECT 1 FROM installation WHERE keyring = %s", (keyring,)).fetchone() is None:
            raise ConfigError(
                "This database belongs to an installation with another keyring: set CAREPOST_KEYRING to a copy of that."
            )
        for other in listed(connection):
            if other.id != id and other.silent_s < 60 and abs(other.protocol - protocol) > 1:
                older = "that node" if other.protocol < protocol else "this one"
                raise ConfigError(
                    f"Node {other.number} runs Carepost {other.version}, too far from this version ({version}): "
                    f"update {older} first."
                )
        row = connection.execute("SELECT number FROM node WHERE id = %s", (id,)).fetchone()
        if row is None:
            row = connection.execute(
                "SELECT n FROM generate_series(0, %s) AS n WHERE n NOT IN (SELECT number FROM node) ORDER BY n LIMIT 1",
                (MOST - 1,),
            ).fetchone()
        if row is None:
            raise ConfigError(f"There are {MOST} nodes already; ids have room for no more.")
        number = int(row[0])
        connection.execute(
            "INSERT INTO node (number, id, address, version, protocol) VALUES (%s, %s, %s, %s, %s) ON CONFLICT (number)"
            " DO UPDATE SET address = EXCLUDED.address, version = EXCLUDED.version, protocol = EXCLUDED.protocol,"
            " heard_at = now(), left_at = NULL",
            (number, id, address, version, protocol),
        )
    return number


def alone(connection: Connection, *, id: str, address: str) -> None:
    """Before `join`: no node that is running has this home's id or this address. Waits at most half a lease, which is
    twice as long as a running node is silent: one that was killed may start again. As the owner of the tables.

    Two with one id would take each other's shards for ever. Raises ConfigError, which names the mend."""
    row = connection.execute("SELECT lease_s FROM installation").fetchone()
    certain_s = float(row[0]) / 2 if row else 0.0
    #: number -> how long it was silent at the last look
    silent: dict[int, float] = {}
    while True:
        near = [
            one for one in listed(connection)
            if (one.id == id or one.address == address) and not one.left and one.silent_s < certain_s
        ]  # fmt: skip
        for one in near:
            if one.silent_s < silent.get(one.number, 0.0):
                raise ConfigError(_twice(one, id))
        if not near:
            return
        silent = {one.number: one.silent_s for one in near}
        time.sleep(_LOOK)


def _twice(other: Node, id: str) -> str:
    if other.id == id:
        return (
            f"Node {other.number} of this database runs already, at {other.address}, with the id of this home: one is "
            "a copy of the other. Begin this node with a new home (carepost up with an empty CAREPOST_HOME); it gets a "
            "number of its own."
        )
    return (
        f"Node {other.number} of this database runs at {other.address} already: set CAREPOST_NODE_ADDRESS to an "
        "address where the others reach this node alone."
    )


def listed(connection: Connection) -> list[Node]:
    """By number."""
    rows = connection.execute(
        "SELECT number, id, address, version, protocol, extract(epoch FROM clock_timestamp() - heard_at)::float,"
        " left_at IS NOT NULL FROM node ORDER BY number"
    ).fetchall()
    return [Node(*row) for row in rows]


def overdue(url: str, now: int) -> tuple[int, int]:
    """(deliveries of all shards that are due and wait, when the first of them was due). Raises Unavailable."""
    try:
        with connect(url, "carepost-doctor") as connection:
            row = connection.execute(
                "SELECT count(*), coalesce(min(due_at), 0) FROM delivery WHERE place IN (1, 2) AND due_at <= %s", (now,)
            ).fetchone()
    except psycopg.Error as error:
        log.failure("spool-read-failed", error)
        raise Unavailable("spool-away", "The database of the spool does not answer.") from None
    return (int(row[0]), int(row[1])) if row else (0, 0)
