"""A version is changed while mail goes on: two nodes of the release before on one PostgreSQL, one after the other is
stopped, gets this version, and starts. In between both versions accept and deliver, on tables that are this version's.

Nothing that was answered 202 is lost, and nothing comes twice but what is on record as uncertain."""

from pathlib import Path

import pytest

from tests.support.cluster import cluster
from tests.support.nodes import Nodes
from tests.support.press import ENDED, Press, answered_everywhere, arrived_once_or_on_record, holders
from tests.support.versions import Before, prepare, upgrade
from tests.support.waiting import until

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]

_APPLIED = "SELECT app || '.' || name FROM public.django_migrations WHERE app = 'cold'"


def test_two_versions_carry_mail_side_by_side(tmp_path: Path) -> None:
    before = Before(tmp_path / "before")
    with cluster() as postgres:
        nodes = Nodes(tmp_path, postgres)
        with nodes.world:
            first, second = [nodes.add(PYTHONPATH=before.source) for _ in range(2)]
            try:
                for home in (first, second):
                    home.start()
                    assert before.runs(home)
                tables = {name for (name,) in nodes.rows(_APPLIED)}
                assert not before.real or not tables, "the tables are those of the release before"
                staying = Press([first], 2, "a")
                moving = Press([second], 1, "b")
                until(lambda: min(staying.count(), moving.count()) > 8, within=60, what="both carry mail")
                second.stop()
                moving.stop()
                upgrade(second)
                assert {name for (name,) in nodes.rows(_APPLIED)}, "the tables are this version's"
                second.start()
                assert before.runs(first) and not before.runs(second)
                mixed, since = Press([second], 1, "c"), staying.count()
                until(
                    lambda: staying.count() > since + 10 and mixed.count() > 8,
                    within=60, what="both versions carry mail on the same tables",
                )  # fmt: skip
                # each asks the other by its door
                answered_everywhere(first, second)
                answered_everywhere(second, first)
                # the last of the former version
                staying.stop()
                first.stop()
                until(lambda: "node-00" not in holders(nodes).values(), within=60, what="its shards are held again")
                if before.real:
                    assert "made by a newer Carepost" in prepare(first, code=2), "it does not go back by accident"
                upgrade(first)
                first.start()
                last = Press([first], 1, "d")
                until(lambda: last.count() > 5, within=60, what="it carries mail again")
                last.stop()
                mixed.stop()
                accepted = {**moving.accepted, **staying.accepted, **mixed.accepted, **last.accepted}
                until(lambda: nodes.rows(ENDED)[0][0] == 0, within=120, what="everything has left")
                arrived_once_or_on_record(nodes, accepted)
            finally:
                for home in nodes.homes:
                    if home.process is not None:
                        home.kill_all()
