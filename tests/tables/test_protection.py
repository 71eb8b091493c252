"""`protection.md` is the decision in a form a compliance officer reads; every row of it is carried out here."""

import pathlib
from typing import Any, NamedTuple

import pytest

from carepost.policy.decide import decide, is_look
from carepost.policy.explain import REASONS, words
from carepost.policy.types import (
    Access,
    Assurance,
    Decision,
    Deliver,
    Facts,
    Hold,
    Kind,
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
            case _:
                seen["tls"] = REACHED[word]
    return {"seen": Seen(**seen), **facts}


def asks(cell: str) -> dict[str, Any]:
    if cell in ("notice", "report"):
        return {"kind": Kind.NOTICE if cell == "notice" else Kind.DSN}
    if cell.startswith("at least "):
        return {"asked_floor": Assurance[cell.removeprefix("at least ")]}
    if cell.startswith("only "):
        return {"asked_methods": tuple(Method(m) for m in split(cell.removeprefix("only ")))}
    assert not cell
    return {}


def rules(cell: str) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    found: list[Rule] = []
    for number, word in enumerate(split(cell, ";")):
        name, _, rest = word.partition(" ")
        identity = f"rule-{number}"
        match name, rest:
            case "by", "mail":
                found.append(Rule("portal-by-mail", portal_by_mail=True))
            case "floor", _:
                level, _, attested = rest.partition(" ")
                found.append(Rule(identity, floor=Assurance[level], attestation=attested))
            case "tls", _:
                found.append(Rule(identity, tls_policy=TlsPolicy(rest)))
            case "only", _:
                found.append(Rule(identity, methods=tuple(Method(m) for m in split(rest))))
            case "other", _:
                found.append(Rule(identity, recipient="someone@else.test", floor=Assurance.MESSAGE))
            case "organisation", _:
                facts["org_floor"] = Assurance[rest]
            case "suppressed", _:
                facts["suppressed"] = Ternary.YES
            case "suppression", _:
                facts["suppressed"] = Ternary.UNKNOWN
            case _:
                found.append(Rule(identity, action=name))
    return {"rules": tuple(found), **facts}


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
