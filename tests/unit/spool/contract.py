"""What every store of a shard must do (spool.backend). A store's test module subclasses this with its own `backend`."""

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence

import msgspec
import pytest

from carepost.ground import clock
from carepost.ground.errors import Unavailable
from carepost.proof import event
from carepost.spool.backend import Backend
from carepost.spool.types import (
    Append,
    DeliveryRow,
    Flow,
    KeyedRow,
    Orphan,
    Place,
    Promote,
    Retire,
    Unit,
)
from tests.unit.spool import rows


class Contract(ABC):
    @pytest.fixture
    @abstractmethod
    def backend(self) -> Backend: ...

    @abstractmethod
    def reopened(self, backend: Backend) -> Backend:
        """The same shard, opened again by another process."""

    def row(self, backend: Backend, id: bytes) -> DeliveryRow:
        found = backend.delivery(id)
        assert found is not None
        return found

    # accept

    def test_a_message_and_its_deliveries_are_read_as_they_were_stored(self, backend: Backend) -> None:
        unit = rows.accept(deliveries=3)
        assert backend.commit([unit]).outcomes == [None]
        stored = backend.message(unit.message.id)
        assert stored is not None
        assert (stored.org, stored.size, stored.wrapped_key) == (unit.message.org, 10, b"wrapped key")
        assert stored.deliveries == unit.message.deliveries
        assert [backend.delivery(d.id) for d in unit.deliveries] == list(unit.deliveries)
        assert backend.body(unit.message.id) == (b"ciphertext",)

    def test_a_body_of_many_chunks_is_read_as_they_were_stored(self, backend: Backend) -> None:
        chunks = tuple(bytes([i]) * 65_000 for i in range(5))
        small, large = rows.accept(), rows.accept(chunks=chunks)
        backend.commit([small, large])
        assert backend.body(large.message.id) == chunks
        assert backend.body(small.message.id) == (b"ciphertext",)
        assert self.reopened(backend).body(large.message.id) == chunks

    def test_what_is_not_there_is_none(self, backend: Backend) -> None:
        absent = b"\0" * 16
        assert backend.message(absent) is None
        assert backend.delivery(absent) is None
        assert backend.body(absent) is None
        assert backend.keyed(absent) is None

    def test_a_unit_that_cannot_be_stored_fails_alone(self, backend: Backend) -> None:
        first = rows.accept()
        backend.commit([first])
        good, again = rows.accept(), rows.accept()
        twice = msgspec.structs.replace(again, message=msgspec.structs.replace(again.message, id=first.message.id))
        group = backend.commit([good, twice, rows.accept()])
        assert group.outcomes[0] is None and group.outcomes[2] is None
        assert isinstance(group.outcomes[1], Unavailable)
        assert backend.message(good.message.id) is not None
        assert backend.delivery(again.deliveries[0].id) is None
        assert [d.seq for d in group.drained] == [3, 4, 5, 6], "a failed unit leaves no gap"

    # keys (BI-083)

    def test_a_known_key_is_answered_and_nothing_is_stored(self, backend: Backend) -> None:
        token = rows.token()
        first = rows.accept(key=rows.keyed(token))
        backend.commit([first])
        second = rows.accept(key=rows.keyed(token, b"other payload"))
        group = backend.commit([second])
        assert group.outcomes == [first.keyed]
        assert group.drained == []
        assert backend.message(second.message.id) is None
        assert backend.keyed(token) == first.keyed

    def test_two_equal_keys_in_one_group_are_one_message(self, backend: Backend) -> None:
        token = rows.token()
        first, second = rows.accept(key=rows.keyed(token)), rows.accept(key=rows.keyed(token))
        group = backend.commit([first, second])
        assert group.outcomes == [None, first.keyed]
        assert backend.message(second.message.id) is None
        assert len(group.drained) == 2

    def test_a_key_is_forgotten_after_its_time(self, backend: Backend) -> None:
        token = rows.token()
        now = clock.now()
        backend.commit([rows.accept(key=rows.keyed(token, until=now + 10))])
        backend.commit([Retire(0, now)])
        assert isinstance(backend.keyed(token), KeyedRow)
        backend.commit([Retire(0, now + 10)])
        assert backend.keyed(token) is None

    # moves

    def test_a_move_changes_the_row_and_its_revision(self, backend: Backend) -> None:
        unit = rows.accept()
        backend.commit([unit])
        moved = rows.move(unit.deliveries[0], state="claimed", place=Place.CLAIMED, lease=b"L" * 16, final=False)
        assert backend.commit([moved]).outcomes == [True]
        row = self.row(backend, moved.id)
        assert (row.state, row.place, row.lease, row.rev, row.record) == ("claimed", 3, b"L" * 16, 1, b"after")

    @pytest.mark.parametrize("changes", [{"rev": 7}, {"was_lease": b"another lease..."}])
    def test_a_move_of_a_row_that_changed_meanwhile_changes_nothing(
        self, backend: Backend, changes: dict[str, object]
    ) -> None:
        unit, other = rows.accept(lease=b"L" * 16, place=Place.CLAIMED), rows.accept()
        backend.commit([unit, other])
        stale = rows.move(unit.deliveries[0], **changes)  # type: ignore[arg-type]
        group = backend.commit([rows.move(other.deliveries[0]), stale, rows.accept()])
        assert group.outcomes == [True, False, None]
        assert self.row(backend, stale.id) == unit.deliveries[0]
        assert [d.seq for d in group.drained] == [5, 6, 7]

    def test_of_two_moves_of_one_row_in_a_group_the_first_wins(self, backend: Backend) -> None:
        unit = rows.accept()
        backend.commit([unit])
        row = unit.deliveries[0]
        group = backend.commit([rows.move(row, state="held", final=False), rows.move(row, state="sent")])
        assert group.outcomes == [True, False]
        assert self.row(backend, row.id).state == "held"

    # events

    def test_events_have_every_number_and_say_their_source(self, backend: Backend) -> None:
        group = backend.commit([rows.accept(), Append((rows.event(),)), rows.accept(events=3)])
        backend.commit([rows.accept(events=1)])
        found = backend.outbox(0, 100)
        assert [d.seq for d in found] == list(range(1, 8))
        assert found[:6] == group.drained
        read = [event.read(d.event) for d in found]
        assert [e.seq for e in read] == list(range(1, 8))
        assert {e.source for e in read} == {"shard-0000"}
        assert backend.head == 7
        assert backend.outbox(5, 1)[0].seq == 6

    def test_numbers_go_on_after_everything_was_forgotten(self, backend: Backend) -> None:
        backend.commit([rows.accept()])
        backend.commit([Retire(2, 0)])
        assert backend.outbox(0, 10) == []
        again = self.reopened(backend)
        assert (again.head, again.acked) == (2, 2)
        assert again.commit([Append((rows.event(),))]).drained[0].seq == 3

    # forgetting

    def test_a_message_goes_when_all_is_final_and_acknowledged(self, backend: Backend) -> None:
        large = tuple(b"x" * 65_000 for _ in range(2))
        unit = rows.accept(deliveries=2, chunks=large)
        backend.commit([unit])
        one, two = unit.deliveries
        backend.commit([rows.move(one)])
        backend.commit([Retire(backend.head, 0)])
        assert backend.message(unit.message.id) is not None, "one delivery is not final"
        backend.commit([rows.move(two)])
        backend.commit([Retire(backend.head - 1, 0)])
        assert backend.body(unit.message.id) == large, "its last event is not acknowledged"
        backend.commit([Retire(backend.head, 0)])
        assert backend.message(unit.message.id) is None
        assert backend.delivery(one.id) is None
        assert backend.body(unit.message.id) is None

    def test_a_delivery_final_at_the_door_counts(self, backend: Backend) -> None:
        unit = rows.accept(state="failed", place=Place.NOWHERE)
        held = rows.accept(state="held", place=Place.NOWHERE)
        backend.commit([unit, held])
        backend.commit([Retire(backend.head, 0)])
        assert backend.message(unit.message.id) is None
        assert backend.message(held.message.id) is not None

    def test_forgetting_goes_on_in_parts(self, backend: Backend) -> None:
        units = [rows.accept(state="failed", place=Place.NOWHERE) for _ in range(10)]
        backend.commit(units)
        parts = 0
        while backend.commit([Retire(backend.head, 0, limit=4)]).outcomes == [True]:
            parts += 1
            assert parts < 20
        assert parts >= 2
        assert all(backend.message(u.message.id) is None for u in units)
        assert backend.outbox(0, 10) == []

    # reading by place

    def test_ready_deliveries_come_by_flow_and_destination_longest_due_first(self, backend: Backend) -> None:
        late, early = rows.accept(due_at=20), rows.accept(due_at=10)
        backend.commit([
            late, early, rows.accept(destination=b"destin-2"), rows.accept(org=rows.OTHER),
            rows.accept(stream="bulk"), rows.accept(place=Place.WAITING, due_at=5),
        ])  # fmt: skip
        flow = Flow("transactional", rows.ORG)
        found = backend.ready(flow, rows.DESTINATION, 10)
        assert [d.id for d in found] == [early.deliveries[0].id, late.deliveries[0].id]
        assert backend.ready(flow, rows.DESTINATION, 1) == found[:1]
        assert backend.destinations(flow, b"", 10) == [b"destin-1", b"destin-2"]
        assert backend.destinations(flow, b"destin-1", 10) == [b"destin-2"]
        expected = {Flow("bulk", rows.ORG), flow, Flow("transactional", rows.OTHER)}
        assert set(backend.flows(Place.READY)) == expected
        assert backend.flows(Place.WAITING) == [flow]

    def test_waiting_deliveries_become_ready_when_due(self, backend: Backend) -> None:
        first = rows.accept(place=Place.WAITING, state="deferred", due_at=100)
        backend.commit([first, rows.accept(place=Place.WAITING, due_at=200)])
        flow = Flow("transactional", rows.ORG)
        assert backend.next_due(flow) == 100
        assert backend.commit([Promote(flow.stream, flow.org, 99, 10)]).outcomes == [()]
        assert backend.commit([Promote(flow.stream, flow.org, 100, 10)]).outcomes == [(rows.DESTINATION,)]
        assert [d.id for d in backend.ready(flow, rows.DESTINATION, 10)] == [first.deliveries[0].id]
        assert self.row(backend, first.deliveries[0].id).state == "deferred"
        assert backend.next_due(flow) == 200

    def test_leases_of_a_dead_process_end(self, backend: Backend) -> None:
        unit = rows.accept(place=Place.CLAIMED, state="claimed", lease=b"L" * 16)
        held = msgspec.structs.replace(
            unit, deliveries=(msgspec.structs.replace(unit.deliveries[0], lease_until=1000),)
        )
        backend.commit([held, rows.accept()])
        assert backend.expired(999, 10) == []
        assert [d.id for d in backend.expired(1000, 10)] == [unit.deliveries[0].id]
        assert backend.commit([Orphan()]).outcomes == [1]
        assert [d.lease for d in backend.expired(0, 10)] == [b"L" * 16]

    def test_open_deliveries_are_listed_newest_first(self, backend: Backend) -> None:
        units = [
            rows.accept(),
            rows.accept(state="held", place=Place.NOWHERE),
            rows.accept(state="deferred", place=Place.WAITING, due_at=5),
            rows.accept(state="failed", place=Place.NOWHERE),
            rows.accept(org=rows.OTHER),
        ]
        backend.commit(units)
        ids_ = [u.deliveries[0].id for u in units]
        assert {d.id for d in backend.open(rows.ORG, "", 10)} == set(ids_[:3])
        assert [d.id for d in backend.open(rows.ORG, "held", 10)] == [ids_[1]]
        everywhere = [d.id for d in backend.open(b"", "", 10)]
        assert everywhere == sorted(everywhere, reverse=True)
        assert set(everywhere) == set(ids_[:3]) | {ids_[4]}
        assert backend.open(b"", "", 2) == backend.open(b"", "", 10)[:2]

    def test_figures(self, backend: Backend) -> None:
        assert backend.oldest() == 0
        backend.commit([
            rows.accept(), rows.accept(place=Place.WAITING, state="deferred"),
            rows.accept(place=Place.CLAIMED, state="claimed", lease=b"L" * 16),
            rows.accept(place=Place.NOWHERE, state="held"),
        ])  # fmt: skip
        counts = backend.counts()
        assert (counts.ready, counts.waiting, counts.claimed) == (1, 1, 1)
        assert (counts.held, counts.deferred, counts.outbox) == (1, 1, 8)
        assert 0 < backend.oldest() <= clock.now()

    def test_figures_follow_every_change(self, backend: Backend) -> None:
        """What is told is what a look at every row finds, after each of some hundred commits of all kinds."""
        chance = random.Random(5)
        states = (
            ("queued", Place.READY), ("queued", Place.WAITING), ("deferred", Place.WAITING), ("deferred", Place.READY),
            ("claimed", Place.CLAIMED), ("held", Place.NOWHERE), ("failed", Place.NOWHERE),
        )  # fmt: skip
        known: list[bytes] = []
        for turn in range(120):
            backend.commit(_changes(backend, chance, known, states))
            if turn % 10 == 0:
                backend.commit([Promote("transactional", rows.ORG, 1 << 60, 2)])
                backend.commit([Retire(backend.head, 0)])
            found = [row for id_ in known if (row := backend.delivery(id_)) is not None]
            told, held = backend.counts(), [row for row in found if row.state == "held"]
            at = [sum(row.place == place for row in found) for place in (Place.READY, Place.WAITING, Place.CLAIMED)]
            assert [told.ready, told.waiting, told.claimed] == at
            assert (told.held, told.deferred) == (len(held), sum(row.state == "deferred" for row in found))
            assert told.outbox == len(backend.outbox(0, 10_000))
            turns = [row.due_at for row in found if row.place in (Place.READY, Place.WAITING)]
            assert told.first_due == min(turns, default=0)
            dues = backend.dues(100)
            assert [one.due_at for one in dues] == sorted(one.due_at for one in dues)
            assert {(one.flow, one.destination): one.due_at for one in dues} == _firsts(found)
            assert backend.dues(1) == dues[:1] or dues[0].due_at == dues[1].due_at
            waits = {one.org: (one.held, one.newest, one.ends) for one in backend.waiting()}
            assert waits == {org: _waits([row for row in held if row.org == org]) for org in {row.org for row in held}}
        assert len(found) < len(known), "some were forgotten"
        reopened = self.reopened(backend)
        assert reopened.counts() == told

    def test_tokens_of_repeats_are_found_again(self, backend: Backend) -> None:
        unit = rows.accept()
        marked = msgspec.structs.replace(unit, message=msgspec.structs.replace(unit.message, repeat=b"t" * 16))
        backend.commit([marked, rows.accept()])
        at = marked.message.at
        assert backend.repeats(at, 10) == [(b"t" * 16, marked.message.id, at)]
        assert backend.repeats(at + 1, 10) == []

    def test_everything_is_there_after_opening_again(self, backend: Backend) -> None:
        units = [rows.accept(deliveries=2) for _ in range(40)]
        backend.commit(units)
        backend.checkpoint()
        again = self.reopened(backend)
        assert again.head == 80
        for unit in units:
            assert again.body(unit.message.id) == (b"ciphertext",)
            assert [again.delivery(d.id) for d in unit.deliveries] == list(unit.deliveries)


