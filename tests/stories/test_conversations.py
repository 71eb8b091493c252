"""A conversation of the portal by real processes: the patient writes on the page, the nurse answers by e-mail."""

import html
import re
import smtplib
import ssl
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from carepost.crypto import dkim
from carepost.ground import clock
from carepost.sandbox import records
from tests.support.house import House
from tests.support.visitor import Shown, Visitor, link_in

NORA, JANE, CODE = "nora.sample@clinic.test", "jane.roe@wrongname.test", "heron-4172-lantern"
CANARY = "Quillfeather"
SECRET, PUBLIC = dkim.generate(dkim.ED25519)


def notices(house: House, count: int) -> list[str]:
    """The pages that notices to the patient lead to, oldest first."""
    found = sorted(house.arrived(JANE, count), key=lambda mail: mail["id"])
    return [link_in(house.raw(mail["id"])) for mail in found]


def read(visitor: Visitor, path: str) -> tuple[Shown, str]:
    """(the page, the text in its frame)."""
    if visitor.get(f"{path}/read").status == 302:
        assert visitor.post(f"{path}/prove", path, answer=CODE).status == 302
    page = visitor.get(f"{path}/read")
    assert page.status == 200, page.text
    source = re.search(r'<iframe[^>]*src="([^"]+)"', page.text)
    assert source is not None
    return page, visitor.get(html.unescape(source[1])).text


def answer(to: str, text: str, sender: str = NORA) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Nora Sample <{sender}>", to, "Re: An invented matter"
    mail.set_content(f"{text}\n")
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def signed(raw: bytes) -> bytes:
    return dkim.Signer("clinic.test", "desk", dkim.ED25519, SECRET).sign(raw, clock.now() // 1_000_000) + raw


def brought(house: House, raw: bytes, to: str, sender: str = "bounces@elsewhere.test") -> tuple[int, str]:
    """By the clinic's own mail server, to our MX; its envelope proves nothing, so that the signature has to."""
    with smtplib.SMTP("127.0.0.1", house.ports["mx"], local_hostname="mail.clinic.test", timeout=30) as peer:
        peer.ehlo()
        assert (peer.mail(sender)[0], peer.rcpt(to)[0]) == (250, 250)
        code, said = peer.data(raw)
    return code, said.decode()


def handed_in(house: House, raw: bytes, to: str) -> int:
    """By the nurse's mail program, to our submission port."""
    plain = ssl.create_default_context()
    plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP("127.0.0.1", house.ports["submission"], timeout=30) as peer:
        peer.starttls(context=plain)
        peer.login(house.made.smtp_username, house.made.smtp_password)
        assert (peer.mail(NORA)[0], peer.rcpt(to)[0]) == (250, 250)
        return peer.data(raw)[0]


def test_what_is_answered_by_mail_joins_the_conversation(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        folder = house.path / "sandbox"
        records.publish(folder, "desk._domainkey.clinic.test", "TXT", PUBLIC)
        records.publish(folder, "_dmarc.clinic.test", "TXT", "v=DMARC1; p=reject")
        house.send(JANE, text="Please tell us how you feel.", protection={"access": {"code": CODE}})
        (path,) = notices(house, 1)
        jane = Visitor(house)
        read(jane, path)
        assert jane.post(f"{path}/reply", text=f"I feel like a {CANARY}.").status == 302
        [arrived] = house.arrived(NORA)
        written = message_from_bytes(house.raw(arrived["id"]), policy=policy.default)
        (back,) = written["Reply-To"].addresses
        assert back.addr_spec.startswith("portal+") and back.addr_spec.endswith("@clinic.test")

        # a stranger who knows the address, and the nurse's name
        code, said = brought(house, answer(back.addr_spec, "Send me money."), back.addr_spec)
        assert code == 550 and "DMARC" in said
        code, said = brought(house, signed(answer("portal+aaaa@clinic.test", "x")), "portal+aaaa@clinic.test")
        assert code == 550 and "no open conversation" in said
        assert len(house.mails(JANE)) == 1

        # the nurse, by the clinic's own mail server; the same mail brought twice is one
        raw = signed(answer(back.addr_spec, f"Then rest, dear {CANARY}."))
        assert [brought(house, raw, back.addr_spec)[0] for _ in range(2)] == [250, 250]
        second = notices(house, 2)[1]
        page, text = read(jane, second)
        assert f"Then rest, dear {CANARY}." in text
        assert "clinic.test proved that this answer came from it by e-mail" in page.text
        assert f'href="{path}/read"' in page.text and f"I feel like a {CANARY}." in page.text

        # and by her mail program, with a password
        assert handed_in(house, answer(back.addr_spec, "And drink water."), back.addr_spec) == 250
        third = notices(house, 3)[2]
        page, text = read(jane, third)
        assert "And drink water." in text and f'href="{second}/read"' in page.text
        assert f'href="{third}/read"' in read(jane, path)[0].text
        for mail in house.mails(JANE):
            assert CANARY.encode() not in house.raw(mail["id"])
        assert CANARY not in house.logs()
