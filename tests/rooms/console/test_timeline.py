"""What the page of a message says of one that a rule held, by the words and by what stands before them."""

import msgspec

from carepost.console import timeline
from carepost.console.timeline import Entry, Line
from carepost.proof import kinds
from carepost.wire.types import AttemptView, DeliveryView, NoteView

AT = 1_795_262_400_000_000
HELD = NoteView(AT, kinds.DELIVERY_HELD, "rule-holds")
OVER = NoteView(AT + 10, kinds.DELIVERY_TIME_OVER, "held-too-long")
WAY = NoteView(AT + 20, kinds.DELIVERY_PLAN_CHANGED, "tls")
SENT = AttemptView(
    1, AT + 30, "tls", "VERIFIED", "VERIFIED", "data", "sent", "accepted", "Accepted.", "", "mx", "", False
)
STOP = AttemptView(1, AT + 30, "", "NONE", "", "plan", "held", "rule-holds", "A rule holds it.", "", "", "", False)


def line(*attempts: AttemptView, notes: tuple[NoteView, ...], state: str) -> Line:
    view = DeliveryView("1", "jane@there.test", state, "", "", "", "", "", 0, attempts, notes)
    return timeline.line(view, None, AT)


def entries(*attempts: AttemptView, notes: tuple[NoteView, ...], state: str = "sent") -> tuple[Entry, ...]:
    return line(*attempts, notes=notes, state=state).entries


def test_what_the_clock_let_go_says_so_and_nothing_of_changed_rules() -> None:
    over = msgspec.structs.replace(OVER, detail="ok")
    told = entries(SENT, notes=(HELD, over, WAY))
    assert [one.heading for one in told] == [
        "Accepted", "Held", "Waited as long as your rules allow", "A way was decided",
        "Attempt 1, ordinary mail over TLS: accepted by the server",
    ]  # fmt: skip
    assert told[0].facts == ()
    assert told[1].texts[1].startswith("A rule of the organisation holds this message")
    assert "it goes on as your rules say" in told[2].texts[0]
    said = " ".join(text for one in told for text in one.texts)
    assert "changed" not in said and "rule-holds" not in said and "Reason:" not in said


def test_what_nobody_let_go_in_time_was_never_tried() -> None:
    over = msgspec.structs.replace(OVER, detail="refused")
    words = "It waited for a person of the organisation to release it."
    end = msgspec.structs.replace(STOP, result="refused", reason="held-too-long", words=words)
    shown = line(end, notes=(HELD, over), state="failed")
    assert (shown.way, shown.method) == ("Way tried", "none")
    assert shown.entries[-2].texts == ("Nobody decided about it in that time; it goes back to its sender.",)
    assert (shown.entries[-1].heading, shown.entries[-1].texts) == ("Not sent", (words,))


def test_held_by_the_decision_alone_is_no_attempt_by_a_way() -> None:
    for method in ("", "tls"):
        told = entries(msgspec.structs.replace(STOP, method=method), notes=(HELD, OVER), state="held")
        assert told[-2].heading == "Attempt 1, before anything was sent: held"
        assert told[-2].texts == ("A rule holds it.",)


def test_another_way_than_before_says_that_something_changed() -> None:
    other = msgspec.structs.replace(WAY, cause="portal-access", detail="tls")
    told = entries(msgspec.structs.replace(SENT, number=2), notes=(other,))
    assert told[0].heading == "Accepted, and a way decided"
    assert told[1].heading == "Decided anew" and "had changed" in told[1].texts[0]
    assert "secure portal" in told[1].texts[1]


def test_who_held_it_by_hand_is_not_the_door() -> None:
    by_hand = NoteView(AT + 5, kinds.DELIVERY_HELD, "asked-by-a-person")
    told = entries(SENT, notes=(by_hand,))
    assert told[0].heading == "Accepted, and a way decided" and told[0].facts
    assert "A person held it." in told[1].texts


def test_what_led_to_the_end_of_an_attempt_stands_before_it() -> None:
    """Events of one attempt have one time."""
    at = STOP.at
    notes = (
        NoteView(at, kinds.DELIVERY_INSPECTED, ""),
        NoteView(at, kinds.DELIVERY_PLAN_CHANGED, "content", detail="tls"),
    )
    headings = [one.heading for one in entries(STOP, notes=notes, state="held")]
    looked = next(n for n, one in enumerate(headings) if "looked at" in one)
    assert headings[looked + 1] == "Decided anew"
    assert headings[looked + 2] == entries(STOP, notes=(), state="held")[1].heading
