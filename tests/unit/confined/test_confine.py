"""A worker that shut itself in: what it tries is refused, by each layer that took and by the interpreter."""

import json
import subprocess
import sys

import pytest

from carepost.confined import seccomp

PROGRAM = """
import ctypes, errno, json, os, socket, subprocess, sys
from carepost.confined import confine
confine.die_with_parent()
confine.limit(1_500_000_000)
if sys.argv[1] == "bare":
    confine._own_network = confine.landlock.restrict = confine.seccomp.install = lambda *a, **k: False
held = confine.shut(programs=sys.argv[1] == "programs")
libc = ctypes.CDLL(None, use_errno=True)
said = {}
def attempt(name, what):
    try:
        said[name] = what() or "done"
    except BaseException as error:
        said[name] = type(error).__name__
def call(name, *arguments):
    def made():
        ctypes.set_errno(0)
        answer = getattr(libc, name)(*arguments)
        return errno.errorcode.get(ctypes.get_errno(), "?") if answer < 0 else "done"
    return made
attempt("socket", socket.socket)
attempt("connect", lambda: socket.create_connection(("127.0.0.1", 9)))
attempt("resolve", lambda: socket.getaddrinfo("clinic.test", 25))
attempt("kernel socket", call("socket", 2, 1, 0))
attempt("kernel netlink", call("socket", 16, 3, 0))
attempt("read", lambda: open("/etc/hostname").read() and "done")
attempt("kernel read", call("open", b"/etc/hostname", 0))
attempt("kernel proc", call("open", b"/proc/1/environ", 0))
attempt("write", lambda: open(sys.argv[2], "w"))
attempt("kernel write", call("open", sys.argv[2].encode(), 0o102, 0o600))
attempt("remove", lambda: os.remove(sys.argv[2]))
attempt("run", lambda: subprocess.run(["/bin/true"], stdout=subprocess.PIPE).returncode)
attempt("kernel unshare", call("unshare", 0x10000000))
attempt("kernel ptrace", call("ptrace", 16, 1, 0, 0))
attempt("import", lambda: __import__("wave") and "done")
attempt("memory", lambda: bytes(1_600_000_000) and "done")
print(json.dumps([held.network, held.files, held.calls, said]))
"""


def tried(tmp_path: object, programs: str) -> tuple[list[str], list[str], dict[str, str]]:
    command = [sys.executable, "-I", "-B", "-c", PROGRAM, programs, f"{tmp_path}/file"]
    done = subprocess.run(command, capture_output=True, timeout=60, env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr.decode()[-800:]
    network, files, _, said = json.loads(done.stdout)
    return network, files, said


def test_nothing_but_reading_its_own_modules_is_left(tmp_path: object) -> None:
    network, files, said = tried(tmp_path, "none")
    for name in ("socket", "connect", "resolve", "write", "remove", "run"):
        assert said[name] == "PermissionError", name
    assert said["import"] == "done"
    assert said["memory"] == "MemoryError"
    if "namespace" in network or "seccomp" in network:
        assert said["kernel socket"] != "done" or "seccomp" not in network
    if "seccomp" in network:
        for name in ("kernel socket", "kernel netlink", "kernel unshare", "kernel ptrace"):
            assert said[name] == "EPERM", name
    if "landlock" in files:
        assert said["read"] == "PermissionError"
        for name in ("kernel read", "kernel proc", "kernel write"):
            assert said[name] == "EACCES", name


def test_where_the_kernel_has_no_layer_the_interpreter_refuses(tmp_path: object) -> None:
    network, files, said = tried(tmp_path, "bare")
    assert network == files == ["audit-hook"]
    for name in ("socket", "connect", "resolve", "read", "write", "remove", "run"):
        assert said[name] == "PermissionError", name
    assert said["import"] == "done"


def test_this_machine_has_every_layer(tmp_path: object) -> None:
    """On a kernel that has them, none may silently fail to take."""
    network, files, _ = tried(tmp_path, "none")
    with open("/proc/self/status") as status:
        assert "Seccomp:" in status.read()
    assert "seccomp" in network and "audit-hook" in network and "audit-hook" in files


def test_with_ocr_programs_start_and_reach_no_network(tmp_path: object) -> None:
    network, _, said = tried(tmp_path, "programs")
    assert said["run"] in (0, "done")
    assert said["socket"] == "PermissionError"
    if "seccomp" in network:
        assert said["kernel socket"] == "EPERM"


@pytest.mark.fast
@pytest.mark.parametrize("refused", [(), (41,), tuple(range(60))])
def test_the_filter_answers_every_call(refused: tuple[int, ...]) -> None:
    """The program run by hand: refused calls end in EPERM, others pass, other machines and x32 never do."""
    code = seccomp._program(0xC000003E, refused)
    lines = [code[at : at + 8] for at in range(0, len(code), 8)]

    def answer(number: int, architecture: int = 0xC000003E) -> int:
        at = loaded = 0
        while True:
            kind, true, false = int.from_bytes(lines[at][:2], "little"), lines[at][2], lines[at][3]
            value = int.from_bytes(lines[at][4:], "little")
            if kind == 0x20:
                loaded = architecture if value == 4 else number
            elif kind == 0x15:
                at += true if loaded == value else false
            elif kind == 0x35:
                at += true if loaded >= value else false
            else:
                return value
            at += 1

    assert all(answer(number) == 0x0005_0001 for number in refused)
    assert answer(500) == 0x7FFF_0000
    assert answer(0x4000_0000) == answer(0x4000_0029) == 0x0005_0001
    assert answer(500, 0x4000_0003) == 0x8000_0000
