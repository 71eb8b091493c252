"""A worker shuts itself in, after it has loaded all it needs: no network, no files but Python's own, no programs.

Several layers, each of which may be missing on a machine (`Held` says which took): namespaces (its own, empty network),
Landlock (read-only, beneath Python's folders), seccomp (calls that nothing here makes), limits of the kernel on
memory, processor, open files and written octets, and last an audit hook of the interpreter. On systems other than
Linux only the limits and the hook are there."""

import ctypes
import os
import resource
import signal
import sys
import sysconfig
from pathlib import Path
from typing import Any, Final

import msgspec

import carepost
from carepost.confined import landlock, seccomp

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38
_CLONE_NEWNET: Final = 0x4000_0000
_CLONE_NEWUSER: Final = 0x1000_0000
_CLONE_NEWIPC: Final = 0x0800_0000
#: descriptors: three standard ones, the pipe, and a file read by an import
_OPEN_FILES: Final = 32
#: where programs for OCR and their libraries are
_PROGRAMS: Final = ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")


class Held(msgspec.Struct, frozen=True):
    """The layers that took."""

    network: tuple[str, ...]
    files: tuple[str, ...]
    calls: tuple[str, ...]


def die_with_parent() -> None:
    """An engine killed by SIGKILL leaves no worker behind (Linux; elsewhere the closed pipe ends it)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def limit(memory: int) -> None:
    """Octets of address space, no core file, no octet written to any file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def limit_cpu(seconds: int) -> None:
    """From now on; the kernel ends the process after them."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def shut(*, programs: bool) -> Held:
    """`programs`: OCR needs to start one; everything else stays shut. Cannot be undone."""
    network: list[str] = []
    files: list[str] = []
    calls: list[str] = []
    readable = [*_python(), *(_PROGRAMS if programs else ())]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        if _own_network(libc):
            network.append("namespace")
        if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
            if landlock.restrict(libc, readable, execute=programs):
                files.append("landlock")
            if seccomp.install(libc, programs=programs):
                network.append("seccomp")
                calls.append("seccomp")
    if not programs:
        # counted over all processes of the user: a small number would keep OCR from starting on a busy machine
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    sys.addaudithook(_Hook(readable, programs=programs))
    for layers in (network, files, calls):
        layers.append("audit-hook")
    return Held(tuple(network), tuple(files), tuple(calls))


def _own_network(libc: ctypes.CDLL) -> bool:
    """An empty network of its own: with a user namespace where the system lets anyone make one, else as root."""
    for flags in (_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC, _CLONE_NEWNET | _CLONE_NEWIPC):
        if libc.unshare(flags) == 0:
            return True
    return False


def _python() -> list[str]:
    """Folders that an import may still read."""
    found = {sys.prefix, sys.base_prefix, *(p for p in sys.path if p)}
    found |= {sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found.add(str(Path(carepost.__file__).parent))
    return sorted(path for path in found if os.path.isabs(path) and path != "/")


class _Hook:
    """Refuses what Python code could try where the kernel's layers are missing."""

    def __init__(self, readable: list[str], *, programs: bool) -> None:
        self._programs = programs
        self._readable = tuple(readable)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith("socket."):
            raise PermissionError("no network in a worker")
        if event in _EXECUTING and not self._programs:
            raise PermissionError("no programs in a worker")
        # a number is a descriptor it has already: the pipe to a program of its own
        if event == "open" and not isinstance(arguments[0], int):
            if isinstance(arguments[2], int) and arguments[2] & _WRITING:
                raise PermissionError("no writing in a worker")
            if not os.fsdecode(arguments[0]).startswith(self._readable):
                raise PermissionError("no files of others in a worker")
        elif event in _CHANGING:
            raise PermissionError("no writing in a worker")


_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_EXECUTING: Final = frozenset(
    {"subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn"}
)
_CHANGING: Final = frozenset(
    {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate"}
)
