"""A small journal for tests without an office: drains every shard, acknowledges, and keeps all events it ever saw."""

import threading
from collections import Counter

from carepost.ground import home as homes
from carepost.ground.errors import CarepostError
from carepost.proof import event, kinds
from tests.support.house import House
from tests.support.mailers import Books
from tests.support.waiting import until


class Ledger(threading.Thread):
    """`events`: shard -> its events in order. Fails on a gap, or on an event whose bytes were once others."""

    def __init__(self, house: House, *, acknowledge: bool = True) -> None:
        super().__init__(daemon=True)
        self.house = house
        self.acknowledge = acknowledge
        opened = homes.open_(house.path)
        self.events: dict[int, list[event.Event]] = {opened.node << 6 | n: [] for n in range(opened.shards)}
        self.ended = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        client = self.house.client()
        try:
            while not self.ended.is_set():
                for shard, seen in self.events.items():
                    try:
                        rows, _ = client.drain(
                            shard, len(seen), len(seen) if self.acknowledge else 0, 5000, wait_s=0.05
                        )
                    except CarepostError:
                        self.ended.wait(0.05)
                        continue
                    for row in rows:
                        assert row.seq == len(seen) + 1, f"shard {shard}: event {row.seq} after {len(seen)}"
                        seen.append(event.read(row.event))
                        assert seen[-1].seq == row.seq
        except BaseException as error:
            self.failure = error
        finally:
            client.close()

    def finish(self) -> None:
        self.ended.set()
        self.join(30)
        if self.failure is not None:
            raise self.failure

    def all(self) -> list[event.Event]:
        return [one for seen in self.events.values() for one in tuple(seen)]

    def by_message(self) -> dict[str, Counter[str]]:
        """Message id -> how often each kind of event was told of it (one delivery a message)."""
        found: dict[str, Counter[str]] = {}
        for one in self.all():
            if one.kind.startswith(("message.", "delivery.")):
                found.setdefault(one.on[0], Counter())[one.kind] += 1
        return found

    def until_ended(self, messages: set[str], within: float) -> None:
        """Until each of these messages is sent, deposited or failed."""
        ends = {kinds.DELIVERY_SENT, kinds.DELIVERY_DEPOSITED, kinds.DELIVERY_FAILED}

        def left() -> bool:
            if self.failure is not None:
                raise self.failure
            found = self.by_message()
            return all(ends & found.get(message, Counter()).keys() for message in messages)

        until(left, within=within, what=f"{len(messages)} messages ended")


def account(house: House, books: Books, ledger: Ledger) -> None:
    """Inboxes against the clients' books and the engine's record: all that was acknowledged arrived, and arrived once
    for each attempt that the record does not call `uncertain`."""
    copies = Counter(mail["recipients"][0] for mail in house.mails() if mail["complete"])
    told = ledger.by_message()
    assert len(books.acked) > 50
    for address, (_, message) in books.acked.items():
        record = told[message]
        assert record[kinds.MESSAGE_ACCEPTED] == 1 and record[kinds.DELIVERY_SENT] == 1, (address, record)
        uncertain = record[kinds.DELIVERY_UNCERTAIN]
        assert 1 <= copies[address] <= 1 + uncertain, (address, copies[address], record)
    # what was never answered: nothing came of it, or one message
    strange = set(copies) - set(books.acked) - books.unknown
    assert not strange, strange
    accepted = [one for one in ledger.all() if one.kind == kinds.MESSAGE_ACCEPTED]
    assert len(accepted) <= len(books.acked) + len(books.unknown)
