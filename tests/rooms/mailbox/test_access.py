"""The gates (law 7): who may see a message, what is recorded, and that absent and forbidden look the same."""

import io
import uuid
import zipfile
from collections.abc import Callable

import pytest

from carepost.ground.errors import NotFound
from carepost.mailbox import access, challenges, deposits, sessions, tokens
from carepost.mailbox.models import Deposit
from carepost.mailbox.refusals import Ended
from carepost.mailbox.sessions import Session
from carepost.proof import kinds
from carepost.rfc.compose import Attachment
from carepost.tenancy.models import Organisation
from tests.support.mailroom import MINUTE, SECRET_SUBJECT, SECRET_TEXT, KeptDoor, again, happened, lay

JANE = "jane.quillfeather@patient.test"
CSV = Attachment("values.csv", "text/csv", b"a,b\n1,2\n")


def signed_in(row: Deposit, door: KeptDoor) -> Session:
    challenges.send_code(row, door=door)
    with_address = access.masked_source(row)
    opened = challenges.prove_code(row, door.code(with_address), device="Firefox", door=door)
    found = sessions.find(opened.cookie)
    assert found is not None
    return found


def test_the_person_sees_the_message_and_the_showing_is_recorded(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple, attachments=[CSV])
    session = signed_in(row, door)
    seen = access.access_deposit(session, row.link, client="192.0.2.7")
    assert (seen.subject, seen.sender, seen.sender_name) == (SECRET_SUBJECT, "dr.owl@maple.test", "Dr. Olive Owl")
    assert SECRET_TEXT in seen.content.text
    assert [f.name for f in seen.files] == ["values.csv"]
    access.access_deposit(session, row.link)
    opened, viewed = happened(maple.pk, kinds.PORTAL_OPENED, kinds.PORTAL_VIEWED)
    assert (opened.kind, viewed.kind) == (kinds.PORTAL_OPENED, kinds.PORTAL_VIEWED)
    assert opened.facts == {
        "access": "mailed-code", "achieved": "MAILBOX", "method": "portal", "rule": "portal-by-mail",
    }  # fmt: skip
    assert (opened.policy, opened.category, opened.actor.kind) == ("1-test", "transactional", "recipient")
    assert set(opened.commit) == {"client"}
    after = again(row)
    assert (after.state, after.assurance) == ("opened", "MAILBOX")
    assert after.opened_at


def test_an_access_code_is_recorded_as_portal(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple, code="Blue Heron 42")
    cookie = challenges.prove_access(row, "Blue Heron 42", device="x", door=door).cookie
    access.access_deposit(sessions.find(cookie), row.link)
    (opened,) = happened(maple.pk, kinds.PORTAL_OPENED)
    assert (opened.facts["access"], opened.facts["achieved"]) == ("code", "PORTAL")


@pytest.mark.parametrize("gate", ["access_deposit", "access_file", "access_files", "delete_deposit", "writable"])
def test_strangers_others_and_the_absent_are_answered_alike(
    gate: str, maple: Organisation, harbour: Organisation, door: KeptDoor
) -> None:
    """BI-089."""
    row = lay(maple, attachments=[CSV])
    jane = signed_in(row, door)
    tom = signed_in(lay(maple, to="tom@patient.test"), door)
    elsewhere = signed_in(lay(harbour, sender="desk@harbour.test"), door)
    before = len(happened(maple.pk))
    more = (0,) if gate == "access_file" else ()
    for session in (None, tom, elsewhere):
        with pytest.raises(NotFound):
            getattr(access, gate)(session, row.link, *more)
    for link in (tokens.new_link(maple.pk.bytes), "x", "", row.link[:-1], row.link + "A", "../" + row.link):
        with pytest.raises(NotFound):
            getattr(access, gate)(jane, link, *more)
    assert len(happened(maple.pk)) == before
    assert again(row).state == "open"


def test_a_session_of_the_other_organisation_does_not_carry_over(
    maple: Organisation, harbour: Organisation, door: KeptDoor
) -> None:
    """The same person, with the same address, is another recipient elsewhere."""
    mine = lay(maple)
    session = signed_in(lay(harbour, sender="desk@harbour.test"), door)
    with pytest.raises(NotFound):
        access.access_deposit(session, mine.link)
    forged = Session(session.id, maple.pk.bytes, session.recipient, True, frozenset())
    with pytest.raises(NotFound):
        access.access_deposit(forged, mine.link)


