"""What this process was given before Django's settings are read: role, home, settings page, keys."""

import os
import secrets
from dataclasses import dataclass
from typing import Final

from carepost.ground.config import Config
from carepost.ground.home import Home
from carepost.ground.keys import PurposeKeys

#: "command" is the command line; "migrate" owns the tables
ROLES: Final = ("staff", "outside", "journal", "command", "migrate")


@dataclass(frozen=True)
class Runtime:
    role: str
    #: None: no home (type checking, tests in memory)
    home: Home | None
    config: Config
    keys: PurposeKeys
    #: tests and checks: databases in memory
    in_memory: bool = False

    def secret(self, name: str) -> str:
        """A secret of this installation, never stored: derived from the keyring, else random for this process."""
        if self.home is None:
            return secrets.token_hex(32)
        return self.keys.raw("database", b"secret/" + name.encode()).hex()


_current: Runtime | None = None


def enter(runtime: Runtime) -> None:
    global _current
    _current = runtime


def current() -> Runtime:
    """What `boot.setup` entered. Settings read without it (mypy, makemigrations) get no database, or one in memory
    when CAREPOST_SETTINGS_CHECK=1, or the PostgreSQL it names (tests)."""
    if _current is not None:
        return _current
    checking = os.environ.get("CAREPOST_SETTINGS_CHECK", "")
    config = Config(database_url=checking if "://" in checking else "")
    enter(Runtime("staff", None, config, PurposeKeys.ephemeral(), in_memory=checking == "1"))
    return current()
