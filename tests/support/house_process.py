"""A home's processes for tests: `prepare HOME` makes a sandbox home and prints what was made, as JSON;
`up HOME ROLE…` is `carepost up` with these roles only, for tests that need no office."""

import os
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
            print(msgspec.json.encode(made).decode())
            return 0
        running.supervisor.children = [child for child in running.supervisor.children if child.role in roles]
        with running:
            print(READY, flush=True)
            running.supervisor.run()
    except CarepostError as error:
        print(f"carepost: {error.public}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