def test_downloads_are_events_and_numbers_beyond_are_not_there(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple, attachments=[CSV, Attachment("values.csv", "text/csv", b"other")])
    session = signed_in(row, door)
    assert access.access_file(session, row.link, 1)[1] == b"other"
    packed = zipfile.ZipFile(io.BytesIO(access.access_files(session, row.link)))
    assert packed.namelist() == ["values.csv", "values (2).csv"]
    with pytest.raises(NotFound):
        access.access_file(session, row.link, 2)
    assert len(happened(maple.pk, kinds.PORTAL_DOWNLOADED)) == 2


def test_what_ended_is_shown_to_nobody(maple: Organisation, door: KeptDoor, pass_time: Callable[[int], None]) -> None:
    """BI-094: opened after expiry, after revoke."""
    short = lay(maple, expires_at=deposits.clock.now() + 10 * MINUTE)
    taken = lay(maple)
    session = signed_in(short, door)
    deposits.retract(maple.pk.bytes, taken.delivery.bytes, actor=deposits.SYSTEM)
    pass_time(11 * MINUTE)
    # also before the sweep has come by
    for row, state in ((short, "expired"), (taken, "retracted")):
        with pytest.raises(Ended) as ended:
            access.access_deposit(session, row.link)
        assert ended.value.state == state
    assert happened(maple.pk, kinds.PORTAL_OPENED) == []


def test_the_recipient_deletes_and_the_content_goes(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple)
    session = signed_in(row, door)
    access.delete_deposit(session, row.link)
    after = again(row)
    assert (after.state, after.body_id) == ("deleted", None)
    assert len(happened(maple.pk, kinds.PORTAL_DELETED)) == 1


def test_the_list_has_what_is_theirs_and_hides_what_is_not_proved(
    maple: Organisation, harbour: Organisation, door: KeptDoor
) -> None:
    row = lay(maple, subject="About your visit")
    lay(maple, subject="Guarded heron", code="Blue Heron 42")
    lay(maple, subject="Not hers", to="tom@patient.test")
    lay(harbour, subject="Elsewhere", sender="desk@harbour.test")
    session = signed_in(row, door)
    rows = access.access_inbox(session)
    assert sorted((r.subject, r.locked) for r in rows) == [("", True), ("About your visit", False)]
    assert [r.subject for r in access.access_inbox(session, query="VISIT")] == ["About your visit"]
    # the words of what is not proved cannot be guessed by searching
    assert access.access_inbox(session, query="heron") == []
    listed = happened(maple.pk, kinds.PORTAL_LISTED)
    assert [e.facts["answers"] for e in listed] == ["2", "1", "0"]


def test_my_data_holds_what_the_session_may_read(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple)
    lay(maple, subject="Guarded", code="Blue Heron 42")
    session = signed_in(row, door)
    packed = zipfile.ZipFile(io.BytesIO(access.access_own_data(session)))
    assert packed.namelist() == ["message-1.eml"]
    assert SECRET_TEXT.encode() in packed.read("message-1.eml")


def test_sessions_are_ended_by_their_person_alone(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple)
    jane = signed_in(row, door)
    tom = signed_in(lay(maple, to="tom@patient.test"), door)
    with pytest.raises(NotFound):
        sessions.close_one(tom, jane.id)
    with pytest.raises(NotFound):
        sessions.close_one(tom, uuid.uuid4())
    (shown,) = sessions.listing(jane)
    assert (shown.device, shown.here) == ("Firefox", True)
    sessions.close_all(jane)
    assert sessions.listing(jane) == []
    assert len(sessions.listing(tom)) == 1


def test_a_moved_body_does_not_open(maple: Organisation, door: KeptDoor) -> None:
    """BI-077: ciphertext swapped between two records."""
    from carepost.crypto.rest import Damaged
    from carepost.mailbox.models import Body

    first, second = lay(maple), lay(maple, subject="another")
    session = signed_in(first, door)
    other = Body.objects.get(id=second.body_id)
    Body.objects.filter(id=first.body_id).update(chunks=other.chunks, wrapped_key=other.wrapped_key)
    with pytest.raises(Damaged):
        access.access_deposit(session, first.link)
    assert happened(maple.pk, kinds.PORTAL_OPENED) == []
