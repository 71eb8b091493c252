"""Receivers that do not take what they are told: tried again, put on record, disabled, resumed (BI-091)."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from carepost.ground import clock, ids
from carepost.tenancy.actions import staff
from carepost.tenancy.permissions import BOOTSTRAP, COMMAND_LINE
from carepost.webhooks import acts, letters, schedule, select
from carepost.webhooks.models import Endpoint
from tests.support.mailroom import KeptDoor
from tests.support.receiver import Receiver, receiver, until

pytestmark = pytest.mark.django_db(databases=["default", "records"])

HOUR = 3_600_000_000
#: an answer's body that says what it was told
ECHO = b'{"error": "invalid jane.quillfeather@patient.test zebrafish"}'


@pytest.fixture
def later() -> Iterator[Callable[[int], None]]:
    """Moves the clock on by so many microseconds."""
    moved = [0]
    clock.set_source(lambda: time.time_ns() // 1000 + moved[0])

    def on(us: int) -> None:
        moved[0] += us

    yield on
    clock.set_source(None)


def log(cast: Any, made: acts.Made, **given: Any) -> list[tuple[str, str, int, int]]:
    """(kind, result, status, number of the try), oldest first."""
    tries, _ = select.deliveries(uuid.UUID(bytes=cast.maple), COMMAND_LINE, made.endpoint, **given)
    return [(one.kind, one.result, one.status, one.number) for one in reversed(tries)]


def shown(cast: Any, made: acts.Made) -> select.Shown:
    return select.endpoint(uuid.UUID(bytes=cast.maple), COMMAND_LINE, made.endpoint, now=clock.now())


def types(there: Receiver) -> list[str]:
    return [json.loads(told.body)["type"] for told in there.told]


def pending(outbox: Any) -> int:
    return int(outbox.store.rows("SELECT count(*) FROM webhookcalls_pending")[0][0])


def test_what_fails_is_told_again_under_the_same_id_and_nothing_overtakes_it(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Receiver, later: Any
) -> None:
    made = endpoint()
    there.answers = [(503, {"Retry-After": "1"}, b""), (500, {}, ECHO), (204, {}, b"")]
    message, (delivery,) = outbox.accepted(cast.maple)
    outbox.sent(cast.maple, message, delivery)
    house.commit()
    house.round()
    assert types(there) == ["message.accepted"]
    later(2_000_000)
    house.round()
    assert types(there) == ["message.accepted"] * 2
    house.round()
    # it rests
    assert len(there.told) == 2 and shown(cast, made).calls.failures == 2
    later(10_000_000)
    house.round()
    assert types(there) == ["message.accepted"] * 3 + ["delivery.queued", "delivery.sent"]
    assert len({told.headers["webhook-id"] for told in there.told[:3]}) == 1
    assert log(cast, made)[:3] == [
        ("message.accepted", "again", 503, 1), ("message.accepted", "again", 500, 2),
        ("message.accepted", "sent", 204, 3),
    ]  # fmt: skip
    assert shown(cast, made).calls.failing_since == 0 and pending(outbox) == 0
    tries, _ = select.deliveries(uuid.UUID(bytes=cast.maple), COMMAND_LINE, made.endpoint, result="again")
    assert [one.said for one in tries] == ["error invalid", ""]


def test_one_event_that_is_not_taken_holds_up_its_message_for_a_while_and_no_other(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Receiver, later: Any
) -> None:
    made = endpoint()
    bad, (delivery,) = outbox.accepted(cast.maple)
    outbox.accepted(cast.maple)
    outbox.sent(cast.maple, bad, delivery)
    there.asked = lambda told: (
        (422 if ids.text(bad) in told.body.decode() and b"message.accepted" in told.body else 204), {}, b""
    )  # fmt: skip
    house.commit()
    house.round()
    assert sorted(types(there)) == ["delivery.queued", "message.accepted", "message.accepted"]
    for _ in range(schedule.OVERTAKE):
        later(10_000_000)
        house.round()
    assert types(there).count("delivery.sent") == 1
    # after a day it is given up, and the receiver, which takes other things, goes on being told
    outbox.accepted(cast.maple)
    house.commit()
    later(25 * HOUR)
    house.round()
    assert ("message.accepted", "gave-up", 422) in [one[:3] for one in log(cast, made)]
    assert pending(outbox) == 0 and shown(cast, made).state == "live"


def test_a_day_without_success_disables_it_with_a_letter_and_resuming_tells_all_it_missed(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Receiver, later: Any
) -> None:
    made, org = endpoint(), uuid.UUID(bytes=cast.maple)
    there.answers = [(500, {}, b"")]
    outbox.accepted(cast.maple)
    house.commit()
    house.round()
    for _ in range(5):
        later(5 * HOUR)
        house.round()
    assert shown(cast, made).state == "disabled" and shown(cast, made).cause == "failing"
    house.office()
    asked = len(there.told)
    outbox.accepted(cast.maple)
    house.commit()
    later(HOUR)
    house.round()
    assert len(there.told) == asked and pending(outbox) == 0
    staff.add_staff(org, "ada@maple.test", "Ada", "administrator", actor=BOOTSTRAP)
    door = KeptDoor()
    assert letters.mail(door, clock.now(), "https://console.test") == 1
    assert letters.mail(door, clock.now()) == 0
    (text,) = door.mails("ada@maple.test")
    assert "Webhooks that are told nothing any more: 1" in text and "localhost" not in text
    assert select.attention(org) == 1
    there.answers, there.told = [(204, {}, b"")], []
    acts.resume(org, made.endpoint, actor=BOOTSTRAP)
    house.office()
    house.round()
    house.round()
    # each message's in order, the messages side by side
    by_message: dict[str, list[str]] = {}
    for told in there.told:
        one = json.loads(told.body)
        by_message.setdefault(one["data"]["message_id"], []).append(one["type"])
    assert list(by_message.values()) == [["message.accepted", "delivery.queued"]] * 2
    assert shown(cast, made).state == "live" and select.attention(org) == 0


def test_gone_disables_it_at_once(cast: Any, house: Any, outbox: Any, endpoint: Any, there: Receiver) -> None:
    """BI-091: 410."""
    made = endpoint()
    there.answers = [(410, {}, b"")]
    outbox.accepted(cast.maple)
    house.commit()
    house.round()
    assert (shown(cast, made).state, shown(cast, made).cause) == ("disabled", "gone")
    assert pending(outbox) == 0


def test_a_redirect_is_a_failure_and_is_not_followed(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Receiver, tmp_path: Any
) -> None:
    """BI-090: a redirect into our own network."""
    made = endpoint()
    with receiver(tmp_path) as inside:
        there.answers = [(307, {"Location": inside.url}, b"")]
        outbox.accepted(cast.maple)
        house.commit()
        house.round()
        assert len(there.told) == 1 and inside.told == [] and inside.connections == 0
    assert log(cast, made) == [("message.accepted", "again", 307, 1)]


def test_an_answer_without_an_end_is_cut_and_a_hang_up_is_a_failure(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Receiver, later: Any
) -> None:
    """BI-091: 5 GB."""
    made = endpoint()
    there.answers = [(500, {"Content-Length": str(5 * 10**9)}, b"error " * 200_000), None, (204, {}, b"")]
    outbox.accepted(cast.maple)
    house.commit()
    house.round()
    later(3_000_000)
    house.round()
    later(5_000_000)
    house.round()
    found = log(cast, made)
    assert [one[1:3] for one in found[:3]] == [("again", 500), ("again", 0), ("sent", 204)]
    (first,) = [one for one in _tries(cast, made) if one.status == 500]
    assert len(first.said) <= 120


def _tries(cast: Any, made: acts.Made) -> Any:
    return select.deliveries(uuid.UUID(bytes=cast.maple), COMMAND_LINE, made.endpoint)[0]


def test_a_slow_receiver_delays_no_other(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Receiver, tmp_path: Any
) -> None:
    """BI-091: it hangs."""
    slow = endpoint()
    held = threading.Event()
    there.asked = lambda _: (204, {}, b"") if held.wait(20) else None
    with receiver(tmp_path) as quick:
        quick_ca = quick.ca
        house.calls._tls.load_verify_locations(quick_ca)
        acts.add_endpoint(uuid.UUID(bytes=cast.maple), quick.url, actor=BOOTSTRAP)
        house.office()
        for _ in range(20):
            outbox.accepted(cast.maple)
        house.commit()
        until(lambda: (house.sender.step(), len(quick.told) == 40)[1])
        assert there.told == []
        held.set()
        until(lambda: house._quiet() and len(there.told) == 40)
    assert shown(cast, slow).calls.failures == 0


def test_a_certificate_of_another_name_or_authority_is_refused(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Receiver, tmp_path: Any
) -> None:
    with receiver(tmp_path, "elsewhere.test") as stranger:
        acts.add_endpoint(uuid.UUID(bytes=cast.maple), stranger.url, actor=BOOTSTRAP)
        house.office()
        outbox.accepted(cast.maple)
        house.commit()
        house.round()
        house.calls._tls.load_verify_locations(stranger.ca)
        assert stranger.told == []
    (one,) = select.endpoints(uuid.UUID(bytes=cast.maple), COMMAND_LINE, now=clock.now())
    assert one.calls.code == "certificate"


def test_killed_between_the_call_and_its_record_it_is_told_again_by_the_same_id(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Receiver
) -> None:
    endpoint()
    outbox.accepted(cast.maple)
    house.commit()
    house.sender.step()
    until(lambda: len(there.told) == 1)
    house.again()
    house.round()
    assert types(there) == ["message.accepted", "message.accepted", "delivery.queued"]
    assert there.told[0].headers["webhook-id"] == there.told[1].headers["webhook-id"]
    assert there.told[0].body == there.told[1].body


def test_a_test_is_one_call_whatever_the_filter_and_the_state(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Receiver
) -> None:
    made, org = endpoint(), uuid.UUID(bytes=cast.maple)
    acts.pause(org, made.endpoint, actor=BOOTSTRAP)
    there.answers = [(500, {}, b""), (204, {}, b"")]
    for _ in range(2):
        event = acts.test(org, made.endpoint, actor=BOOTSTRAP)
        house.office()
        house.round()
        assert there.told[-1].headers["webhook-id"] == str(event)
    assert types(there) == ["webhook.tested"] * 2
    assert [one[1] for one in log(cast, made)] == ["gave-up", "sent"]
    assert shown(cast, made).calls.failing_since == 0


def test_paused_it_is_told_nothing_and_resumed_what_it_missed_or_not(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Receiver
) -> None:
    made, org = endpoint(), uuid.UUID(bytes=cast.maple)
    acts.pause(org, made.endpoint, actor=BOOTSTRAP)
    house.office()
    outbox.accepted(cast.maple)
    house.commit()
    house.round()
    assert there.told == []
    acts.resume(org, made.endpoint, actor=BOOTSTRAP)
    house.office()
    house.round()
    house.round()
    assert types(there) == ["message.accepted", "delivery.queued"]
    acts.pause(org, made.endpoint, actor=BOOTSTRAP)
    house.office()
    outbox.accepted(cast.maple)
    house.commit()
    acts.resume(org, made.endpoint, actor=BOOTSTRAP, catch_up=False)
    house.office()
    house.round()
    assert len(there.told) == 2


def test_one_event_and_a_time_are_told_again_by_the_same_ids(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Receiver
) -> None:
    made, org = endpoint(), uuid.UUID(bytes=cast.maple)
    before = clock.now()
    for _ in range(3):
        outbox.accepted(cast.maple)
        house.commit()
    house.round()
    first = [told.headers["webhook-id"] for told in there.told]
    assert len(first) == 6
    there.told.clear()
    acts.replay(org, made.endpoint, actor=BOOTSTRAP, event=first[2])
    house.office()
    house.round()
    house.round()
    assert [told.headers["webhook-id"] for told in there.told] == [first[2]]
    there.told.clear()
    acts.replay(org, made.endpoint, actor=BOOTSTRAP, since=before, until=clock.now())
    house.office()
    house.round()
    house.round()
    assert sorted(told.headers["webhook-id"] for told in there.told) == sorted(first)
    assert outbox.store.rows("SELECT count(*) FROM webhookcalls_replay")[0][0] == 0


def test_removed_it_is_told_nothing_and_nothing_of_it_waits(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Receiver
) -> None:
    made, org = endpoint(), uuid.UUID(bytes=cast.maple)
    there.answers = [(500, {}, b"")]
    outbox.accepted(cast.maple)
    house.commit()
    house.round()
    acts.remove_endpoint(org, made.endpoint, actor=BOOTSTRAP)
    house.office()
    house.round()
    assert pending(outbox) == 0 and len(there.told) == 1
    assert outbox.store.rows("SELECT count(*) FROM webhookcalls_state")[0][0] == 0
    assert bytes(Endpoint.objects.get(pk=made.endpoint).token) == b""
