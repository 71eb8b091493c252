"""A Carepost home for the bench: one organisation, a sender domain, a credential, an API key and a pinned sink."""

import base64
import json
import os
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import time

ROOT = pathlib.Path(__file__).parent.parent
CAREPOST = str(ROOT / ".venv" / "bin" / "carepost")
SENDER_DOMAIN = "src.bench.invalid"
SINK_DOMAIN = "d0.bench.invalid"


class Carepost:
    """One Carepost under the bench: `start`, `stop`; `auth` is the base64 of AUTH PLAIN."""

    def __init__(
        self, work: pathlib.Path, sink_port: int, *, engines: int = 2, dkim: str = "ed25519", smime_users: int = 0,
        settings: dict[str, str] | None = None, rules: str = "",
    ) -> None:  # fmt: skip
        """`smime_users`: every message is encrypted to a certificate of its recipient, u0 to u<n-1>. `settings`: as
        environment variables, without CAREPOST_. `rules`: "many" (500 that read no content) or "content" (and one
        that has every message looked into)."""
        self.home = work / "home"
        self.pki = work / "pki"
        self.sink_port = sink_port
        self.dkim = dkim
        self.smime_users = smime_users
        self.rules = rules
        self.environ = {
            **os.environ,
            "CAREPOST_KEYRING": str(work / "keyring.json"),
            "CAREPOST_ENGINES": str(engines),
            "CAREPOST_HOSTNAME": "localhost",
            **{f"CAREPOST_{name.upper()}": value for name, value in (settings or {}).items()},
        }
        #: the last port that is opened
        self.portal = int(self.environ.get("CAREPOST_PORT_PORTAL", "8082"))
        self.process: subprocess.Popen[bytes] | None = None
        self.auth = ""
        self.api_key = ""

    def prepare(self) -> None:
        """Makes the home anew and the organisation in it."""
        shutil.rmtree(self.home, ignore_errors=True)
        (self.home.parent / "keyring.json").unlink(missing_ok=True)
        self.start()
        try:
            self._cli("org", "add", "bench", "--name", "Bench Clinic")
            self._cli("domain", "add", SENDER_DOMAIN, "--dkim", self.dkim, "--org", "bench")
            sink = f"localhost:{self.sink_port}"
            self._cli("route", "add", SINK_DOMAIN, sink, "--ca", str(self.pki / "ca.pem"), "--org", "bench")
            credential = self._cli("credential", "add", "load", "--org", "bench")
            plain = f"\0{credential['username']}\0{credential['password']}"
            self.auth = base64.b64encode(plain.encode()).decode()
            self.api_key = self._cli("key", "add", "load", "--scope", "send", "--org", "bench")["secret"]
            if self.smime_users:
                self._encrypt_all()
            if self.rules:
                self._many_rules()
        finally:
            self.stop()
        shutil.copy(self.pki / "srv.pem", self.home / "tls" / "localhost.pem")
        shutil.copy(self.pki / "srv.key", self.home / "tls" / "localhost.key")

    def _encrypt_all(self) -> None:
        """A certificate (RSA-2048) for each recipient, vouched for, and a rule that nothing goes without."""
        folder = self.home.parent / "certificates"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for number in range(self.smime_users):
            address = f"u{number}@{SINK_DOMAIN}"
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "300", "-subj", f"/CN=u{number}",
                 "-addext", "basicConstraints=critical,CA:FALSE", "-addext", f"subjectAltName=email:{address}",
                 "-addext", "keyUsage=critical,keyEncipherment",
                 "-addext", "extendedKeyUsage=emailProtection", "-keyout", "/dev/null",
                 "-out", str(folder / f"{address}.pem")],
                check=True, capture_output=True,
            )  # fmt: skip
        self._cli("certificate", "import", str(folder), "--reason", "bench", "--org", "bench")
        rule = ["--method", "smime", "--floor", "MESSAGE", "--reason", "bench", "--org", "bench"]
        self._cli("rule", "add", "everything-encrypted", *rule)

    def _many_rules(self) -> None:
        script = [str(pathlib.Path(CAREPOST).with_name("python")), str(ROOT / "bench" / "many_rules.py")]
        more = ["--content"] if self.rules == "content" else []
        subprocess.run([*script, str(self.home), *more], env=self.environ, check=True, capture_output=True)

    def start(self) -> None:
        self.process = subprocess.Popen(
            [CAREPOST, "up", "--home", str(self.home)], env=self.environ, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise SystemExit("carepost up ended; run it by hand to see why")
            try:
                socket.create_connection(("127.0.0.1", self.portal), timeout=1).close()
                return
            except OSError:
                time.sleep(0.2)
        raise SystemExit("carepost up was not ready within 180 s")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def settled(self, seconds: float = 60.0) -> tuple[int, float]:
        """Waits until the journal has acknowledged what there is, so that its processor time is counted: (events it was
        behind, seconds until it was not)."""
        began, left = time.monotonic(), behind(self.home)
        while behind(self.home) and time.monotonic() < began + seconds:
            time.sleep(0.1)
        return left, time.monotonic() - began

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def _cli(self, *arguments: str) -> dict[str, str]:
        done = subprocess.run(
            [CAREPOST, *arguments, "--json", "--home", str(self.home)],
            env=self.environ, check=True, capture_output=True,
        )  # fmt: skip
        return json.loads(done.stdout or b"{}")


def behind(home: pathlib.Path) -> int:
    """Events in the outboxes that the journal has not acknowledged."""
    total = 0
    for path in sorted(home.rglob("spool.db")):
        shard = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            total += shard.execute("SELECT count(*) FROM outbox WHERE seq > (SELECT acked FROM shard)").fetchone()[0]
        finally:
            shard.close()
    return total
