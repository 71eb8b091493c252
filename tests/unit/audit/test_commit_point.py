"""The sequencer's commit point: lost, landed, and killed (SIGKILL) at any moment; the log holds, nothing is doubled."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from carepost.audit import reader, sequencer
from carepost.audit.store import SqliteStore
from carepost.audit.verify_log import outside, verify_log
from carepost.ground import database
from carepost.proof import event, kinds
from carepost.proof.note import SignerKey
from carepost.wire.types import Drained

ORG = bytes(range(16))


class Lost(Exception):
    pass


class Failing:
    """A real store whose commit fails once: without effect, or after taking effect."""

    def __init__(self, store: Any, landed: bool) -> None:
        self._store = store
        self._landed = landed

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> Any:
        return self._store.rows(sql, parameters)

    def many(self, sql: str, rows: Any) -> None:
        self._store.many(sql, rows)

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._store.writing():
            yield
            if not self._landed:
                raise Lost
        raise Lost


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
def test_a_commit_that_failed_is_repeated_without_harm(hand: Any, landed: bool) -> None:
    first, second = hand.rows(5), hand.rows(4)
    hand.sequence(first)
    with pytest.raises(Lost):
        sequencer.sequence(Failing(hand.store, landed), second, hand.signer)
    assert reader.sources(hand.store) == {"shard-0001": 9 if landed else 5}
    assert verify_log(hand.store).ok
    again = hand.sequence(second)
    assert (again.appended, again.repeated) == ((0, 4) if landed else (4, 0))
    # what may be acknowledged is answered either way
    assert again.sources == {"shard-0001": 9}
    assert verify_log(hand.store).ok


def row(number: int) -> Drained:
    """The outbox: the same bytes whenever it is asked."""
    draft, _ = kinds.make(
        kinds.MESSAGE_VIEWED, id=f"event {number}", org="00010203-0405-0607-0809-0a0b0c0d0e0f", at=number,
        actor=("staff", "s"), on=[f"m{number // 4}"],
    )  # fmt: skip
    return Drained(number, ORG, event.finish(draft, "shard-0001", number), b"")


def signer(org: bytes, _key: str = "") -> SignerKey:
    return SignerKey(sequencer.origin(org), hashlib.sha256(org).digest())


def store_at(path: Path) -> SqliteStore:
    store = SqliteStore(database.connect(path, bytes(32)))
    store.migrate()
    return store


def journal(path: Path) -> None:
    """The child: sequences batches for ever, and says each number that may be acknowledged."""
    store = store_at(path)
    next_one = reader.sources(store).get("shard-0001", 0) + 1
    while True:
        result = sequencer.sequence(store, [row(n) for n in range(next_one, next_one + 40)], signer)
        next_one += 40
        print(result.sources["shard-0001"], result.checkpoints[ORG].hex(), flush=True)


def test_a_killed_journal_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    store_at(path)
    acknowledged, kept = 0, []
    for round_ in range(4):
        script = f"import runpy; runpy.run_path({__file__!r})['journal'](__import__('pathlib').Path({str(path)!r}))"
        child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for _ in range(3 + 2 * round_):
            number, signed = child.stdout.readline().split()
            acknowledged = int(number)
            kept.append(outside(bytes.fromhex(signed)))
        os.kill(child.pid, signal.SIGKILL)
        child.wait(30)
        store = store_at(path)
        # whole batches only, all that was acknowledged, under every checkpoint that left the process
        taken = reader.sources(store)["shard-0001"]
        assert taken >= acknowledged
        assert taken % 40 == 0
        assert verify_log(store, kept).ok
        # what stood after the acknowledgement comes again, and is passed over
        assert sequencer.sequence(store, [row(n) for n in range(acknowledged - 39, taken + 1)], signer).appended == 0
