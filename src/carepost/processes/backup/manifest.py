"""What a backup says of itself, as its last entry: every file with its hash, and how far each source had come."""

import re
from typing import Final

import msgspec

NAME: Final = "manifest.json"
#: the dump of an office in PostgreSQL
DUMP: Final = "office.pgdump"
#: nothing else is ever taken out of a backup
NAMES: Final = re.compile(
    r"home\.json|carepost\.toml|keyring\.check|office\.db|records\.db|office\.pgdump"
    r"|tls/[A-Za-z0-9_*][A-Za-z0-9._*-]{0,200}"
    r"|spool/shard-\d{4}/(?:spool\.db|posture\.db|segment-\d{8})"
)


class File(msgspec.Struct, frozen=True):
    name: str
    size: int
    #: base16
    sha256: str


class Shard(msgspec.Struct, frozen=True):
    """A shard at that moment. `head`, `acked`: numbers of its newest event and of the newest the journal had taken."""

    number: int
    head: int
    acked: int
    #: deliveries that waited or were under way
    waiting: int


class Manifest(msgspec.Struct, frozen=True):
    at: int
    files: tuple[File, ...]
    shards: tuple[Shard, ...]

    @property
    def waiting(self) -> int:
        return sum(shard.waiting for shard in self.shards)
