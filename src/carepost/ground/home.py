"""CAREPOST_HOME: one directory an installation lives in, and where its parts stand."""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from carepost.ground import clock, durable, ids
from carepost.ground.errors import ConfigError

#: raised when an older Carepost could not read the home any more
FORMAT = 1


class _Mark(msgspec.Struct):
    format: int
    shards: int
    sandbox: bool
    made_at: str
    node: int = 0
    #: tells this home from every other; "" in homes made before there were nodes
    id: str = ""


class _Restored(msgspec.Struct):
    backup_at: int


class Home:
    """Paths of an opened home. `shards` is fixed when the home is made (DESIGN 2)."""

    def __init__(self, path: Path, mark: _Mark) -> None:
        self.path = path
        self.shards = mark.shards
        self.sandbox = mark.sandbox
        self.node = mark.node
        self.id = mark.id or mark.made_at

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def tls(self) -> Path:
        return self.path / "tls"

    @property
    def office_db(self) -> Path:
        return self.path / "office.db"

    @property
    def records_db(self) -> Path:
        return self.path / "records.db"

    @property
    def config_file(self) -> Path:
        return self.path / "carepost.toml"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def world(self) -> Path:
        return self.path / "sandbox"

    def shard(self, number: int) -> Path:
        return self.path / "spool" / f"shard-{number:04d}"

    @property
    def elsewhere(self) -> Path:
        """What engines of other nodes saw of destinations."""
        return self.path / "spool" / "elsewhere"

    @property
    def doors(self) -> Path:
        """What this node shows other nodes, and knows them by."""
        return self.path / "doors"

    def socket(self, engine: int) -> Path:
        return self.run / f"engine-{engine:02d}.sock"

    def keyring(self, environ: dict[str, str] | None = None) -> Path:
        """CAREPOST_KEYRING; else inside a sandbox home; else in the user's configuration folder."""
        return keyring_path(self.path, os.environ if environ is None else environ, sandbox=self.sandbox)

    def restored_from(self) -> int:
        """The moment of the backup this home was restored from (UTC microseconds); 0: it never was."""
        try:
            return msgspec.json.decode((self.path / "restored.json").read_bytes(), type=_Restored).backup_at
        except (OSError, msgspec.MsgspecError):
            return 0

    def lock(self) -> int:
        """Held by the supervisor: one Carepost a home. Raises ConfigError when another runs."""
        try:
            fd = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(
                f"{self.path} cannot be written ({error.strerror}): run Carepost as the user the home belongs to."
            ) from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise ConfigError(f"A Carepost already runs on {self.path}; stop it first.") from None
        return fd


def create(path: Path, *, shards: int = 2, sandbox: bool = False, node: int = 0, id: str = "") -> Home:
    """Makes a home with private folders. `id`: no other home's; "": a new one. Raises ConfigError when something else
    is there."""
    if path.exists() and any(path.iterdir()):
        raise ConfigError(f"{path} is not empty and not a Carepost home; name another folder by CAREPOST_HOME.")
    try:
        for folder in (path, path / "run", path / "tls", path / "spool", path / "log"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        mark = _Mark(FORMAT, shards, sandbox, clock.rfc3339(clock.now()), node, id or ids.text(ids.new()))
        for number in range(shards):
            (path / "spool" / f"shard-{number:04d}").mkdir(mode=0o700)
        durable.write(path / "home.json", msgspec.json.encode(mark))
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({error.strerror}); name another folder by CAREPOST_HOME."
        ) from None
    return Home(path, mark)


def furnish(opened: Home) -> None:
    """The folders of a home that hold nothing that is missed, made again where they are gone. Raises ConfigError."""
    shards = [opened.shard(number) for number in range(opened.shards)]
    try:
        for folder in (opened.run, opened.tls, opened.log, *shards):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            f"{opened.path} cannot be written ({error.strerror}): run Carepost as the user the home belongs to."
        ) from None


def numbered(opened: Home, node: int) -> Home:
    """The home as node `node`, before an id was made in it. Raises ConfigError."""
    file = opened.path / "home.json"
    try:
        mark = msgspec.json.decode(file.read_bytes(), type=_Mark)
        mark = msgspec.structs.replace(mark, node=node, id=opened.id)
        durable.write(file, msgspec.json.encode(mark))
    except (OSError, msgspec.MsgspecError):
        raise ConfigError(f"{file} cannot be written; make room, or give this user the right to.") from None
    return Home(opened.path, mark)


def keyring_path(path: Path, environ: Mapping[str, str], *, sandbox: bool) -> Path:
    """Where the keyring of a home at `path` is looked for."""
    named = environ.get("CAREPOST_KEYRING")
    if named:
        return Path(named)
    if sandbox:
        return path / "keyring.json"
    base = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME", "/root")) / ".config")
    return Path(base) / "carepost" / "keyring.json"


def exists(path: Path) -> bool:
    """Raises ConfigError for a folder this user may not look into."""
    try:
        return (path / "home.json").exists()
    except PermissionError:
        raise _not_ours(path) from None


def _not_ours(path: Path) -> ConfigError:
    return ConfigError(f"{path} cannot be entered by this user: run this as the user the home belongs to.")


def open_(path: Path) -> Home:
    """Raises ConfigError when there is no home, or it was made by a newer Carepost."""
    try:
        mark = msgspec.json.decode((path / "home.json").read_bytes(), type=_Mark)
    except FileNotFoundError:
        if path.is_dir() and any(path.iterdir()):
            raise ConfigError(
                f"{path} is not empty and not a Carepost home (there is no home.json in it); name another folder by "
                "CAREPOST_HOME, or restore the home from a backup."
            ) from None
        raise ConfigError(f"No Carepost home at {path}; make one with: carepost up") from None
    except PermissionError:
        raise _not_ours(path) from None
    except (OSError, msgspec.MsgspecError):
        raise ConfigError(f"{path}/home.json cannot be read; restore the home from a backup.") from None
    if mark.format > FORMAT:
        raise ConfigError(f"{path} was made by a newer Carepost (format {mark.format}); update Carepost to use it.")
    return Home(path, mark)
