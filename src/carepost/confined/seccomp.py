"""A seccomp filter (Linux, x86-64 and arm64): calls no reader of documents makes answer EPERM. Without privilege.

A list of what is refused, not of what is allowed: the C library's own calls change with its version, and a worker that
cannot read is as bad as one that can be led astray. Sockets, other processes, namespaces, kernel interfaces."""

import ctypes
import errno
import platform
import struct
from typing import Final

_PR_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2
_ALLOW: Final = 0x7FFF_0000
_ERRNO: Final = 0x0005_0000
_KILL: Final = 0x8000_0000

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_AT_LEAST: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K
#: x32 calls on x86-64 have this bit; nothing here uses them
_X32: Final = 0x4000_0000

#: machine -> (audit architecture, calls refused always, calls refused where no program may be started)
_TABLES: Final = {
    "x86_64": (
        0xC000_003E,
        # socket connect accept sendto sendmsg bind listen socketpair ptrace mount umount2 pivot_root chroot
        # init_module delete_module kexec_load add_key request_key keyctl unshare perf_event_open fanotify_init
        # name_to_handle_at open_by_handle_at setns process_vm_readv process_vm_writev finit_module bpf execveat
        # userfaultfd accept4 sendmmsg io_uring_* open_tree..fspick pidfd_open pidfd_getfd process_madvise
        # mount_setattr
        (
            41, 42, 43, 44, 46, 49, 50, 53, 101, 165, 166, 155, 161, 175, 176, 246, 248, 249, 250, 272, 298, 300, 303,
            304, 308, 310, 311, 313, 321, 322, 323, 288, 307, 425, 426, 427, 428, 429, 430, 431, 432, 433, 434, 438,
            440, 442,
        ),
        # clone fork vfork execve clone3 kill tkill
        (56, 57, 58, 59, 435, 62, 200),
    ),
    "aarch64": (
        0xC000_00B7,
        (
            198, 203, 202, 206, 211, 200, 201, 199, 117, 40, 39, 41, 51, 105, 106, 104, 217, 218, 219, 97, 241, 262,
            264, 265, 268, 270, 271, 273, 280, 281, 282, 242, 269, 425, 426, 427, 428, 429, 430, 431, 432, 433, 434,
            438, 440, 442,
        ),
        (220, 221, 435, 129, 130),
    ),
}  # fmt: skip


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def install(libc: ctypes.CDLL, *, programs: bool) -> bool:
    """Whether it took. Needs PR_SET_NO_NEW_PRIVS before it."""
    table = _TABLES.get(platform.machine())
    if table is None:
        return False
    architecture, always, starting = table
    code = _program(architecture, always if programs else always + starting)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def _program(architecture: int, refused: tuple[int, ...]) -> bytes:
    """Classic BPF over struct seccomp_data: nr at 0, architecture at 4."""
    lines = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    lines.append((_AT_LEAST, len(refused) + 1, 0, _X32))
    for number, call in enumerate(refused):
        lines.append((_EQUAL, len(refused) - number, 0, call))
    lines.append((_RETURN, 0, 0, _ALLOW))
    lines.append((_RETURN, 0, 0, _ERRNO | errno.EPERM))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
