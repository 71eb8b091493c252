"""What Gmail, Yahoo and Microsoft ask of whoever sends much (standards 2.4, BS-01): one row, one state of things, and
what is said of one rule. A compliance officer reads the first column and the last two."""

from typing import NamedTuple

import msgspec
import pytest

from carepost.senders import bulk
from carepost.senders.bulk import Evidence, Judged, Volume
from carepost.senders.types import Line, Part, State

pytestmark = pytest.mark.fast


def line(part: Part, state: State = State.RIGHT, code: str = "right", **more: object) -> Line:
    given = {"todo": "Mend it.", "phase": "active" if part is Part.DKIM else ""} | more
    return Line(part, f"{part.value}.clinic.test", "TXT", state, code, "Why.", **given)  # type: ignore[arg-type]


GOOD = (
    line(Part.SPF), line(Part.DKIM), line(Part.DMARC, code="none", found=("v=DMARC1; p=none",)), line(Part.RETURN_SPF),
    line(Part.REVERSE), line(Part.HELO),
)  # fmt: skip
WELL = Evidence(
    "clinic.test", GOOD, looked=True, unsubscribe="https://portal.clinic.test",
    volumes={"gmail": Volume(9_000, 90_000, 0), "yahoo": Volume(900, 10_000, 5)},
)  # fmt: skip


class Row(NamedTuple):
    what: str
    evidence: Evidence
    provider: str
    rule: str
    state: str


def but(*changed: Line, **more: object) -> Evidence:
    parts = {one.part for one in changed}
    lines = (*(one for one in GOOD if one.part not in parts), *changed)
    return msgspec.structs.replace(WELL, lines=lines, **more)


G, Y, M = "gmail", "yahoo", "microsoft-consumer"
MISSING, DIFFERENT, UNKNOWN = State.MISSING, State.DIFFERENT, State.UNKNOWN
ROWS = [
    Row("SPF is right at the domain and the return path", WELL, G, "spf", "met"),
    Row("the return path has no SPF", but(line(Part.RETURN_SPF, MISSING, "missing")), G, "spf", "not-met"),
    Row("SPF does not name us", but(line(Part.SPF, DIFFERENT, "without-us")), M, "spf", "not-met"),
    Row("name servers are silent about SPF", but(line(Part.SPF, UNKNOWN, "no-answer")), Y, "spf", "unknown"),
    Row("every key that signs is in DNS", WELL, Y, "dkim", "met"),
    Row("one key that signs is missing", but(line(Part.DKIM), line(Part.DKIM, MISSING, "missing")),
        Y, "dkim", "not-met"),
    Row("the next key is not in DNS yet", but(line(Part.DKIM), line(Part.DKIM, MISSING, "missing", phase="next")),
        Y, "dkim", "met"),
    Row("a former key is gone", but(line(Part.DKIM), line(Part.DKIM, MISSING, "missing", phase="old", needed=False)),
        Y, "dkim", "met"),
    Row("DMARC with p=none suffices", WELL, G, "dmarc", "met"),
    Row("no DMARC", but(line(Part.DMARC, MISSING, "missing")), M, "dmarc", "not-met"),
    Row("name servers are silent about DMARC", but(line(Part.DMARC, UNKNOWN, "no-answer")), M, "dmarc", "unknown"),
    Row("signatures are of the From domain", WELL, G, "aligned", "met"),
    Row("strict SPF alignment fails, DKIM still aligns", but(line(Part.DMARC, DIFFERENT, "not-aligned")),
        G, "aligned", "met"),
    Row("without a right key nothing aligns", but(line(Part.DKIM, MISSING, "missing")), G, "aligned", "not-met"),
    Row("names lead back", WELL, Y, "reverse", "met"),
    Row("an address has no name", but(line(Part.REVERSE, MISSING, "missing")), G, "reverse", "not-met"),
    Row("no address is known", but(line(Part.REVERSE, UNKNOWN), line(Part.HELO, UNKNOWN)), G, "reverse", "unknown"),
    Row("mail always goes over TLS", WELL, G, "tls", "met"),
    Row("marketing mail has one click (RFC 8058)", WELL, G, "one-click", "met"),
    Row("no portal, no link", but(unsubscribe=""), Y, "one-click", "not-met"),
    Row("a link without TLS", but(unsubscribe="http://portal.clinic.test"), Y, "one-click", "not-met"),
    Row("Gmail tells the spam rate nobody but there", WELL, G, "complaints", "unknown"),
    Row("5 complaints of 10,000", WELL, Y, "complaints", "met"),
    Row("20 complaints of 10,000: met, with advice", but(volumes={Y: Volume(900, 10_000, 20)}), Y, "complaints", "met"),
    Row("30 complaints of 10,000 (BS-02)", but(volumes={Y: Volume(900, 10_000, 30)}), Y, "complaints", "not-met"),
    Row("no complaint: none, or no loop", but(volumes={Y: Volume(900, 10_000, 0)}), Y, "complaints", "unknown"),
    Row("complaints about mail of before", but(volumes={Y: Volume(0, 0, 3)}), Y, "complaints", "unknown"),
    Row("no day says anything", but(volumes={Y: Volume(90, 900, 9)}), Y, "complaint-day", "unknown"),
    Row("the worst day had 0.05 %", but(volumes={Y: Volume(9, 90_000, 5, 0.0005, "2026-11-20")}),
        Y, "complaint-day", "met"),
    Row("the worst day had 0.2 %: met, with advice", but(volumes={Y: Volume(9, 90_000, 5, 0.002, "2026-11-20")}),
        Y, "complaint-day", "met"),
    Row("a day reached 0.3 % (BS-02)", but(volumes={Y: Volume(9, 90_000, 5, 0.003, "2026-11-20")}),
        Y, "complaint-day", "not-met"),
    Row("nothing is counted", but(volumes=None), M, "complaints", "unknown"),
    Row("From is our own domain", WELL, G, "own-domain", "met"),
    Row("From is gmail.com", but(domain="gmail.com"), G, "own-domain", "not-met"),
    Row("From is a Yahoo country", but(domain="yahoo.co.uk"), M, "own-domain", "not-met"),
    Row("a name that only looks like it", but(domain="notgmail.com"), G, "own-domain", "met"),
    Row("messages are well formed", WELL, G, "format", "met"),
    Row("Feedback-ID names the campaign", WELL, G, "feedback-id", "met"),
    Row("nobody looked at DNS yet", Evidence("clinic.test"), G, "dkim", "unknown"),
]  # fmt: skip


