"""What a look into a message found, and the tags rules gave it for that: found by either, together with all else, and
gone with the content (A15.5)."""

from typing import Any

import pytest

from carepost.archive import retention
from carepost.archive.search import Wanted, meant, search
from carepost.ground import clock, ids
from carepost.proof import kinds
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def looked(outbox: Outbox, org: bytes, message: bytes, delivery: bytes, content: str, tags: str = "") -> None:
    facts = {"content": content, "malware": "off"} | ({"tags": tags} if tags else {})
    outbox.add(org, kinds.DELIVERY_INSPECTED, [message, delivery], facts=facts)


def found(cast: Any, **wanted: Any) -> list[str]:
    return [m.id for m in search(cast.maple, cast.operator, Wanted(**wanted)).messages]


def entries(outbox: Outbox) -> int:
    (row,) = outbox.store.rows("SELECT count(*) FROM archive_segment")
    return int(row[0])


def test_a_tag_given_later_is_found_alone_and_with_everything_else(cast: Any, outbox: Outbox, at: list[int]) -> None:
    message, (one, other) = outbox.accepted(cast.maple, ("jane@patient.test", "joan@family.test"), tags=("mri",))
    at[0] += 1_000_000  # of one moment neither is the newer one
    plain, _ = outbox.accepted(cast.maple, ("jane@patient.test",), tags=("mri",))
    outbox.commit()
    assert found(cast, tag="phi") == []
    looked(outbox, cast.maple, message, one, "phi-high", "phi review")
    outbox.commit()
    a = ids.text(message)
    for wanted in (
        {"tag": "phi"}, {"tag": "Review"}, {"tag": "phi", "recipient": "jane@patient.test"},
        {"tag": "phi", "recipient": "joan@family.test"}, {"tag": "phi", "subject": "panel results"},
        {"tag": "phi", "sender": "nurse@maple.test"}, {"tag": "phi", "domain": "family.test", "state": "queued"},
    ):  # fmt: skip
        assert found(cast, **wanted) == [a], wanted
    assert found(cast, tag="mri", recipient="jane@patient.test") == [ids.text(plain), a]
    assert found(cast, tag="phi", recipient="nobody@patient.test") == []
    segments = entries(outbox)
    looked(outbox, cast.maple, message, other, "phi-high", "phi review")
    outbox.commit()
    assert entries(outbox) == segments, "a tag it has already is not indexed again"
    assert found(cast, tag="phi") == [a]
    (line, *_) = search(cast.maple, cast.operator, Wanted(tag="phi")).messages
    assert [(d.content, d.tags) for d in line.deliveries] == [("phi-high", ("phi", "review"))] * 2


def test_a_look_in_the_same_commit_as_the_message(cast: Any, outbox: Outbox) -> None:
    message, (one,) = outbox.accepted(cast.maple, ("jane@patient.test",))
    looked(outbox, cast.maple, message, one, "phi-likely", "phi")
    outbox.commit()
    assert found(cast, tag="phi", recipient="jane@patient.test", subject="panel") == [ids.text(message)]
    assert found(cast, content=("phi-likely",)) == [ids.text(message)]


def test_what_was_found_narrows_alone_and_together(cast: Any, outbox: Outbox, at: list[int]) -> None:
    made = []
    for level in ("phi-high", "none", "phi-likely", "unknown", ""):
        at[0] += 1_000_000
        message, (one,) = outbox.accepted(cast.maple, ("jane@patient.test",))
        if level:
            looked(outbox, cast.maple, message, one, level)
        made.append(ids.text(message))
    outbox.commit()
    high, none, likely, unknown, never = made
    for wanted, expected in (
        ({"content": ("phi-high", "phi-likely")}, [likely, high]), ({"content": ("none",)}, [none]),
        ({"content": ("unknown",)}, [unknown]), ({"content": ("pii-only",)}, []),
        ({"content": ("phi-high",), "recipient": "jane@patient.test"}, [high]),
        ({"content": ("phi-high", "none"), "state": "queued"}, [none, high]),
        ({"content": ("phi-high",), "state": "failed"}, []),
        ({"content": ("phi-high", "phi-likely"), "category": "transactional"}, [likely, high]),
        ({"recipient": "jane@patient.test"}, [never, unknown, likely, none, high]),
    ):  # fmt: skip
        assert found(cast, **wanted) == expected, wanted  # type: ignore[arg-type]
    assert search(cast.harbour, cast.stranger, Wanted(content=("phi-high",))).messages == ()


