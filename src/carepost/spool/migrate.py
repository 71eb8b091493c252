"""Numbered SQL files, forward only, applied under the shard's lock (DESIGN 5)."""

import re
from pathlib import Path

from carepost.ground import clock
from carepost.ground.database import Connection
from carepost.ground.errors import ConfigError

FOLDER = Path(__file__).parent / "sql"
_NAME = re.compile(r"(\d{4})\.sql")


def files(folder: Path = FOLDER) -> list[tuple[int, str]]:
    """(number, text), in order. The numbers have no gap."""
    found = sorted((int(m[1]), p.read_text()) for p in folder.iterdir() if (m := _NAME.fullmatch(p.name)))
    if [n for n, _ in found] != list(range(1, len(found) + 1)):
        raise ConfigError("The spool's SQL files are incomplete; install Carepost again.")
    return found


def migrate(connection: Connection, number: int, folder: Path = FOLDER) -> int:
    """Brings the file to the newest form and returns it. Each step is one transaction, so a cut leaves the step before.

    Raises ConfigError for a file made by a newer Carepost, or belonging to another shard."""
    steps = files(folder)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(steps):
        raise ConfigError(
            f"Shard {number} was written by a newer Carepost (spool form {version}, this one knows {len(steps)}); "
            "update Carepost to open it."
        )
    for step, text in steps[version:]:
        connection.executescript(f"BEGIN IMMEDIATE;\n{text}\nPRAGMA user_version = {step};\nCOMMIT;")
    connection.execute(
        "INSERT OR IGNORE INTO shard (only, number, made_at, head, acked) VALUES (1, ?, ?, 0, 0)", (number, clock.now())
    )
    (owner,) = connection.execute("SELECT number FROM shard").fetchone()
    if owner != number:
        raise ConfigError(f"This spool belongs to shard {owner}, not {number}; put the folders back as they were.")
    return len(steps)
