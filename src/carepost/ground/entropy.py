"""Random bytes of the operating system, fetched a page at a time.

`os.urandom` lets go of the interpreter lock at every call: with a writer thread beside the event loop each of the
two dozen nonces, salts and ids of a message then waits for its turn (measured: 27 calls, 1.5 ms a message). A page a
thread, never shared between threads, thrown away in a forked child.
"""

import os
import threading

from carepost.ground import clock

_PAGE = 4096
#: seconds a page may be drawn from: two machines woken from one memory snapshot share what is left of it (BI-078)
_LIFE = 0.5


class _Page:
    __slots__ = ("at", "bytes", "until")

    def __init__(self) -> None:
        self.bytes = b""
        self.at = _PAGE
        self.until = 0.0


class _Pool(threading.local):
    def __init__(self) -> None:
        self.page = _Page()


_pool = _Pool()


def take(size: int) -> bytes:
    """`size` random bytes, fit for keys and nonces; none is ever given twice."""
    page = _pool.page
    start = page.at
    end = start + size
    now = clock.monotonic()
    if end > _PAGE or now > page.until:
        if size > _PAGE // 4:
            return os.urandom(size)
        page.bytes, start, end, page.until = os.urandom(_PAGE), 0, size, now + _LIFE
    page.at = end
    return page.bytes[start:end]


def _forget() -> None:
    _pool.page = _Page()


os.register_at_fork(after_in_child=_forget)
