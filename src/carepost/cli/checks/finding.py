"""One thing looked at."""

import msgspec


class Finding(msgspec.Struct, frozen=True):
    #: ok | attention | failed
    state: str
    what: str
    #: what to do; "" only where all is well
    mend: str = ""


def ok(what: str) -> Finding:
    return Finding("ok", what)


def attention(what: str, mend: str) -> Finding:
    return Finding("attention", what, mend)


def failed(what: str, mend: str) -> Finding:
    return Finding("failed", what, mend)
