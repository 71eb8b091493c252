"""Sides that cannot be trusted with a body never see one under the default policy: no byte after DATA is a message's.
What they get is a notice without PHI, by TLS wherever they offer it (DESIGN 3 and 6; HS-34 on the wire)."""

from pathlib import Path

from carepost.sandbox import people
from carepost.sandbox.expected import BY_DOMAIN, differs, unknown
from tests.support.house import House
from tests.support.mailers import Smtp
from tests.support.waiting import until

#: DESIGN 6 and the issue, by name; then sides further tests know
NEVER = ("stripped.test", "expired.test", "wrongname.test", "selfsigned.test", "plain.test")
FURTHER = ("smime.test", "pgp.test", "oldtls.test", "injecting.test", "stsother.test",
           "tlsamismatch.test", "bogus.test")  # fmt: skip
#: these say no word that a notice may be put behind, or once did with TLS and then did not
SILENT = ("stripped.test", "oldtls.test", "injecting.test", "stsother.test", "tlsamismatch.test",
          "bogus.test")  # fmt: skip
CANARY = "Zyxwen Quillfeather 4711-TEST"


def test_no_byte_of_a_message_reaches_them(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        sent = {}
        for domain in NEVER + FURTHER:
            for name, code in (("code", "heron-4172-lantern"), ("nocode", "")):
                access = {"protection": {"access": {"code": code}}} if code else {}
                address = f"{name}.roe@{domain}"
                sent[address] = house.send(address, subject=CANARY, text=f"{CANARY}, made up.", **access)["id"]
        smtp = Smtp(house)
        for domain in NEVER:
            sent[f"smtp.roe@{domain}"] = ""
            _submit(smtp, f"smtp.roe@{domain}")
        until(lambda: _as_expected(house, sent), within=60, what="each is where DESIGN 6 has it")
        for domain, row in BY_DOMAIN.items():
            if domain in NEVER and row.notice:
                house.arrived(f"code.roe@{domain}")
        counters = house.counters()
        for domain in NEVER + FURTHER:
            assert counters[domain].message_bytes == 0, (domain, counters[domain])
            notices = [m for m in house.mails(domain=domain) if m["kind"] == "notice"]
            if domain in SILENT:
                assert counters[domain].body_bytes == 0, (domain, counters[domain])
            elif domain != "plain.test":
                assert notices and all(mail["tls"] for mail in notices), domain
        for mail in house.mails():
            raw = house.raw(mail["id"])
            assert b"Quillfeather" not in raw and CANARY.encode() not in raw, mail


def _as_expected(house: House, sent: dict[str, str]) -> bool:
    for address, message in sent.items():
        name, _, domain = address.partition("@")
        if not message or domain not in BY_DOMAIN:
            continue
        _, view = house.request("GET", f"/api/v1/messages/{message}")
        [d] = view["deliveries"]
        seen = {key: d[key] for key in ("state", "method", "assurance", "rule")}
        if differs(unknown(BY_DOMAIN[domain]), code=name.startswith("code"), **seen):
            return False
    return True


def _submit(smtp: Smtp, to: str) -> None:
    raw = f"From: {people.SENDER}\r\nTo: {to}\r\nSubject: {CANARY}\r\n\r\n{CANARY}, made up.\r\n".encode()
    for command, code in zip(smtp.envelope(to), (250, 250, 354), strict=True):
        smtp.say(command)
        smtp.expect(code)
    smtp.say(raw, b".\r\n")
    smtp.expect(250)
