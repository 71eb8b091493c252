"""`carepost words`: parsed as documented, carried out by the same actions as the console."""

import argparse
import json
import uuid
from typing import Any

import pytest

from carepost.cli import words as command
from carepost.cli.office import words
from carepost.detection import acts
from carepost.detection.models import WrongFinding
from carepost.ground.errors import CarepostError, ConfigError
from carepost.mailbox import door
from tests.rooms.detection.test_words import SHOWN
from tests.support.workers import Workers

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)


def run(*given: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return words.run(parser.parse_args([*given, "--org", "clinic"]))


def said(capsys: Any, *given: str) -> Any:
    assert run(*given, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_words_are_added_listed_tried_and_removed(cast: Any, capsys: Any, tmp_path: Any, monkeypatch: Any) -> None:
    why = ("--reason", "agreed")
    assert said(capsys, "add", "pattern", "case-number", r"HX-\d{6}", "--identifier", "--alone", "--near", "file",
                *why) == {"version": 1}  # fmt: skip
    assert said(capsys, "add", "sender", "newsletter", "news@clinic.test", *why) == {"version": 2}
    assert [(one["name"], one["kind"]) for one in said(capsys, "list")] == [
        ("case-number", "pattern"), ("newsletter", "sender not read"),
    ]  # fmt: skip
    workers = Workers()
    monkeypatch.setattr(door, "client", lambda: workers)
    text = tmp_path / "text.txt"
    text.write_text("Our file HX-123456: asthma")
    try:
        found = said(capsys, "try", str(text))
    finally:
        workers.close()
    assert {one["found"]: one["masked"] for one in found}["your pattern case-number"] == "H•-••••••"
    assert said(capsys, "remove", "newsletter", *why) == {"version": 3}
    with pytest.raises(CarepostError, match="no such word"):
        run("remove", "newsletter", *why)
    with pytest.raises(ConfigError, match="cannot be read"):
        run("try", str(tmp_path / "absent.txt"))


def test_reports_are_listed_counted_and_settled(cast: Any, capsys: Any) -> None:
    assert run("reports") == 0
    assert "Nobody called" in capsys.readouterr().out
    acts.report(cast.clinic, uuid.uuid4(), SHOWN, actor=cast.olga)
    (report,) = said(capsys, "reports")
    assert (report["found"], report["masked"], report["state"]) == ("SSN", SHOWN.masked, "new")
    assert said(capsys, "except", report["id"], "--reason", "an order number")["excepted"] is True
    (counted,) = said(capsys, "counts")
    assert (counted["kind"], counted["state"], counted["times"]) == ("ssn", "excepted", 1)
    assert WrongFinding.objects.get().state == "excepted"
