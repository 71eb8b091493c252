"""Figures of a home: what rules ask for is there from the start, and what the journal counts is told."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from carepost.archive import health
from carepost.ground import clock, exposition, home, metrics
from carepost.ground.config import Config
from carepost.journal.status import Status
from carepost.processes.measures import Measures
from carepost.wire.doors import HealthAnswer

pytestmark = pytest.mark.fast
DEPLOY = Path(__file__).parents[3] / "deploy"


class _Door:
    def __init__(self, **figures: int) -> None:
        self.answer = HealthAnswer(shards={"0": {}, "1": {}}, engine=figures)

    def health(self) -> list[HealthAnswer]:
        return [self.answer]


def told(made: home.Home, **figures: int) -> str:
    return exposition.render(Measures(made, Config(), _Door(**figures)).families())


def asked() -> set[str]:
    """What rules and dashboard name of an engine's counters."""
    text = (DEPLOY / "prometheus/alerts.yml").read_text()
    board = json.loads((DEPLOY / "grafana/carepost.json").read_text())
    text += "".join(target["expr"] for panel in board["panels"] for target in panel["targets"])
    found: set[str] = set()
    for operator, words in re.findall(r'what(=~?)"([^"]+)"', text):
        found |= {words} if operator == "=" else set(words.replace("(", "|").replace(")", "").split("|"))
    prefix = re.search(r"(delivery_)\(([a-z|]+)\)", text)
    assert prefix
    found -= set(prefix[2].split("|")) | {prefix[1], "delivery_.*", ""}
    return found | {prefix[1] + word for word in prefix[2].split("|")}


def test_what_rules_and_dashboard_ask_for_is_there_before_it_happens(tmp_path: Path) -> None:
    text = told(home.create(tmp_path / "home"))
    assert len(asked()) >= 10
    for what in asked():
        assert f'carepost_engine_happened_total{{engine="0",what="{what}"}} 0\n' in text
    text = told(home.create(tmp_path / "other"), **{"delivery-deferred": 7})
    assert 'what="delivery_deferred"} 7\n' in text


def test_a_shard_that_is_another_nodes_or_may_be_is_not_this_homes(tmp_path: Path) -> None:
    made, door = home.create(tmp_path / "home", node=1), _Door()
    Status(made.run).owes(0)
    asked = Measures(made, Config(min_free=1), door)

    def holding(**shards: dict[str, int]) -> list[str]:
        door.answer = HealthAnswer({name[1:]: figures for name, figures in shards.items()}, {})
        return asked.problems()

    assert holding(s64={}, s65={}, s128={}) == []
    assert "carepost_shards_owned 2\n" in exposition.render(asked.families())
    # one of its own is missing, another node's is here instead
    assert holding(s64={}, s128={}) == ["engines"]
    # PostgreSQL was silent for a lease
    assert holding(s64={}, s65={"cut_off": 1}) == ["spool"]
    assert "carepost_shards_owned 1\n" in exposition.render(asked.families())


def test_what_the_journal_counts_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = home.create(tmp_path / "home")
    assert "carepost_journal_happened_total" not in told(made)
    monkeypatch.setattr(metrics, "_values", {"webhooks_failed": 3.0})
    Status(made.run).owes(0)
    assert 'carepost_journal_happened_total{what="webhooks_failed"} 3\n' in told(made)
    # one of the version before is read too
    (made.run / health.NAME).write_bytes(msgspec.json.encode({"at": clock.now(), "sources": {}, "owed": 0}))
    assert "carepost_journal_up 1" in told(made)
