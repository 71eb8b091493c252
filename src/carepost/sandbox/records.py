"""Records that appear in the sandbox's DNS while it runs: `records.json`, written here and followed by the DNS.

A sender domain's DKIM key is published so by whichever process made it. Public data only.
"""

import fcntl
import os
from pathlib import Path

import msgspec

from carepost.ground import durable
from carepost.ground.errors import ConfigError


class Record(msgspec.Struct, frozen=True):
    """`text`: presentation form; of a TXT record its plain content, of any length."""

    name: str
    type: str
    text: str


def publish(folder: Path, name: str, kind: str, text: str) -> None:
    """Replaces the records of `name` and `kind` by one with `text` ("" takes them away).

    `folder`: the home's sandbox folder. The DNS answers with it from the next query on. Raises ConfigError
    for a name outside `test.`.
    """
    owner = name.rstrip(".").lower()
    if not owner.endswith(".test"):
        raise ConfigError(f"The sandbox's DNS holds names under .test only, not {owner}.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fd = os.open(folder / "records.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        kept = [record for record in read(folder) if (record.name, record.type) != (owner, kind.upper())]
        if text:
            kept.append(Record(owner, kind.upper(), text))
        durable.write(folder / "records.json", msgspec.json.encode(kept))
    finally:
        os.close(fd)


def read(folder: Path) -> list[Record]:
    try:
        return msgspec.json.decode((folder / "records.json").read_bytes(), type=list[Record])
    except FileNotFoundError:
        return []


def stamp(folder: Path) -> tuple[int, int]:
    """Changes whenever the file is replaced."""
    try:
        status = os.stat(folder / "records.json")
    except FileNotFoundError:
        return (0, 0)
    return (status.st_ino, status.st_mtime_ns)
