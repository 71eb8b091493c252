"""How long what is held waits, and what then, where several rules say something: the strictest of all that hold it."""

import msgspec
import pytest

from carepost.directory.scanning import INFECTED
from carepost.policy.content import ContentFacts, Malware
from carepost.policy.decide import decide
from carepost.policy.holding import then
from carepost.policy.needs import needs
from carepost.policy.types import Attachment, Deliver, Facts, Hold, Level, Need, Rule

GO = Rule("go", position=1, action="hold", held_hours=1, held_then="release")
BACK = Rule("back", position=2, action="hold", held_hours=48, held_then="refuse")
STAY = Rule("stay", position=2, action="hold", held_then="keep")
SILENT = Rule("silent", position=2, action="hold")
TWO = Rule("two", position=2, action="approve")
#: refuses what contains health information: what this one does nobody knows yet
MAYBE = Rule("maybe", position=3, action="refuse", levels=(Level.PHI_HIGH,))
#: holds nothing: a time for those that say none
TIME = Rule("time", position=3, held_hours=24, held_then="release")


def facts(*rules: Rule, **more: object) -> Facts:
    known = Facts(
        org="o", policy_version="1", sender="a@clinic.test", sender_domain="clinic.test", recipient="b@there.test",
        recipient_domain="there.test", rules=rules,
    )  # fmt: skip
    return msgspec.structs.replace(known, **more)


@pytest.mark.parametrize("turned", [False, True], ids=["in this order", "the other way round"])
@pytest.mark.parametrize(
    ("rules", "hours", "end"),
    [
        ((GO,), 1, "release"),
        ((GO, TIME), 1, "release"),
        ((GO, BACK), 48, "refuse"),
        ((GO, STAY), 0, ""),
        ((GO, SILENT), 0, "refuse"),
        ((GO, TWO), 0, "refuse"),
        ((SILENT,), 0, "refuse"),
        ((SILENT, TIME), 24, "release"),
        ((GO, SILENT, TIME), 1, "release"),
        ((BACK, STAY), 48, "refuse"),
        ((BACK, TIME), 48, "refuse"),
        ((STAY, TIME), 0, ""),
    ],
    ids=lambda v: "+".join(r.id for r in v) if isinstance(v, tuple) else None,
)
def test_the_strictest_of_all_that_hold_it(rules: tuple[Rule, ...], hours: int, end: str, turned: bool) -> None:
    if turned:
        rules = tuple(msgspec.structs.replace(r, position=9 - r.position) for r in rules)
    held = decide(facts(*rules))
    assert isinstance(held, Hold)
    assert (held.hours, then(held)) == (hours, end)


@pytest.mark.parametrize(
    ("now", "goes"),
    [((GO,), True), ((GO, SILENT), False), ((GO, STAY), False), ((BACK,), False), ((TWO,), False), ((), True)],
    ids=lambda v: "+".join(r.id for r in v) if isinstance(v, tuple) else None,
)
def test_what_waited_goes_only_where_all_that_hold_it_now_would_let_it(now: tuple[Rule, ...], goes: bool) -> None:
    assert isinstance(decide(facts(*now, waited=True)), Deliver) is goes


@pytest.mark.parametrize(
    ("now", "named", "reason"),
    [
        ((GO, STAY), "stay", "rule-holds"),
        ((GO, SILENT), "silent", "rule-holds"),
        ((GO, BACK, STAY), "back", "rule-holds"),
        ((GO, MAYBE), "maybe", "not-known-enough"),
    ],
    ids=["stay", "silent", "back", "maybe"],
)
def test_what_is_held_again_names_the_rule_that_holds_it_now(now: tuple[Rule, ...], named: str, reason: str) -> None:
    """Before its time was over the first was named; the clock is done with that one."""
    first, again = decide(facts(*now)), decide(facts(*now, waited=True))
    assert isinstance(first, Hold) and isinstance(again, Hold)
    assert (first.rule, again.rule, again.reason) == ("go", named, reason)


def test_two_who_approved_are_not_asked_for_a_hold_by_the_clock() -> None:
    assert isinstance(decide(facts(TWO, waited=True, approved=5)), Deliver)
    held = decide(facts(GO, TWO, waited=True, approved=5))
    assert isinstance(held, Hold) and held.rule == "go"


def test_what_the_scanner_found_is_never_let_go_by_the_clock() -> None:
    sick = ContentFacts(malware=Malware.INFECTED)
    held = decide(facts(TIME, INFECTED, content=sick))
    assert isinstance(held, Hold) and then(held) == "refuse"
    assert isinstance(decide(facts(GO, INFECTED, content=sick, waited=True)), Hold)


def test_content_is_looked_at_where_it_decides_what_comes_after_the_wait() -> None:
    ill = Rule("ill", levels=(Level.PHI_HIGH,), action="hold", held_then="refuse")
    one = facts(GO, ill)
    assert needs(one.rules, one) == {Need.LEVEL}
    file = Rule("file", attachments=(Attachment.MACRO,), action="hold", held_hours=1, held_then="release")
    other = facts(GO, file)
    assert needs(other.rules, other) == set()
