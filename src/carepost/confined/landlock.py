"""Landlock (Linux 5.13 and later): from here on files are read beneath a few folders and nowhere else, by this process
and its children. Landlock's own numbers stand in <linux/landlock.h>."""

import ctypes
import os
from collections.abc import Iterable
from typing import Final

_CREATE: Final = 444
_ADD: Final = 445
_RESTRICT: Final = 446
_VERSION: Final = 1
_BENEATH: Final = 1

_EXECUTE: Final = 1 << 0
_READ_FILE: Final = 1 << 2
_READ_DIR: Final = 1 << 3
#: version of the interface -> all rights to files it knows
_RIGHTS: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
#: TCP: bind, connect (version 4); abstract sockets and signals outside (version 6)
_NETWORK: Final = 0b11
_SCOPE: Final = 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def restrict(libc: ctypes.CDLL, readable: Iterable[str], *, execute: bool) -> bool:
    """Whether it took. Needs no privilege, but PR_SET_NO_NEW_PRIVS before it."""
    version = libc.syscall(_CREATE, None, 0, _VERSION)
    if version < 1:
        return False
    ruleset = _Ruleset(_RIGHTS[min(version, 5)], _NETWORK if version >= 4 else 0, _SCOPE if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    held = libc.syscall(_CREATE, ctypes.byref(ruleset), size, 0)
    if held < 0:
        return False
    try:
        for path in readable:
            _allow(libc, held, path, execute=execute)
        return bool(libc.syscall(_RESTRICT, held, 0) == 0)
    finally:
        os.close(held)


def _allow(libc: ctypes.CDLL, held: int, path: str, *, execute: bool) -> None:
    """What is not there is not allowed, which is as it should be."""
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights = _READ_FILE | (_EXECUTE if execute else 0)
        if os.path.isdir(path):
            rights |= _READ_DIR
        rule = _Beneath(rights, opened)
        libc.syscall(_ADD, held, _BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(opened)
