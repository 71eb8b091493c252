"""The disk is full, or nearly: 451 and 503, nothing acknowledged that is not there, and what was accepted goes on."""

import contextlib
import itertools
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.disks import mountable, mounted
from tests.support.house import ENGINE_ONLY, House
from tests.support.ledger import Ledger, account
from tests.support.mailers import Books, Load, PipelinedSmtpLoad, RestLoad, Smtp, SmtpLoad, mail
from tests.support.waiting import until


def test_below_min_free_nothing_new_is_taken_and_delivery_goes_on(tmp_path: Path) -> None:
    with House(tmp_path, *ENGINE_ONLY) as house:
        house.send("jane.roe@greylist.test")
        until(lambda: house.counters()["greylist.test"].recipients_refused, within=20, what="it is asked to come back")
        house.stop()
        house.environ["CAREPOST_MIN_FREE"] = str(1 << 60)
        house.start()
        status, answer = house.request("POST", "/api/v1/messages", _message("late@verified.test"))
        assert status == 503 and "disk" in answer["detail"]
        smtp = Smtp(house)
        assert _refusal(smtp, "late@verified.test").startswith(("451 4.3", "452 4.3"))
        smtp.close()
        house.arrived("jane.roe@greylist.test")
        assert house.mails("late@verified.test") == []


def test_a_disk_that_takes_nothing_more_loses_nothing(tmp_path: Path, disk: "Disk") -> None:
    numbers = itertools.count()
    with House(disk.folder, *ENGINE_ONLY, CAREPOST_MIN_FREE=0) as house:
        books, ledger = Books(), Ledger(house)
        loads: list[Load] = [
            SmtpLoad(house, books, lambda: f"plain-{next(numbers)}@verified.test", 0.02),
            PipelinedSmtpLoad(house, books, lambda: f"piped-{next(numbers)}@dane.test", 0.02),
            RestLoad(house, books, lambda: f"rest-{next(numbers)}@verified.test", 0.02),
            SmtpLoad(house, books, lambda: f"large-{next(numbers)}@verified.test", 0.1, body=150_000),
        ]
        ledger.start()
        for load in loads:
            load.start()
        until(lambda: len(books.acked) > 50, within=30, what="messages are accepted")
        engine = house.pid("engine")
        with disk.full(house):
            until(lambda: books.refused["503"] >= 5, within=20, what="REST is refused")
            until(lambda: any(c.startswith("45") for c in books.refused), within=20, what="SMTP is refused")
            while_full = len(books.acked)
            began = time.monotonic()
            until(lambda: time.monotonic() > began + 1, within=5, what="a second of it")
            assert len(books.acked) <= while_full + 1, "acknowledged on a full disk"
        assert house.pid("engine") == engine, "the engine did not die of it"
        refused = len(books.acked)
        until(lambda: len(books.acked) > refused + 30, within=30, what="messages are accepted again")
        for load in loads:
            load.finish()
        ledger.until_ended({message for _, message in books.acked.values()}, within=60)
        ledger.finish()
        account(house, books, ledger)
        assert "Traceback" not in house.logs()


class Disk:
    """`folder`: where the home lies. `full`: while it lasts, nothing more can be written there."""

    def __init__(self, folder: Path, mounted: bool) -> None:
        self.folder, self._mounted = folder, mounted

    @contextlib.contextmanager
    def full(self, house: House) -> Iterator[None]:
        with self._filled() if self._mounted else self._limited(house):
            yield

    @contextlib.contextmanager
    def _filled(self) -> Iterator[None]:
        filler = self.folder / "filler"
        try:
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                for size in (1 << 20, 1 << 12, 1):
                    with contextlib.suppress(OSError):
                        while file.write(b"\0" * size):
                            pass
            yield
        finally:
            filler.unlink()

    @contextlib.contextmanager
    def _limited(self, house: House) -> Iterator[None]:
        """The engine may write no file past its present sizes (EFBIG): as a quota does it."""
        pid = house.pid("engine")
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        try:
            yield
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@pytest.fixture(params=["quota", *(["full"] if mountable() else [])])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    if request.param == "quota":
        yield Disk(tmp_path, mounted=False)
        return
    with mounted(tmp_path, "size=64m") as folder:
        yield Disk(folder, mounted=True)


def _message(to: str) -> dict[str, object]:
    return {"from": "nora.sample@clinic.test", "to": [to], "subject": "x", "text": "y"}


def _refusal(smtp: Smtp, to: str) -> str:
    """The first answer that is none of success."""
    for command in smtp.envelope(to):
        smtp.say(command)
        code, text = smtp.reply()
        if code >= 400:
            return f"{code} {text}"
    smtp.say(mail(to), b".\r\n")
    code, text = smtp.reply()
    return f"{code} {text}"
