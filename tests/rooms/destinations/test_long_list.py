"""A list of very many addresses: each page is right, and no page looks at rows that are not its own."""

import importlib.util
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from carepost.destinations import suppressions
from carepost.ground import clock
from carepost.tenancy import scope
from carepost.tenancy.permissions import BOOTSTRAP

pytestmark = pytest.mark.django_db(databases=["default", "records"])

#: a million in bench/suppression_bench.py
ROWS = 200_000
ROOT = Path(__file__).parents[3]


def generated() -> Any:
    spec = importlib.util.spec_from_file_location("suppression_rows", ROOT / "bench" / "suppression_rows.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def asked(cast: Any) -> Any:
    """A page, and how the database found its rows."""
    owner = uuid.UUID(bytes=cast.maple)
    generated().fill(owner, ROWS)

    def ask(**given: Any) -> suppressions.Page:
        with CaptureQueriesContext(connection) as seen:
            found = suppressions.page(cast.maple, BOOTSTRAP, limit=50, **given)
        with scope.organisation(owner), connection.cursor() as cursor:
            for query in seen.captured_queries:
                if "SELECT" in query["sql"] and "tenancy_suppression" in query["sql"]:
                    word = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
                    cursor.execute(f"{word} {query['sql']}".replace("%", "%%"))
                    plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
                    assert "Seq Scan" not in plan and "SCAN tenancy_suppression" not in plan, (given, plan)
        return found

    return ask


def test_any_page_of_a_long_list_reads_its_own_rows(asked: Any) -> None:
    first = asked()
    second = asked(after=first.cursor)
    ids = [row.id for row in (*first.rows, *second.rows)]
    assert len(ids) == 100 and ids == sorted(set(ids), reverse=True)
    assert all(row.address for row in first.rows)
    (one,) = asked(address="person.123@PATIENTS-123.test").rows
    assert (one.address, one.reason) == ("person.123@patients-123.test", "bounce")
    assert asked(address="nobody@nowhere.test").rows == ()
    assert asked(address="person.123@patients-123.test", reason="complaint").rows == ()
    for given in (
        {"reason": "request"}, {"scope_": "marketing"}, {"reason": "request", "scope_": "marketing"}, {"ends": False},
    ):  # fmt: skip
        assert len(asked(**given).rows) == 50, given
    found = asked(reason="request", scope_="marketing", ends=True).rows
    assert found and all((row.reason, row.scope) == ("request", "marketing") and row.expires_at for row in found)
    for given in (
        {"reason": "complaint"}, {"scope_": "transactional"}, {"reason": "complaint", "scope_": "marketing"},
        {"reason": "bounce", "ends": True}, {"scope_": "operational", "ends": False},
    ):  # fmt: skip
        assert asked(**given).rows == (), given
    assert len(asked(removed_since=clock.now() - 10**12).rows) == 50
    assert asked(standing="ended").rows == () and len(asked(standing="all").rows) == 50
    assert asked(removed_since=clock.now() + 10**12).rows == ()


def test_what_ended_does_not_stand_on_the_list_and_is_found_as_such(cast: Any, asked: Any) -> None:
    with scope.organisation(uuid.UUID(bytes=cast.maple)), connection.cursor() as cursor:
        cursor.execute("UPDATE tenancy_suppression SET expires_at = 1 WHERE expires_at = 0 AND reason = 'bounce'")
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE tenancy_suppression")
    rows = asked().rows
    assert len(rows) == 50 and not any(row.expires_at == 1 for row in rows)
    ended = asked(standing="ended")
    further = asked(standing="ended", after=ended.cursor)
    assert len({row.id for row in (*ended.rows, *further.rows)}) == 100
    assert {row.expires_at for row in (*ended.rows, *further.rows)} == {1}
    assert {row.expires_at for row in asked(standing="all", reason="bounce", ends=True, scope_="marketing").rows} == {1}
    assert len(asked(standing="all", reason="request").rows) == 50
    for given in ({"ends": False}, {"reason": "request"}, {"scope_": "transactional"}):
        assert asked(standing="ended", **given).rows == (), given
    assert asked(reason="bounce", ends=True, scope_="all").rows == ()
    address = "person.123@patients-123.test"
    assert asked(address=address).rows == ()
    assert [len(asked(address=address, standing=standing).rows) for standing in ("ended", "all")] == [1, 1]


def test_a_page_looks_for_its_key_once(cast: Any) -> None:
    generated().fill(uuid.UUID(bytes=cast.maple), 3_000)
    with CaptureQueriesContext(connection) as seen:
        assert len(suppressions.page(cast.maple, BOOTSTRAP, limit=50).rows) == 50
    # twice: for the rows, and for the event that says they were shown
    assert sum("tenancy_orgkey" in query["sql"] for query in seen.captured_queries) <= 2


def test_a_file_is_compared_with_the_list_some_hundred_lines_at_a_time(cast: Any) -> None:
    generated().fill(uuid.UUID(bytes=cast.maple), 3_000)
    known = [f"person.{number}@patients-{number % 977}.test" for number in range(400)]
    new = [f"new.{number}@elsewhere.test" for number in range(800)]
    lines = ["address", *known, *new, "NEW.1@elsewhere.test", "new.2@ELSEWHERE.test", "no address"]
    data = "\n".join(lines).encode()
    with CaptureQueriesContext(connection) as seen:
        tried = suppressions.import_(cast.maple, BOOTSTRAP, data, dry_run=True)
    assert len(seen.captured_queries) < 40
    done = suppressions.import_(cast.maple, BOOTSTRAP, data, dry_run=False)
    again = suppressions.import_(cast.maple, BOOTSTRAP, data, dry_run=False)
    for told, added in ((tried, done.added), (done, done.added), (again, 0)):
        assert (told.lines, told.added, told.failed) == (1203, added, 1)
        assert told.known == 1202 - added and [line for line, _ in told.wrong] == [1204]
    # one in three of the known is kept back from marketing alone; capitals make no other address
    assert done.added == 800 + 134
    assert len(suppressions.page(cast.maple, BOOTSTRAP, address="new.799@elsewhere.test").rows) == 1
