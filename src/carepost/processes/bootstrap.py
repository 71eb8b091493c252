"""`python -m carepost.processes.bootstrap`: brings the tables to this version and makes the sandbox's organisation.

Runs alone before any other process, with every key; answers one JSON line on standard output. What a second start
finds is left as it is.
"""

import os
import resource
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import msgspec

from carepost.ground import config, home, log, storefaults
from carepost.ground.errors import CarepostError
from carepost.ground.home import Home
from carepost.ground.keys import PurposeKeys
from carepost.processes.bootstrapped import Bootstrapped
from carepost.settings import boot, migrate


def main() -> int:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    log.start("bootstrap")
    log.catch()
    try:
        opened = home.open_(Path(os.environ["CAREPOST_HOME"]))
        settings = config.load(opened.path, os.environ)
        keys = PurposeKeys.from_fd(int(os.environ.pop("CAREPOST_KEYS_FD")))
        boot.setup("migrate", at=opened, settings=settings, keys=keys)
        migrate.migrate(opened)
        done = _organisation(opened, settings)
    except CarepostError as error:
        print(f"carepost: {error.public}", file=sys.stderr)
        return 2
    except Exception as error:
        known = storefaults.told(error)
        if known is None:
            raise
        print(f"carepost: {known.public}", file=sys.stderr)
        return 2
    sys.stdout.buffer.write(msgspec.json.encode(done) + b"\n")
    return 0


def _organisation(opened: Home, settings: config.Config) -> Bootstrapped:
    # by name, and late: it reads Django's models, which exist only once the settings do
    ensure: Callable[[Home, config.Config], Bootstrapped] = import_module("carepost.processes.demo_org").ensure
    return ensure(opened, settings)


if __name__ == "__main__":
    sys.exit(main())
