"""Whether a file with a secret in it is its reader's alone."""

import os
from pathlib import Path


def shared(path: Path) -> bool:
    """Whether others than this process's user may read or change it. Raises OSError.

    Where root gives a secret to a group (Kubernetes mounts one 0440 for a pod's fsGroup), who is in that group reads
    it as its own."""
    held = path.stat()
    given = held.st_uid == 0 != os.geteuid()
    return bool(held.st_mode & (0o037 if given else 0o077))
