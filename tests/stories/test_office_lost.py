"""The office's database cannot be read: after a while nothing is accepted or sealed (451, 503), because a revocation
might have been missed; when it comes back, what waited goes on. (The 60 s are 2 s here.)"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.support.cluster import cluster
from tests.support.house import ENGINE_ONLY, House, Model
from tests.support.mailers import Smtp
from tests.support.waiting import until

Lost = AbstractContextManager[None]
STALE_AFTER = 2
#: after the doors have closed
RETRY_FIRST = 8
INJECT = Path(__file__).parents[1] / "support" / "inject"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[House, Callable[[], Lost]]]:
    """A home, and what makes its office unreadable for a while."""
    more = {"PYTHONPATH": INJECT, "HOUSE_STALE_AFTER": STALE_AFTER, "CAREPOST_RETRY_FIRST": RETRY_FIRST}
    if request.param == "sqlite":
        with House(tmp_path, *ENGINE_ONLY, **more) as house:
            yield house, lambda: _locked(house.path / "office.db")
        return
    with cluster() as postgres:
        model = Model(tmp_path, CAREPOST_DATABASE_URL=postgres.owned())
        with House(tmp_path, *ENGINE_ONLY, copied=model, **more) as house:
            yield house, postgres.hanging


def test_an_unreadable_office_closes_the_doors_and_opens_them_again(office: tuple[House, Callable[[], Lost]]) -> None:
    house, lost = office
    smtp = Smtp(house)
    house.send("jane.roe@greylist.test")
    sent_at = time.monotonic()
    with lost():
        until(lambda: _post(house)[0] == 503, within=20, what="REST answers 503")
        _, answer = _post(house)
        assert "office" in answer["detail"].lower() and "jane" not in str(answer)
        for command in smtp.envelope("john.roe@verified.test"):
            smtp.say(command)
            code, text = smtp.reply()
            if code >= 400:
                break
        assert (code, text[:5]) == (451, "4.3.0"), (code, text)
        assert time.monotonic() < sent_at + RETRY_FIRST, "too slow to tell"
        until(lambda: time.monotonic() > sent_at + RETRY_FIRST + 2, within=20, what="the retry is due, and over")
        assert house.counters()["greylist.test"].messages == 0, "sealed while a revocation may have been missed"
    until(lambda: _post(house)[0] == 202, within=10, what="REST accepts again")
    house.arrived("jane.roe@greylist.test", within=60)
    assert "Traceback" not in house.logs()


def _post(house: House) -> tuple[int, dict[str, str]]:
    body = {"from": "nora.sample@clinic.test", "to": ["jane.roe@verified.test"], "subject": "x", "text": "y"}
    return house.request("POST", "/api/v1/messages", body)


@contextmanager
def _locked(database: Path) -> Iterator[None]:
    """Every lock a reader needs is held by another process, as by a restore that hangs (SQLite's WAL format, 2.3.2)."""
    with database.with_name(database.name + "-shm").open("r+b") as shared:
        fcntl.lockf(shared, fcntl.LOCK_EX, 8, 120)
        yield
