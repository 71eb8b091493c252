"""What a command needs of a home on this machine: the home, its directory, an organisation by name, the engines."""

import argparse
import importlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from carepost.cli.main import home_argument, home_path
from carepost.cold import health
from carepost.directory import Source
from carepost.directory import sqlite as embedded
from carepost.directory.types import OrgSnapshot
from carepost.ground import config, home, storefaults
from carepost.ground.errors import CarepostError, ConfigError, Unavailable
from carepost.ground.keys import MasterKeyring, PurposeKeys
from carepost.intake.client import Client
from carepost.processes import begun
from carepost.wire.types import Actor

#: on the machine itself, with the keyring in their hands
ACTOR = Actor("system", "command-line")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    home_argument(parser)
    parser.add_argument("--org", metavar="ORG", help="organisation, by short name, name or id (default: the only one)")
    parser.add_argument("--json", action="store_true", help="the answer as JSON")


class Local:
    """An opened home. Raises ConfigError with the mend in its sentence."""

    def __init__(self, path: Path) -> None:
        self.home = home.open_(path)
        self.config = config.load(path, os.environ)
        keyring = MasterKeyring.open(self.home.keyring())
        #: who keeps the master key, for people
        self.keeper = keyring.words()
        #: the keyring was made with this home
        self.own_keyring = begun.belongs(self.home, keyring)
        self.keys: PurposeKeys = keyring.purposes("database", "evidence", "index")
        self.client = Client(self.home.run, self.home.shards, self.home.node)
        self._source: Source | None = None

    @classmethod
    def of(cls, args: argparse.Namespace) -> "Local":
        return cls(home_path(args))

    def organisation(self, named: str | None) -> OrgSnapshot:
        """The organisation of that short name, name or id; without a name, the only one."""
        found = self.organisations()
        if named is None:
            if len(found) == 1:
                return found[0]
            raise ConfigError("Say which organisation: --org NAME." if found else "There is no organisation yet.")
        for one in found:
            if named in (one.slug, one.name, str(uuid.UUID(bytes=one.id))):
                return one
        raise ConfigError(f"There is no organisation {named!r} here; `carepost org list` shows them.")

    def runs(self) -> bool:
        """An engine answers."""
        return bool(self.client.health())

    def organisations(self) -> list[OrgSnapshot]:
        """All that are open."""
        if self._source is None:
            self._source = self._open()
        try:
            return [self._source.load(org).snapshot for org in self._source.epochs()]
        except CarepostError:
            raise
        except Exception as error:  # whatever the driver of the database raises
            raise storefaults.told(error) or ConfigError(
                f"The office database cannot be read ({type(error).__name__}); see carepost doctor."
            ) from None

    def wrapped_keys(self) -> Iterator[bytes]:
        """Every key of every organisation that the master key wraps, or the beginning of it, which names that key."""
        for org in self.organisations():
            yield from (wrapped for _, wrapped in org.keys.values())
            yield from org.retired_keys.values()
            yield from (key.wrapped for domain in org.domains for key in domain.dkim)
            yield from (key.head for keys in org.own_keys.values() for key in keys)
            yield from org.authority_heads
        stored = health.read(self.home.run)
        yield from (version.to_bytes(2, "big") for version in (stored.masters if stored is not None else ()))

    def _open(self) -> Source:
        if self.config.database_url:
            try:
                module = importlib.import_module("carepost.directory.postgres")
            except ImportError:
                raise ConfigError("CAREPOST_DATABASE_URL needs psycopg: install carepost[postgres].") from None
            source: Source = module.source(self.config.database_url, self.keys)
            return source
        if not self.home.office_db.exists():
            raise ConfigError(f"{self.home.path} has no tables yet; start it once with: carepost up")
        return embedded.source(self.home.office_db, self.keys)


def running(error: Unavailable) -> ConfigError:
    """No engine answers: the sentence a command ends with."""
    return ConfigError(f"No engine answers ({error.code}); start Carepost with: carepost up")
