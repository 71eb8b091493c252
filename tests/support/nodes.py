"""Several homes on one PostgreSQL, each with its own engine and journal, and one sandbox world for all of them."""

import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from carepost.ground import home as homes
from carepost.processes import certificates
from carepost.spool.postgres import schema
from tests.support.cluster import Cluster
from tests.support.house import House, Model, free_ports

ROLES = ("engine", "journal")


class Nodes:
    """`world`: the sandbox's mail servers, outside of every node. `add` prepares a home that is not started yet."""

    def __init__(self, folder: Path, postgres: Cluster, *, lease_s: float = 3.0) -> None:
        self._folder, self._lease_s = folder, lease_s
        self.postgres = postgres
        self.url = postgres.owned()
        self.world = House(_short(folder, "world"), "sandbox")
        self.homes: list[House] = []

    def add(self, *roles: str, **more: object) -> House:
        folder = _short(self._folder, f"n{len(self.homes)}")
        shared = {
            "CAREPOST_DATABASE_URL": self.url,
            "CAREPOST_KEYRING": self._folder / "keyring.json",
            "CAREPOST_NODE_ADDRESS": f"127.0.0.1:{_free_port()}",
            "CAREPOST_RESOLVERS": f"127.0.0.1:{self.world.ports['sandbox_dns']}",
            **more,
        }
        home = House(folder, *(roles or ROLES), copied=self._model(folder, shared))
        world = home.path / "sandbox"
        shutil.rmtree(world, ignore_errors=True)
        world.symlink_to(self.world.path / "sandbox")
        self.homes.append(home)
        return home

    def _model(self, folder: Path, shared: dict[str, object]) -> Model:
        """The first makes the tables; the others find them, and are numbered when they start."""
        if not self.homes:
            model = Model(folder, **shared)
            with schema.connect(self.url) as connection:
                connection.execute("UPDATE installation SET lease_s = %s", (self._lease_s,))
            return model
        made = homes.create(folder / "home", sandbox=True)
        certificates.ensure(made.tls, "localhost")
        bootstrapped = msgspec.to_builtins(self.homes[0].made)
        return Model.kept(folder, {"ports": free_ports(), "more": shared, "bootstrapped": bootstrapped})

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What stands in the spool."""
        server = psycopg.conninfo.make_conninfo(self.postgres.url, dbname="carepost")
        with schema.connect(server) as connection:
            return connection.execute(sql.encode()).fetchall()


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def _short(folder: Path, name: str) -> Path:
    """A socket's path is short. It goes with the test process."""
    made = tempfile.TemporaryDirectory(prefix=f"{name}-", ignore_cleanup_errors=True)
    _KEPT.append(made)
    (folder / name).symlink_to(made.name)
    return Path(made.name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
