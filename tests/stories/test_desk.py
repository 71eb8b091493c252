"""A person at the console of a whole house: what they wrote outlives the process they wrote it to, and the words their
organisation looks for hold what they send until somebody has looked."""

import json
import re
from pathlib import Path

import pytest

from tests.support.house import House
from tests.support.seat import Seat
from tests.support.waiting import until

WHY = ("--reason", "a story")
TO = "anna@dane.test"
#: an invented place whose name alone tells what somebody is treated for
WORD = "Heronfall"
TEXT = f"Dear Anna Finch, your bed at {WORD} is ready on Monday."


def fields(page: str) -> dict[str, str]:
    """What stands in the form of the page "Write"."""
    found = dict(re.findall(r'name="(draft|subject)"[^>]*value="([^"]*)"', page))
    text = re.search(r'<textarea name="text"[^>]*>\s*(.*?)</textarea>', page, re.DOTALL)
    return {**found, "text": text[1].strip() if text else ""}


def state(house: House, message: str) -> str:
    status, answer = house.request("GET", f"/api/v1/messages/{message}")
    return str(answer["deliveries"][0]["state"]) if status == 200 else ""


@pytest.mark.timeout(300)
def test_a_draft_outlives_the_console_and_an_own_word_holds_it(tmp_path: Path) -> None:
    house = House(tmp_path)
    with house:
        seat = Seat(house)
        house.carepost("words", "add", "word", "place", WORD, "--alone", *WHY)
        house.carepost("rule", "add", "--level", "phi-likely", "--level", "phi-high", "--action", "hold", *WHY, "look")
        typed = seat.post("/write/look", page="/write", to=TO, subject="A bed", text=TEXT)
        draft = typed.fields["carepost-draft"]

        house.until_again("staff", house.kill("staff"))
        kept = fields(seat.get(f"/write/{draft}").text)
        assert kept == {"draft": draft, "subject": "A bed", "text": TEXT}, "after SIGKILL, in the same session"
        assert WORD.encode() not in b"".join(path.read_bytes() for path in house.path.rglob("*") if path.is_file())

        sent = seat.post("/write", page=f"/write/{draft}", to=TO, subject="A bed", text=TEXT, draft=draft, do="send")
        assert sent.status == 302, sent.text
        message = sent.fields["location"].rsplit("/", 1)[1]
        # accepted, and perhaps not looked into yet
        house.until_again("engine", house.kill("engine"))
        until(lambda: state(house, message) == "held", within=60, what="the rule holds what names the place")
        assert not house.mails(TO)
        assert seat.get(f"/write/{draft}").status == 404, "sent, so no draft any more"
        again = seat.post("/write", page="/write", to=TO, subject="A bed", text=TEXT, draft=draft, do="send")
        assert again.fields["location"] == sent.fields["location"], "an old tab sends nothing twice"
        again = seat.post("/write", page="/write", to=TO, subject="Another", text=TEXT, draft=draft, do="send")
        assert again.status == 422 and "sent already" in again.text, "nor something else under the same draft"

        _call_it_wrong(house, seat, message)

        def passes() -> bool:
            sent = seat.post("/write", page="/write", to=TO, subject="A bed again", text=TEXT, do="send")
            assert sent.status == 302
            message = sent.fields["location"].rsplit("/", 1)[1]
            until(lambda: state(house, message) in {"held", "sent"}, within=60, what="it is decided")
            return state(house, message) == "sent"

        # engines learn of new exceptions shortly after they are made
        until(passes, within=30, what="what was called wrong holds nothing any more")
        (mail,) = house.arrived(TO)
        assert WORD.encode() in house.raw(mail["id"])
        house.carepost("audit", "verify")
        assert "Traceback" not in house.logs() and WORD not in house.logs()


def _call_it_wrong(house: House, seat: Seat, message: str) -> None:
    """At the console; the exception is made by command."""
    page = seat.get(f"/messages/{message}/findings").text
    tokens = re.findall(r'name="token" value="([0-9a-f]+)"', page)
    assert tokens and WORD not in page, "masked"
    for token in tokens:
        assert seat.post(f"/messages/{message}/findings", token=token).status == 302
    for report in json.loads(house.carepost("words", "reports", "--json")):
        house.carepost("words", "except", report["id"], *WHY)
