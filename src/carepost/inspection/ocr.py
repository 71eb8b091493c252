"""Reading pictures with Tesseract, where it is installed: from memory to memory, inside the worker's own limits."""

import shutil
import subprocess
from typing import Final

#: octets of a picture that is looked at, and seconds
_MOST: Final = 20_000_000
_SECONDS: Final = 10.0
_ENVIRONMENT: Final = {"OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8"}


class Tesseract:
    """An `Eye` of `phi.documents`."""

    def __init__(self, program: str) -> None:
        self._program = program

    def __call__(self, data: bytes) -> str | None:
        """The text of a picture; None where the program cannot read it."""
        if len(data) > _MOST:
            return None
        command = [self._program, "stdin", "stdout", "--psm", "3"]
        try:
            done = subprocess.run(command, input=data, stdout=subprocess.PIPE, timeout=_SECONDS, env=_ENVIRONMENT)
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def find() -> Tesseract | None:
    program = shutil.which("tesseract")
    return Tesseract(program) if program else None
