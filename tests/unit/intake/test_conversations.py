"""An answer by mail joins a conversation of the portal, or is refused: token, time, and who is proved to write."""

import msgspec
import pytest

from carepost.crypto import dkim
from carepost.directory.threads import Found, StaticThreads, ThreadRecord
from carepost.ground import clock, ids
from carepost.ground.errors import Refused, Unavailable
from carepost.intake.accept import Intake
from carepost.intake.orgkeys import DirectoryKeys
from carepost.intake.own import token_of
from carepost.mailbox import tokens
from carepost.policy.types import Access
from carepost.proof import event, kinds
from carepost.proof.event import Event
from carepost.queue.sealing import Opener
from carepost.queue.types import MessageRecord
from carepost.rfc.asking import Found as Answer
from carepost.rfc.asking import Question
from carepost.wire.types import Accepted, AccessProof, Actor, Origin, Submission
from tests.support.zone import Dns
from tests.unit.intake.office import CLINIC, HARBOUR, Office, submission

KEY, THREAD = b"k" * 32, ids.new()
NURSE, JANE = "nurse@clinic.test", "jane.roe@verified.test"
BACK = tokens.reply_to(KEY, "portal@clinic.test", THREAD)
SECRET, PUBLIC = dkim.generate(dkim.ED25519)
ZONE = {
    "s._domainkey.clinic.test": [("TXT", PUBLIC)],
    "_dmarc.clinic.test": [("TXT", "v=DMARC1; p=reject")],
    "evil.test": [("TXT", "v=spf1 ip4:192.0.2.0/24 -all")],
}


class Slow:
    """DNS of the test, and what an engine sees of it."""

    def __init__(self, zone: dict[str, list[tuple[str, str]]]) -> None:
        self.dns = Dns(zone)
        self.broken = False

    async def ask(self, question: Question) -> Answer:
        if self.broken:
            raise OSError("no network")
        return self.dns(question)


class Desk:
    def __init__(self, office: Office, zone: dict[str, list[tuple[str, str]]]) -> None:
        self.office = office
        self.world = Slow(zone)
        record = ThreadRecord(NURSE, JANE, tokens.mac(KEY, THREAD), AccessProof(Access.CODE, "", "verifier"))
        self.threads = StaticThreads({(CLINIC, THREAD): Found(record, clock.now() + 10_000_000)})
        self.intake = Intake(
            {office.queue.number: office.queue}, office.directory, office.posture, office.purposes, office.config,
            dns=self.world, threads=self.threads,
        )  # fmt: skip

    async def events(self) -> list[Event]:
        await self.intake.close()
        return [event.read(row.event) for row in (await self.office.queue.drain(0, 0))[0]]

    async def stored(self, accepted: Accepted) -> MessageRecord:
        id_ = ids.parse(accepted.message_id)
        stored = await self.office.queue.body(CLINIC, id_)
        return Opener(DirectoryKeys(self.office.directory, self.office.purposes)).message_record(
            CLINIC, id_, stored.record
        )

    def outlive(self) -> None:
        found = self.threads.given[CLINIC, THREAD]
        self.threads.given[CLINIC, THREAD] = msgspec.structs.replace(found, until=clock.now() - 1)


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office, ZONE)


def mail(*fields: str, sender: str = NURSE, text: str = "Quillfeather is well.") -> bytes:
    lines = (f"From: Nurse Quill <{sender}>", f"To: {BACK}", "Subject: Re: Plumage", *fields, "", text, "")
    return "\r\n".join(lines).encode()


def signed(raw: bytes, domain: str = "clinic.test") -> bytes:
    return dkim.Signer(domain, "s", dkim.ED25519, SECRET).sign(raw, clock.now() // 1_000_000) + raw


def came(body: bytes, to: str = BACK, sender: str = NURSE, **changes: object) -> Submission:
    made = submission(to, body=body, sender=sender, origin=Origin.MX, actor=Actor("system", "mx"), helo="mx.evil.test")
    return msgspec.structs.replace(made, **changes)


async def test_an_answer_that_dmarc_proves_becomes_a_message_to_the_person_for_the_portal(desk: Desk) -> None:
    forged = "Authentication-Results: mail.clinic.test; dkim=pass header.d=evil.test"
    accepted = await desk.intake.accept(came(signed(mail(forged))))
    (delivery,) = accepted.deliveries
    assert (delivery.recipient, delivery.method, delivery.reason) == (JANE, "portal", "portal-access")
    record = await desk.stored(accepted)
    assert (record.thread, record.origin, record.sender) == (ids.text(THREAD), "reply", NURSE)
    claims = await desk.office.queue.claim(5, wait_s=1.0)
    body = await desk.office.queue.plain(claims[0])
    assert body.count(b"Authentication-Results: mail.clinic.test;") == 1 and b"header.d=evil.test" not in body
    assert b"dkim=pass header.d=clinic.test" in body and b"dmarc=pass header.from=clinic.test" in body
    first = next(e for e in await desk.events() if e.kind == kinds.MESSAGE_ACCEPTED)
    assert {name: first.facts[name] for name in ("origin", "spf", "dkim", "dmarc")} == {
        "origin": "reply", "spf": "none", "dkim": "pass", "dmarc": "pass",
    }  # fmt: skip
    assert set(first.facts) <= kinds.FACTS


async def test_the_same_answer_brought_twice_is_one_message(desk: Desk) -> None:
    raw = signed(mail())
    first = await desk.intake.accept(came(raw))
    again = await desk.intake.accept(came(raw))
    assert again.repeated and again.message_id == first.message_id


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (mail(), "not-proved"),
        (signed(mail(), "evil.test"), "not-proved"),
        (signed(mail()) + b"And one more line.\r\n", "not-proved"),
        (signed(mail(sender="other@clinic.test")), "not-proved"),
        (signed(mail(sender="nurse@evil.test"), "evil.test"), "not-proved"),
    ],
    ids=["unsigned", "another domain", "changed", "another person of the clinic", "another sender"],
)
async def test_bi_074_whoever_is_not_proved_to_be_the_one_written_to_is_refused_and_on_record(
    desk: Desk, body: bytes, cause: str
) -> None:
    with pytest.raises(Refused, match="DMARC") as error:
        await desk.intake.accept(came(body))
    assert (error.value.code, error.value.enhanced) == (cause, "5.7.1")
    (told,) = await desk.events()
    assert (told.kind, told.cause, told.facts["origin"]) == (kinds.SENDER_REFUSED, cause, "mx")
    assert await desk.office.queue.listing(b"") == ()


