"""How a worker is started: the same for the engine, which keeps one, and the office, which asks one thing."""

from typing import Final

from carepost.confined import process

#: octets of address space, and seconds of processor time for one question
MEMORY: Final = 600_000_000
CPU: Final = 3
#: seconds until a worker must have said that it is shut in
READY: Final = 30.0


def command() -> list[str]:
    return process.command("carepost.rendering.worker", MEMORY, CPU)
