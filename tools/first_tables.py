"""Writes src/carepost/settings/tables/: what all migrations leave in new databases (carepost.settings.firsttables).

`python tools/first_tables.py`: after migrations were added, now and then; a new home goes through those it lacks.
`--show every|first HOME`: a new home's tables there, made by every migration or as a first start makes them, as JSON.
"""

import sys
import tempfile
from pathlib import Path

import msgspec
from django.conf import settings

from carepost.ground import home as homes
from carepost.ground.config import Config
from carepost.ground.keys import MasterKeyring
from carepost.settings import boot, firsttables, migrate

WAYS = ("every", "first")


def made(folder: Path, way: str) -> dict[str, firsttables.Tables]:
    """Database -> what stands in it. Once a process: Django is entered for this home."""
    opened = homes.create(folder, sandbox=True)
    keys = MasterKeyring.create(folder / "keyring.json").purposes()
    boot.setup("migrate", at=opened, settings=Config(), keys=keys)
    assert not settings.CAREPOST_ONE_DATABASE, "a home of its own, no PostgreSQL"
    migrate.migrate(opened, every=way == "every")
    return {alias: _without_audit(firsttables.standing(alias)) for alias in migrate.aliases()}


def _without_audit(found: firsttables.Tables) -> firsttables.Tables:
    """The log's own tables are not Django's: `audit.store` makes them."""
    kept = tuple(sql for sql in found.statements if " audit_" not in sql.partition("(")[0])
    return msgspec.structs.replace(found, statements=kept)


def main(arguments: list[str]) -> int:
    if arguments:
        _, way, folder = arguments
        assert way in WAYS, way
        sys.stdout.buffer.write(msgspec.json.encode(made(Path(folder), way)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for alias, found in made(Path(folder) / "home", "every").items():
            text = msgspec.json.format(msgspec.json.encode(found), indent=1)
            (firsttables.FOLDER / f"{alias}.json").write_bytes(text + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
