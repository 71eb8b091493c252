"""BI-041, BI-042: records a stranger wrote (SPF, DMARC) are asked for within bounds, prove nothing, and lose no mail.

A name server of our own answers, and counts what a real engine asks it."""

import smtplib
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset

from carepost.proof import kinds
from carepost.rfc import dmarc
from tests.support.house import ENGINE_ONLY, House
from tests.support.ledger import Ledger
from tests.support.waiting import until

DEEP = ".".join(["a"] * 12) + ".deep.test"
ZONE = {
    "bomb.test": ["v=spf1 " + " ".join(f"include:i{n}.bomb.test" for n in range(11)) + " +all"],
    **{f"i{n}.bomb.test": ["v=spf1 ip4:198.51.100.1 -all"] for n in range(11)},
    "redirect.test": ["v=spf1 redirect=redirect.test"],
    "macro.test": ["v=spf1 exists:%{l}%{l}%{l}%{l}.macro.test -all"],
    "_dmarc.two.test": ["v=DMARC1; p=reject", "v=DMARC1; p=none"],
    "_dmarc.odd.test": ["v=DMARC1; p=foo; rua=mailto:x@odd.test"],
    "_dmarc.deep.test": ["v=DMARC1; p=reject"],
}


class NameServer:
    """TXT from ZONE; `_dmarc.loop.test` is an alias of itself; `deaf.test` and below never hear an answer."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.asked: Counter[str] = Counter()

    def run(self) -> None:
        while True:
            try:
                raw, peer = self._sock.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(raw)
            name = query.question[0].name.to_text(omit_final_dot=True).lower()
            self.asked[name] += 1
            if not name.endswith("deaf.test"):
                self._sock.sendto(self._answer(query, name).to_wire(), peer)

    def _answer(self, query: dns.message.Message, name: str) -> dns.message.Message:
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        owner = query.question[0].name
        if name == "_dmarc.loop.test":
            reply.answer.append(dns.rrset.from_text(owner, 60, "IN", "CNAME", owner.to_text()))
        elif query.question[0].rdtype == dns.rdatatype.TXT and name in ZONE:
            texts = [" ".join(f'"{t[i : i + 200]}"' for i in range(0, len(t), 200)) for t in ZONE[name]]
            reply.answer.append(dns.rrset.from_text(owner, 60, "IN", "TXT", *texts))
        return reply

    def of(self, domain: str) -> int:
        return sum(count for name, count in self.asked.items() if name == domain or name.endswith("." + domain))


@contextmanager
def serving() -> Iterator[tuple[NameServer, int]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        server = NameServer(sock)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        yield server, sock.getsockname()[1]


def bounced(author: str) -> bytes:
    return (
        f"From: {author}\r\nSubject: Undelivered\r\nAuthentication-Results: mail.clinic.test; dmarc=pass\r\n"
        "DKIM-Signature: v=1; a=rsa-sha256; d=odd.test; s=x; h=from; bh=eA==; b=eA==\r\n"
        "Auto-Submitted: auto-replied\r\n\r\nx\r\n"
    ).encode()


def test_bi_041_bi_042_what_a_stranger_publishes_is_asked_for_within_bounds(tmp_path: Path) -> None:
    cases = {
        # (sender, From) -> (spf, dmarc) of the event
        ("ann@bomb.test", "ann@bomb.test"): ("permerror", "none"),
        ("ann@redirect.test", "ann@redirect.test"): ("permerror", "none"),
        (f"{'b' * 60}@macro.test", "ann@macro.test"): ("fail", "none"),
        ("ann@two.test", "ann@two.test"): ("none", "none"),
        ("ann@odd.test", "ann@odd.test"): ("none", "fail"),
        ("ann@loop.test", "ann@loop.test"): ("none", "temperror"),
        (f"ann@{DEEP}", f"ann@{DEEP}"): ("none", "fail"),
    }
    with serving() as (server, port), House(tmp_path, *ENGINE_ONLY, CAREPOST_RESOLVERS=f"127.0.0.1:{port}") as house:
        ledger = Ledger(house)
        ledger.start()
        with smtplib.SMTP("127.0.0.1", house.ports["mx"], local_hostname="mx.bomb.test", timeout=60) as peer:
            peer.ehlo()
            for sender, author in cases:
                assert (peer.mail(sender)[0], peer.rcpt("notice@clinic.test")[0]) == (250, 250)
                assert peer.data(bounced(author))[0] == 250
            # two From fields have no single sender: refused before anything is asked
            asked = sum(server.asked.values())
            assert (peer.mail("a@x.test")[0], peer.rcpt("notice@clinic.test")[0]) == (250, 250)
            assert peer.data(b"From: a@x.test\r\n" + bounced("b@two.test"))[0] == 550
            assert sum(server.asked.values()) == asked

        def told() -> list[tuple[str, str]]:
            found = [one for one in ledger.all() if one.kind == kinds.MESSAGE_IGNORED]
            return [(one.facts["spf"], one.facts["dmarc"]) for one in sorted(found, key=lambda e: e.at)]

        until(lambda: len(told()) == len(cases), within=20, what="each is on record")
        assert told() == list(cases.values())
        assert server.of("bomb.test") <= 11 + dmarc.STEPS
        assert max(server.asked[name] for name in server.asked if name.startswith("_dmarc")) <= 2
        walked = [name for name in server.asked if name.startswith("_dmarc.") and name.endswith("deep.test")]
        assert len(walked) <= dmarc.STEPS
        assert all(len(name) <= 253 for name in server.asked)
        ledger.finish()


def test_bi_041_name_servers_that_never_answer_lose_no_mail(tmp_path: Path) -> None:
    """Every question waits for its time and no longer; then the mail is on record as not proved."""
    with serving() as (_, port), House(tmp_path, *ENGINE_ONLY, CAREPOST_RESOLVERS=f"127.0.0.1:{port}") as house:
        ledger = Ledger(house)
        ledger.start()
        with smtplib.SMTP("127.0.0.1", house.ports["mx"], local_hostname="mx.deaf.test", timeout=60) as peer:
            peer.ehlo()
            assert (peer.mail("ann@deaf.test")[0], peer.rcpt("notice@clinic.test")[0]) == (250, 250)
            assert peer.data(bounced("ann@deaf.test"))[0] == 250

        def told() -> list[tuple[str, str]]:
            found = [one for one in ledger.all() if one.kind == kinds.MESSAGE_IGNORED]
            return [(one.facts["spf"], one.facts["dmarc"]) for one in found]

        until(lambda: told() == [("temperror", "temperror")], within=20, what="it is on record")
        ledger.finish()
