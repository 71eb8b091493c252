"""Which of several nodes' journals writes: whoever has a lock in the database. Any of them may; others wait beside it.

The lock keeps work from being done twice, nothing more: the log itself refuses what it has already (`audit.sequencer`),
so two that write at once, for the seconds in which one has lost its connection and does not know it yet, do no harm."""

import threading
from typing import Any, Final

from django.db import close_old_connections, connections

from carepost.archive.marks import Marks
from carepost.audit.store import PostgresStore
from carepost.ground import clock, log
from carepost.ground.config import Config
from carepost.ground.home import Home
from carepost.ground.keys import PurposeKeys
from carepost.intake.client import Client
from carepost.journal.alarms import Alarms
from carepost.journal.destinations import Follower
from carepost.journal.status import Status

#: seconds between tries, and between looks whether the lock is still ours
ROUND: Final = 2.0
_TAKE: Final = "SELECT pg_try_advisory_lock(hashtext('carepost journal'))"
#: the server lets the lock go soon after this machine is gone
_ALIVE: Final = "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3"


class Turn:
    """`wait`, then `held` until it says no. Meanwhile what only this node can see is followed here, and told."""

    def __init__(self, home: Home, config: Config, keys: PurposeKeys) -> None:
        self._home, self._config, self._keys = home, config, keys
        self._connection: Any = None

    def wait(self, stopping: threading.Event) -> bool:
        """Until it is ours; False: `stopping` came first."""
        wrapper = connections.create_connection("records")
        wrapper.ensure_connection()
        marks = Marks(PostgresStore(wrapper.connection))
        follower = Follower(self._home, self._keys, marks)
        client = Client(self._home.run, self._home.shards, self._home.node)
        alarms = Alarms(self._home, self._config, marks, client, standing_by=True)
        status = Status(self._home.run)
        try:
            while not stopping.is_set():
                if self._taken():
                    log.event("journal-turn")
                    return True
                status.owes(0)
                try:
                    close_old_connections()
                    follower.step()
                    alarms.step(clock.now())
                except Exception as error:
                    log.failure("journal-chore", error)
                stopping.wait(ROUND)
            return False
        finally:
            follower.close()
            client.close()
            wrapper.close()

    def held(self) -> bool:
        """The connection that has the lock is alive."""
        try:
            self._connection.execute("SELECT 1")
        except Exception as error:
            log.failure("journal-turn-lost", error)
            return False
        return True

    def _taken(self) -> bool:
        try:
            if self._connection is None:
                wrapper = connections.create_connection("records")
                wrapper.ensure_connection()
                self._connection = wrapper.connection
                self._connection.execute(_ALIVE)
            return bool(self._connection.execute(_TAKE).fetchone()[0])
        except Exception as error:
            log.failure("journal-turn", error)
            self._connection = None
            return False
