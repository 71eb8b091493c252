"""Whether a home is still what it was begun as: its own keyring, and every database that once stood in it.

A start that made a lost database anew would show an empty house, and a log that begins again, as if nothing had been.
"""

from carepost.archive import health
from carepost.ground import durable
from carepost.ground.config import Config
from carepost.ground.errors import ConfigError
from carepost.ground.home import Home
from carepost.ground.keys import MasterKeyring

_MARK = "keyring.check"


def mark(keyring: MasterKeyring) -> str:
    """Tells keyrings apart and nothing else of them (HKDF of the first key: the same after a rotation)."""
    return keyring.purposes("database").raw("database", b"keyring-check", version=1).hex()


def has_keyring(home: Home) -> bool:
    """A keyring was made with this home."""
    return (home.path / _MARK).exists()


def belongs(home: Home, keyring: MasterKeyring) -> bool:
    """The keyring is the one made with this home; true where none was yet."""
    known = home.path / _MARK
    return not known.exists() or known.read_text().strip() == mark(keyring)


def keep(home: Home, keyring: MasterKeyring) -> None:
    """The home knows its keyring from now on."""
    if not has_keyring(home):
        durable.write(home.path / _MARK, f"{mark(keyring)}\n".encode())


def lost(home: Home, config: Config) -> str:
    """The first database, relative to the home, that stood there and does not any more; "": none.

    Engines make a shard's file once office and records stand, so that one of them says that all stood. That a shard had
    a file of its own is known from the journal, which took events from it.
    """
    if config.node_address:
        return ""
    shards = [home.shard(number) / "spool.db" for number in range(home.shards)]
    sources = health.journal(home.run).sources
    ran = any(path.exists() for path in shards)
    if not config.database_url:
        if not home.office_db.exists() and (ran or home.records_db.exists()):
            return home.office_db.name
        if not home.records_db.exists() and ran:
            return home.records_db.name
    for path in shards:
        source = sources.get(path.parent.name)
        if source is not None and max(source.head, source.taken) and not path.exists():
            return str(path.relative_to(home.path))
    return ""


def whole(home: Home, config: Config) -> None:
    """Raises ConfigError for a home that lost a database."""
    name = lost(home, config)
    if name:
        raise ConfigError(
            f"{name} is missing from {home.path}: put it back, or restore a backup into another folder "
            "(carepost restore); starting would begin with an empty one."
        )
