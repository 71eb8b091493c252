"""`python -m carepost.processes.child ROLE INDEX PARENT`: one process of a home."""

import ctypes
import gc
import importlib
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from carepost.ground import config, home, log
from carepost.ground.errors import CarepostError, ConfigError
from carepost.ground.keys import PurposeKeys
from carepost.processes import turns

_PR_SET_PDEATHSIG = 1
#: those who move mail
_STEADY = frozenset({"engine", "journal"})

#: module of each role; it has `run(world: Start) -> None` that returns after SIGTERM
MODULES = {
    "engine": "carepost.processes.engine",
    "journal": "carepost.processes.journal",
    "staff": "carepost.processes.web",
    "outside": "carepost.processes.web",
    "sandbox": "carepost.processes.world",
    "monitor": "carepost.processes.monitor",
}


class Start:
    """What a process is given: its home, settings, keys and place, and how to say it is ready."""

    def __init__(self, role: str, index: int) -> None:
        self.role, self.index = role, index
        self.home = home.open_(Path(os.environ["CAREPOST_HOME"]))
        self.config = config.load(self.home.path, os.environ)
        raw = os.environ.get("CAREPOST_KEYS_FD", "")
        self.keys = _keys(int(raw)) if raw else PurposeKeys({}, 0)

    def ready(self) -> None:
        fd = os.environ.pop("CAREPOST_READY_FD", "")
        if fd:
            os.write(int(fd), b"ready\n")
            os.close(int(fd))


def _keys(fd: int) -> PurposeKeys:
    with os.fdopen(fd, "rb") as pipe:
        raw = pipe.read()
    return PurposeKeys.load(raw) if raw else PurposeKeys({}, 0)


def main(arguments: list[str]) -> int:
    role, index, parent = arguments[0], int(arguments[1]), int(arguments[2])
    _die_with(parent)
    # no core files: they would hold keys and mail in clear (HS-34)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    if role in _STEADY:
        turns.long()
    log.start(f"{role}-{index:02d}")
    log.catch()
    try:
        module = importlib.import_module(MODULES[role])
        run: Callable[[Start], None] = module.run
        run(Start(role, index))
    except CarepostError as error:
        print(f"carepost: {error.public}", file=sys.stderr, flush=True)
        log.event("process-refused", code=error.code)
        return 2 if isinstance(error, ConfigError) else 1
    except Exception as error:
        log.failure("process-failed", error)
        return 1
    finally:
        gc.unfreeze()
    return 0


def _die_with(parent: int) -> None:
    """A supervisor killed by SIGKILL must not leave orphans that hold the shards' locks (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
