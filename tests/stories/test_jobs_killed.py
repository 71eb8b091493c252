"""Work in the background whose process is killed in the middle, in a whole home: nothing is left out, and nobody gets
a message twice."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from carepost.ground import clock
from tests.support import records
from tests.support.house import House
from tests.support.waiting import until

LINES = 20_000
SENT = 120
WHY = ("--reason", "a story")


@pytest.mark.timeout(400)
def test_an_import_and_a_sending_again_go_on_where_they_were(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        file = tmp_path / "list.csv"
        file.write_text("address\n" + "".join(f"person.{n}@gone.test\n" for n in range(LINES)) + "no address\n")
        done = killed(house, ("suppression", "import", str(file), "--job"), 2)
        assert (done["made"], done["known"], done["wrong"], done["seen"]) == (LINES, 0, 1, LINES + 1)
        exported = tmp_path / "list.json"
        house.carepost("suppression", "export", str(exported))
        listed = [json.loads(line)["address"] for line in exported.read_text().splitlines()]
        assert len(listed) == len(set(listed)) == LINES
        undone = killed(house, ("suppression", "import-undo", done["id"], *WHY))
        assert undone["made"] == LINES
        # the log says of each address once that it came, and once that it went
        kinds = [event.kind for event in records.events(house)]
        assert (kinds.count("suppression.added"), kinds.count("suppression.removed")) == (LINES, LINES)

        later = {
            "from": "nora.sample@clinic.test", "to": ["one@verified.test"], "subject": "Visit", "text": "Nothing.",
            "tags": ["recall"], "send_at": clock.rfc3339(clock.now() + 5 * 86_400_000_000),
        }  # fmt: skip
        status, answer = house.request("POST", "/api/v1/messages", {"messages": [later] * SENT})
        sent = {entry["id"] for entry in answer["messages"]}
        assert status == 202 and len(sent) == SENT
        until(lambda: about(house, "message.accepted", sent) == SENT, within=60, what="they are on record")
        back = killed(house, ("job", "start", "retract", "--tag", "recall", *WHY))
        assert (back["seen"], back["made"]) == (SENT, SENT)
        until(lambda: about(house, "delivery.retracted", sent) >= SENT, within=60, what="each is on record")
        assert about(house, "delivery.retracted", sent) == SENT
        again = killed(house, ("job", "start", "resend", "--tag", "recall", *WHY), 0)
        assert (again["seen"], again["made"], again["wrong"]) == (SENT, 0, 0), "who was taken back from gets nothing"
        gone = [house.send("one@verified.test", tags=["gone"])["id"] for _ in range(3)]
        until(lambda: about(house, "delivery.sent", set(gone)) == 3, within=60, what="they came, and are on record")
        assert passed(house) == 3, "what is no longer held is counted as such"
        assert "Traceback" not in house.logs()


def about(house: House, kind: str, messages: set[str]) -> int:
    return sum(event.kind == kind and bool(messages & set(event.on)) for event in records.events(house))


def passed(house: House) -> int:
    """Messages that a sending again passed over, once their content is gone from the queue."""

    def none_made() -> dict[str, Any] | None:
        done = killed(house, ("job", "start", "resend", "--tag", "gone", *WHY), 0)
        return done if done["made"] == 0 else None

    return int(until(none_made, within=90, what="their content is gone")["wrong"])


def killed(house: House, command: tuple[str, ...], times: int = 1) -> dict[str, Any]:
    """The job that this command begins, once it is done, with its process killed in the middle so many times."""
    begun = json.loads(house.carepost(*command, "--json"))

    def view() -> dict[str, Any]:
        status, shown = house.request("GET", f"/api/v1/jobs/{begun['id']}", key=key(house))
        assert status == 200, shown
        return dict(shown)

    def further(than: int) -> dict[str, Any] | None:
        now = view()
        return now if now["seen"] > than else None

    for _ in range(times):
        found = until(partial(further, view()["seen"]), within=60, what="it is under way")
        if found["state"] == "done":
            break
        former = house.kill("journal")
        house.until_again("journal", former)
    return until(lambda: (now := view())["state"] == "done" and now, within=150, what="it is done")


def key(house: House) -> str:
    if house not in _KEYS:
        scopes = [word for one in ("jobs", "suppressions", "search") for word in ("--scope", one)]
        _KEYS[house] = json.loads(house.carepost("key", "add", "looking", *scopes, "--json"))["secret"]
    return _KEYS[house]


_KEYS: dict[House, str] = {}
