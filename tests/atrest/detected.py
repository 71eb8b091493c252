"""What detection meets: words, exceptions and reasons of the organisation, a text that is tried, messages with numbers
of a person that wait for somebody, are called wrong, let go, refused with a note, or sent somewhere else instead."""

import base64
import re
from typing import Final

from tests.atrest.traces import Canaries
from tests.support.forms import Person
from tests.support.house import House
from tests.support.waiting import until

#: of nobody: a number that detection takes for one of a person, and a record's
SSN: Final = "536-90-4399"
MRN: Final = "4817200653"


def detected(house: House, canaries: Canaries, staff: Person, ends: dict[str, str]) -> None:
    """`staff`: an administrator at the console; `ends` takes where its messages end."""
    new, run = canaries.new, house.carepost
    why = ("--reason", new("detected-reason"), "--org", "demo")
    run("words", "add", "word", "programme", new("own-word"), "--alone", *why)
    run("words", "add", "phrase", "footer", f"{new('own-phrase')} clinic", *why)
    run("words", "add", "sender", "letters", f"{new('own-sender')}@clinic.test", *why)
    staff.get("/detection")
    staff.post("/detection/add", {
        "what": "pattern", "name": "case", "text": new("own-pattern") + r"-\d{4}", "counts": "identifier",
        "near": new("own-keyword"), "reason": new("console-reason"),
    })  # fmt: skip
    tried = {"subject": new("tried-subject"), "text": f"{new('tried-text')}, SSN {SSN}, asthma"}
    assert "•••-••-••99" in staff.post("/detection/try", tried)
    run("rule", "add", "second", "--recipient-domain", "mtasts.test", "--level", "phi-high", "--action", "approve",
        "--words", new("rule-words"), *why)  # fmt: skip
    run("rule", "add", "elsewhere", "--recipient", "former@verified.test", "--redirect",
        f"{new('redirected-to')}@mtasts.test", *why)  # fmt: skip

    body = {
        "from": "nora.sample@clinic.test", "to": ["former@verified.test"], "subject": "x", "text": f"SSN {SSN} asthma"
    }  # fmt: skip

    def foreseen() -> bool:
        status, answer = house.request("POST", "/api/v1/protection/preview", body)
        return status == 200 and answer["deliveries"][0]["state"] == "held"

    # of the rule that was made last, and by each engine: whichever takes a connection answers
    until(lambda: all(foreseen() for _ in range(10)), within=60, what="the engines know the rules")
    released, refused, redirected = (_held(house, canaries, name) for name in ("released", "refused", "redirected"))
    _called_wrong(canaries, staff, released[0])
    staff.get(f"/held/{released[1]}")
    staff.post("/held/decide", {"delivery": released[1], "verb": "release", "reason": new("approved-reason")})
    run("held", "refuse", refused[1], "--note", new("refused-note"), *why)
    run("held", "refuse", redirected[1], *why)
    ends |= {released[0]: "sent", refused[0]: "failed", redirected[0]: "failed"}


def _held(house: House, canaries: Canaries, name: str) -> tuple[str, str]:
    """(message, delivery) of one that waits because of what it says."""
    new = canaries.new
    to = "former@verified.test" if name == "redirected" else f"{new(name + '-to')}@mtasts.test"
    file = f"SSN {SSN}\n{new(name + '-file')}".encode()
    attached = {"filename": f"{new(name + '-name')}.txt", "content_type": "text/plain", "content": _base64(file)}
    sent = house.send(
        to, subject=f"{new(name + '-subject')} {SSN}",
        text=f"{new(name + '-body')} {new(name + '-surname')}, SSN {SSN}, MRN {MRN}: asthma, metformin 500 mg.",
        attachments=[attached],
    )  # fmt: skip

    def waits() -> str:
        status, found = house.request("GET", f"/api/v1/messages/{sent['id']}")
        return found["deliveries"][0]["id"] if status == 200 and found["deliveries"][0]["state"] == "held" else ""

    return sent["id"], until(waits, within=60, what="it is held for what it says")


def _called_wrong(canaries: Canaries, staff: Person, message: str) -> None:
    shown = staff.get(f"/messages/{message}/findings")
    assert SSN not in shown and "•••-••-••99" in shown
    token = re.search(r'value="([0-9a-f]{32})" aria-label="SSN', shown)
    assert token is not None
    staff.post(f"/messages/{message}/findings", {"token": token[1]})
    report = re.search(r'action="(/detection/reports/[0-9a-f-]{36})"', staff.get("/detection/reports"))
    assert report is not None
    staff.post(report[1], {"do": "except", "reason": canaries.new("settled-reason")})
    assert "Does not count any more" in staff.text
    staff.post(report[1], {"do": "dismiss", "reason": canaries.new("undone-reason")})


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
