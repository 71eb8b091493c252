"""A new portal key in the middle of a conversation: who is known stays so, what was sent goes on working, and what is
new stands under the new key; people follow until nothing stands under the former one (decision 0059)."""

import base64
from collections.abc import Callable
from email import message_from_bytes, policy
from typing import Any

import pytest

from carepost.directory import threads
from carepost.directory.threads import SqlThreads
from carepost.engagement.retokening import PLACES
from carepost.ground import ids
from carepost.mailbox import access, notify, people, replies, sealing, sessions, tokens
from carepost.mailbox.models import Deposit, Recipient, Thread
from carepost.mailbox.sessions import Session
from carepost.mailbox.texts import About
from carepost.mailbox.within import within
from carepost.tenancy import keys as opened
from carepost.tenancy import retokening, scope
from carepost.tenancy.actions import keys
from carepost.tenancy.models import Organisation, OrgKey, fresh_id
from carepost.tenancy.permissions import COMMAND_LINE
from carepost.tenancy.retokening import Work
from tests.rooms.mailbox.test_conversations import engine, entered, snapshot
from tests.support.mailroom import MINUTE, KeptDoor, lay
from tests.support.outbox import office_events

__all__ = ["engine"]

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

JANE, JOHN = "jane.quillfeather@patient.test", "john.roe@patient.test"


def change(org: Organisation) -> None:
    keys.rotate_key(org.pk, "portal", actor=COMMAND_LINE, reason="yearly")


def walk() -> int:
    """What the journal does of it; how many rows moved."""
    work = Work(PLACES)
    moved = work.step()
    for _ in range(20):
        if not work._waiting:
            return moved
        moved += work.step()
    raise AssertionError("the walk does not end")


def known(org: Organisation) -> list[tuple[str, int]]:
    with scope.organisation(org.pk):
        return sorted((people.address(row), row.under) for row in Recipient.objects.filter(org_id=org.pk))


def stands(org: Organisation) -> list[tuple[int, bool]]:
    with scope.organisation(org.pk):
        rows = OrgKey.objects.filter(org_id=org.pk, purpose="portal").order_by("version")
        return [(row.version, bool(row.emptied_at)) for row in rows]


def made_under(org: Organisation, back: str) -> list[int]:
    """Versions of the portal key that an address of a conversation was made under."""
    with scope.organisation(org.pk):
        found = sealing.ever(org.pk.bytes).keys
        return [number for number, key in found if tokens.read_reply_to(sealing.token_key(key), back)]


def answer(row: Deposit, session: Session, text: str, door: KeptDoor) -> str:
    """Where the sender's answer to a reply goes."""
    message = replies.reply(session, row.link, text, (), door=door)
    assert message
    mail = message_from_bytes(door.taken[-1].body, policy=policy.default)
    return str(mail["Reply-To"].addresses[0].addr_spec)


def joins(org: Organisation, engine: SqlThreads, back: str) -> bool:
    raw = tokens_of(back)
    return threads.fits(engine.find(snapshot(org), raw[:16]), raw[16:])


def tokens_of(back: str) -> bytes:
    text = back.partition("@")[0].partition("+")[2].upper()
    return base64.b32decode(text + "=" * (-len(text) % 8))


def test_a_change_in_the_middle_of_a_conversation_is_seen_by_nobody_who_writes_in_it(
    maple: Organisation, harbour: Organisation, engine: SqlThreads, door: KeptDoor, pass_time: Callable[[int], None]
) -> None:
    lay(harbour, sender="desk@harbour.test")
    first = lay(maple)
    session = entered(first, door)
    before = answer(first, session, "It is better.", door)
    assert made_under(maple, before) == [1]
    change(maple)
    # the session, the link and the address of before go on
    assert access.access_deposit(session, first.link).link == first.link
    assert joins(maple, engine, before)
    # what comes next is for the same person, in the same conversation
    pass_time(MINUTE)
    second = lay(maple, thread=str(first.thread_id))
    assert (second.recipient_id, second.thread_id) == (first.recipient_id, first.thread_id)
    assert known(maple) == [(JANE, 1)]
    after = answer(second, session, "And now?", door)
    assert after != before and made_under(maple, after) == [2]
    assert joins(maple, engine, after) and joins(maple, engine, before)
    lay(maple, to=JOHN)
    assert known(maple) == [(JANE, 1), (JOHN, 2)]
    assert retokening.left(PLACES, maple.pk, 1, "portal") == {"people in the portal": 1}
    # a new code, for the person the former key's token still names
    assert entered(second, door).recipient == session.recipient

    assert walk() == 1
    assert known(maple) == [(JANE, 2), (JOHN, 2)] and known(harbour) == [(JANE, 1)]
    assert (stands(maple), stands(harbour)) == ([(1, True), (2, False)], [(1, False)])
    (told,) = office_events("orgkey.emptied")
    assert (told.org, told.facts) == (str(maple.pk), {"key": "portal", "version": "1"})
    pass_time(MINUTE)
    third = lay(maple)
    assert third.recipient_id == first.recipient_id and third.thread_id != first.thread_id
    assert joins(maple, engine, before) and joins(maple, engine, after)
    assert access.access_deposit(session, first.link).link == first.link
    assert walk() == 0


