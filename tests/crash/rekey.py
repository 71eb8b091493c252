"""One database file of a home, encrypted anew under the newest master key, by a process that the kernel kills at a
chosen octet of what it writes (SIGXFSZ: a file would grow beyond the limit), or that kills itself.

python rekey.py HOME rotate               another version of the master key; no file was touched yet
python rekey.py HOME FILE POINT           dies at POINT of `POINTS`
python rekey.py HOME FILE bring           as the next start does, spared
python rekey.py HOME FILE read            what stands in it, under whichever key opens it, as JSON"""

import contextlib
import hashlib
import json
import os
import resource
import signal
import sys
from pathlib import Path

from carepost.ground import database, home
from carepost.ground.errors import ConfigError
from carepost.ground.keys import MasterKeyring, PurposeKeys
from carepost.processes import rotation

#: within the transaction: few frames of it are in the log of the file, half, all but the end of the last (which is the
#: commit); then the log has all of it and the file nothing; then the log is being carried into the file
POINTS = ("begun", "midway", "uncommitted", "committed", "carrying-begun", "carrying-midway")
#: below it lies the index of the log, which is no part of what is told
_SMALL = 256 * 1024
_FRAME, _HEAD = database.PAGE + 24, 32


def keys(at: Path) -> PurposeKeys:
    return MasterKeyring.open(home.open_(at).keyring()).purposes("database")


def by_version(at: Path, name: str) -> list[bytes]:
    """Newest first."""
    held = keys(at)
    return [held.raw("database", name.encode(), version) for version in held.versions("database")]


def limited(octets: int) -> None:
    # Python ignores it, and a write would fail instead
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, octets))


def die(at: Path, name: str, point: str) -> None:
    path, (new, old, *_) = at / name, by_version(at, name)
    # with nothing left in its log, the first octet written is the rekey's
    connection = database.connect(path, old)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()
    size = path.stat().st_size
    whole = _HEAD + size // database.PAGE * _FRAME
    if point in ("begun", "midway", "uncommitted"):
        limited({"begun": _SMALL, "midway": whole // 2, "uncommitted": whole - 1}[point])
        database.rekey(path, old, new)
        return
    connection = database.connect(path, old)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute(f"PRAGMA rekey = \"x'{new.hex()}'\"")
    if point != "committed":
        limited(_SMALL if point == "carrying-begun" else size // 2)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return
    os.kill(os.getpid(), signal.SIGKILL)


def read(at: Path, name: str) -> dict[str, object]:
    """`version`: place of the key that opens it, 0 the newest. `content`: by table, how many rows and a hash."""
    for version, key in enumerate(by_version(at, name)):  # noqa: B007 - it is told below
        with contextlib.suppress(ConfigError):
            connection = database.connect(at / name, key)
            break
    else:
        raise AssertionError(f"no key opens {name}")
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    content = {}
    for table in tables:
        rows = sorted(repr(tuple(row)) for row in connection.execute(f'SELECT * FROM "{table}"'))
        content[table] = [len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()]
    whole = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    # it reads the file alone: what is still in the log is carried there first
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    forged = [row[0] for row in connection.execute("PRAGMA cipher_integrity_check")]
    connection.close()
    return {"version": version, "content": content, "whole": whole, "forged": forged}


if __name__ == "__main__":
    folder, verb, *more = sys.argv[1:]
    place = Path(folder)
    if verb == "rotate":
        MasterKeyring.open(home.open_(place).keyring()).rotate()
    elif more == ["read"]:
        print(json.dumps(read(place, verb)))
    elif more == ["bring"]:
        rotation.bring(place, MasterKeyring.open(home.open_(place).keyring()).purposes())
    else:
        die(place, verb, more[0])
