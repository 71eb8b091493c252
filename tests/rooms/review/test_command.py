"""`carepost held`, before a real engine; and what a rule may say about waiting."""

import json
from typing import Any

import pytest

from carepost.cli import held, local, main
from carepost.cli.office import entry
from carepost.policy import rule_words
from carepost.policy.types import Rule
from carepost.review import settings
from carepost.tenancy.models import Organisation
from carepost.tenancy.names import Wrong
from carepost.tenancy.rule_check import checked
from tests.support.heldmail import HeldMail

pytestmark = pytest.mark.django_db(databases=["default", "records"])


@pytest.fixture
def here(maple: Organisation, waiting: HeldMail, monkeypatch: pytest.MonkeyPatch) -> None:
    class Here:
        client = waiting.client

        def organisation(self, _: object) -> Any:
            return waiting.directory.snapshot(maple.pk.bytes)

    monkeypatch.setattr(local.Local, "of", lambda _: Here())


def test_list_release_and_refuse(here: None, maple: Organisation, waiting: HeldMail, capsys: Any) -> None:
    one, other, boss = waiting.mail(maple), waiting.mail(maple), waiting.mail(maple, sender="boss@maple.test")
    assert main.main(["held", "list", "--json"]) == 0
    assert [v["id"] for v in json.loads(capsys.readouterr().out)] == [str(boss), str(other), str(one)]
    assert main.main(["held", "list"]) == 0
    assert "then refuse" in capsys.readouterr().out
    assert main.main(["held", "release", str(one), "--method", "portal", "--reason", "r"]) == 1
    assert "protects less" in capsys.readouterr().err
    assert main.main(["held", "release", str(one), "--reason", "looked at"]) == 0
    assert main.main(["held", "refuse", str(other), "--reason", "no", "--note", "Ring the\ndesk."]) == 0
    assert waiting.record(other).note == "Ring the desk."
    capsys.readouterr()
    assert main.main(["held", "release", str(boss), str(one), "--reason", "r"]) == 1
    told = capsys.readouterr().err
    assert "which people give in the console" in told and "somebody else was quicker" in told
    assert main.main(["held", "refuse", "nonsense", "--reason", "r"]) == 2
    assert held._NOT_DONE.keys() == {"not-found", "not-possible", "needs-another", "not-stronger"}


def test_the_list_shows_only_what_is_asked_for(here: None, maple: Organisation, waiting: HeldMail, capsys: Any) -> None:
    one, boss = waiting.mail(maple), waiting.mail(maple, sender="boss@maple.test", to="kim@clinic.example")

    def those(*asked: str) -> list[str]:
        assert main.main(["held", "list", "--json", *asked]) == 0
        return [view["id"] for view in json.loads(capsys.readouterr().out)]

    assert those("--to-domain", "clinic.example") == those("--rule", "two-people") == [str(boss)]
    assert those("--who", "others") == [str(boss)] and those("--who", "me") == [str(one)]
    assert those("--reason", "approval-needed") == [str(boss)]
    assert those("--from-domain", "nobody.test") == those("--until", "2020-01-01T00:00:00Z") == []
    assert those("--since", "2020-01-01T00:00:00+01:00") == [str(boss), str(one)]
    assert main.main(["held", "list", "--since", "yesterday"]) == 2
    assert "write it as" in capsys.readouterr().err


def test_who_is_told_and_how_often(maple: Organisation, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(entry.boot, "setup", lambda *_, **__: None)

    def told(*asked: str, expect: int = 0) -> Any:
        assert main.main(["held", "letters", "--org", "maple", "--json", *asked]) == expect
        found = capsys.readouterr()
        return found.err if expect else json.loads(found.out)

    assert told() == {"letters": "at-once", "address": "", "remind": 24}
    changed = told("--write", "daily", "--to", "privacy@maple.test", "--reason", "one desk reads them")
    assert changed == {"letters": "daily", "address": "privacy@maple.test", "remind": 24} == told()
    assert told("--remind", "0", "--reason", "r")["remind"] == 0
    assert told("--to", "", "--reason", "r")["address"] == ""
    assert "reason" in told("--write", "off", expect=2)
    assert "744 hours" in told("--remind", "1000", "--reason", "r", expect=2)
    assert settings.of(maple.pk).letters == "daily"
    assert main.main(["held", "letters", "--org", "maple"]) == 0
    assert capsys.readouterr().out == (
        "A letter is written daily while something waits, to everybody who may release.\n"
    )


@pytest.mark.parametrize(
    "rule",
    [
        Rule("r", held_hours=-1),
        Rule("r", held_hours=100_000),
        Rule("r", held_then="burn"),
        Rule("r", action="approve", held_then="release"),
        Rule("r", held_hours=5, held_then="keep"),
        Rule("r", held_hours=5, setting=True, floor=None),
    ],
    ids=["negative", "endless", "unknown", "approval by the clock", "hours without end", "a default"],
)
def test_what_a_rule_cannot_say_about_waiting(rule: Rule) -> None:
    with pytest.raises(Wrong):
        checked(rule)


def test_what_it_can_is_told_in_words() -> None:
    rule = checked(Rule("r", action="hold", held_hours=12, held_then="release"))
    assert rule_words.says(rule)[-1] == "what is held waits 12 hours and is then sent as the rules then say"
    assert rule_words.says(checked(Rule("o", action="hold", held_hours=1)))[-1].startswith(
        "what is held waits 1 hour and"
    )
    assert rule_words.says(Rule("k", held_then="keep")) == ["what is held waits without end"]
    assert rule_words.says(checked(Rule("d", held_then="refuse")))[-1].startswith("what is held waits 168 hours")
