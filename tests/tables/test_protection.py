"""`protection.md` is the decision in a form a compliance officer reads; every row of it is carried out here."""

import pathlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest

from carepost.policy.decide import decide, is_look
from carepost.policy.explain import REASONS, words
from carepost.policy.types import (
    Access,
    Assurance,
    Attachment,
    ContentFacts,
    Decision,
    Deliver,
    Direction,
    Facts,
    Hold,
    Kind,
    Level,
    Malware,
    Method,
    MtaSts,
    Rule,
    Seen,
    Step,
    Ternary,
    TlsPolicy,
)

pytestmark = pytest.mark.fast

TABLE = pathlib.Path(__file__).with_name("protection.md")
REACHED = {"clear": Assurance.NONE, **{a.name.lower(): a for a in Assurance}}
COLUMNS = ("side", "asks", "rules", "secret", "tried", "then", "required", "reason")


class Row(NamedTuple):
    line: int
    side: str
    asks: str
    rules: str
    secret: str
    tried: str
    then: str
    required: str
    reason: str


def rows() -> list[Row]:
    found = []
    for number, line in enumerate(TABLE.read_text().splitlines(), 1):
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if len(cells) == len(COLUMNS) and not cells[0].startswith(("Recipient", "-")):
            found.append(Row(number, *cells))
    return found


def split(cell: str, mark: str = ",") -> list[str]:
    return [word.strip() for word in cell.split(mark) if word.strip()]


def side(cell: str) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    for word in split(cell):
        match word:
            case "unknown":
                pass
            case "lost":
                seen["weakened"] = True
            case "DANE":
                seen["dane"] = Ternary.YES
            case "MTA-STS":
                seen["mta_sts"] = MtaSts.ENFORCE
            case "once seen with TLS":
                seen["starttls"] = Ternary.YES
            case "pinned":
                facts["pinned_route"] = True
            case "S/MIME key":
                facts["smime_key"] = Ternary.YES
            case "OpenPGP key":
                facts["openpgp_key"] = Ternary.YES
            case "changed S/MIME key":
                facts["changed_keys"] = (Method.SMIME,)
            case "changed OpenPGP key":
                facts["changed_keys"] = (Method.OPENPGP,)
            case _:
                seen["tls"] = REACHED[word]
    return {"seen": Seen(**seen), **facts}


#: a Tuesday and a Sunday in winter, UTC
DAYS = {"Tuesday": datetime(2026, 11, 24, tzinfo=UTC), "Sunday": datetime(2026, 11, 22, tzinfo=UTC)}
CLEAN = ContentFacts(Level.NONE, Ternary.YES, Ternary.NO, Ternary.NO, Ternary.NO, Malware.CLEAN, Ternary.NO)
ATTACHED: dict[str, dict[str, Any]] = {
    "infected": {"malware": Malware.INFECTED},
    "unscanned": {"malware": Malware.UNAVAILABLE},
    "clean": {},
    "nothing": {"attached": Ternary.NO},
    "macro": {"macro": Ternary.YES},
    "encrypted": {"encrypted": Ternary.YES},
    "mismatch": {"mismatch": Ternary.YES},
}
CONDITION = re.compile(r"(?P<says>.*?)(?: when (?P<when>.*?))?(?P<open> \(fails open\))?(?P<attested> attested)?")


def asks(cell: str) -> dict[str, Any]:
    """Of the message: what it asks for, and what is known of it."""
    facts: dict[str, Any] = {}
    for piece in split(cell, ";"):
        facts |= asked(piece)
    return facts


def asked(piece: str) -> dict[str, Any]:
    name, _, rest = piece.partition(" ")
    match name, rest:
        case "notice" | "report", "":
            return {"kind": Kind.NOTICE if name == "notice" else Kind.DSN}
        case "at", _ if rest.startswith("least "):
            return {"asked_floor": Assurance[rest.removeprefix("least ")]}
        case "only", _:
            return {"asked_methods": tuple(Method(m) for m in split(rest))}
        case "outbound" | "inbound" | "internal", "":
            return {"direction": Direction(name)}
        case "subject", _:
            written = re.sub("<U[+]([0-9A-F]{4})>", lambda m: chr(int(m[1], 16)), rest)
            return {"headers": (("subject", written), ("x-secure", ""))}
        case "header" | "size" | "time" | "content", "?":
            return {}
        case "header", _:
            field, _, value = rest.partition(" ")
            return {"headers": ((field, value),)}
        case _, "octets":
            return {"size": int(name)}
        case "on", _:
            day, _, moment = rest.partition(" at ")
            hour, minute = moment.split(":")
            at = DAYS[day] + timedelta(hours=int(hour), minutes=int(minute))
            return {"at": int(at.timestamp()) * 1_000_000}
        case "contains", _ if rest.endswith(" bulk"):
            inside = msgspec.structs.replace(CLEAN, level=Level(rest.removesuffix(" bulk")), bulk=Ternary.YES)
            return {"content": inside}
        case "contains", _:
            return {"content": msgspec.structs.replace(CLEAN, level=Level(rest))}
        case "attached", _:
            return {"content": msgspec.structs.replace(CLEAN, **ATTACHED[rest])}
        case "with", "a reason":
            return {"reasoned": True}
        case "approved", _:
            return {"approved": int(rest.removeprefix("by "))}
        case "released", "":
            return {"released": True}
    raise AssertionError(piece)


