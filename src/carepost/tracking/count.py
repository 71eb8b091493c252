"""What is counted: stored verdicts under the account's switch, for the past as for today."""

from collections.abc import Iterable

from carepost.tracking.types import COUNTED, Counts, Kind, Ruling, Switch, Verdict


def count(verdicts: Iterable[Verdict], switch: Switch, kind: Kind) -> Counts:
    """All hits of one kind by verdict, and how many the switch counts. The decoy never counts: no person sees it."""
    by = dict.fromkeys(Ruling, 0)
    counted = 0
    for verdict in verdicts:
        if verdict.kind != kind:
            continue
        by[verdict.verdict] += 1
        counted += verdict.verdict in COUNTED[switch] and verdict.role != "decoy"
    total = sum(by.values())
    return Counts(total, by[Ruling.AUTOMATED], by[Ruling.UNDETERMINED], by[Ruling.HUMAN], counted)


def happened(verdicts: Iterable[Verdict], switch: Switch, kind: Kind) -> bool:
    """Whether the copy counts as opened, or as clicked. A click that counts is an open that counts: it needs one."""
    kinds = ("open", "click") if kind == "open" else ("click",)
    return any(v.kind in kinds and v.role != "decoy" and v.verdict in COUNTED[switch] for v in verdicts)
