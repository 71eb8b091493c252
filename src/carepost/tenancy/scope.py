"""Which organisation the running code speaks for. On PostgreSQL it is set in every transaction, where row security
compares each row with it (DESIGN 5); on SQLite it changes nothing, so code that forgets it fails in the tests there.

`organisation(org)` is for one; `every(why)` sees all rows and is for the few places that must (sign-in, the journal,
keys of machines): they say why, and `tests/floors` lists them.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_NONE = ""
_EVERY = "*"

_active: ContextVar[str] = ContextVar("carepost-organisation", default=_NONE)


@contextmanager
def organisation(org: uuid.UUID) -> Iterator[None]:
    """Rows of `org` only, until the block ends."""
    token = _active.set(str(org))
    try:
        yield
    finally:
        _active.reset(token)


@contextmanager
def every(why: str) -> Iterator[None]:
    """Rows of all organisations. `why` is for the reader of the code; it goes nowhere."""
    assert why
    token = _active.set(_EVERY)
    try:
        yield
    finally:
        _active.reset(token)


def active() -> str:
    """UUID text, "*" for every organisation, "" for none."""
    return _active.get()
