"""After a rotation of the master key: the database files themselves, while nothing has them open.

Keys in tables are re-wrapped by the journal in the background (`tenancy.rewrapping`); posture by each engine at its
start. What a derived key must stay the same for (search tokens, the house's signature) keeps the first version.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from carepost.ground import database
from carepost.ground.errors import ConfigError
from carepost.ground.keys import PurposeKeys

FILES: Final = ("office.db", "records.db")

Say = Callable[[str], None]


def bring(home: Path, keys: PurposeKeys, say: Say = lambda _: None) -> int:
    """Every database file under the newest key; how many were not. The caller holds the home's lock. Raises
    ConfigError where no key of the keyring opens one."""
    return sum(_bring(home / name, keys, say) for name in FILES if (home / name).exists())


def _bring(path: Path, keys: PurposeKeys, say: Say) -> bool:
    newest, *older = [keys.raw("database", path.name.encode(), version) for version in keys.versions("database")]
    if not older or _opens(path, newest):
        return False
    for key in older:
        if _opens(path, key):
            say(f"keys        {path.name} is encrypted anew under the newest key")
            database.rekey(path, key, newest)
            return True
    raise ConfigError(f"The keyring does not open {path}: set CAREPOST_KEYRING to the one made with it.")


def _opens(path: Path, key: bytes) -> bool:
    try:
        database.connect(path, key).close()
    except ConfigError:
        return False
    return True
