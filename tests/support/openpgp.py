"""OpenPGP beside us: GnuPG and Sequoia's `sq` in a home of their own, and people who have keys."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from carepost.crypto.openpgp import keys
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.rfc import compose
from carepost.rfc.address import Mailbox

DAY = 86_400 * 1_000_000

NURSE, JANE, MALLORY = "nurse@clinic.test", "jane@home.test", "mallory@evil.test"


def now() -> int:
    """UTC microseconds: keys and signatures are made by programs that know no other clock."""
    return time.time_ns() // 1000


def letter(
    text: str = "All is well.\n", *, subject: str = "Your results", sender: str = NURSE, to: str = JANE
) -> bytes:
    return compose.build(
        from_=Mailbox("Ward Seven", sender), to=[Mailbox("Jane Example", to)], subject=subject, text=text,
        message_id="<1@clinic.test>", at=now(),
    )  # fmt: skip


def key(address: str, name: str = "", **how: object) -> PrivateKey:
    return keys.generate([(name, address)], **how)  # type: ignore[arg-type]


class Gpg:
    """GnuPG with its own home; `close` ends its agent."""

    def __init__(self) -> None:
        # short: the agent's socket lies in it
        self.home = Path(tempfile.mkdtemp(prefix="cp-gpg-", dir="/tmp"))
        self.home.chmod(0o700)
        # a passphrase may cost little here
        (self.home / "gpg-agent.conf").write_text("s2k-count 65536\n")

    def run(self, *arguments: str, data: bytes = b"", code: int | None = 0) -> bytes:
        done = self.all(*arguments, data=data)
        assert code is None or done.returncode == code, done.stderr.decode()
        return done.stdout

    def all(self, *arguments: str, data: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        fixed = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--no-tty", "--trust-model", "always"]
        fixed += ["--pinentry-mode", "loopback", "--passphrase", ""]
        return subprocess.run([*fixed, *arguments], input=data, capture_output=True, timeout=60, check=False)

    def make(self, address: str, *lines: str, options: tuple[str, ...] = ()) -> None:
        """A key by parameter lines of GnuPG's batch generation."""
        text = "\n".join(["%no-protection", *lines, f"Name-Email: {address}", "%commit", ""])
        self.run(*options, "--generate-key", data=text.encode())

    def public(self, address: str) -> bytes:
        return self.run("--export", address)

    def secret(self, address: str) -> bytes:
        return self.run("--export-secret-keys", address)

    def close(self) -> None:
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], capture_output=True, check=False)
        shutil.rmtree(self.home, ignore_errors=True)


def sq(*arguments: str, data: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["sq", *arguments], input=data, capture_output=True, timeout=60, check=False)
