"""Proof of the person: codes by e-mail, access codes, questions; tries, locks, and what the sender is told."""

from collections.abc import Callable

import pytest

from carepost.ground.errors import Unavailable
from carepost.mailbox import challenges, deposits, sessions
from carepost.mailbox.models import Challenge, Deposit, PortalSession
from carepost.mailbox.refusals import Ended, Locked, NoCode, TooSoon, WrongProof, WrongWay
from carepost.mailbox.sessions import Session
from carepost.mailbox.texts import About
from carepost.proof import kinds
from carepost.tenancy.models import Organisation
from tests.support.mailroom import MINUTE, KeptDoor, again, happened, lay

JANE = "jane.quillfeather@patient.test"
OWL = "dr.owl@maple.test"
Move = Callable[[int], None]


def prove(row: Deposit, code: str, door: KeptDoor, **more: bool) -> Session:
    opened = challenges.prove_code(row, code, device="Firefox", door=door, client="192.0.2.7", **more)
    found = sessions.find(opened.cookie)
    assert found is not None
    return found


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_a_mailed_code_opens_a_session_of_level_mailbox(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple)
    challenges.send_code(row, door=door, client="192.0.2.7")
    session = prove(row, door.code(JANE), door)
    assert session.level(row) == "MAILBOX"
    assert [e.kind for e in happened(maple.pk) if e.kind.startswith("portal")] == [kinds.PORTAL_CODE_SENT]


def test_a_code_is_not_kept_in_clear_and_works_once(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple)
    challenges.send_code(row, door=door)
    code = door.code(JANE)
    assert code not in Challenge.objects.get().code_hash
    prove(row, f" {code[:3]} {code[3:]} ", door)
    with pytest.raises(NoCode):
        prove(row, code, door)


def test_a_code_runs_out_after_fifteen_minutes(maple: Organisation, door: KeptDoor, pass_time: Move) -> None:
    row = lay(maple)
    challenges.send_code(row, door=door)
    pass_time(16 * MINUTE)
    with pytest.raises(NoCode):
        prove(row, door.code(JANE), door)


def test_a_newer_code_overtakes_the_older_and_not_within_a_minute(
    maple: Organisation, door: KeptDoor, pass_time: Move
) -> None:
    row = lay(maple)
    challenges.send_code(row, door=door)
    first = door.code(JANE)
    with pytest.raises(TooSoon):
        challenges.send_code(row, door=door)
    pass_time(MINUTE)
    challenges.send_code(row, door=door)
    second = door.code(JANE)
    if first != second:
        with pytest.raises(WrongProof):
            prove(row, first, door)
    assert prove(row, second, door).mailbox


def test_five_wrong_tries_close_a_code_also_for_the_right_one(maple: Organisation, door: KeptDoor) -> None:
    """BI-094: a code of six digits is not to be guessed."""
    row = lay(maple)
    challenges.send_code(row, door=door)
    code = door.code(JANE)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(WrongProof) as refused:
            prove(row, wrong(code), door)
        assert refused.value.left == left
    with pytest.raises(NoCode):
        prove(row, code, door)
    failures = happened(maple.pk, kinds.PORTAL_ACCESS_FAILED)
    assert len(failures) == 5
    assert {(e.result, e.facts["access"]) for e in failures} == {("refused", "mailed-code")}


def test_after_three_codes_the_page_locks_and_the_sender_is_told_once(
    maple: Organisation, door: KeptDoor, pass_time: Move
) -> None:
    row = lay(maple)
    for _ in range(3):
        challenges.send_code(row, door=door)
        pass_time(2 * MINUTE)
    for _ in range(3):
        with pytest.raises(Locked):
            challenges.send_code(row, door=door)
    assert len(happened(maple.pk, kinds.PORTAL_LOCKED)) == 1
    (told,) = door.mails(OWL)
    assert "used up the tries" in told
    assert str(row.delivery) in told
    assert "quillfeather" not in door.taken[-1].body.decode().lower()
    with pytest.raises(Locked):
        prove(row, "000000", door)
    # it opens again by itself
    pass_time(60 * MINUTE)
    challenges.send_code(row, door=door)
    assert prove(row, door.code(JANE), door).mailbox


def test_codes_of_other_messages_to_the_same_person_count(maple: Organisation, door: KeptDoor, pass_time: Move) -> None:
    rows = [lay(maple, subject=f"{n}") for n in range(4)]
    for row in rows[:3]:
        challenges.send_code(row, door=door)
        pass_time(2 * MINUTE)
    with pytest.raises(Locked):
        challenges.send_code(rows[3], door=door)


def test_a_code_of_one_message_does_not_open_another_persons(maple: Organisation, door: KeptDoor) -> None:
    mine, theirs = lay(maple), lay(maple, to="tom@patient.test")
    challenges.send_code(mine, door=door)
    challenges.send_code(theirs, door=door)
    code = door.code(JANE)
    if code != door.code("tom@patient.test"):
        with pytest.raises(WrongProof):
            prove(theirs, code, door)
    assert prove(mine, code, door).level(theirs) == ""


def test_the_other_organisation_sends_and_proves_nothing(
    maple: Organisation, harbour: Organisation, door: KeptDoor
) -> None:
    row = lay(maple)
    row.org_id = harbour.pk
    with pytest.raises(Deposit.DoesNotExist):
        challenges.send_code(row, door=door)
    with pytest.raises(Deposit.DoesNotExist):
        prove(row, "123456", door)
    assert door.taken == []