async def test_spf_of_another_domain_proves_nothing_about_from(desk: Desk) -> None:
    with pytest.raises(Refused):
        await desk.intake.accept(came(mail(), sender="x@evil.test", client="192.0.2.9"))


@pytest.mark.parametrize(
    "to",
    [
        tokens.reply_to(b"j" * 32, "portal@clinic.test", THREAD),
        tokens.reply_to(KEY, "portal@clinic.test", ids.new()),
        "portal+mfzqab@clinic.test",
        "portal@clinic.test",
    ],
    ids=["forged", "absent", "no token", "bare"],
)
async def test_a_token_that_is_none_of_ours_is_one_sentence(desk: Desk, to: str) -> None:
    with pytest.raises(Refused, match="no open conversation"):
        await desk.intake.accept(came(signed(mail()), to))


async def test_a_token_too_old_and_one_of_another_organisation(desk: Desk) -> None:
    theirs = BACK.replace("@clinic.test", "@harbour.test")
    desk.office.change(HARBOUR, portal_address="portal@harbour.test")
    with pytest.raises(Refused, match="no open conversation"):
        await desk.intake.accept(came(signed(mail()), theirs, org=HARBOUR))
    desk.outlive()
    with pytest.raises(Refused, match="no open conversation"):
        await desk.intake.accept(came(signed(mail())))


async def test_dns_that_fails_or_breaks_proves_nothing_and_loses_nothing(office: Office) -> None:
    desk = Desk(office, ZONE | {"s._domainkey.clinic.test": [("TXT", "!")]})
    with pytest.raises(Refused, match="DMARC"):
        await desk.intake.accept(came(signed(mail())))
    desk.world.broken = True
    with pytest.raises(Refused, match="DMARC"):
        await desk.intake.accept(came(signed(mail())))
    automatic = came(signed(mail("Auto-Submitted: auto-replied")))
    assert (await desk.intake.accept(automatic)).deliveries == ()
    told = [e for e in await desk.events() if e.kind == kinds.MESSAGE_IGNORED]
    assert [(e.cause, e.facts["dmarc"]) for e in told] == [("automatic", "temperror")]


async def test_an_office_that_cannot_be_read_makes_the_sender_wait(desk: Desk) -> None:
    class Closed(StaticThreads):
        def find(self, snapshot: object, thread: bytes) -> Found:
            raise Unavailable("office-unreadable", "The office database cannot be read; try again later.")

    desk.intake._conversations._threads = Closed()
    with pytest.raises(Unavailable):
        await desk.intake.accept(came(signed(mail())))
    assert await desk.events() == []


async def test_a_submission_of_our_own_joins_by_its_credential_and_the_rest_goes_its_way(desk: Desk) -> None:
    made = submission(BACK, "bob@verified.test", body=mail(), sender=NURSE)
    accepted = await desk.intake.accept(made)
    assert {(d.recipient, d.method) for d in accepted.deliveries} == {(JANE, "portal"), ("bob@verified.test", "tls")}
    again = await desk.intake.accept(submission(BACK, body=mail(), sender=NURSE))
    assert again.repeated and [d.recipient for d in again.deliveries] == [JANE]


async def test_bi_015_a_credential_bound_to_another_domain_joins_nothing(desk: Desk) -> None:
    bound = submission(BACK, body=mail(), sender=NURSE, domains=("wards.clinic.test",))
    with pytest.raises(Refused, match="credential"):
        await desk.intake.accept(bound)
    with pytest.raises(Refused, match="DMARC"):
        await desk.intake.accept(submission(BACK, body=mail(sender="other@clinic.test"), sender="other@clinic.test"))
    assert await desk.office.queue.listing(b"") == ()


async def test_an_address_with_a_plus_of_anybody_else_is_an_address(desk: Desk) -> None:
    accepted = await desk.intake.accept(submission("jane+portal@verified.test"))
    assert [d.recipient for d in accepted.deliveries] == ["jane+portal@verified.test"]


async def test_two_conversations_in_one_mail_are_refused(desk: Desk) -> None:
    other = tokens.reply_to(KEY, "portal@clinic.test", ids.new())
    made = came(signed(mail()))
    both = submission(BACK, other, body=made.body, sender=NURSE, origin=Origin.MX, actor=made.actor)
    with pytest.raises(Refused, match="one conversation"):
        await desk.intake.accept(both)


def test_the_portal_writes_the_tokens_the_door_reads() -> None:
    assert token_of(BACK) == (THREAD, tokens.mac(KEY, THREAD))
    assert token_of(BACK.upper()) == (THREAD, tokens.mac(KEY, THREAD))
    for wrong in ("portal@x.test", "+abc@x.test", "portal+!!@x.test", "portal+é@x.test", f"p+{'a' * 400}@x.test"):
        assert token_of(wrong) is None
