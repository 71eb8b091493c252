"""One question, asked in every place that answers it: API, command line, the console's page and the SMTP address; and
what then really happened to the same message. A whole home; what a compliance officer's rules say, case by case."""

import json
import re
import smtplib
import ssl
from pathlib import Path
from typing import Any

import msgspec
import pytest

from carepost.rfc import mime, words
from tests.support.house import House
from tests.support.seat import Seat
from tests.support.waiting import until

NORA = "nora.sample@clinic.test"
WHY = ("--reason", "a table")
LUNCH = "The cafeteria opens at eleven."
RESULT = "Jane Roe, MRN 00482913, born 3 March 1971: your A1c is 8.4 %, we increase metformin."
REASON = "the insurer asked for it"


class Said(msgspec.Struct, frozen=True):
    """`way`: tls | portal | held | refused; `rule`: the one that said so."""

    way: str
    rule: str


class Case(msgspec.Struct, frozen=True):
    to: str
    said: Said
    subject: str = "Lunch"
    text: str = LUNCH
    reason: str = ""


CASES = {
    "verified": Case("anna@verified.test", Said("tls", "default-floor")),
    "nobody vouches": Case("anna@selfsigned.test", Said("portal", "portal-by-mail")),
    "opt-out": Case("anna@selfsigned.test", Said("tls", "open"), subject="[open] Lunch"),
    "trigger": Case("anna@verified.test", Said("portal", "portal-by-mail"), subject="Lunch [secure]"),
    "trigger as programs write it": Case(
        "anna@verified.test", Said("portal", "portal-by-mail"), subject="Lunch [sec\u00adure\u200b\uff3d"
    ),
    "opt-out not letter by letter": Case(
        "anna@selfsigned.test", Said("portal", "portal-by-mail"), subject="[op\u00aden] Lunch"
    ),
    # it did not hold the pinned key when it was met
    "pinned partner": Case("anna@mtasts.test", Said("held", "pinned-next-hop")),
    "approval": Case("two@verified.test", Said("held", "two")),
    "a rule refuses": Case("never@verified.test", Said("refused", "never")),
    "no reason": Case("why@verified.test", Said("refused", "why")),
    "a reason": Case("why@verified.test", Said("tls", "default-floor"), reason=REASON),
    "health": Case("anna@verified.test", Said("held", "results"), subject="Your result", text=RESULT),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with House(tmp_path_factory.mktemp("preview")) as running:
        subject = ("--header", "subject", "--trigger")
        open_ = ("--sender-domain", "clinic.test", "--floor", "ENCRYPTED", "--attestation", "the person asked for it")
        running.carepost("rule", "add", "open", *subject, "--contains", "[open]", *open_, *WHY)
        running.carepost("rule", "add", "secure", *subject, "--contains", "[secure]", "--method", "portal", *WHY)
        running.carepost("rule", "add", "two", "--recipient", "two@verified.test", "--action", "approve",
                         "--approvals", "2", *WHY)  # fmt: skip
        running.carepost("rule", "add", "never", "--recipient", "never@verified.test", "--action", "refuse", *WHY)
        running.carepost("rule", "add", "why", "--recipient", "why@verified.test", "--ask-reason", *WHY)
        running.carepost("rule", "add", "results", "--level", "phi-likely", "--level", "phi-high", "--action", "hold",
                         *WHY)  # fmt: skip
        running.carepost("route", "add", "mtasts.test", "mx.mtasts.test:25", "--key", "ab" * 32, "--else-hold", *WHY)
        # the engine has met them once: a preview goes by what is known
        for domain in ("verified.test", "selfsigned.test", "mtasts.test"):
            ended(running, running.send(f"first@{domain}", subject="First", text=LUNCH)["id"])
        yield running


@pytest.fixture(scope="module")
def seat(house: House) -> Seat:
    return Seat(house)


def ended(house: House, message: str) -> dict[str, Any]:
    def state() -> Any:
        status, found = house.request("GET", f"/api/v1/messages/{message}")
        one = found["deliveries"][0] if status == 200 else {"state": ""}
        return one if one["state"] in ("sent", "deposited", "held", "failed") else None

    found: dict[str, Any] = until(state, within=60, what="the message ends")
    return found


def said(state: str, method: str, rule: str) -> Said:
    ways = {"held": "held", "failed": "refused"}
    return Said(ways.get(state, method), rule)


def body(case: Case) -> dict[str, Any]:
    return {"from": NORA, "to": [case.to], "subject": case.subject, "text": case.text} | (
        {"reason": case.reason} if case.reason else {}
    )


def by_api(house: House, case: Case) -> Said:
    status, answer = house.request("POST", "/api/v1/protection/preview", body(case))
    assert status == 200, answer
    [one] = answer["deliveries"]
    return said(one["state"], one["method"], one["rule"])


def by_command(house: House, case: Case, folder: Path) -> Said:
    text = folder / "text.txt"
    text.write_text(case.text)
    asked = ("explain", "--from", NORA, "--to", case.to, "--subject", case.subject, "--text", str(text), "--json")
    [one] = json.loads(house.carepost(*asked))
    return said(one["state"], one["method"], one["rule"])


def by_console(seat: Seat, case: Case) -> Said:
    shown = seat.post(
        "/write/look", page="/write", to=case.to, subject=case.subject, text=case.text, reason=case.reason
    ).text
    rule = re.search(r'Rule <span class="cs-mono">([^<]+)', shown)
    state = re.search(r'<span class="cs-state [^"]+">([^<]+)', shown)
    assert rule and state, shown
    ways = {"Ordinary mail over TLS": "tls", "Secure portal": "portal", "Held for a person": "held",
            "Not sent": "refused"}  # fmt: skip
    return Said(ways[state[1]], rule[1])


def submit(house: House, to: str, raw: str) -> tuple[int, str]:
    plain = ssl.create_default_context()
    plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP("127.0.0.1", house.ports["submission"], timeout=30) as peer:
        peer.starttls(context=plain)
        peer.login(house.made.smtp_username, house.made.smtp_password)
        assert (peer.mail(NORA)[0], peer.rcpt(to)[0]) == (250, 250)
        code, text = peer.data(raw)
        return code, text.decode()


def written(case: Case) -> str:
    reason = f"X-Carepost-Reason: {case.reason}\r\n" if case.reason else ""
    return f"From: {NORA}\r\nTo: {case.to}\r\nSubject: {words.encode(case.subject)}\r\n{reason}\r\n{case.text}\r\n"


def by_mail(house: House, case: Case) -> Said:
    before = len(house.mails(NORA))
    code, text = submit(house, "protection-check@clinic.test", written(case))
    assert code == 250, text
    answers = house.arrived(NORA, before + 1)
    told = next(
        found for one in sorted(answers, key=lambda one: str(one["id"]), reverse=True)
        if case.to in (found := mime.read(house.raw(one["id"])).text)
    )  # fmt: skip
    how = re.search(r"How: (.+)", told)
    rule = re.search(r"Rule: (\S+)", told)
    assert how and rule, told
    ways = {"ordinary mail over TLS": "tls", "secure portal": "portal", "would be held for a person": "held",
            "would be refused": "refused"}  # fmt: skip
    return Said(ways[how[1].strip()], rule[1])


def in_earnest(house: House, case: Case) -> Said:
    """By a mail program, as the same question was asked by one."""
    code, text = submit(house, case.to, written(case))
    if code >= 500:
        status, answer = house.request("POST", "/api/v1/messages", body(case))
        assert status == 422, answer
        return Said("refused", case.said.rule)
    found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", text)
    assert found, text
    one = ended(house, found[0])
    return said(one["state"], one["method"], one["rule"])


@pytest.mark.parametrize("name", CASES)
def test_every_place_says_what_then_happens(house: House, seat: Seat, tmp_path: Path, name: str) -> None:
    case = CASES[name]
    answers = {"api": by_api(house, case), "console": by_console(seat, case), "mail": by_mail(house, case)}
    if not case.reason:
        # the command asks about a message without header fields
        answers["command"] = by_command(house, case, tmp_path)
    assert answers == dict.fromkeys(answers, case.said)
    assert in_earnest(house, case) == case.said
