"""A home made again from a backup, in an empty folder: checked whole before anything counts, `home.json` last."""

import asyncio
import hashlib
import importlib
import os
import shutil
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from carepost import __version__
from carepost.directory import Directory
from carepost.directory import sqlite as embedded
from carepost.directory.source import Source
from carepost.ground import clock, database, durable, ids
from carepost.ground import home as homes
from carepost.ground.config import Config
from carepost.ground.errors import ConfigError
from carepost.ground.home import Home
from carepost.ground.keys import PurposeKeys
from carepost.intake.orgkeys import DirectoryKeys
from carepost.processes import rotation
from carepost.processes.backup import vault
from carepost.processes.backup.manifest import DUMP, NAME, NAMES, File, Manifest
from carepost.proof import kinds
from carepost.queue import restored
from carepost.spool.shard import Shard
from carepost.spool.types import Append, Sealing

Say = Callable[[str], None]
_PIECE: Final = 1 << 20
_MOST_MANIFEST: Final = 64 << 20
#: never stale: it is read once
_FOREVER: Final = 1e12


class _HomeForm(msgspec.Struct):
    format: int


class Restored(msgspec.Struct, frozen=True):
    """`restored.json` in the home, and the command's answer. Times: UTC microseconds."""

    backup_at: int
    restored_at: int
    files: int
    #: deliveries that waited when the backup was made: all of them are held now
    held: int


def check(source: Path, keys: PurposeKeys) -> Manifest:
    """Reads a whole backup and compares every hash; writes nothing. Raises ConfigError."""
    with _opened(source) as file:
        head, aad = _head(file)
        return _unpack(vault.Reader(file, head, aad, vault.open_key(head, keys)), None, lambda _: None)


def head_of(source: Path) -> vault.Head:
    """What the backup says of itself in clear. Raises ConfigError."""
    with _opened(source) as file:
        return _head(file)[0]


def restore(source: Path, path: Path, config: Config, keys: PurposeKeys, say: Say = lambda _: None) -> Restored:
    """`path`: absent or empty. `keys`: every purpose. Raises ConfigError; then the folder is as it was."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ConfigError(f"{path} is not empty; a backup is restored into an empty folder only (--home).")
    with _opened(source) as file:
        head, aad = _head(file)
        _fits(head, config)
        reader = vault.Reader(file, head, aad, vault.open_key(head, keys))
        fresh = not path.exists()
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            manifest = _unpack(reader, path, say)
            done = _settle(path, head, manifest, config, keys, say)
        except BaseException:
            for one in path.iterdir():
                shutil.rmtree(one) if one.is_dir() else one.unlink()
            if fresh:
                path.rmdir()
            raise
    return done


def _settle(path: Path, head: vault.Head, manifest: Manifest, config: Config, keys: PurposeKeys, say: Say) -> Restored:
    mark = (path / "home.json").read_bytes()
    opened = homes.open_(path)
    # until everything is done there is no home here: `carepost up` begins nothing on half of one
    (path / "home.json").unlink()
    for folder in (opened.run, opened.log, opened.tls):
        folder.mkdir(exist_ok=True, mode=0o700)
    # made before a rotation of the master key, it comes under the newest one now
    rotation.bring(path, keys, say)
    for name in rotation.FILES:
        if (path / name).exists():
            _sound(path / name, keys.raw("database", name.encode()))
    for shard in manifest.shards:
        _sound(opened.shard(shard.number) / "spool.db", None)
    source, taken = _office(opened, head, config, keys, say)
    _fits_together(opened, manifest, taken)
    say("checked     every hash, every database, and that spool and log are of one moment")
    held = asyncio.run(_hold(opened, source, manifest, keys))
    done = Restored(manifest.at, clock.now(), len(manifest.files), held)
    durable.write(path / "restored.json", msgspec.json.encode(done))
    durable.write(path / "home.json", mark)
    return done


def _office(
    opened: Home, head: vault.Head, config: Config, keys: PurposeKeys, say: Say
) -> tuple[Source, Mapping[str, int]]:
    """Where organisations' keys stand, and how far the log has come with each source."""
    if head.office != "postgresql":
        connection = database.connect(opened.records_db, keys.raw("database", b"records.db"), readonly=True)
        taken = {name: int(seq) for name, seq in connection.execute("SELECT source, seq FROM audit_source")}
        connection.close()
        return embedded.source(opened.office_db, keys), taken
    office: Any = importlib.import_module("carepost.processes.backup.office")
    office.empty(config.database_url)
    office.restore(config.database_url, opened.path / DUMP)
    (opened.path / DUMP).unlink()
    say("restored    the office into the database of CAREPOST_DATABASE_URL")
    return office.source(config.database_url, keys), office.taken_of(config.database_url)


