"""How a worker is started: the same for the engine, which keeps one, and the office, which asks one thing."""

import sys
from typing import Final

#: octets of address space, and seconds of processor time for one question
MEMORY: Final = 600_000_000
CPU: Final = 3
#: seconds until a worker must have said that it is shut in
READY: Final = 30.0
#: all a worker finds in its environment
ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def command() -> list[str]:
    return [sys.executable, "-I", "-B", "-m", "carepost.rendering.worker", str(MEMORY), str(CPU)]
