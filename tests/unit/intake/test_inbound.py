"""What comes to the MX: put on record and gone, or refused; never queued, answered or believed (BI-027, BI-028)."""

from email import message_from_bytes, policy

import pytest

from carepost.ground import clock
from carepost.ground.errors import Refused, Unavailable
from carepost.intake import inbound
from carepost.intake.orgkeys import DirectoryKeys
from carepost.intake.own import Own, own
from carepost.mailbox import tokens
from carepost.mailbox.notices import sender_of
from carepost.proof import event, kinds
from carepost.proof.event import Event
from carepost.queue.sealing import Opener
from carepost.rfc import dsn
from carepost.rfc.address import Mailbox
from carepost.rfc.errors import RfcError
from carepost.wire.types import Actor, Origin, Submission
from tests.unit.intake import office as cast
from tests.unit.intake.office import CLINIC, Office, submission

NOTICE, PORTAL = "notice@clinic.test", "portal+mfzqab@clinic.test"
#: what a stranger's report would have us believe
VICTIM = "jane.roe@verified.test"


def forged(action: dsn.Action = dsn.Action.FAILED) -> bytes:
    """A report as a real server would make it, about a person who never bounced."""
    return dsn.build(
        dsn.Report(action, "5.1.1", VICTIM, remote="mx.verified.test", code=550), reporting="mx.verified.test",
        from_=Mailbox("", "mailer-daemon@verified.test"), to=NOTICE, message_id="<r@verified.test>", at=clock.now(),
        original={"From": "notice@clinic.test", "Message-ID": "<n@clinic.test>"},
    )  # fmt: skip


def mail(*fields: str, sender: str = "someone@elsewhere.test") -> bytes:
    return "".join(f"{f}\r\n" for f in (f"From: {sender}", "Subject: Quillfeather", *fields, "", "x")).encode()


def came(body: bytes, *to: str, sender: str = "") -> Submission:
    return submission(*(to or (NOTICE,)), body=body, sender=sender, origin=Origin.MX, actor=Actor("system", "mx"))


async def events(office: Office) -> list[Event]:
    return [event.read(row.event) for row in (await office.queue.drain(0, 0))[0]]


ARF = mail('Content-Type: multipart/report; report-type=feedback-report; boundary="x"')
MDN = mail("Content-Type: multipart/report; boundary=x;\r\n\treport-type=disposition-notification")


@pytest.mark.parametrize(
    ("body", "sender", "cause"),
    [
        (forged(), "", "delivery-report"),
        (forged(dsn.Action.DELAYED), "odd@elsewhere.test", "delivery-report"),
        (ARF, "fbl@provider.test", "complaint-report"),
        (MDN, "someone@elsewhere.test", "reading-report"),
        (mail("Content-Type: MULTIPART/REPORT; report-type=tlsrpt; boundary=x"), "x@elsewhere.test", "automatic"),
        (mail("Auto-Submitted: auto-replied"), "someone@elsewhere.test", "automatic"),
        (mail("Auto-Submitted: auto-generated (vacation)"), "", "automatic"),
        (mail("Precedence: bulk"), "list@elsewhere.test", "automatic"),
        (mail("List-Id: <news.elsewhere.test>"), "list@elsewhere.test", "automatic"),
        (mail(), "", "automatic"),
    ],
)
@pytest.mark.parametrize("to", [NOTICE, PORTAL])
async def test_bi_028_reports_and_automatic_mail_are_one_event_and_change_nothing(
    office: Office, body: bytes, sender: str, cause: str, to: str
) -> None:
    before = office.directory.snapshot(CLINIC)
    accepted = await office.intake().accept(came(body, to, sender=sender))
    assert accepted.deliveries == ()
    (told,) = await events(office)
    assert (told.kind, told.cause, told.on, told.result) == (
        kinds.MESSAGE_IGNORED, cause, [accepted.message_id], "ok",
    )  # fmt: skip
    assert told.facts == {
        "origin": "mx", "size": str(len(body)), "to": "notice" if to == NOTICE else "portal",
        "spf": told.facts["spf"], "dkim": "none", "dmarc": "temperror",
    }  # fmt: skip
    # without an answer of DNS nothing is proved, and nothing of the mail is lost
    assert told.facts["spf"] in ("none", "temperror")
    assert set(told.facts) <= kinds.FACTS
    assert await office.queue.listing(b"") == (), "nothing is queued, for anybody"
    assert office.directory.snapshot(CLINIC) == before, "nobody is suppressed"


