"""Two people at the console of a whole house approve one message: each once, the sender not at all, and no key; what
one of them refuses comes back to its sender with a note."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.house import House
from tests.support.seat import Seat, second_seat
from tests.support.visitor import Shown
from tests.support.waiting import until

NORA = "nora.sample@clinic.test"
WHY = ("--reason", "a story")


def words(shown: Shown) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", shown.text).split())


def delivery(house: House, message: str) -> dict[str, Any]:
    status, found = house.request("GET", f"/api/v1/messages/{message}")
    return dict(found["deliveries"][0]) if status == 200 else {"state": ""}


def foreseen(house: House) -> str:
    asked = {"from": NORA, "to": ["two@verified.test"], "subject": "Question", "text": "Hello."}
    status, answer = house.request("POST", "/api/v1/protection/preview", asked)
    return str(answer["deliveries"][0]["state"]) if status == 200 else ""


def waits(house: House, **more: Any) -> tuple[str, str]:
    """(message, delivery) of one that is held."""
    sent = house.send("two@verified.test", **more)
    until(lambda: delivery(house, sent["id"])["state"] == "held", within=40, what="it is held")
    return sent["id"], sent["deliveries"][0]["id"]


def decide(seat: Seat, one: str, verb: str, **more: str) -> Shown:
    return seat.post("/held/decide", page=f"/held/{one}", delivery=one, verb=verb, reason="looked at it", **more)


@pytest.mark.timeout(300)
def test_two_people_approve_and_one_refuses(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        ada = Seat(house)
        ben = second_seat(house)
        house.carepost("rule", "add", "two", "--recipient", "two@verified.test", "--action", "approve",
                       "--approvals", "2", *WHY)  # fmt: skip
        until(lambda: foreseen(house) == "held", within=40, what="the engine knows the rule")

        message, one = waits(house)
        first = decide(ada, one, "release")
        assert "another person must approve it too" in words(first if first.status == 200 else ada.get(f"/held/{one}"))
        decide(ada, one, "release")
        house.carepost("held", "release", one, *WHY, code=1)
        assert house.request("POST", f"/api/v1/held/{one}/release", {"reason": "a key"})[0] in (403, 409)
        assert delivery(house, message)["state"] == "held" and not house.mails("two@verified.test")
        decide(ben, one, "release")
        until(lambda: delivery(house, message)["state"] == "sent", within=40, what="it goes")
        assert len(house.arrived("two@verified.test")) == 1

        # the sender's own message: she may not be one of the two
        typed = {"to": "two@verified.test", "subject": "My own", "text": "Nothing real."}
        sent = ada.post("/write", page="/write", do="send", **typed)
        assert sent.status == 302, words(sent)
        own = sent.fields["location"].rsplit("/", 1)[1]
        until(lambda: delivery(house, own)["state"] == "held", within=40, what="hers is held")
        mine = delivery(house, own)["id"]
        decide(ada, mine, "release")
        decide(ben, mine, "release")
        assert delivery(house, own)["state"] == "held", "one of two, and the other one is its sender"

        refused, two = waits(house, subject="Quillfeather results")
        decide(ben, two, "refuse", note="Use the results desk instead.")
        until(lambda: delivery(house, refused)["state"] == "failed", within=40, what="it is refused")
        reports = [house.raw(one["id"]).decode() for one in house.arrived(NORA)]
        [report] = [" ".join(one.split()) for one in reports if "results desk" in one]
        assert "Quillfeather" not in report and "looked at it" not in report
