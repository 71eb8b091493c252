"""Small files kept as memory the kernel outlives us with."""

import mmap
import os
from pathlib import Path

from carepost.ground.errors import ConfigError


def open_(path: Path, size: int) -> tuple[mmap.mmap, bool]:
    """(the map, it was made new). Every block is written first: a hole written through the map on a full disk would
    kill the process (SIGBUS). Raises ConfigError."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            have = os.fstat(fd).st_size
            at = have
            while at < size:
                at += os.pwrite(fd, bytes(min(size - at, 1 << 20)), at)
            return mmap.mmap(fd, size), have < size
        finally:
            os.close(fd)
    except OSError as error:
        raise ConfigError(f"{path.name} of the spool cannot be made ({error.strerror}); free space.") from None
