"""A file that survives a power cut, or none: the only os.replace in the code."""

import os
from pathlib import Path

from carepost.ground.errors import CarepostError


class DurabilityError(CarepostError):
    """The disk did not take it; the caller must not say 250."""

    def __init__(self, detail: str) -> None:
        super().__init__("not-durable", "The disk did not take the file; free space or check the disk.", detail)


def write(path: Path, data: bytes, mode: int = 0o600) -> None:
    """tmp in the same directory -> write -> fsync file -> rename -> fsync directory. Raises DurabilityError."""
    tmp = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        fd = os.open(tmp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(tmp, path)
        sync_directory(path.parent)
    except OSError as error:
        tmp.unlink(missing_ok=True)
        raise DurabilityError(f"{error.strerror}") from None


def sync_directory(path: Path) -> None:
    """Otherwise the name may not be there after a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
