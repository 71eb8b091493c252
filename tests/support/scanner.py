"""A clamd of one's own: temporary configuration, one signature (EICAR's hash), no updates, ended by its process id."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.waiting import until

#: the test file of the European institute for antivirus research, in two pieces so that this file is none
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
NAME = "Eicar.Test.Signature"
#: octets of a message clamd takes here
MOST = 2_000_000


@contextmanager
def scanner(**settings: str) -> Iterator[Path]:
    """The path of its socket. `settings`: lines of clamd.conf."""
    program = shutil.which("clamd") or "/usr/sbin/clamd"
    folder = Path(tempfile.mkdtemp(prefix="carepost-clamd-"))
    (folder / "db").mkdir()
    line = f"{hashlib.md5(EICAR).hexdigest()}:{len(EICAR)}:{NAME}\n"
    (folder / "db" / "eicar.hdb").write_text(line)
    socket = folder / "clamd.sock"
    lines = {
        "DatabaseDirectory": str(folder / "db"), "LocalSocket": str(socket), "TemporaryDirectory": str(folder),
        "Foreground": "yes", "StreamMaxLength": str(MOST), "AlertExceedsMax": "yes", "AlertEncrypted": "yes",
        "LogFile": str(folder / "log"), "User": "root", "MaxThreads": "2", **settings,
    }  # fmt: skip
    (folder / "clamd.conf").write_text("".join(f"{name} {value}\n" for name, value in lines.items() if value))
    process = subprocess.Popen([program, "-c", str(folder / "clamd.conf")], stdout=-3, stderr=-3)
    try:
        until(lambda: socket.exists() or process.poll() is not None, within=30, what="clamd listens")
        assert process.poll() is None, (folder / "log").read_text()[-500:]
        yield socket
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
