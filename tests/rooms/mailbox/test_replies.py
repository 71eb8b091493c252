"""Answers from the portal: who they come from, that they come once, and that drafts are kept sealed."""

import uuid
from email import message_from_bytes, policy

import pytest

from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.mailbox import access, challenges, deposits, failures, replies, sealing, sessions, tokens
from carepost.mailbox.course import courses
from carepost.mailbox.models import Deposit, Reply
from carepost.mailbox.replies import Upload
from carepost.mailbox.sessions import Session
from carepost.proof import kinds
from carepost.tenancy.models import Organisation
from carepost.wire.types import Origin
from tests.support.mailroom import SECRET_SUBJECT, KeptDoor, happened, lay

JANE = "jane.quillfeather@patient.test"
SCAN = Upload("../../scan\u202e.pdf", "application/pdf", b"%PDF-1.4 made up")


@pytest.fixture
def row(maple: Organisation) -> Deposit:
    return lay(maple)


@pytest.fixture
def session(row: Deposit, door: KeptDoor) -> Session:
    challenges.send_code(row, door=door)
    found = sessions.find(challenges.prove_code(row, door.code(JANE), device="x", door=door).cookie)
    assert found is not None
    door.taken.clear()
    return found


def test_a_reply_comes_from_the_portal_for_the_sender(row: Deposit, session: Session, door: KeptDoor) -> None:
    replies.reply(session, row.link, "Thank you, I feel better.", (SCAN,), door=door)
    (sent,) = door.taken
    assert (sent.origin, sent.envelope.sender) == (Origin.PORTAL, "portal@maple.test")
    assert [r.address for r in sent.envelope.recipients] == ["dr.owl@maple.test"]
    assert (sent.actor.kind, sent.actor.id) == ("recipient", str(session.recipient))
    mail = message_from_bytes(sent.body, policy=policy.default)
    (from_,) = mail["From"].addresses
    assert from_.addr_spec == "portal@maple.test"
    assert JANE in from_.display_name
    assert mail["To"] == "dr.owl@maple.test"
    assert mail["Subject"] == f"Re: {SECRET_SUBJECT}"
    assert mail["In-Reply-To"] == f"<{row.message}@maple.test>"
    (back,) = mail["Reply-To"].addresses
    key = sealing.token_key(sealing.standing(row.org_id.bytes).keys[0][1])
    assert tokens.read_reply_to(key, back.addr_spec) == row.thread_id.bytes
    assert tokens.read_reply_to(key, back.addr_spec.replace("portal+a", "portal+b")) in (None, row.thread_id.bytes)
    assert tokens.read_reply_to(b"\0" * 32, back.addr_spec) is None
    assert "patient.test" not in from_.addr_spec + sent.envelope.sender
    said = mail.get_body(("plain",)).get_content()
    assert said.startswith("Thank you, I feel better.")
    assert f"Written in the secure portal by {JANE}" in said
    assert "your answer joins the conversation in the portal" in said
    assert [p.get_filename() for p in mail.iter_attachments()] == ["scan.pdf"]
    (told,) = happened(row.org_id, kinds.PORTAL_REPLIED)
    assert told.on == [str(row.message), str(row.delivery)]
    seen = access.access_deposit(session, row.link)
    assert [(r.text, r.files) for r in seen.replies] == [("Thank you, I feel better.", (("scan.pdf", 16),))]


def test_a_busy_engine_keeps_the_text_and_the_same_reply_is_one_message(
    row: Deposit, session: Session, door: KeptDoor
) -> None:
    door.closed = True
    with pytest.raises(Unavailable):
        replies.reply(session, row.link, "hello", (), door=door)
    assert replies.draft(session, row.link).text == "hello"
    door.closed = False
    first = replies.reply(session, row.link, "hello", (), door=door)
    # the answer of the engine was lost, and the person presses Send again
    Reply.objects.update(sent_at=0, message=None)
    assert replies.reply(session, row.link, "hello", (), door=door) == first
    assert len(door.taken) == 1


