"""The key of an organisation's log changes while mail goes on: the act, the journal's commit, proofs, a crash."""

import uuid
from typing import Any

import pytest

from carepost.archive import books, writing
from carepost.archive.books import opener
from carepost.archive.marks import Marks
from carepost.audit import reader
from carepost.audit.verify_log import verify_log
from carepost.ground import clock, ids
from carepost.journal.purging import Purging
from carepost.proof import kinds, published
from carepost.proof.verify import verify
from carepost.tenancy.actions import keys
from carepost.tenancy.models import OrgKey
from carepost.tenancy.permissions import COMMAND_LINE
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def rotate(cast: Any) -> OrgKey:
    return keys.rotate_key(uuid.UUID(bytes=cast.maple), "signing", actor=COMMAND_LINE, reason="yearly")


def sent(cast: Any, outbox: Outbox) -> tuple[str, str]:
    message, (delivery,) = outbox.accepted(cast.maple)
    outbox.sent(cast.maple, message, delivery)
    return ids.text(message), ids.text(delivery)


def proof(cast: Any, outbox: Outbox, of: tuple[str, str]) -> bytes:
    def opened(org: bytes, event: Any, sealed: bytes) -> Any:
        return opener().openings(org, event, sealed)

    return reader.proof(outbox.store, cast.maple, *of, opened)


def page(cast: Any, outbox: Outbox) -> str:
    return published.page([reader.terms(outbox.store, cast.maple)])


def test_messages_before_during_and_after_the_change_are_proven(cast: Any, outbox: Outbox) -> None:
    before = sent(cast, outbox)
    outbox.commit_office()
    outbox.commit()
    kept, early = page(cast, outbox), proof(cast, outbox, before)
    made = rotate(cast)
    (told,) = office_events("orgkey.rotated")
    (said,) = office_events(kinds.LOG_KEY_INTRODUCED)
    assert told.facts == {"key": "signing", "version": "2"} and set(said.facts) <= kinds.FACTS
    assert said.on == told.on == [str(made.pk)]
    # the journal has not seen it yet: the old key signs on
    during = sent(cast, outbox)
    outbox.commit()
    assert len(reader.keys(outbox.store, cast.maple)) == 1
    outbox.commit_office()
    after = sent(cast, outbox)
    outbox.commit()
    old, new = (key.text for key in reader.keys(outbox.store, cast.maple))
    assert (old, new) == (said.facts["log-key-before"], said.facts["log-key"])
    assert verify_log(outbox.store).ok
    for one in (before, during, after):
        raw = proof(cast, outbox, one)
        for known in (old, new, kept, page(cast, outbox)):
            assert verify(raw, None, known).signer == "identified"
    assert verify(early, None, page(cast, outbox)).signer == "identified", "a proof of before keeps holding"
    # the other organisation's log has its own key
    outbox.accepted(cast.harbour)
    outbox.commit()
    assert len(reader.keys(outbox.store, cast.harbour)) == 1


def test_an_event_that_comes_before_the_key_is_remembered_is_signed_all_the_same(cast: Any, outbox: Outbox) -> None:
    """The journal remembers the newest key for 20 s; the introduction may come within them."""
    sent(cast, outbox)
    outbox.commit()
    assert books.book().current(cast.maple, "signing")[0] == 1
    for _ in range(2):
        rotate(cast)
    outbox.commit_office()
    sent(cast, outbox)
    outbox.commit()
    assert books.book().current(cast.maple, "signing")[0] == 1, "still remembered"
    assert len(reader.keys(outbox.store, cast.maple)) == 3
    assert verify_log(outbox.store).ok


def test_a_journal_that_lost_its_commit_turns_the_key_at_the_next(
    cast: Any, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half done is as if never begun, and then done: leaf, checkpoint and turn of keys stand or fall together."""
    one = sent(cast, outbox)
    outbox.commit()
    rotate(cast)

    def fail(*_arguments: object) -> None:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(writing, "write", fail)
        with pytest.raises(OSError):
            outbox.commit_office()
    assert len(reader.keys(outbox.store, cast.maple)) == 1 and verify_log(outbox.store).ok
    outbox.commit_office()
    outbox.commit_office()
    assert len(reader.keys(outbox.store, cast.maple)) == 2 and verify_log(outbox.store).ok
    sent(cast, outbox)
    outbox.commit()
    assert verify(proof(cast, outbox, one), None, page(cast, outbox)).ok


def test_a_change_of_the_key_is_never_disposed_of(cast: Any, outbox: Outbox) -> None:
    one = sent(cast, outbox)
    outbox.commit()
    rotate(cast)
    outbox.commit_office()
    (_, since) = (term.since for term in reader.terms(outbox.store, cast.maple))
    later = clock.now() + 20 * 366 * 86_400_000_000
    purging = Purging(outbox.store, Marks(outbox.store))
    while purging.step(later):
        pass
    rows = outbox.store.rows("SELECT idx FROM audit_leaf WHERE org = ? AND event IS NOT NULL", (cast.maple,))
    assert [int(index) for (index,) in rows] == [since - 1]
    report = verify_log(outbox.store, org=cast.maple)
    assert report.ok, report
    again = sent(cast, outbox)
    outbox.commit()
    assert verify(proof(cast, outbox, again), None, page(cast, outbox).splitlines()[1]).ok
    assert one
