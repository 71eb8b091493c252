"""A home with its processes up: made or opened, checked, prepared, started, and stopped again."""

import os
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from carepost.ground import config, home, processors
from carepost.ground.config import Config
from carepost.ground.errors import ConfigError
from carepost.ground.home import Home
from carepost.ground.keys import MasterKeyring
from carepost.processes import begun, first_run, joining, monitor, rotation
from carepost.processes.bootstrapped import Bootstrapped
from carepost.processes.supervisor import Supervisor

Say = Callable[[str], None]
#: bytes of a Unix socket's path (sun_path of unix(7), with its final zero; macOS has 104)
_SOCKET_PATH = 104
_LONGEST_SOCKET = "/run/engine-00.sock"
#: a bound port that is still being let go of by the last run is no reason to refuse
_LISTENERS = ("port_api", "port_console", "port_portal", "port_submission", "port_submission_tls", "port_mx")


class Running:
    """`with Running(…) as running:`; leaving it stops every process. Raises ConfigError before anything listens,
    and Stopped when SIGTERM or Ctrl-C came before all were up."""

    def __init__(self, path: Path, environ: Mapping[str, str], *, sandbox: bool, say: Say) -> None:
        _reachable(path)
        self.fresh = not home.exists(path)
        self.home = home.create(path, sandbox=sandbox) if self.fresh else home.open_(path)
        if sandbox and not self.home.sandbox:
            raise ConfigError(f"{path} is a real home; a sandbox needs a folder of its own (--home).")
        home.furnish(self.home)
        self._lock = self.home.lock()
        self.environ = first_run.environment(self.home, environ)
        self.config = config.load(self.home.path, self.environ)
        _ports_free(self.config, self.home)
        if self.home.sandbox:
            self.environ = {**first_run.resolver(self.config), **self.environ}
        self.keyring = _keyring(self.home, self.environ, say)
        if self.config.node_address:
            self.home = _as_node(self.home, self.config, self.keyring, fresh=self.fresh, say=say)
        elif self.home.doors.exists():
            raise ConfigError(f"{path} is one node of several: set CAREPOST_NODE_ADDRESS to its address.")
        begun.whole(self.home, self.config)
        if not self.config.database_url:
            rotation.bring(self.home.path, self.keyring.purposes("database"), say)
        self.bootstrapped = Bootstrapped()
        self._say = say
        wanted = self.config.engines or processors.count()
        engines = min(wanted, self.home.shards)
        self.supervisor = Supervisor(
            self.home, self.keyring, self.environ, engines, self.config.database_url,
            monitor=bool(self.config.metrics),
        )  # fmt: skip

    def __enter__(self) -> "Running":
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.supervisor.request_stop())
        try:
            self.bootstrapped = first_run.prepare(
                self.home, self.config, self.keyring, self.environ, self._say, lambda: self.supervisor.stopping
            )
            self.joined()
            self.supervisor.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def joined(self) -> None:
        """After the tables were prepared: where there are other nodes, they know this one."""
        if self.config.node_address:
            joining.ready(self.home, self.config, self.keyring)

    def __exit__(self, *_: object) -> None:
        self.supervisor.stop()
        os.close(self._lock)

    @property
    def api(self) -> str:
        return self.config.address(self.config.port_api)

    @property
    def near(self) -> str:
        """The API as this machine reaches it: its own certificate is for localhost too."""
        return f"https://localhost:{self.config.port_api}" if self.config.every_address else self.api

    @property
    def console(self) -> str:
        return self.config.console_url or self.config.address(self.config.port_console)

    @property
    def portal(self) -> str:
        return self.config.portal_url or self.config.address(self.config.port_portal)

    def addresses(self) -> list[str]:
        at, host = self.config, self.config.host
        submission = f"{host}:{at.port_submission} (STARTTLS), {host}:{at.port_submission_tls} (TLS)"
        lines = [
            f"console     {self.console}/",
            f"portal      {self.portal}/",
            f"API         {self.api}/api/v1/",
            f"SMTP        submission {submission}; MX {host}:{at.port_mx}",
        ]
        if at.metrics:
            lines.append(f"metrics     http://{at.metrics}/metrics")
        return [*lines, f"sandbox     {self.api}/sandbox/"] if self.home.sandbox else lines


def _reachable(path: Path) -> None:
    """Processes talk over sockets in the home, and a socket's path is short."""
    room = _SOCKET_PATH - 1 - len(_LONGEST_SOCKET)
    if len(os.fsencode(path)) > room:
        raise ConfigError(f"{path} is too long for the sockets in it ({room} bytes): name a shorter CAREPOST_HOME.")


def _keyring(opened: Home, environ: dict[str, str], say: Say) -> MasterKeyring:
    """The keyring this home was begun with, told by a value derived from it; made where the home has none yet."""
    path = opened.keyring(environ)
    if path.exists():
        keyring = MasterKeyring.open(path)
        if not begun.belongs(opened, keyring):
            raise ConfigError(f"The keyring {path} is not the one made with this home: set CAREPOST_KEYRING to that.")
    elif begun.has_keyring(opened) or opened.office_db.exists():
        raise ConfigError(f"No keyring at {path}: set CAREPOST_KEYRING to the one made with this home.")
    else:
        keyring = MasterKeyring.create(path)
        say(f"keyring     {path}")
        say("            Losing it loses everything in this home. Keep a copy, apart from every backup of the home.")
        if opened.sandbox:
            say("            It lies inside the home only because this is a sandbox.")
    begun.keep(opened, keyring)
    return keyring


def _as_node(opened: Home, settings: Config, keyring: MasterKeyring, *, fresh: bool, say: Say) -> Home:
    """The home with its number among the nodes of its database. Raises ConfigError."""
    if any(opened.path.glob("spool/shard-*/spool.db")):
        raise ConfigError(
            f"{opened.path} has a spool on its own disk: let it run empty without CAREPOST_NODE_ADDRESS, and begin a "
            "new home as a node."
        )
    number = joining.number(settings, opened.id, begun.mark(keyring))
    if number != opened.node and not fresh and opened.doors.exists():
        raise ConfigError(
            f"{opened.path} was node {opened.node} and would be {number} in this database: is it another?"
        )
    if fresh:
        say(f"node        {number}, reached by the others at {settings.node_address}")
    return opened if number == opened.node else home.numbered(opened, number)


def _ports_free(settings: Config, opened: Home) -> None:
    """Raises ConfigError naming the first port that is taken, and its setting."""
    _bindable(settings.listen, 0, "is no address of this machine", "set CAREPOST_LISTEN to one")
    more = (["port_sandbox_dns"] if opened.sandbox else []) + (["port_gateway"] if settings.port_gateway else [])
    for name in [*_LISTENERS, *more]:
        port: int = getattr(settings, name)
        _bindable(settings.listen, port, f"cannot give port {port}", f"free it or set CAREPOST_{name.upper()}")
    if settings.metrics:
        host, port = monitor.address(settings.metrics)
        _bindable(host, port, f"cannot give port {port}", "free it or set CAREPOST_METRICS")


def _bindable(address: str, port: int, fault: str, mend: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise ConfigError(f"{address} {fault} ({error.strerror}): {mend}.") from None