def test_a_reply_written_again_says_the_same_address_once(
    maple: Organisation, engine: SqlThreads, door: KeptDoor
) -> None:
    """The record the engine reads grows by one token for each key, however much is written."""
    row = lay(maple)
    change(maple)
    with within(maple.pk.bytes):
        said = {people.reply_to(maple.pk, row.thread_id, "portal@maple.test") for _ in range(3)}
    record = engine.find(snapshot(maple), row.thread_id.bytes).record
    assert len(said) == 1 and len(record.macs) == 2
    assert (record.sender, record.recipient) == ("dr.owl@maple.test", JANE)


def test_a_token_of_a_former_key_that_was_never_given_out_joins_nothing(
    maple: Organisation, engine: SqlThreads
) -> None:
    """Who once had the former key makes no address of a conversation that began after it (BI-028)."""
    change(maple)
    row = lay(maple)
    with scope.organisation(maple.pk):
        former = sealing.token_key(opened.version(maple.pk, "portal", 1))
    assert not joins(maple, engine, tokens.reply_to(former, "portal@maple.test", row.thread_id.bytes))


def test_a_conversation_of_before_there_were_any_gets_an_address_all_the_same(maple: Organisation) -> None:
    row = lay(maple)
    with within(maple.pk.bytes):
        Thread.objects.filter(id=row.thread_id).update(engine=b"", until=0)
        assert people.reply_to(maple.pk, row.thread_id, "portal@maple.test").startswith("portal+")
        assert bytes(Thread.objects.get(id=row.thread_id).engine) == b""


@pytest.mark.parametrize("walked", [False, True], ids=["before people follow", "after they followed"])
def test_the_hourly_limit_counts_across_the_change(maple: Organisation, door: KeptDoor, walked: bool) -> None:
    row = lay(maple)
    for _ in range(notify.LIMIT):
        notify.send_code(row, fresh_id(), "123456", row.expires_at, door=door)
    change(maple)
    if walked:
        walk()
    row = _anew(row)
    with scope.organisation(maple.pk):
        assert not notify.allowed(row)


def test_a_sender_is_told_once_an_hour_of_each_cause_and_ten_times_in_all_across_the_change(
    maple: Organisation, door: KeptDoor
) -> None:
    rows = [lay(maple) for _ in range(notify.LIMIT + 2)]
    half = notify.LIMIT // 2
    told = [notify.tell_sender(row, About.LOCKED, door=door) for row in rows[:half]]
    change(maple)
    walk()
    told += [notify.tell_sender(row, About.LOCKED, door=door) for row in rows[half:]]
    assert told == [True] * notify.LIMIT + [False] * 2


def test_who_stands_there_twice_becomes_one_with_all_they_have(
    maple: Organisation, door: KeptDoor, pass_time: Callable[[int], None]
) -> None:
    """As a node of the version before leaves it, which knows the first key alone."""
    first = lay(maple)
    session = entered(first, door)
    sessions.be_quiet(session, True)
    change(maple)
    with scope.organisation(maple.pk):
        row = fresh_id()
        token, _ = sealing.address_tokens_of(sealing.standing(maple.pk.bytes), JANE)
        sealed = sealing.seal(maple.pk.bytes, row, "address", JANE.encode())
        Recipient.objects.create(id=row, org_id=maple.pk, token=token, under=2, address=sealed)
    pass_time(MINUTE)
    second = lay(maple)
    assert second.recipient_id == row != first.recipient_id
    walk()
    assert known(maple) == [(JANE, 2)]
    found = entered(_anew(second), door)
    assert sessions.is_quiet(found)
    for one in (first, second):
        assert access.access_deposit(found, one.link).link == one.link
    assert stands(maple) == [(1, True), (2, False)]


def _anew(row: Deposit) -> Deposit:
    with scope.organisation(row.org_id):
        return Deposit.objects.select_related("recipient").get(pk=row.pk)


def test_one_who_moved_while_they_were_looked_for_is_not_made_twice(
    maple: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keys were read before the change, the person after they had moved: they are looked for again under the
    lock."""
    first = lay(maple)
    with scope.organisation(maple.pk):
        stale = sealing.standing(maple.pk.bytes)
    change(maple)
    walk()
    real, given = sealing.standing, [stale]

    def standing(org: bytes) -> Any:
        return given.pop() if given else real(org)

    monkeypatch.setattr(sealing, "standing", standing)
    assert lay(maple, message=ids.new(1)).recipient_id == first.recipient_id
    assert known(maple) == [(JANE, 2)]


def test_one_whose_address_nothing_opens_keeps_the_key_and_holds_up_nobody(maple: Organisation) -> None:
    row = lay(maple)
    lay(maple, to=JOHN)
    with scope.organisation(maple.pk):
        Recipient.objects.filter(pk=row.recipient_id).update(address=b"\0" * 60)
    change(maple)
    assert walk() == 1
    assert stands(maple) == [(1, False), (2, False)]
    assert retokening.left(PLACES, maple.pk, 1, "portal") == {"people in the portal": 1}
    assert lay(maple).recipient_id == row.recipient_id
