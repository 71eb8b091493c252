"""A real engine dies by SIGKILL at every named commit point of its spool, under load from real clients that count
their 250s and 202s: nothing acknowledged is lost, nothing arrives twice unless the record says `uncertain`, no event
changes or is missing (BI-023; DESIGN 1.5, 1.6)."""

import itertools
from pathlib import Path

from carepost.spool.faults import POINTS
from tests.support.house import ENGINE_ONLY, House
from tests.support.ledger import Ledger, account
from tests.support.mailers import Books, Load, PipelinedSmtpLoad, RestLoad, SmtpLoad
from tests.support.waiting import until

INJECT = Path(__file__).parents[1] / "support" / "inject"
#: passed this often before it dies: the first few find the engine warm and the queue filled
PASSED = {"retire.commit": 3, "retire.unlink": 1}


def test_an_engine_that_dies_at_any_commit_point_loses_and_doubles_nothing(tmp_path: Path) -> None:
    faults = tmp_path / "faults"
    numbers = itertools.count()
    with House(tmp_path, *ENGINE_ONLY, PYTHONPATH=INJECT, HOUSE_FAULTS=faults) as house:
        books = Books()
        ledger = Ledger(house)
        loads: list[Load] = [
            SmtpLoad(house, books, lambda: f"plain-{next(numbers)}@verified.test", 0.02),
            PipelinedSmtpLoad(house, books, lambda: f"piped-{next(numbers)}@dane.test", 0.02),
            RestLoad(house, books, lambda: f"rest-{next(numbers)}@verified.test", 0.02),
            # more than one chunk: a segment file
            SmtpLoad(house, books, lambda: f"large-{next(numbers)}@verified.test", 0.1, body=150_000),
        ]
        ledger.start()
        for load in loads:
            load.start()
        for point in POINTS:
            engine, before = house.pid("engine"), len(books.acked)
            until(lambda n=before: len(books.acked) >= n + 10, within=20, what="messages are accepted")
            # a segment file goes when its last body does, after the next file was begun: so bodies gather first
            ledger.acknowledge = point != "retire.unlink"
            if not ledger.acknowledge:
                before = large(books)
                until(lambda n=before: large(books) >= n + 6, within=20, what="large bodies gather")
            faults.write_text(f"{point} {PASSED.get(point, 10)}")
            ledger.acknowledge = True
            until((tmp_path / "faults.done").exists, within=20, what=f"the engine dies at {point}")
            (tmp_path / "faults.done").unlink()
            house.until_again("engine", engine)
        for load in loads:
            load.finish()
        ledger.until_ended({message for _, message in books.acked.values()}, within=60)
        ledger.finish()
        account(house, books, ledger)
        assert "Traceback" not in house.logs()
        house.stop()


def large(books: Books) -> int:
    """Messages accepted that lie in segment files."""
    return sum(address.startswith("large-") for address in tuple(books.acked))