SCOPES: dict[str, dict[str, str]] = {
    "organisation": {},
    "unit": {"unit": "Heart", "sender_domain": "clinic.test"},
    "sender domain": {"sender_domain": "clinic.test"},
    "sender": {"sender": "ann@clinic.test"},
    "other sender": {"sender": "bob@clinic.test"},
    "recipient domain": {"recipient_domain": "verified.test"},
    "recipient": {"recipient": "pat@verified.test"},
}


def rules(cell: str) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    found: list[Rule] = []
    for number, word in enumerate(split(cell, ";")):
        default, colon, said = word.partition(" default: ")
        changes: dict[str, Any] = {"setting": True, **SCOPES[default]} if colon else {}
        name, _, rest = word.partition(" ")
        match name, rest:
            case "by", "mail":
                found.append(Rule("portal-by-mail", portal_by_mail=True))
            case "other", "recipient MESSAGE":
                found.append(Rule("other", recipient="someone@else.test", floor=Assurance.MESSAGE))
            case "organisation", _ if not colon:
                facts["org_floor"] = Assurance[rest]
            case "suppressed", _:
                facts["suppressed"] = Ternary.YES
            case "suppression", _:
                facts["suppressed"] = Ternary.UNKNOWN
            case _:
                found.append(Rule(f"rule-{number}", **one(said if colon else word), **changes))
    return {"rules": tuple(found), **facts}


def one(text: str) -> dict[str, Any]:
    """The fields of one rule: what it says, when it applies, whether it is attested."""
    parts = CONDITION.fullmatch(text)
    assert parts is not None
    says, given = parts["says"], parts["when"]
    attested = " attested" in text
    says = says.replace(" attested", "")
    made: dict[str, Any] = {"attestation": "recorded"} if attested else {}
    made |= {"skip_unknown": True} if parts["open"] else {}
    name, _, rest = says.partition(" ")
    match name, rest:
        case "floor", _:
            made["floor"] = Assurance[rest]
        case "tls", _:
            made["tls_policy"] = TlsPolicy(rest)
        case "only", _:
            made["methods"] = tuple(Method(m) for m in split(rest))
        case "ask", "for a reason":
            made["ask_reason"] = True
        case "approve", _:
            made |= {"action": "approve", "approvals": int(rest.removeprefix("by ") or 1)}
        case "warn", "":
            made["warn"] = True
        case "strip", "tracking":
            made["strip_tracking"] = True
        case _:
            made["action"] = name
    return made | (when(given) if given else {})


def when(text: str) -> dict[str, Any]:
    name, _, rest = text.partition(" ")
    if name in tuple(Direction):
        return {"direction": name}
    if name == "subject":
        return {"header": "Subject", "contains": rest}
    if name == "field":
        return {"header": rest}
    if name == "over":
        return {"size_over": int(rest.split()[0])}
    words_ = split(text.replace(" or ", ","))
    if all(w in tuple(Level) for w in words_):
        return {"levels": tuple(Level(w) for w in words_)}
    if all(w in tuple(Attachment) for w in words_):
        return {"attachments": tuple(Attachment(w) for w in words_)}
    return {"hours": text}


def tried(cell: str) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    exhausted = []
    for word in split(cell):
        if word.startswith("uncertain by "):
            facts["bound_to"] = Method(word.removeprefix("uncertain by "))
        elif word.startswith("tls reached "):
            exhausted.append(Method.TLS)
            facts["last_achieved"] = REACHED[word.removeprefix("tls reached ")]
        else:
            exhausted.append(Method(word.split()[0]))
    return {"exhausted": tuple(exhausted), **facts}


def facts_of(row: Row) -> Facts:
    return Facts(
        org="demo",
        policy_version="7",
        sender="ann@clinic.test",
        sender_domain="clinic.test",
        recipient="pat@verified.test",
        recipient_domain="verified.test",
        access=Access(row.secret or "none"),
        available=tuple(Method),
        **side(row.side),
        **asks(row.asks),
        **rules(row.rules),
        **tried(row.tried),
    )


def told(step: Step) -> str:
    if is_look(step):
        return "look"
    match step.method:
        case Method.TLS:
            return f"tls {step.floor.name}"
        case Method.PORTAL:
            return "portal+mail" if step.floor is Assurance.MAILBOX else "portal+secret"
        case _:
            assert step.floor is Assurance.MESSAGE
            return step.method.value


def answer(decision: Decision) -> tuple[str, str, str]:
    if isinstance(decision, Deliver):
        plan = decision.plan
        return " > ".join(map(told, plan.steps)), plan.floor.name, plan.reason
    return ("hold" if isinstance(decision, Hold) else "refuse"), "", decision.reason


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"line-{row.line}")
def test_the_decision_is_as_the_table_says(row: Row) -> None:
    facts = facts_of(row)
    decision = decide(facts)
    assert answer(decision) == (row.then, row.required, row.reason)
    shown = words(decision, facts)
    assert REASONS[row.reason] in shown
    assert "pat@" not in shown and "ann@" not in shown


def test_the_rule_that_opened_the_portal_is_named() -> None:
    """DESIGN 3: every decision that rests on `portal-by-mail` names it."""
    for row in rows():
        decision = decide(facts_of(row))
        if row.then.startswith("portal+mail") and isinstance(decision, Deliver):
            assert decision.plan.rule == decision.plan.steps[0].rule == "portal-by-mail"
            assert "portal-by-mail" in decision.plan.words


def test_the_table_tells_every_reason() -> None:
    assert len(rows()) > 80
    assert {row.reason for row in rows()} == set(REASONS)
