"""A home's processes for tests: `prepare HOME` makes a sandbox home and prints what was made, as JSON;
`up HOME ROLE…` is `carepost up` with these roles only, for tests that need no office."""

import os
import signal
import sys
from pathlib import Path

import msgspec

from carepost.ground import log
from carepost.ground.errors import CarepostError, ConfigError
from carepost.processes import first_run
from carepost.processes.running import Running

READY = "Ctrl-C stops it."


def main(arguments: list[str]) -> int:
    verb, path, roles = arguments[0], Path(arguments[1]), arguments[2:]
    log.start("supervisor", sys.stderr)
    try:
        running = Running(path, os.environ, sandbox=True, say=lambda line: print(line, file=sys.stderr))
        if verb == "prepare":
            at = running
            made = first_run.prepare(at.home, at.config, at.keyring, at.environ, lambda _: None)
            running.joined()
            print(msgspec.json.encode(made).decode())
            return 0
        _watch(running, roles)
    except CarepostError as error:
        print(f"carepost: {error.public}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1
    return 0


def _watch(running: Running, roles: list[str]) -> None:
    """The supervisor over fewer children; the tables are as `prepare` left them, so nothing is bootstrapped again."""
    running.joined()
    supervisor = running.supervisor
    supervisor.children = [child for child in supervisor.children if child.role in roles]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.request_stop())
    try:
        supervisor.start()
        print(READY, flush=True)
        supervisor.run()
    finally:
        running.__exit__()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
