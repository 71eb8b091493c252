"""How long a process may run before another has its turn: long for those who move mail.

A message is a thousand small steps in Python, each of which wakes somebody: a client, the writer's thread, the journal.
By default Linux lets whoever wakes take the processor at once, and what comes back finds its caches cold. Measured on
two cores (bench/run.py, in one hour): 1.82 -> 1.48 CPU s per 1,000 messages relayed (docs/decisions/0037)."""

import ctypes
import os
import platform
import struct
import sys
from typing import Final

#: nanoseconds of a turn; Linux knows 0.1 to 100 ms from 6.12 on, and before that its own
TURN: Final = 20_000_000
#: sched_setattr(2), which has no wrapper in the C library
_SETATTR: Final = {"x86_64": 314, "aarch64": 274}
#: struct sched_attr: size, policy, flags, nice, priority, runtime, deadline, period, util_min, util_max
_ATTR: Final = "=IIQiIQQQII"


def long() -> bool:
    """Of this process and all threads and processes it starts from now on: who wakes here waits until whoever runs has
    had its turn, and a turn is `TURN` long. Costs others at most a turn. Whether the kernel took it."""
    if sys.platform != "linux":
        return False
    batch: int = os.SCHED_BATCH
    try:
        os.sched_setscheduler(0, batch, os.sched_param(0))
    except OSError:
        return False
    number = _SETATTR.get(platform.machine())
    if number is not None:
        size = struct.calcsize(_ATTR)
        given = ctypes.create_string_buffer(struct.pack(_ATTR, size, batch, 0, 0, 0, TURN, 0, 0, 0, 0), size)
        # where it is refused, the policy above stands alone
        ctypes.CDLL(None, use_errno=True).syscall(number, 0, given, 0)
    return True