def _changes(
    backend: Backend, chance: random.Random, known: list[bytes], states: Sequence[tuple[str, int]]
) -> list[Unit]:
    """A group: messages that come, and deliveries that move from wherever they are. What is final stays."""
    units: list[Unit] = []
    for _ in range(chance.randrange(4)):
        state, place = chance.choice(states)
        org = chance.choice((rows.ORG, rows.OTHER))
        own, due = chance.choice((1, 2)), chance.randrange(9)
        to = chance.choice((b"d" * 32, b"e" * 32, rows.DESTINATION))
        unit = rows.accept(state=state, place=place, org=org, due_at=due, deliveries=own, destination=to)
        known += [one.id for one in unit.deliveries]
        units.append(unit)
    there = [row for id_ in known if (row := backend.delivery(id_)) is not None and row.state not in ("failed", "sent")]
    for row in chance.sample(there, min(3, len(there))):
        state, place = chance.choice((*states, ("sent", Place.NOWHERE)))
        moved = rows.move(row, state=state, place=place)
        until = chance.randrange(3) if state == "held" else 0
        final = state in ("failed", "sent")
        units.append(msgspec.structs.replace(moved, due_at=chance.randrange(9), lease_until=until, final=final))
    return units


def _firsts(found: list[DeliveryRow]) -> dict[tuple[Flow, bytes], int]:
    """When the first was due: by flow and destination what is ready, by flow what is not."""
    first: dict[tuple[Flow, bytes], int] = {}
    for row in found:
        if row.place in (Place.READY, Place.WAITING):
            key = Flow(row.stream, row.org), row.destination if row.place == Place.READY else b""
            first[key] = min(row.due_at, first.get(key, row.due_at))
    return first


def _waits(held: Sequence[DeliveryRow]) -> tuple[int, int, int]:
    ends = [row.lease_until for row in held if row.lease_until > 0]
    return len(held), max(row.due_at for row in held), min(ends, default=0)