async def test_of_ignored_mail_nothing_stays_but_the_sealed_address_of_its_client(office: Office) -> None:
    await office.intake().accept(came(forged()))
    (row,) = (await office.queue.drain(0, 0))[0]
    opened = Opener(DirectoryKeys(office.directory, office.purposes)).personal(row)
    assert {name: value for name, (_, value) in opened.items()} == {"client": b"192.0.2.9"}
    assert b"jane" not in row.event and b"Quillfeather" not in row.event and b"192.0.2.9" not in row.event


@pytest.mark.parametrize(
    ("to", "words"),
    [((NOTICE,), "open the link"), ((PORTAL,), "write a new message"), ((NOTICE, PORTAL), "write a new")],
)
@pytest.mark.parametrize(
    "body", [mail(), mail("Auto-Submitted: no"), mail("Content-Type: multipart/mixed; boundary=x")]
)
async def test_what_a_person_wrote_is_refused_and_told_what_to_do(
    office: Office, body: bytes, to: tuple[str, ...], words: str
) -> None:
    with pytest.raises(Refused, match=words) as error:
        await office.intake().accept(came(body, *to, sender="someone@elsewhere.test"))
    assert (error.value.enhanced, error.value.status) == ("5.7.1", 422)
    assert await events(office) == []


@pytest.mark.parametrize(
    "to", ["nurse@clinic.test", "notice@elsewhere.test", "notice@harbour.test", "portal@wards.clinic.test"]
)
async def test_an_address_nobody_answers_for_is_refused_also_behind_the_session(office: Office, to: str) -> None:
    with pytest.raises(Refused) as error:
        await office.intake().accept(came(forged(), NOTICE, to))
    assert error.value.enhanced == "5.1.1"
    assert await events(office) == []


async def test_bi_027_a_loop_ends_here_and_what_cannot_be_read_is_refused(office: Office) -> None:
    for body, enhanced in ((b"Received: x\r\n" * 101 + forged(), "5.4.6"), (b"no header", "5.6.0")):
        with pytest.raises(RfcError) as error:
            await office.intake().accept(came(body))
        assert error.value.enhanced == enhanced
    assert await events(office) == []


async def test_a_flood_of_reports_is_asked_to_come_again_and_one_clinics_flood_is_no_other_clinics(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "MOST", 5)
    intake = office.intake()
    for _ in range(5):
        await intake.accept(came(forged()))
    with pytest.raises(Unavailable, match="Too many reports"):
        await intake.accept(came(forged()))
    harbour = office.directory.domain_owner("harbour.test")
    other = submission("notice@harbour.test", body=forged(), sender="", origin=Origin.MX, org=harbour)
    await intake.accept(other)
    assert len(await events(office)) == 6
    now = clock.monotonic()
    monkeypatch.setattr(clock, "monotonic", lambda: now + 61)
    office.directory.poll()
    await intake.accept(came(forged()))


async def test_closed_doors_are_closed_for_reports_too(office: Office) -> None:
    """250 means durable, also for an event alone (law 5): what cannot be put on record waits at its sender."""
    office.shard._watch._limits = type(office.shard._watch._limits)(outbox=1)
    intake = office.intake()
    await intake.accept(came(forged()))
    with pytest.raises(Unavailable):
        await intake.accept(came(forged()))


