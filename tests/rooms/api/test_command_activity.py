"""`carepost message` and `carepost arrived`: what is found, and that each look is on record as in the console."""

import json
import uuid
from typing import Any

import pytest

from carepost.cli import main
from carepost.cli.office import entry
from carepost.proof import kinds
from carepost.tenancy import scope
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])


@pytest.fixture(autouse=True)
def _inside(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Inside Django already, on the test's own home."""
    monkeypatch.setattr(entry.boot, "setup", lambda *_, **__: None)
    with scope.every("the test's own eyes"):
        yield


def test_messages_are_found_and_the_look_is_on_record(cast: Any, outbox: Outbox, capsys: Any) -> None:
    message, (delivery,) = outbox.accepted(cast.maple, ("jane@patient.test",), subject="Knee results", tags=("knee",))
    outbox.sent(cast.maple, message, delivery)
    outbox.accepted(cast.maple, ("joan@patient.test",), subject="Hip results")
    outbox.accepted(cast.harbour, ("jane@patient.test",), subject="Knee of another house")
    outbox.commit()
    said = ["message", "search", "--org", "maple", "--json"]
    assert main.main([*said, "--recipient", "jane@patient.test", "--state", "sent"]) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert (found["id"], found["to"]) == (str(uuid.UUID(bytes=message)), ["jane@patient.test:sent"])
    [event] = office_events(kinds.MESSAGE_SEARCHED)
    assert (event.actor.kind, event.actor.id) == ("system", "command-line") and list(event.on) == [found["id"]]
    assert main.main([*said, "--tag", "hip"]) == 0 and json.loads(capsys.readouterr().out) == []
    assert main.main(["message", "search", "--org", "maple", "--subject", "results"]) == 0
    assert capsys.readouterr().out.count("results") == 2
    outbox.add(cast.maple, kinds.DELIVERY_INSPECTED, [message, delivery], facts={"content": "phi-high"})
    outbox.commit()
    assert main.main([*said, "--content", "phi-high,phi-likely"]) == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)] == [found["id"]]
    assert main.main([*said, "--engaged", "opened"]) == 0 and json.loads(capsys.readouterr().out) == []
    for wrong, mend in ((["--content", "phi"], "phi-likely"), (["--engaged", "yes"], "not-clicked")):
        assert main.main([*said, *wrong]) == 2 and mend in capsys.readouterr().err
    assert main.main([*said, "--since", "yesterday"]) == 2 and "its zone" in capsys.readouterr().err


def test_did_it_arrive(cast: Any, outbox: Outbox, capsys: Any) -> None:
    message, (delivery,) = outbox.accepted(cast.maple, ("jane@patient.test",))
    outbox.sent(cast.maple, message, delivery)
    outbox.commit()
    assert main.main(["arrived", "jane@patient.test", "--org", "maple"]) == 0
    said = capsys.readouterr().out
    assert "accepted by mx.patient.test" in said and "Nobody can know: " in said
    assert len(office_events(kinds.MESSAGE_VIEWED)) == 1 and len(office_events(kinds.MESSAGE_SEARCHED)) == 1
    assert main.main(["arrived", "jane@patient.test", "--org", "maple", "--json"]) == 0
    [one] = json.loads(capsys.readouterr().out)["answers"]
    assert (one["delivery"], one["verdict"]) == (str(uuid.UUID(bytes=delivery)), "accepted")
    assert main.main(["arrived", "joan@patient.test", "--org", "maple"]) == 0
    assert "no record" in capsys.readouterr().out
    assert main.main(["arrived", "patient.test", "--org", "maple"]) == 2


def test_sending_again_says_who_is_left_out(cast: Any, outbox: Outbox, capsys: Any) -> None:
    message, (delivery,) = outbox.accepted(cast.maple)
    outbox.deferred(cast.maple, message, delivery)
    outbox.commit()
    asked = ["message", "resend", str(uuid.UUID(bytes=message)), "--org", "maple", "--reason", "lost"]
    assert main.main(asked) == 0
    assert "Nobody was left" in capsys.readouterr().out
    assert main.main([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["left_out"] == {str(uuid.UUID(bytes=delivery)): "deferred"}
    assert main.main([*asked[:2], "none", *asked[3:]]) == 2
