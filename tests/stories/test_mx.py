"""What strangers bring to our MX, with two engines behind one port: reports go on record, nothing goes anywhere."""

import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from carepost.ground import ids
from carepost.proof import kinds
from carepost.proof.event import read as read_event
from carepost.rfc import dsn
from tests.support.house import ENGINE_ONLY, House
from tests.support.ledger import Ledger
from tests.support.waiting import until

NORA = "nora.sample@clinic.test"


def carried(house: House, raw: bytes, to: str, sender: str = "") -> tuple[int, str]:
    """The answer to the final dot, or to the RCPT that was refused, of a server that brings this mail."""
    with smtplib.SMTP("127.0.0.1", house.ports["mx"], local_hostname="mx.elsewhere.test", timeout=20) as peer:
        peer.ehlo()
        assert peer.mail(sender)[0] == 250
        code, said = peer.rcpt(to)
        if code != 250:
            return code, said.decode()
        code, said = peer.data(raw)
        return code, said.decode()


def note(*, automatic: bool = False, sender: str = "ann@elsewhere.test") -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = sender, "Re: An invented matter"
    if automatic:
        mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("Nothing real.\n")
    return mail.as_bytes().replace(b"\n", b"\r\n")


def test_bi_028_reports_are_recorded_and_cause_no_mail_and_change_nothing(tmp_path: Path) -> None:
    with House(tmp_path, *ENGINE_ONLY, CAREPOST_ENGINES=2) as house:
        ledger = Ledger(house)
        ledger.start()
        # a real report, as our own engine writes it to the sender, and a stranger who brings it to our notices
        sent = house.send("mira.owl@bounce.test")["id"]
        [arrived] = house.arrived(NORA)
        report = house.raw(arrived["id"])
        read = dsn.read(report)
        assert read is not None and read.recipients[0].final == "mira.owl@bounce.test"
        ledger.until_ended({sent}, 20)
        until(lambda: kinds.DELIVERY_SENT in {one.kind for one in ledger.all()}, within=20, what="the report is sent")
        before = len(ledger.all())
        # one about a message numbered as no mail of ours is says nothing; one with our number is history's to judge,
        # which must know it by number and only recipient together (tests/stories/test_bounces_return.py)
        strange = report.replace(f"<{sent}@".encode(), b"<of-another-system@")
        assert strange != report
        for _ in range(6):
            assert carried(house, strange, "notice@clinic.test")[0] == 250
        assert carried(house, report, "notice@clinic.test")[0] == 250
        token = "portal+mfzqabcdefgh@clinic.test"
        assert carried(house, note(automatic=True), token, "nora@elsewhere.test")[0] == 250

        def ignored() -> list[str]:
            return [one.cause for one in ledger.all() if one.kind == kinds.MESSAGE_IGNORED]

        until(lambda: len(ignored()) == 7, within=20, what="all are on record")
        assert sorted(ignored()) == ["automatic", *["delivery-report"] * 6]
        until(lambda: len(ledger.all()) >= before + 8, within=20, what="all eight are on record")
        # over all: the two engines' events are not in one order, and there was no bounce before
        assert [one.kind for one in ledger.all()].count(kinds.BOUNCE_RECEIVED) == 1
        assert len(ledger.all()) == before + 8, "one event each, and nothing else happened"
        figures = house.figures()
        assert (figures["queued"], figures["deferred"], figures["held"], figures["claimed"]) == (0, 0, 0, 0)
        assert len(house.mails(domain="clinic.test")) == 1, "the report alone: nothing was sent to our own side"
        # the person the report speaks of is written to as before
        again = house.send("mira.owl@bounce.test")
        assert again["deliveries"][0]["state"] == "queued"
        ledger.finish()


