"""Structured logs: one JSON line an event, made of constants, ids and numbers. Never PHI (law 10)."""

import sys
import threading
from typing import TextIO

import msgspec

from carepost.ground import clock

Value = str | int | float | bool | None

_lock = threading.Lock()
_stream: TextIO | None = None
_process = ""


def start(process: str, stream: TextIO | None = None) -> None:
    """Names this process in its lines, and says where they go (standard error when not told)."""
    global _process, _stream
    _process, _stream = process, stream


def event(name: str, **fields: Value) -> None:
    """`fields`: ids, counts, codes and class names only; text of peers, addresses or subjects never."""
    line = msgspec.json.encode({"at": clock.rfc3339(clock.now()), "process": _process, "event": name, **fields})
    with _lock:
        stream = _stream or sys.stderr
        try:
            stream.write(line.decode() + "\n")
            stream.flush()
        except (OSError, ValueError):  # a closed pipe must not stop mail
            pass


def failure(name: str, error: BaseException, **fields: Value) -> None:
    """An exception by class and place, without its text: texts of others may hold PHI."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{code.co_filename.rpartition('carepost/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    event(name, error=type(error).__name__, place=place, **fields)