def test_the_portal_writes_and_the_mx_reads_the_same_addresses(office: Office) -> None:
    snapshot = office.directory.snapshot(CLINIC)
    back = tokens.reply_to(b"k" * 32, snapshot.portal_address, b"t" * 16)
    assert own(snapshot, back) is Own.PORTAL
    assert own(snapshot, sender_of("wards.clinic.test")) is Own.NOTICE
    plus = cast.Office.organisation(office, CLINIC, "clinic.test").snapshot
    assert own(plus, "portal@clinic.test") is Own.PORTAL


def test_without_a_portal_address_each_domain_has_its_own(office: Office) -> None:
    office.change(CLINIC, portal_address="")
    snapshot = office.directory.snapshot(CLINIC)
    assert own(snapshot, "portal@wards.clinic.test") is Own.PORTAL
    assert own(snapshot, "Portal+x@clinic.test") is Own.PORTAL
    office.change(CLINIC, portal_address="care+desk@wards.clinic.test")
    snapshot = office.directory.snapshot(CLINIC)
    assert own(snapshot, "care+desk+token@wards.clinic.test") is Own.PORTAL
    assert own(snapshot, "care@wards.clinic.test") is None
    assert own(snapshot, "portal@wards.clinic.test") is None


POSTMASTER = "PostMaster@clinic.test"


async def test_mail_to_postmaster_goes_to_the_address_for_alerts_whole_and_once(office: Office) -> None:
    """RFC 5321 4.5.1."""
    office.change(CLINIC, alerts="it@desk.test")
    body = mail("Message-ID: <q1@elsewhere.test>")
    first = await office.intake().accept(came(body, POSTMASTER, sender="someone@elsewhere.test"))
    again = await office.intake().accept(came(body, POSTMASTER, sender="someone@elsewhere.test"))
    assert (first.repeated, again.repeated, again.message_id) == (False, True, first.message_id)
    [delivery] = first.deliveries
    assert delivery.recipient == "it@desk.test"
    (claim,) = await office.queue.claim(1, wait_s=5)
    raw = await office.queue.plain(claim)
    assert claim.record.sender == "notice@clinic.test" and claim.record.plan is not None
    assert claim.record.plan.steps[0].floor >= office.directory.snapshot(CLINIC).floor, (
        "what a stranger wrote is no notice of ours"
    )
    read = message_from_bytes(raw, policy=policy.default)
    assert (read["From"].addresses[0].addr_spec, read["Auto-Submitted"]) == ("postmaster@clinic.test", "auto-generated")
    assert "Quillfeather" not in str(read["Subject"]) and "SPF" in read.get_body(("plain",)).get_content()
    (attached,) = read.iter_attachments()
    assert attached.get_content() == body


async def test_without_an_address_for_alerts_it_is_taken_and_on_record_as_unread(office: Office) -> None:
    accepted = await office.intake().accept(came(mail(), POSTMASTER, sender="someone@elsewhere.test"))
    assert accepted.deliveries == ()
    (told,) = await events(office)
    assert (told.kind, told.cause, told.facts["to"]) == (kinds.MESSAGE_IGNORED, "postmaster-unread", "postmaster")
    assert await office.queue.listing(b"") == ()


@pytest.mark.parametrize("body", [forged(), mail("Auto-Submitted: auto-replied"), mail("List-Id: <n.elsewhere.test>")])
async def test_reports_and_automatic_mail_to_postmaster_go_nowhere(office: Office, body: bytes) -> None:
    """Nothing goes round between two postmasters (RFC 3834)."""
    office.change(CLINIC, alerts="it@desk.test")
    await office.intake().accept(came(body, POSTMASTER, sender="someone@elsewhere.test"))
    (told,) = await events(office)
    assert told.kind == kinds.MESSAGE_IGNORED
    assert await office.queue.listing(b"") == ()


async def test_too_large_a_mail_to_postmaster_is_refused_at_the_dot(office: Office) -> None:
    office.change(CLINIC, alerts="it@desk.test")
    body = mail() + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 75_000
    with pytest.raises(Refused) as error:
        await office.intake().accept(came(body, POSTMASTER, sender="someone@elsewhere.test"))
    assert error.value.enhanced == "5.3.4"
