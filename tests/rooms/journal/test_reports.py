"""Reports that came by mail, from the log into the table: once, by organisation, counted only when proved."""

import uuid
from threading import Event as Flag
from typing import Any

import pytest

from carepost.archive.books import book
from carepost.destinations import reports
from carepost.destinations.models import Report as Row
from carepost.ground import clock, ids
from carepost.ground.errors import NotFound
from carepost.journal.effects import Effects
from carepost.journal.status import Status
from carepost.proof import kinds
from carepost.rfc.reports import Failure, Report
from carepost.rfc.reports import Row as Line
from carepost.tenancy import scope
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire import reports as kept
from carepost.wire.types import Actor
from tests.support.mailroom import KeptDoor
from tests.support.outbox import SHARD, Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def report(number: str = "r-1", **changes: Any) -> Report:
    end = clock.now()
    lines = (
        Line("198.51.100.7", 40, dkim="pass", spf="fail", header_from="maple.test", signed=("maple.test",)),
        Line("203.0.113.9", 3, disposition="reject", dkim="fail", spf="fail", sent="evil.test"),
    )
    given: dict[str, Any] = {
        "kind": "dmarc", "domain": "maple.test", "reporter": "Example Mail", "number": number,
        "begins": end - 86_400_000_000, "ends": end, "good": 40, "bad": 3, "policy": "p=reject", "rows": lines,
    }  # fmt: skip
    return Report(**(given | changes))


def came(outbox: Outbox, org: bytes, told: Report, proved: str = "reports.example.test") -> None:
    values = {"report": kept.encode(kept.Received(told, proved)), "client": b"192.0.2.7"}
    outbox.add(org, kinds.REPORT_RECEIVED, [ids.new(SHARD)], values=values, facts={"origin": "mx", "to": "reports"})


@pytest.fixture
def effects(outbox: Outbox, tmp_path: Any) -> Effects:
    return Effects(outbox.store, book(), KeptDoor(), Status(tmp_path), outbox.owed, Flag())


def seen(org: bytes, domain: str = "maple.test", actor: Actor = BOOTSTRAP) -> reports.Picture:
    return reports.picture(uuid.UUID(bytes=org), actor, domain)


def test_reports_are_laid_down_once_and_added_up(cast: Any, outbox: Outbox, effects: Effects) -> None:
    came(outbox, cast.maple, report())
    came(outbox, cast.maple, report("r-2"))
    came(outbox, cast.maple, report("r-2"))
    outbox.commit()
    assert effects.step() == 3
    assert effects.step() == 0
    found = seen(cast.maple)
    assert (found.dmarc, found.messages, found.good, found.bad, found.asks) == (2, 86, 80, 6, "p=reject")
    worst, best = found.sources
    assert (worst.address, worst.bad, worst.done, worst.names) == ("203.0.113.9", 6, "reject", ("evil.test",))
    assert (best.address, best.good, best.reporters) == ("198.51.100.7", 80, ("Example Mail",))


def test_bi_028_what_nobody_proved_is_kept_and_never_counted(cast: Any, outbox: Outbox, effects: Effects) -> None:
    came(outbox, cast.maple, report(good=10**9), proved="")
    outbox.commit()
    effects.step()
    found = seen(cast.maple)
    assert (found.messages, found.unproved, found.sources) == (0, 1, ())
    # a forged report of the same number does not keep the real one out
    came(outbox, cast.maple, report())
    outbox.commit()
    effects.step()
    assert seen(cast.maple).messages == 43


def test_tls_reports(cast: Any, outbox: Outbox, effects: Effects) -> None:
    failures = (Failure("certificate-expired", 2, "mx.maple.test"), Failure("certificate-expired", 3, "mx.maple.test"))
    came(outbox, cast.maple, report(kind="tls", good=90, bad=5, rows=(), failures=failures, policy="sts"))
    outbox.commit()
    effects.step()
    found = seen(cast.maple)
    assert (found.tls, found.sessions, found.failed, found.messages) == (1, 95, 5, 0)
    assert found.troubles == (reports.Trouble("certificate-expired", "mx.maple.test", 5),)


def test_a_stranger_and_another_organisation_see_nothing(cast: Any, outbox: Outbox, effects: Effects) -> None:
    came(outbox, cast.maple, report())
    outbox.commit()
    effects.step()
    for actor in (cast.stranger, cast.operator, cast.key, Actor("staff", str(uuid.UUID(int=7)))):
        with pytest.raises(NotFound):
            seen(cast.maple, actor=actor)
    assert seen(cast.harbour, actor=cast.stranger).messages == 0


def test_what_is_old_goes(cast: Any, outbox: Outbox, effects: Effects) -> None:
    came(outbox, cast.maple, report())
    outbox.commit()
    effects.step()
    with scope.organisation(uuid.UUID(bytes=cast.maple)):
        Row.objects.update(received_at=clock.now() - reports.KEPT_US - 1)
    came(outbox, cast.maple, report("r-9"))
    outbox.commit()
    effects.step()
    with scope.organisation(uuid.UUID(bytes=cast.maple)):
        assert [row.number for row in Row.objects.all()] == ["r-9"]
