"""Complaints by provider and day, for machines."""

from typing import Any

import pytest

from carepost.proof import kinds
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def test_complaints_by_provider_and_day(machine: Any, cast: Any, outbox: Outbox) -> None:
    one, (first,) = outbox.accepted(cast.maple, ("jane@patient.test",))
    outbox.sent(cast.maple, one, first, provider="yahoo")
    outbox.add(cast.maple, kinds.DELIVERY_COMPLAINED, [one, first], cause="abuse")
    outbox.commit()
    asking = machine("search")
    (row,) = asking.get("/reports/complaints").json()["rows"]
    assert (row["provider"], row["sent"], row["complaints"], row["unsubscribes"], row["rate"], row["level"]) == (
        "yahoo", 1, 1, 0, 1.0, "",
    )  # fmt: skip
    assert asking.get("/reports/deliveries").json()["rows"][0]["unsubscribes"] == 0
    assert asking.get("/reports/complaints", since="2020-01-01T00:00:00Z").status_code == 422
    assert asking.get("/reports/complaints", by="day").status_code in (400, 422)
    assert machine("send").get("/reports/complaints").status_code == 403
    assert machine("search", org=cast.harbour).get("/reports/complaints").json()["rows"] == []
