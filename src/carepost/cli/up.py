"""`carepost up [--sandbox]`: every process of a home under one supervisor, until Ctrl-C or SIGTERM."""

import argparse
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from carepost.cli.main import home_argument, home_path
from carepost.ground import config, home, log
from carepost.ground.config import Config
from carepost.ground.errors import ConfigError
from carepost.ground.home import Home
from carepost.ground.keys import MasterKeyring
from carepost.processes import first_run
from carepost.processes.supervisor import Supervisor

HELP = "start every process of a home under one supervisor"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    home_argument(parser)
    parser.add_argument("--sandbox", action="store_true", help="with a local outside world and the organisation demo")


def run(args: argparse.Namespace) -> int:
    with Running(home_path(args), sandbox=args.sandbox, say=say) as running:
        if running.home.sandbox:
            first_run.samples(running, say)
        say("\n".join(running.addresses()))
        if not running.home.sandbox and running.fresh:
            say(first_run.CHECKLIST)
        say("Ctrl-C stops it.")
        running.supervisor.run()
        say("stopping …")
    return 0


def say(line: str) -> None:
    print(line, flush=True)


class Running:
    """A home with its processes up; leaving the block stops them. Raises ConfigError before anything listens."""

    def __init__(self, path: Path, *, sandbox: bool, say: Callable[[str], None]) -> None:
        self.fresh = not home.exists(path)
        self.home = home.create(path, sandbox=sandbox) if self.fresh else home.open_(path)
        if sandbox and not self.home.sandbox:
            raise ConfigError(f"{path} is a real home; a sandbox needs a folder of its own (--home).")
        self.config = config.load(self.home.path, os.environ)
        self._lock = self.home.lock()
        _ports_free(self.config, self.home)
        self.keyring = _keyring(self.home, say)
        self._say = say
        engines = self.config.engines or min(os.cpu_count() or 1, self.home.shards)
        self.supervisor = Supervisor(
            self.home, self.keyring, dict(os.environ), min(engines, self.home.shards), fresh_settings(self.home)
        )

    def __enter__(self) -> "Running":
        log.start("supervisor", sys.stderr)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.supervisor.request_stop())
        first_run.prepare(self, self._say)
        try:
            self.supervisor.start(lambda role: self._say(f"{role} is up"))
        except BaseException:
            self.supervisor.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.stop()
        os.close(self._lock)

    def addresses(self) -> list[str]:
        at = self.config
        where = "localhost" if at.listen == "127.0.0.1" else at.listen
        lines = [
            f"console     {at.console_url or f'http://{where}:{at.port_console}/'}",
            f"portal      {at.portal_url or f'http://{where}:{at.port_portal}/'}",
            f"API         http://{where}:{at.port_api}/api/v1/",
            f"SMTP        {where}:{at.port_submission} (STARTTLS), {where}:{at.port_submission_tls} (TLS), MX {at.port_mx}",
        ]
        if self.home.sandbox:
            lines.append(f"sandbox     http://{where}:{at.port_api}/sandbox/")
        return lines


def fresh_settings(opened: Home) -> dict[str, str]:
    """Sandbox homes: retries in seconds, and the sandbox's own resolver and CA, unless settings say otherwise."""
    return first_run.SANDBOX_SETTINGS if opened.sandbox else {}


def _keyring(opened: Home, say: Callable[[str], None]) -> MasterKeyring:
    path = opened.keyring()
    if path.exists():
        return MasterKeyring.open(path)
    if opened.office_db.exists():
        raise ConfigError(f"No keyring at {path}: set CAREPOST_KEYRING to the one made with this home.")
    keyring = MasterKeyring.create(path)
    say(f"keyring     {path}: whoever loses it loses everything in this home; keep a copy apart from any backup of it.")
    if opened.sandbox:
        say("            (it lies inside the home only because this is a sandbox)")
    return keyring


def _ports_free(settings: Config, opened: Home) -> None:
    """Raises ConfigError naming the first port that is taken, and its setting."""
    names = ["port_api", "port_console", "port_portal", "port_submission", "port_submission_tls", "port_mx"]
    if opened.sandbox:
        names.append("port_sandbox_dns")
    for name in names:
        port: int = getattr(settings, name)
        with socket.socket(socket.AF_INET6 if ":" in settings.listen else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.listen, port))
            except OSError as error:
                mend = f"free it or set CAREPOST_{name.upper()}"
                raise ConfigError(f"Port {port} on {settings.listen} is not free ({error.strerror}): {mend}.") from None
