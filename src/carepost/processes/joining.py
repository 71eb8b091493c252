"""Before the processes of a node start: the spool's schema, its number among the nodes, and its certificates.

As the owner of the tables, in the supervisor; only where `node_address` is set."""

import importlib
import importlib.metadata
from types import ModuleType

from carepost.ground import ids, postgres, storefaults
from carepost.ground.config import Config
from carepost.ground.errors import ConfigError
from carepost.ground.home import Home
from carepost.ground.keys import MasterKeyring
from carepost.processes import doorcerts


def new_id() -> str:
    return ids.text(ids.new())


def address(config: Config, engine: int = 0) -> tuple[str, int]:
    """Where an engine's doors for other nodes are. Raises ConfigError."""
    host, _, port = config.node_address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536 - 64:
        raise ConfigError("CAREPOST_NODE_ADDRESS must look like 10.0.0.5:7400: an address other nodes reach.")
    return host.strip("[]"), int(port) + engine


def number(config: Config, id: str, keyring: str) -> int:
    """The number of the home with this id; the spool's tables are there afterwards. Raises ConfigError, also where a
    node that is running has this id or address."""
    if not config.database_url:
        raise ConfigError("CAREPOST_NODE_ADDRESS needs CAREPOST_DATABASE_URL: nodes share one PostgreSQL.")
    host, port = address(config)
    psycopg, schema = _driver()
    try:
        with schema.connect(config.database_url) as connection:
            schema.migrate(connection)
            connection.execute(f"SET search_path TO {schema.SCHEMA}")
            nodes = importlib.import_module("carepost.spool.postgres.nodes")
            nodes.alone(connection, id=id, address=f"{host}:{port}")
            found: int = nodes.join(
                connection, id=id, address=f"{host}:{port}", version=importlib.metadata.version("carepost"),
                keyring=keyring,
            )  # fmt: skip
    except psycopg.Error as error:
        raise storefaults.told(error) or ConfigError(
            f"The spool in PostgreSQL could not be prepared: {type(error).__name__}."
        ) from None
    return found


def ready(home: Home, config: Config, keyring: MasterKeyring) -> None:
    """After the roles were made: they may use the spool, and the node has its certificate. Raises ConfigError."""
    psycopg, schema = _driver()
    database = postgres.database_name(config.database_url)
    try:
        with schema.connect(config.database_url) as connection:
            schema.grant(connection, {role: postgres.role_name(database, role) for role in postgres.ROLES})
    except psycopg.Error as error:
        raise storefaults.told(error) or ConfigError(
            f"The roles may not use the spool in PostgreSQL: {type(error).__name__}."
        ) from None
    doorcerts.write(home.doors, keyring, home.node)


def _driver() -> tuple[ModuleType, ModuleType]:
    try:
        # an extra: only an installation on PostgreSQL has it
        return importlib.import_module("psycopg"), importlib.import_module("carepost.spool.postgres.schema")
    except ImportError:
        raise ConfigError("PostgreSQL needs the extra postgres: pip install 'carepost[postgres]'.") from None
