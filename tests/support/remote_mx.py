"""A private Postfix as somebody else's MX, for one test: it takes everything for its domains, finds out later what
cannot be delivered, and sends back a report of its own. Needs root and Debian's postfix."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import trustme

from tests.support.postfix import services

#: its domain: some of its mail goes on to a second server, the other mailboxes are here
FAR = "far.test"
#: what the second server says to RCPT
SAYS = {
    f"gone@{FAR}": "550 5.1.1 <gone@far.test>: Recipient address rejected: User unknown in relay recipient table",
    f"listed@{FAR}": "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
}
#: who it keeps in its queue, and says so at the first look into it
SLOW = f"slow@{FAR}"
#: octets a mailbox holds
_ROOM = 20_000
_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
multi_instance_enable = no
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.far.test
mydestination =
local_recipient_maps =
alias_maps =
mynetworks =
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_auth_destination, reject
smtpd_recipient_restrictions =
smtpd_reject_unlisted_recipient = no
smtpd_tls_security_level = may
smtpd_tls_chain_files = {folder}/server.pem
smtp_tls_security_level = may
smtp_dns_support_level = disabled
smtp_host_lookup = native
virtual_mailbox_domains = far.test
virtual_mailbox_maps = inline:{{ full@far.test=full open@far.test=open }}
virtual_mailbox_base = {folder}/boxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
virtual_mailbox_limit = {room}
message_size_limit = {room}
bounce_size_limit = 10000
delay_warning_time = 1s
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
transport_maps = inline:{{ {onward} {{ {slow} = retry:4.4.1 closed }} {{ {returns} = smtp:[127.0.0.1]:{back} }} }}
inner_says = check_recipient_access inline:{{ {says} }}, permit
"""
_INNER = "-o myhostname=inner.far.test -o smtpd_recipient_restrictions=$inner_says -o smtpd_tls_security_level=none"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class RemoteMx:
    """`port`: where it takes mail, as `localhost` under `ca`. `returns`, `back`: the domain its reports go to, and the
    port of that domain's MX on this machine."""

    def __init__(self, folder: Path, returns: str, back: int) -> None:
        self.folder, self.port, self.ca = folder, _free_port(), folder / "ca.pem"
        for made in (folder, folder / "queue", folder / "data", folder / "boxes"):
            made.mkdir(parents=True)
            made.chmod(0o755)
        for name in ("data", "boxes"):
            shutil.chown(folder / name, "postfix", "postfix")
        for parent in folder.parents:
            if str(parent).startswith("/tmp/"):
                parent.chmod(parent.stat().st_mode | 0o055)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca))
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
        (folder / "server.pem").chmod(0o600)
        full = folder / "boxes" / "full"
        full.write_bytes(b"From somebody\n" + b"x" * (_ROOM - 14))
        shutil.chown(full, "postfix", "postfix")
        owner = os.stat(folder / "boxes")
        inner = _free_port()
        onward = " ".join(f"{{ {address} = smtp:[127.0.0.1]:{inner} }}" for address in SAYS)
        says = " ".join(f"{{ {address} = {answer} }}" for address, answer in SAYS.items())
        (folder / "main.cf").write_text(
            _MAIN.format(
                folder=folder, uid=owner.st_uid, gid=owner.st_gid, room=_ROOM, onward=onward, says=says,
                returns=returns, back=back, slow=SLOW,
            )
        )  # fmt: skip
        listeners = f"127.0.0.1:{self.port} inet n - n - - smtpd\n127.0.0.1:{inner} inet n - n - - smtpd {_INNER}\n"
        (folder / "master.cf").write_text(services(Path("/usr/share/postfix/master.cf.dist").read_text()) + listeners)

    def __enter__(self) -> "RemoteMx":
        self._postfix("start")
        return self

    def __exit__(self, *_: object) -> None:
        self._postfix("stop")

    def log(self) -> str:
        at = self.folder / "mail.log"
        return at.read_text() if at.exists() else ""

    def boxes(self) -> list[str]:
        return sorted(one.name for one in (self.folder / "boxes").iterdir())

    def _postfix(self, verb: str) -> None:
        done = subprocess.run(
            ["/usr/sbin/postfix", "-c", str(self.folder), verb], timeout=60, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}{self.log()}"
        if verb == "start":
            end = time.monotonic() + 20
            while time.monotonic() < end:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                        return
                time.sleep(0.05)
            raise AssertionError(self.log())
