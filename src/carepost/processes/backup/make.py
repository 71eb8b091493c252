"""Making a backup: a moment of the home, copied into one encrypted file."""

import hashlib
import importlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Final

import msgspec

from carepost import __version__
from carepost.ground import database, durable
from carepost.ground.config import Config
from carepost.ground.database import Connection
from carepost.ground.errors import ConfigError
from carepost.ground.home import Home
from carepost.ground.keys import PurposeKeys
from carepost.processes.backup import moment, vault
from carepost.processes.backup.manifest import DUMP, NAME, NAMES, File, Manifest
from carepost.processes.backup.moment import Database, Moment

#: what the last backup was, for `carepost doctor`
MARK: Final = "backup.json"
#: pages copied between looks at nothing: the source is pinned, so one step may take all of them
_PAGES: Final = 4096
_FILES: Final = ("home.json", "carepost.toml", "keyring.check")

Say = Callable[[str], None]


class Made(msgspec.Struct, frozen=True):
    file: str
    at: int
    size: int
    files: int
    #: deliveries that waited then; after a restore they are held
    waiting: int


class Last(msgspec.Struct, frozen=True):
    """`backup.json` in the home."""

    at: int
    file: str


def backup(home: Home, config: Config, keys: PurposeKeys, target: Path, say: Say = lambda _: None) -> Made:
    """Writes `target` whole or not at all; the processes go on. `keys` with the purpose `database`. Raises ConfigError
    (the target is there, cannot be written, or lies inside the home; pg_dump is missing), Unavailable."""
    if config.node_address:
        raise ConfigError(
            "What the nodes share is in PostgreSQL: back up that server (pg_basebackup and its WAL), and each keyring "
            "and home's configuration apart from it."
        )
    if target.exists():
        raise ConfigError(f"{target} is there already; name another file.")
    if target.resolve().is_relative_to(home.path.resolve()):
        raise ConfigError("A backup inside the home is lost with it; name a file elsewhere.")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with _folder(target.parent) as folder, _taken(home, config, keys, folder) as seen:
            say(f"taken       {len(seen.databases)} databases, {len(seen.segments)} segments, as of one moment")
            made = _write(home, config, keys, seen, part, folder, say)
        os.replace(part, target)
        durable.sync_directory(target.parent)
    except OSError as error:
        raise ConfigError(f"{target} cannot be written ({error.strerror}); name a file elsewhere.") from None
    finally:
        part.unlink(missing_ok=True)
    durable.write(home.path / MARK, msgspec.json.encode(Last(made.at, str(target))))
    return Made(str(target), made.at, target.stat().st_size, len(made.files), made.waiting)


@contextmanager
def _folder(beside: Path) -> Iterator[Path]:
    """For copies of databases on their way into the file: encrypted as they lie in the home."""
    path = Path(tempfile.mkdtemp(prefix=".carepost-backup-", dir=beside))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _taken(home: Home, config: Config, keys: PurposeKeys, folder: Path) -> AbstractContextManager[Moment]:
    if config.database_url:
        # psycopg is an extra: only an installation on PostgreSQL has it
        office = importlib.import_module("carepost.processes.backup.office")
        found: AbstractContextManager[Moment] = office.taken(home, config.database_url, folder / DUMP)
        return found
    return moment.embedded(home, keys)


def _write(home: Home, config: Config, keys: PurposeKeys, seen: Moment, part: Path, folder: Path, say: Say) -> Manifest:
    key, wrapped, prefix = vault.new_key(keys)
    head = vault.Head(
        vault.FORMAT, __version__, seen.at, msgspec.Raw((home.path / "home.json").read_bytes()), home.sandbox,
        "postgresql" if config.database_url else "sqlite", wrapped, prefix,
    )  # fmt: skip
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        stream = vault.Writer(file, head, key)
        with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            packing = _Packing(tar, say)
            for name in _FILES:
                if (home.path / name).exists():
                    packing.path(name, home.path / name)
            for path in sorted(home.tls.iterdir()) if home.tls.exists() else ():
                if path.is_file() and NAMES.fullmatch(f"tls/{path.name}"):
                    packing.path(f"tls/{path.name}", path)
            for one in seen.databases:
                copied = _copy(one, folder / "copy.db")
                packing.path(one.name, copied)
                copied.unlink()
            for segment in seen.segments:
                with os.fdopen(os.dup(segment.fd), "rb") as source:
                    packing.add(segment.name, source, os.fstat(segment.fd).st_size)
            if (folder / DUMP).exists():
                packing.path(DUMP, folder / DUMP)
            manifest = Manifest(seen.at, tuple(packing.files), tuple(seen.shards))
            packing.text(NAME, msgspec.json.encode(manifest))
        stream.finish()
        file.flush()
        os.fsync(file.fileno())
    return manifest


def _copy(one: Database, path: Path) -> Path:
    """By SQLite's online backup, from the pinned snapshot, under the file's own key."""
    target: Connection = type(one.connection)(str(path), isolation_level=None)
    try:
        if one.key is not None:
            database.unlock(target, one.key)
        one.connection.backup(target, pages=_PAGES)
    finally:
        target.close()
    return path


class _Packing:
    """Entries of the archive, each with its hash as it went in."""

    def __init__(self, tar: tarfile.TarFile, say: Say) -> None:
        self._tar = tar
        self._say = say
        self.files: list[File] = []

    def path(self, name: str, path: Path) -> None:
        with path.open("rb") as source:
            self.add(name, source, path.stat().st_size)

    def text(self, name: str, data: bytes) -> None:
        self.add(name, io.BytesIO(data), len(data))

    def add(self, name: str, source: IO[bytes], size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        hashing = _Hashing(source)
        self._tar.addfile(entry, hashing)
        self.files.append(File(name, size, hashing.digest.hexdigest()))
        self._say(f"copied      {name} ({size:,} bytes)")


class _Hashing(io.RawIOBase):
    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.digest.update(data)
        return data