def test_no_engine_means_no_code_counts(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple)
    door.closed = True
    for _ in range(5):
        with pytest.raises(Unavailable):
            challenges.send_code(row, door=door)
    assert not Challenge.objects.exists()
    door.closed = False
    challenges.send_code(row, door=door)
    assert prove(row, door.code(JANE), door).mailbox


def test_an_access_code_gives_portal_and_no_mail_is_sent(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple, code="Blue-Heron 42")
    with pytest.raises(WrongWay):
        challenges.send_code(row, door=door)
    opened = challenges.prove_access(row, "blue heron 42", device="Firefox", door=door)
    session = sessions.find(opened.cookie)
    assert session is not None
    assert session.level(row) == "PORTAL"
    assert door.taken == []
    # and opens nothing that asks for a proof of its own
    other = lay(maple, code="Red Fox 7")
    assert session.level(other) == ""
    assert session.level(lay(maple)) == ""


def test_a_mailed_code_does_not_open_what_asks_for_more(maple: Organisation, door: KeptDoor) -> None:
    """BI-094: the second factor stands when the link, or the mailbox, is somebody else's."""
    plain, guarded = lay(maple), lay(maple, code="Blue Heron 42")
    challenges.send_code(plain, door=door)
    session = prove(plain, door.code(JANE), door)
    assert session.level(guarded) == ""


def test_the_question_is_answered_whatever_the_spelling(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple, question=("Where did we meet?", "St. John's Road"))
    assert challenges.question(row) == "Where did we meet?"
    assert challenges.prove_access(row, "st johns road", device="x", door=door).cookie


def test_five_wrong_answers_lock_for_an_hour_and_tell_the_sender(
    maple: Organisation, door: KeptDoor, pass_time: Move
) -> None:
    row = lay(maple, code="Blue Heron 42")
    for _ in range(4):
        with pytest.raises(WrongProof):
            challenges.prove_access(row, "guess", device="x", door=door)
    with pytest.raises(Locked):
        challenges.prove_access(row, "guess", device="x", door=door)
    with pytest.raises(Locked):
        challenges.prove_access(row, "Blue Heron 42", device="x", door=door)
    assert len(door.mails(OWL)) == 1
    pass_time(61 * MINUTE)
    assert challenges.prove_access(row, "Blue Heron 42", device="x", door=door).cookie


def test_an_ended_message_takes_no_proof(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple)
    challenges.send_code(row, door=door)
    deposits.retract(maple.pk.bytes, row.delivery.bytes, actor=deposits.SYSTEM)
    with pytest.raises(Ended) as ended:
        prove(row, door.code(JANE), door)
    assert ended.value.state == "retracted"


def test_not_me_and_help_tell_the_sender_once_an_hour(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple)
    for about in (About.HELP, About.NOT_ME, About.NOT_ME):
        challenges.speak_up(row, about, door=door)
    assert len(door.mails(OWL)) == 2
    assert len(happened(maple.pk, kinds.PORTAL_HELP_ASKED, kinds.PORTAL_DISOWNED)) == 2
    assert again(row).state == "open"


def test_a_session_ends_by_idleness_and_by_time(maple: Organisation, door: KeptDoor, pass_time: Move) -> None:
    """HS-33: on the server, without the browser's help."""
    row = lay(maple)
    challenges.send_code(row, door=door)
    cookie = challenges.prove_code(row, door.code(JANE), device="x", door=door).cookie
    for _ in range(30):
        pass_time(29 * MINUTE)
        if sessions.find(cookie) is None:
            break
    else:
        pytest.fail("a session in use lasted for more than 12 hours")
    pass_time(60 * MINUTE)
    challenges.send_code(row, door=door)
    cookie = challenges.prove_code(row, door.code(JANE), device="x", door=door).cookie
    pass_time(31 * MINUTE)
    assert sessions.find(cookie) is None
    # what ended is swept out by the next to come
    other = lay(maple, code="Blue Heron 42")
    challenges.prove_access(other, "Blue Heron 42", device="x", door=door)
    assert PortalSession.objects.count() == 1


def test_a_fresh_proof_gives_a_fresh_cookie_and_ends_the_old(maple: Organisation, door: KeptDoor) -> None:
    """BI-095: session fixation."""
    row = lay(maple, code="Blue Heron 42")
    first = challenges.prove_access(row, "Blue Heron 42", device="x", door=door).cookie
    other = lay(maple)
    challenges.send_code(other, door=door)
    second = challenges.prove_code(other, door.code(JANE), device="x", door=door, cookie=first).cookie
    assert second != first
    assert sessions.find(first) is None
    session = sessions.find(second)
    assert session is not None
    assert (session.level(row), session.level(other)) == ("PORTAL", "MAILBOX")


def test_a_trusted_device_stays_signed_in_for_mail_but_not_for_access_codes(
    maple: Organisation, door: KeptDoor, pass_time: Move
) -> None:
    row, guarded = lay(maple), lay(maple, code="Blue Heron 42")
    first = challenges.prove_access(guarded, "Blue Heron 42", device="x", door=door).cookie
    challenges.send_code(row, door=door)
    cookie = challenges.prove_code(row, door.code(JANE), device="x", door=door, trusted=True, cookie=first).cookie
    pass_time(3 * 24 * 60 * MINUTE)
    session = sessions.find(cookie)
    assert session is not None
    assert (session.level(row), session.level(guarded)) == ("MAILBOX", "")
