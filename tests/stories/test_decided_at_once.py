"""Two people decide about the same held message at the same moment, each at a console of the living house: one decision
takes effect, stands once in the log, and the other one is told; embedded and on PostgreSQL."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.stories.test_two_people import WHY, delivery, foreseen, waits, words
from tests.support import records
from tests.support.cluster import cluster
from tests.support.house import House
from tests.support.nodes import Nodes
from tests.support.seat import Seat, second_seat
from tests.support.visitor import Shown
from tests.support.waiting import until

RACES = 6
DECIDED = ("delivery.approved", "delivery.released", "delivery.refused")
ROLES = ("engine", "journal", "staff")


@contextmanager
def embedded(folder: Path) -> Iterator[House]:
    with House(folder) as house:
        yield house


@contextmanager
def on_postgres(folder: Path) -> Iterator[House]:
    with cluster() as postgres:
        nodes = Nodes(folder, postgres)
        with nodes.world, nodes.add(*ROLES) as house:
            yield house


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "made", [embedded, pytest.param(on_postgres, marks=pytest.mark.postgres)], ids=["embedded", "postgres"]
)
def test_of_two_decisions_at_the_same_moment_one_takes_effect(
    made: Callable[[Path], AbstractContextManager[House]], tmp_path: Path
) -> None:
    with made(tmp_path) as house:
        ada = Seat(house)
        ben = second_seat(house)
        house.carepost("rule", "add", "one", "--recipient", "two@verified.test", "--action", "approve", *WHY)
        until(lambda: foreseen(house) == "held", within=40, what="the engine knows the rule")
        held = [waits(house, subject=f"Matter {number}") for number in range(RACES)]
        ends: dict[str, str] = {}
        for number, (message, one) in enumerate(held):
            # now both release, now one of them refuses
            verbs = ("release", "release") if number % 2 else ("release", "refuse")
            shown = pressed(one, [(ada, verbs[0]), (ben, verbs[1])])
            state = ended(house, message)
            ends[one] = state
            # whoever came second is told so in words, on the page both are led to
            assert [(page.status, page.fields["location"]) for page in shown] == [(302, "/held")] * 2
            told = [words(seat.get("/held")) for seat in (ada, ben)]
            second = ["Nothing was done now." in text for text in told]
            done = "refused" if state == "failed" else "released"
            assert sorted(second) == [False, True], told
            assert f"has {done} it already" in told[second.index(True)], told
        assert len(house.mails("two@verified.test")) == list(ends.values()).count("sent")

        def decided() -> dict[str, list[str]]:
            log = records.events(house)
            return {one: [e.kind for e in log if e.kind in DECIDED and one in e.on] for one in ends}

        until(lambda: all(decided().values()), within=40, what="each decision is in the log")
        expected = {"sent": ["delivery.released"], "failed": ["delivery.refused"]}
        assert decided() == {one: expected[state] for one, state in ends.items()}
        assert "Traceback" not in house.logs()


def ended(house: House, message: str) -> str:
    return until(
        lambda: (state := delivery(house, message)["state"]) in ("sent", "failed") and state, within=40, what="it ends"
    )


def pressed(one: str, people: list[tuple[Seat, str]]) -> list[Shown]:
    """What each is shown, who read the page before and pressed with all others."""
    pages = [seat.get(f"/held/{one}") for seat, _ in people]
    ready = threading.Barrier(len(people))
    shown: dict[int, Shown] = {}

    def press(number: int, seat: Seat, verb: str) -> None:
        ready.wait(10)
        shown[number] = seat.post(
            "/held/decide", seen=pages[number], delivery=one, verb=verb, reason="looked at it",
            **({"note": "Ask me."} if verb == "refuse" else {}),
        )  # fmt: skip

    threads = [threading.Thread(target=press, args=(n, seat, verb)) for n, (seat, verb) in enumerate(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [shown[number] for number in range(len(people))]
