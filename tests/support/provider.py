"""A Postfix that plays a provider: it hands its tenant's mail over with the certificate all tenants share and the
tenant's header, and takes back what comes, asking who brings it. Needs root and Debian's postfix."""

import asyncio
import pwd
import shutil
import subprocess
import time
from pathlib import Path

from tests.support.certificates import Pair
from tests.support.fronts import key_pem
from tests.support.nameserver import free_port
from tests.support.postfix import services as all_services

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
multi_instance_enable = no
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = outbound.provider.test
mydestination =
local_recipient_maps =
alias_maps =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{gateway}
smtp_dns_support_level = disabled
smtp_tls_security_level = secure
smtp_tls_secure_cert_match = {host}
smtp_tls_CAfile = {ca}
smtp_tls_cert_file = {folder}/provider.pem
smtp_tls_key_file = {folder}/provider.pem
smtp_header_checks = regexp:{folder}/fields
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {folder}/tenant.pem
smtpd_tls_key_file = {folder}/tenant.pem
smtpd_tls_ask_ccert = yes
smtpd_tls_received_header = yes
smtpd_tls_fingerprint_digest = sha256
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_restrictions =
header_checks = regexp:{folder}/returned
virtual_mailbox_base = {folder}/boxes
virtual_mailbox_maps = regexp:{folder}/everybody
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtputf8_enable = yes
minimal_backoff_time = 300s
"""


class Provider:
    """`port`: where the tenant's mail host takes mail; `gateway`: where Carepost listens; `field`: the tenant's header,
    set by the rule for outbound mail. What comes back marked goes
    no further than a Maildir; all else goes to Carepost."""

    def __init__(self, folder: Path, *, gateway: int, host: str, ca: Path, shared: Pair, own: Pair, field: str) -> None:
        self.folder = folder
        self.port = free_port()
        for name in ("", "queue", "data", "boxes"):
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name).chmod(0o755)
        shutil.chown(folder / "data", "postfix")
        shutil.chown(folder / "boxes", "postfix")
        # everybody on the way must be able to look through, whatever the test's folder allows
        for parent in folder.parents:
            if str(parent).startswith("/tmp/"):
                parent.chmod(parent.stat().st_mode | 0o055)
        for name, pair in (("provider", shared), ("tenant", own)):
            (folder / f"{name}.pem").write_bytes(_pem(pair))
        # the rule for outbound mail, as a provider's: after Message-ID, which every message has
        (folder / "fields").write_text(f"/^Message-ID:/ PREPEND {field}\n" if field else "")
        (folder / "returned").write_text(
            "/^X-Carepost-Returned:/ FILTER virtual:there.test\n/^X-Carepost-Gateway:/ INFO secret-came-back\n"
        )
        (folder / "everybody").write_text("/^(.*)@/ box/\n")
        postfix = pwd.getpwnam("postfix")
        (folder / "main.cf").write_text(
            _MAIN.format(folder=folder, gateway=gateway, host=host, ca=ca, uid=postfix.pw_uid, gid=postfix.pw_gid)
        )
        services = all_services(Path("/usr/share/postfix/master.cf.dist").read_text())
        (folder / "master.cf").write_text(f"127.0.0.1:{self.port} inet n - n - - smtpd\n{services}")
        self._start()

    async def send(self, sender: str, recipient: str, message: bytes) -> None:
        command = ["/usr/sbin/sendmail", "-C", str(self.folder), "-f", sender, "--", recipient]
        await asyncio.to_thread(subprocess.run, command, input=message, check=True, timeout=30, capture_output=True)

    async def logged(self, *words: str, seconds: float = 30) -> str:
        """The log, once it has all of these words. Raises AssertionError with the log."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            text = self.log
            if all(word in text for word in words):
                return text
            await asyncio.sleep(0.1)
        raise AssertionError(self.log)

    @property
    def log(self) -> str:
        file = self.folder / "mail.log"
        return file.read_text() if file.exists() else ""

    def taken(self) -> list[bytes]:
        return [file.read_bytes() for file in sorted((self.folder / "boxes").glob("box/new/*"))]

    def close(self) -> None:
        self._postfix("stop")

    def _start(self) -> None:
        """On a loaded machine `postfix start` may give up waiting for a master that comes up a moment later."""
        end = time.monotonic() + 60
        while True:
            try:
                self._postfix("start")
                return
            except subprocess.CalledProcessError:
                for _ in range(10):
                    time.sleep(0.5)
                    if self._runs():
                        return
                if time.monotonic() > end:
                    raise

    def _runs(self) -> bool:
        command = ["/usr/sbin/postfix", "-c", str(self.folder), "status"]
        return subprocess.run(command, check=False, timeout=60, capture_output=True).returncode == 0

    def _postfix(self, verb: str) -> None:
        subprocess.run(["/usr/sbin/postfix", "-c", str(self.folder), verb], check=True, timeout=60, capture_output=True)


def _pem(pair: Pair) -> bytes:
    return key_pem(pair) + pair.pem + b"".join(one.pem for one in pair.chain)