def test_drafts_are_kept_sealed_one_for_a_message(row: Deposit, session: Session, door: KeptDoor) -> None:
    assert replies.draft(session, row.link).text == ""
    replies.save_draft(session, row.link, "about the zebrafish")
    replies.save_draft(session, row.link, "about the zebrafish and more")
    (kept,) = Reply.objects.all()
    assert b"zebrafish" not in bytes(kept.record)
    assert replies.draft(session, row.link).text.endswith("and more")
    replies.reply(session, row.link, "done", (), door=door)
    assert replies.draft(session, row.link).text == ""


@pytest.mark.parametrize(
    ("text", "files", "code"),
    [
        ("  ", (), "reply-empty"),
        ("x" * 100_001, (), "reply-long"),
        ("x", (SCAN,) * 11, "reply-files"),
        ("x", (Upload("a", "text/plain", b"x" * 20_000_001),), "reply-large"),
    ],
)
def test_what_is_empty_or_too_much_is_refused(
    text: str, files: tuple[Upload, ...], code: str, row: Deposit, session: Session, door: KeptDoor
) -> None:
    with pytest.raises(Refused) as refused:
        replies.reply(session, row.link, text, files, door=door)
    assert refused.value.code == code
    assert door.taken == []


def test_a_subject_with_line_ends_adds_no_header(maple: Organisation, door: KeptDoor) -> None:
    """BI-043: what the sender's subject says stays in the subject."""
    row = lay(maple, raw=b"From: a@maple.test\r\nTo: b@patient.test\r\n\r\nhi\r\n", subject="hi\r\nBcc: evil@evil.test")
    challenges.send_code(row, door=door)
    session = sessions.find(challenges.prove_code(row, door.code(JANE), device="x", door=door).cookie)
    replies.reply(session, row.link, "hi", (), door=door)
    mail = message_from_bytes(door.taken[-1].body)
    assert mail["Bcc"] is None


def test_strangers_the_other_organisation_and_the_late_cannot_reply(
    row: Deposit, session: Session, harbour: Organisation, door: KeptDoor
) -> None:
    other = lay(harbour, sender="desk@harbour.test")
    for link, who in ((row.link, None), (other.link, session)):
        for act in (
            lambda link=link, who=who: replies.reply(who, link, "x", (), door=door),
            lambda link=link, who=who: replies.save_draft(who, link, "x"),
            lambda link=link, who=who: replies.draft(who, link),
        ):
            with pytest.raises(NotFound):
                act()
    deposits.retract(row.org_id.bytes, row.delivery.bytes, actor=deposits.SYSTEM)
    with pytest.raises(Refused):
        replies.reply(session, row.link, "x", (), door=door)
    assert door.taken == []


def test_an_answer_that_could_not_be_delivered_is_on_the_messages_page(
    row: Deposit, session: Session, door: KeptDoor
) -> None:
    org = row.org_id.bytes
    became = uuid.UUID(replies.reply(session, row.link, "Thank you.", (), door=door))
    assert not failures.failed(org, bytes(16), "no-such-mailbox", 5), "mail of somebody else"
    for _ in range(2):
        assert failures.failed(org, became.bytes, "no-such-mailbox", clock.now())
    (told,) = happened(row.org_id, kinds.PORTAL_REPLY_FAILED)
    assert told.on == [str(row.message), str(row.delivery)] and told.cause == "no-such-mailbox"
    (step,) = [s for s in courses(org, row.message)[str(row.delivery)].steps if s.tone == "bad"]
    assert "did not reach the sender" in step.text


def test_the_same_page_sent_twice_is_one_reply(row: Deposit, session: Session, door: KeptDoor) -> None:
    """A second click, or Back and Send: the engine had ended the first before the second came."""
    first = replies.reply(session, row.link, "hello", (SCAN,), door=door, page="p1")
    assert replies.reply(session, row.link, "hello", (SCAN,), door=door, page="p1") == first
    assert len(door.taken) == 1
    assert Reply.objects.count() == 1
    # something else of the same page, and the same words of a new page, are replies of their own
    other = replies.reply(session, row.link, "hello", (), door=door, page="p1")
    again = replies.reply(session, row.link, "hello", (SCAN,), door=door, page="p2")
    assert len({first, other, again}) == 3
