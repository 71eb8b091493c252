"""Structured logs: one JSON line an event, made of constants, ids and numbers. Never PHI (law 10)."""

import logging
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


def catch() -> None:
    """From now on what nobody catches, in any thread or task, and what libraries log or warn of, is one of our lines
    too, without its text. For processes of a home; a command may show its own."""
    sys.excepthook = lambda _kind, error, _trace: failure("uncaught", error)
    threading.excepthook = _thread_ended
    sys.unraisablehook = lambda hook: _said("unraisable", hook.exc_value)
    logging.getLogger().handlers = [_Reduced(logging.WARNING)]
    logging.captureWarnings(True)


def _thread_ended(hook: threading.ExceptHookArgs) -> None:
    if not isinstance(hook.exc_value, SystemExit):
        _said("thread-failed", hook.exc_value)


def _said(name: str, error: BaseException | None) -> None:
    if error is None:
        event(name)
    else:
        failure(name, error)


class _Reduced(logging.Handler):
    """Of a library's line: its logger and level; of an exception (asyncio: of a task nobody waited for) its class."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            event("library-log", logger=record.name, level=record.levelname)
        else:
            failure("library-log", error, logger=record.name, level=record.levelname)
