"""`carepost job`: counted first, begun, looked at, cancelled, fetched; the same fields as the API answers; other
organisations' are not there."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from carepost.cli import job as command
from carepost.cli import main
from carepost.cli.office import entry
from carepost.jobs.types import LISTED, Kind
from carepost.wire import rest
from tests.rooms.jobs.test_jobs import Doors, _eyes, engine, run
from tests.support.outbox import Outbox, office_events

__all__ = ["_eyes", "engine"]

pytestmark = pytest.mark.django_db(databases=["default", "records"])


@pytest.fixture(autouse=True)
def _inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside Django already, on the test's own home."""
    monkeypatch.setattr(entry.boot, "setup", lambda *_, **__: None)


@pytest.fixture
def said(capsys: Any) -> Any:
    def ask(*words: str) -> Any:
        assert main.main(["job", *words, "--org", "maple", "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return ask


def test_the_kinds_are_those_of_the_jobs() -> None:
    assert set(command.KINDS) == {one.value for one in Kind if one not in LISTED}


def test_a_job_is_counted_begun_done_and_listed(
    cast: Any, outbox: Outbox, engine: Doors, said: Any, capsys: Any
) -> None:
    wanted = [outbox.accepted(cast.maple, tags=("recall",))[1][0] for _ in range(2)]
    outbox.accepted(cast.maple)
    outbox.accepted(cast.harbour, tags=("recall",))
    outbox.commit()
    assert said("start", "retract", "--tag", "recall", "--count") == {"messages": 2, "recipients": 2, "more": False}
    assert said("list") == [], "counting begins nothing"
    assert main.main(["job", "start", "retract", "--tag", "recall", "--org", "maple"]) == 2
    assert "Say why" in capsys.readouterr().err
    assert main.main(["job", "start", "retract", "--reason", "r", "--all", "--org", "maple"]) != 0, "never of all"
    capsys.readouterr()
    begun = said("start", "retract", "--tag", "recall", "--reason", "wrong batch")
    assert set(begun) == set(rest.Job.__struct_fields__) and begun["state"] == "waiting"
    (event,) = office_events("job.begun")
    assert (event.actor.kind, event.actor.id) == ("system", "command-line")
    run()
    assert sorted(d for _, some, _ in engine.acts for d in some) == sorted(wanted)
    ended = said("show", begun["id"])
    assert (ended["state"], ended["seen"], ended["made"]) == ("done", 2, 2) and said("list") == [ended]
    assert main.main(["job", "show", begun["id"], "--org", "maple"]) == 0
    assert "is done: 2 messages looked at, 2 recipients taken back from." in capsys.readouterr().out
    assert main.main(["job", "list", "--org", "harbour"]) == 0 and "no job" in capsys.readouterr().out
    assert main.main(["job", "show", begun["id"], "--org", "harbour"]) != 0
    assert main.main(["job", "cancel", begun["id"], "--org", "harbour"]) != 0
    assert main.main(["job", "cancel", begun["id"], "--org", "maple"]) != 0, "it has ended"
    assert begun["id"] not in capsys.readouterr().out


def test_one_that_waits_is_cancelled(cast: Any, outbox: Outbox, engine: Doors, said: Any) -> None:
    outbox.accepted(cast.maple, tags=("recall",))
    outbox.commit()
    begun = said("start", "retract", "--tag", "recall", "--reason", "wrong batch")
    assert said("cancel", begun["id"])["state"] == "cancelled"
    run()
    assert engine.acts == [] and len(office_events("job.cancelled")) == 1


def test_an_export_becomes_a_file_of_its_owner_once(
    cast: Any, outbox: Outbox, said: Any, tmp_path: Path, capsys: Any
) -> None:
    message, _ = outbox.accepted(cast.maple, tags=("recall",))
    outbox.commit()
    begun, file = said("start", "export-messages", "--tag", "recall"), tmp_path / "export.ndjson"
    fetch = ["job", "result", begun["id"], "-o", str(file), "--org", "maple"]
    assert main.main(fetch) != 0 and not file.exists(), "not done: nothing half stays"
    run()
    assert said("result", begun["id"], "-o", str(file))["size"] == file.stat().st_size > 0
    (line,) = file.read_text().splitlines()
    assert json.loads(line)["id"] == str(uuid.UUID(bytes=message)) and file.stat().st_mode & 0o777 == 0o600
    assert len(office_events("job.fetched")) == 1
    assert main.main(fetch) == 2 and "is there already" in capsys.readouterr().err, "never over another file"
