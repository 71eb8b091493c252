"""One supervisor for every process of a home: starts them in order, restarts what dies, stops all within 10 s."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from carepost.ground import log, postgres
from carepost.ground.errors import ConfigError
from carepost.ground.home import Home
from carepost.ground.keys import MasterKeyring
from carepost.ground.providers.settings import SECRET
from carepost.processes import logs
from carepost.processes.roles import ROLES

#: SIGTERM first; what is left after this many seconds is killed (the promise is 10 s)
GRACE = 8.0
#: a process that died is started again after these waits, the last one repeated
BACKOFF = (0.1, 0.5, 2.0, 5.0, 10.0)
READY_WITHIN = 60.0
#: seconds between looks at the size of the logs
_TRIM_EVERY = 60.0


#: glibc gives each block of 128 KiB or more its own mapping; the TLS reader asks for one of 256 KiB at every read, and
#: mapping, faulting in and unmapping it costs more than the read (measured: 10 % of a message)
_MALLOC = {"MALLOC_MMAP_THRESHOLD_": "1048576", "MALLOC_TRIM_THRESHOLD_": "8388608", "MALLOC_TOP_PAD_": "1048576"}


class Stopped(Exception):
    """A start was broken off by SIGTERM or Ctrl-C: no error, somebody asked for it."""


class Child:
    """One process of a role; `ready` once it said so through its pipe."""

    def __init__(self, role: str, index: int) -> None:
        self.role, self.index = role, index
        self.process: subprocess.Popen[bytes] | None = None
        self.ready = False
        self.ready_fd = -1
        self.failures = 0
        self.started = 0.0
        self.start_at = 0.0

    @property
    def name(self) -> str:
        return f"{self.role}-{self.index:02d}"


class Supervisor:
    def __init__(
        self, home: Home, keyring: MasterKeyring, environ: dict[str, str], engines: int, database_url: str = "",
        *, monitor: bool = False,
    ) -> None:  # fmt: skip
        """`database_url`: the owner's; no child is given it. `monitor`: figures are served."""
        self.home = home
        self._keyring = keyring
        self._environ = _without_owner(environ)
        self._database_url = database_url
        self._stopping = False
        self._selector = selectors.DefaultSelector()
        self.children = [Child("engine", i) for i in range(engines)]
        self.children += [Child(role, 0) for role in ("journal", "staff", "outside", *(["monitor"] if monitor else []))]
        if home.sandbox:
            self.children.insert(0, Child("sandbox", 0))

    def start(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Returns when every process is ready. Raises ConfigError with a child's own sentence when one cannot start,
        and Stopped when it was told to stop meanwhile."""
        for role in dict.fromkeys(child.role for child in self.children):
            group = [child for child in self.children if child.role == role]
            for child in group:
                self._spawn(child)
            self._await_ready(group)
            if self._stopping:
                raise Stopped
            progress(role)

    def run(self) -> None:
        """Watches until `stop` is asked for (a signal handler may call it)."""
        trimmed = time.monotonic()
        while not self._stopping:
            self._turn(0.5)
            if time.monotonic() - trimmed > _TRIM_EVERY:
                trimmed = time.monotonic()
                _trim(self.home.log)

    @property
    def stopping(self) -> bool:
        return self._stopping

    def request_stop(self) -> None:
        self._stopping = True

    def stop(self) -> None:
        """SIGTERM to all, then SIGKILL to what is left after GRACE."""
        self._stopping = True
        deadline = time.monotonic() + GRACE
        alive = [c for c in self.children if c.process is not None and c.process.poll() is None]
        outermost = [c for c in alive if c.role != "sandbox"]
        for group in (outermost, [c for c in alive if c.role == "sandbox"]):
            for child in group:
                self._signal(child, signal.SIGTERM)
            for child in group:
                assert child.process is not None
                try:
                    child.process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    log.event("process-killed", child=child.name)
                    self._signal(child, signal.SIGKILL)
                    child.process.wait()

    def _turn(self, wait: float) -> None:
        for key, _ in self._selector.select(wait):
            self._said(key.data)
        for child in self.children:
            process = child.process
            if process is not None and process.poll() is not None:
                self._ended(child, process.returncode)
            elif process is None and not self._stopping and time.monotonic() >= child.start_at:
                self._spawn(child)

    def _ended(self, child: Child, code: int) -> None:
        self._forget_pipe(child)
        child.process, child.ready = None, False
        if time.monotonic() - child.started > 60:
            child.failures = 0
        wait = BACKOFF[min(child.failures, len(BACKOFF) - 1)]
        child.failures += 1
        child.start_at = time.monotonic() + wait
        if not self._stopping:
            log.event("process-ended", child=child.name, code=code, again_in_s=wait)

    def _await_ready(self, group: list[Child]) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not all(child.ready for child in group) and not self._stopping:
            if time.monotonic() > deadline:
                raise ConfigError(f"{group[0].name} did not become ready in {READY_WITHIN:.0f} s; see {self.home.log}.")
            for key, _ in self._selector.select(0.2):
                self._said(key.data)
            for child in group:
                if child.process is not None and child.process.poll() is not None:
                    raise ConfigError(_last_words(self.home.log / f"{child.name}.log", child.name))

    def _said(self, child: Child) -> None:
        said = os.read(child.ready_fd, 64)
        if said:
            child.ready = True
            child.failures = 0
        self._forget_pipe(child)

    def _forget_pipe(self, child: Child) -> None:
        if child.ready_fd >= 0:
            self._selector.unregister(child.ready_fd)
            os.close(child.ready_fd)
            child.ready_fd = -1

    def _spawn(self, child: Child) -> None:
        keys_read, keys_write = os.pipe()
        ready_read, ready_write = os.pipe()
        environ = {
            **_MALLOC,
            **self._environ,
            "CAREPOST_HOME": str(self.home.path),
            "CAREPOST_KEYS_FD": str(keys_read),
            "CAREPOST_READY_FD": str(ready_write),
            "CAREPOST_ROLE": child.role,
            # named even when empty: it stands above what carepost.toml says
            "CAREPOST_DATABASE_URL": self._url_of(child.role),
        }
        log_file = os.open(self.home.log / f"{child.name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        child.process = subprocess.Popen(
            [sys.executable, "-m", "carepost.processes.child", child.role, str(child.index), str(os.getpid())],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
            pass_fds=(keys_read, ready_write),
            start_new_session=True,
        )
        for fd in (keys_read, ready_write, log_file):
            os.close(fd)
        with os.fdopen(keys_write, "wb") as pipe:
            purposes = ROLES[child.role]
            pipe.write(self._keyring.purposes(*purposes).dump() if purposes else b"")
        child.ready_fd = ready_read
        child.started = time.monotonic()
        self._selector.register(ready_read, selectors.EVENT_READ, child)

    def _url_of(self, role: str) -> str:
        """The database as this role of it; "" for a process that has no business there."""
        if not self._database_url or role not in postgres.ROLES:
            return ""
        return postgres.role_url(self._database_url, role, self._keyring.purposes("database"))

    @staticmethod
    def _signal(child: Child, number: int) -> None:
        if child.process is not None and child.process.poll() is None:
            child.process.send_signal(number)


def _trim(folder: Path) -> None:
    try:
        logs.trim(folder)
    except OSError as error:  # a full disk must not stop who watches the processes
        log.failure("logs-not-trimmed", error)


def _without_owner(environ: dict[str, str]) -> dict[str, str]:
    """What children inherit: nothing by which they could come to the database as the owner of its tables, or ask the
    keeper of the master key."""
    dropped = {"CAREPOST_DATABASE_URL", "CAREPOST_DATABASE_URL_FILE", *postgres.LOGIN_VARIABLES}
    dropped |= {SECRET, f"{SECRET}_FILE"}
    return {name: value for name, value in environ.items() if name not in dropped}


def _last_words(log_file: Path, name: str) -> str:
    """A child that cannot start says why in one `carepost: …` line of its log."""
    try:
        lines = log_file.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    for line in reversed(lines[-50:]):
        if line.startswith("carepost: "):
            return line.removeprefix("carepost: ")
    return f"{name} ended while starting{_fault(lines)}; see {log_file}."


def _fault(lines: list[str]) -> str:
    """Class and place of the failure it logged last: all that is left when the home is a throwaway."""
    try:
        said = msgspec.json.decode(lines[-1])
        return f" ({said['error']} at {said['place']})"
    except (IndexError, KeyError, TypeError, msgspec.DecodeError):
        return ""