def test_a_later_look_counts_and_only_what_fits_is_meant(cast: Any, outbox: Outbox) -> None:
    message, (one, other) = outbox.accepted(cast.maple, ("jane@patient.test", "joan@family.test"))
    looked(outbox, cast.maple, message, one, "unknown")
    outbox.commit()
    looked(outbox, cast.maple, message, one, "none")
    looked(outbox, cast.maple, message, other, "phi-high", "phi")
    outbox.commit()
    assert found(cast, content=("unknown",)) == []
    wanted = Wanted(content=("phi-high",))
    (line,) = search(cast.maple, cast.operator, wanted).messages
    assert meant(line, wanted) == (other,)
    assert set(meant(line, Wanted(subject="panel"))) == {one, other}
    assert meant(line, Wanted(domain="@PATIENT.test")) == (one,)


def test_with_the_content_its_tags_go(cast: Any, outbox: Outbox) -> None:
    message, (one,) = outbox.accepted(cast.maple, ("jane@patient.test",))
    outbox.commit()
    looked(outbox, cast.maple, message, one, "phi-high", "phi")
    outbox.commit()
    assert retention.dispose(outbox.store, cast.maple, message, actor=cast.operator, reason="over")
    assert found(cast, tag="phi") == []
    rows = outbox.store.rows("SELECT entries FROM archive_block")
    assert not any(message in bytes(row[0]) for row in rows), "no token of it is left in any segment"
    looked(outbox, cast.maple, message, one, "phi-high", "phi late")
    outbox.commit()
    assert not any(message in bytes(row[0]) for row in outbox.store.rows("SELECT entries FROM archive_block"))


def test_opens_and_clicks_narrow_and_a_verdict_is_not_undone_by_the_news_that_it_left(
    cast: Any, outbox: Outbox, at: list[int]
) -> None:
    values = {"sent": bytes(32), "mail": b"{}"}

    def tracked(to: str, facts: dict[str, str] | None, watched: str = "opens clicks", *, first: bool = False) -> str:
        at[0] += 1_000_000
        message, (one,) = outbox.accepted(cast.maple, (to,), tags=("recall",))
        seen = {"attempt": "1", "method": "tls", "state": "sent", "achieved": "VERIFIED"}
        left = seen | ({"tracked": watched} if watched else {})
        hit = {"verdict": "human", "link": "1", "rules": "1"} | (facts or {})
        if facts and first:
            outbox.add(cast.maple, kinds.TRACKING_OPENED, [message, one], facts=hit)
            outbox.commit()
        outbox.add(cast.maple, kinds.DELIVERY_SENT, [message, one], facts=left, values=values)
        outbox.commit()
        if facts and not first:
            outbox.add(cast.maple, kinds.TRACKING_OPENED, [message, one], facts=hit)
            outbox.commit()
        return ids.text(message)

    opened = tracked("a@patient.test", {"opened": "human"})
    clicked = tracked("b@patient.test", {"opened": "undetermined", "clicked": "undetermined"}, first=True)
    machine = tracked("c@patient.test", {"opened": "automated"})
    neither = tracked("d@patient.test", None)
    clicks = tracked("e@patient.test", None, watched="clicks")
    tracked("f@patient.test", None, watched="")
    assert found(cast, opened=("human", "undetermined")) == [clicked, opened]
    assert found(cast, opened=("no", "automated")) == [neither, machine]
    assert found(cast, clicked=("no",), tag="recall") == [clicks, neither, machine, opened]
    assert found(cast, clicked=("undetermined",), domain="patient.test") == [clicked]
    assert found(cast, opened=("human",), clicked=("undetermined",)) == []
    again = ids.parse(opened)
    (line,) = search(cast.maple, cast.operator, Wanted(opened=("human",))).messages
    delivery = ids.parse(line.deliveries[0].id)
    outbox.add(
        cast.maple, kinds.TRACKING_REJUDGED, [again, delivery], facts={"verdict": "automated", "opened": "automated"}
    )
    outbox.commit()
    assert found(cast, opened=("human",)) == []
    assert clock.now() >= at[0]