async def _hold(opened: Home, source: Source, manifest: Manifest, keys: PurposeKeys) -> int:
    """What waited is held, and every organisation's log says what happened to its system."""
    directory = Directory(source, stale_after=_FOREVER)
    directory.poll()
    book = DirectoryKeys(directory, keys)
    total = 0
    try:
        for shard in manifest.shards:
            number = opened.node << 6 | shard.number
            held = Shard.open(opened.shard(shard.number), number)
            try:
                counts = await restored.hold_all(held, book, manifest.at)
                total += sum(counts.values())
                if shard is manifest.shards[0]:
                    orgs = (kinds.HOUSE_ORG, *directory.organisations())
                    await held.ask(Append(tuple(_event(org, number, manifest.at) for org in orgs)))
            finally:
                await asyncio.to_thread(held.close)
    finally:
        directory.stop()
    return total


def _event(org: bytes, shard: int, backup_at: int) -> Sealing:
    draft, _ = kinds.make(
        kinds.HOUSE_RESTORED, id=ids.text(ids.new(shard)), org=ids.text(org), at=clock.now(),
        actor=("system", "command-line"), on=(), facts={"backup-at": clock.rfc3339(backup_at)},
    )  # fmt: skip
    return Sealing(org, draft, b"")


def _fits_together(opened: Home, manifest: Manifest, taken: Mapping[str, int]) -> None:
    """The log may be behind a shard, never ahead of it, and never behind what the shard has forgotten."""
    for shard in manifest.shards:
        seq = taken.get(f"shard-{opened.node << 6 | shard.number:04d}", 0)
        if not shard.acked <= seq <= shard.head:
            raise ConfigError(
                f"The office restored here and shard {shard.number} of this backup are of different moments; restore "
                "the office from this very backup."
            )


def _sound(path: Path, key: bytes | None) -> None:
    connection = database.connect(path, key)
    try:
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except database.DatabaseError:
        said = "unreadable"
    finally:
        connection.close()
    if said != "ok":
        raise vault.damaged()


def _fits(head: vault.Head, config: Config) -> None:
    if head.office == "postgresql" and not config.database_url:
        raise ConfigError("This backup has its office in PostgreSQL: set CAREPOST_DATABASE_URL to an empty database.")
    if head.office != "postgresql" and config.database_url:
        raise ConfigError("This backup has its office in SQLite: unset CAREPOST_DATABASE_URL.")


def _head(file: IO[bytes]) -> tuple[vault.Head, bytes]:
    head, aad = vault.read_head(file)
    try:
        made = msgspec.json.decode(head.home, type=_HomeForm)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise vault.damaged() from None
    if _version(head.carepost) > _version(__version__) or made.format > homes.FORMAT:
        raise ConfigError(f"This backup was made by a newer Carepost ({head.carepost}); update Carepost to restore it.")
    return head, aad


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def _opened(source: Path) -> IO[bytes]:
    try:
        return source.open("rb")
    except OSError as error:
        raise ConfigError(f"{source} cannot be read ({error.strerror}); name a file made by carepost backup.") from None


def _unpack(reader: vault.Reader, path: Path | None, say: Say) -> Manifest:
    """Every entry into `path` (None: nowhere), compared with the manifest that ends the stream. Raises ConfigError."""
    seen: dict[str, File] = {}
    manifest: Manifest | None = None
    try:
        with tarfile.open(fileobj=reader, mode="r|") as tar:
            for entry in tar:
                content = tar.extractfile(entry)
                if manifest is not None or content is None:
                    raise vault.damaged()
                if entry.name == NAME:
                    manifest = msgspec.json.decode(content.read(_MOST_MANIFEST), type=Manifest)
                    continue
                if not NAMES.fullmatch(entry.name) or entry.name in seen:
                    raise vault.damaged()
                seen[entry.name] = _file(entry, content, path)
                say(f"read        {entry.name} ({entry.size:,} bytes)")
    except (tarfile.TarError, msgspec.MsgspecError, UnicodeDecodeError, EOFError):
        raise vault.damaged() from None
    if manifest is None or not reader.ends() or seen != {one.name: one for one in manifest.files}:
        raise vault.damaged()
    return manifest


def _file(entry: tarfile.TarInfo, content: IO[bytes], path: Path | None) -> File:
    digest, size = hashlib.sha256(), 0
    target = None
    if path is not None:
        place = path / entry.name
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
    try:
        while piece := content.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            if target is not None:
                target.write(piece)
        if target is not None:
            target.flush()
            os.fsync(target.fileno())
    finally:
        if target is not None:
            target.close()
    return File(entry.name, size, digest.hexdigest())