def judged(row: Row) -> Judged:
    return next(one for one in bulk.judge(row.evidence) if (one.provider, one.rule) == (row.provider, row.rule))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_what_is_said_of_a_rule(row: Row) -> None:
    found = judged(row)
    assert found.state.value == row.state
    assert found.evidence and (found.state is not bulk.Met.NOT or found.todo), "evidence always, and what to do"


def test_advice_stands_beside_what_is_met() -> None:
    row = next(row for row in ROWS if row.what.startswith("20 complaints"))
    assert "0.20%" in judged(row).evidence and judged(row).todo


def test_who_is_a_bulk_sender() -> None:
    assert [bulk.applies(WELL, one) for one in (G, Y, M)] == [True, False, False]
    assert bulk.applies(but(volumes=None), G) is None


def test_every_provider_is_asked_the_same_and_says_where_it_says_so() -> None:
    rules = {
        provider: [one.rule for one in bulk.judge(WELL) if one.provider == provider] for provider in bulk.PROVIDERS
    }
    assert rules[Y] == rules[M] and rules[G] == [*rules[Y], "feedback-id"]
    assert bulk.SOURCES.keys() == bulk.PROVIDERS.keys()
    assert not [one for one in bulk.judge(WELL) if one.state is bulk.Met.NOT]


def test_who_enrols_in_a_feedback_loop_is_told_the_address_that_is_read() -> None:
    """Another address takes no complaint: it would be refused at the MX."""
    for path, said in (
        (line(Part.RETURN_MX), "feedback@return-mx.clinic.test"),
        (line(Part.RETURN_MX, MISSING, "not-set"), "once a return path is set"),
    ):
        for provider in (Y, M):
            rule = judged(Row("", but(path, volumes={}), provider, "complaints", ""))
            assert said in rule.todo, rule.todo