def test_what_a_person_writes_there_is_refused_and_nothing_relays(tmp_path: Path) -> None:
    with House(tmp_path, *ENGINE_ONLY, CAREPOST_ENGINES=2) as house:
        wrote = note()
        code, said = carried(house, wrote, "notice@clinic.test", "ann@elsewhere.test")
        assert code == 550 and "5.7.1 Nobody reads this address" in said
        code, said = carried(house, wrote, "portal+mfzqabcdefgh@clinic.test", NORA)
        assert code == 550 and "5.7.1 This address belongs to no open conversation" in said
        for to, enhanced in (
            (NORA, "5.1.1"), ("postmasters@clinic.test", "5.1.1"), ("x%verified.test@clinic.test", "5.1.1"),
            ("jane.roe@verified.test", "5.7.1"), ("notice@verified.test", "5.7.1"),
        ):  # fmt: skip
            code, said = carried(house, wrote, to, "ann@elsewhere.test")
            assert (code, said[:5]) == (550, enhanced), to
        client = house.client()
        # who could not answer a conversation is on record; of the mail nothing is
        rows = [row for shard in (0, 1) for row in client.drain(shard, 0, 0)[0]]
        assert [(e.kind, e.cause, e.on) for e in map(read_event, (row.event for row in rows))] == [
            (kinds.SENDER_REFUSED, "no-conversation", [])
        ]
        assert client.listing(ids.parse(house.made.org)) == ()
        client.close()
        assert all(house.mails(domain=domain) == [] for domain in ("clinic.test", "verified.test"))


def test_bi_027_a_domain_whose_mx_is_this_system_gets_no_mail_from_it_and_no_report_goes_round(tmp_path: Path) -> None:
    with House(tmp_path, *ENGINE_ONLY, CAREPOST_HOSTNAME="mx.clinic.test") as house:
        ledger = Ledger(house)
        ledger.start()
        sent = house.send("bob.sample@clinic.test")["id"]
        ledger.until_ended({sent}, 20)

        def failed() -> list[tuple[str, str]]:
            return [(one.kind, one.cause) for one in ledger.all() if one.kind == kinds.DELIVERY_FAILED]

        until(lambda: len(failed()) == 2, within=20, what="the message and the report about it have ended")
        assert [cause for _, cause in failed()] == ["mail-loop", "mail-loop"]
        assert len([one for one in ledger.all() if one.kind == kinds.MESSAGE_ACCEPTED]) == 2
        assert house.mails(domain="clinic.test") == []
        ledger.finish()


@pytest.mark.parametrize("engines", [1, 2])
def test_bi_015_whoever_tries_another_organisations_domain_is_on_record(tmp_path: Path, engines: int) -> None:
    with House(tmp_path, *ENGINE_ONLY, CAREPOST_ENGINES=engines) as house:
        ledger = Ledger(house)
        ledger.start()
        boss = "cora.boss@harbour.test"
        body = {"from": boss, "to": ["jane.roe@verified.test"], "subject": "Hello", "text": "Nothing real."}
        status, answer = house.request("POST", "/api/v1/messages", body)
        assert status == 403 and boss not in str(answer)
        made = house.made
        with smtplib.SMTP("127.0.0.1", house.ports["submission"], timeout=20) as peer:
            peer.starttls()
            peer.login(made.smtp_username, made.smtp_password)
            assert peer.mail(boss)[0] == 550
            assert (peer.mail(NORA)[0], peer.rcpt("jane.roe@verified.test")[0]) == (250, 250)
            assert peer.data(note(sender=boss))[0] == 550

        def told() -> list[str]:
            return [one.facts["origin"] for one in ledger.all() if one.kind == kinds.SENDER_REFUSED]

        until(lambda: len(told()) == 3, within=20, what="three refusals are on record")
        assert sorted(told()) == ["api", "smtp", "smtp"]
        assert {one.kind for one in ledger.all()} == {kinds.SENDER_REFUSED}
        assert "cora" not in house.logs() and house.mails(domain="verified.test") == []
        ledger.finish()
