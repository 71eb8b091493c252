"""A private Postfix that submits everything to one smart host, for one test. Needs root and Debian's postfix."""

import shutil
import subprocess
import time
from pathlib import Path

_MAIN = """\
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
multi_instance_enable = no
maillog_file = {log}
maillog_file_prefixes = {folder}
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = workstation.test
mydestination =
local_recipient_maps =
alias_maps =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{port}
smtp_dns_support_level = disabled
smtp_tls_security_level = secure
smtp_tls_secure_cert_match = {host}
smtp_tls_CAfile = {ca}
smtp_tls_wrappermode = {wrapper}
smtp_sasl_auth_enable = yes
smtp_sasl_security_options = noanonymous
smtp_sasl_mechanism_filter = {mechanism}
smtp_sasl_password_maps = inline:{{ {{ [127.0.0.1]:{port} = {username}:{password} }} }}
smtputf8_enable = yes
minimal_backoff_time = 300s
"""


#: services that need what this instance has not: the network, or programs of other packages
_LEFT_OUT = ("maildrop", "uucp", "ifmail", "bsmtp", "scalemail-backend", "mailman", "postlog")


def services(text: str) -> str:
    """Debian's services, without chroot and without a listener."""
    rows = [line.split() for line in text.splitlines() if line[:1].isalpha()]
    kept = [row for row in rows if len(row) >= 8 and row[1] != "inet" and row[0] not in _LEFT_OUT]
    return (
        "".join(" ".join([*row[:4], "n", *row[5:]]) + "\n" for row in kept) + "postlog unix-dgram n - n - 1 postlogd\n"
    )


class SmartHostClient:
    """`send` hands a message to Postfix's sendmail; `log` is its mail log; `close` stops it."""

    def __init__(
        self, folder: Path, port: int, host: str, ca: Path, username: str, password: str, *,
        mechanism: str = "plain", wrapper: bool = False,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.log = folder / "mail.log"
        queue, data = folder / "queue", folder / "data"
        for made in (folder, queue, data):
            made.mkdir(parents=True, exist_ok=True)
            made.chmod(0o755)
        shutil.chown(data, "postfix")
        # everybody on the way must be able to look through, whatever the test's folder allows
        for parent in folder.parents:
            if str(parent).startswith("/tmp/"):
                parent.chmod(parent.stat().st_mode | 0o055)
        (folder / "main.cf").write_text(
            _MAIN.format(
                queue=queue, data=data, log=self.log, folder=folder, port=port, host=host, ca=ca, username=username,
                password=password, mechanism=mechanism, wrapper="yes" if wrapper else "no",
            )
        )  # fmt: skip
        (folder / "master.cf").write_text(services(Path("/usr/share/postfix/master.cf.dist").read_text()))
        self._postfix("start")

    def send(self, sender: str, recipients: list[str], message: bytes, *options: str) -> None:
        command = ["/usr/sbin/sendmail", "-C", str(self.folder), "-f", sender, *options, "--", *recipients]
        subprocess.run(command, input=message, check=True, timeout=30, capture_output=True)

    def sent(self, count: int, seconds: float = 30) -> str:
        """The log, once it tells of `count` deliveries. Raises AssertionError with the log."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            text = self.log.read_text() if self.log.exists() else ""
            if text.count("status=sent") >= count:
                return text
            if "status=bounced" in text or "status=deferred" in text:
                break
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def close(self) -> None:
        self._postfix("stop")

    def _postfix(self, verb: str) -> None:
        subprocess.run(["/usr/sbin/postfix", "-c", str(self.folder), verb], check=True, timeout=60, capture_output=True)
