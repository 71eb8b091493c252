"""Whether somebody is spoken of beside a number or a code that nothing names: by a name, as a patient, by a number."""

import bisect
import re

from carepost.phi import heads, lists
from carepost.phi.fold import Look
from carepost.phi.marks import Keys

_PAIR = re.compile(
    r"(?<![A-Za-z])([A-Z][a-z'-]{1,24}|[A-Z]{2,20}|[A-Z]\.),? (?:[A-Z]\.? )?"
    r"([A-Z][a-z'-]{1,24}|[A-Z]{2,20})(?![a-z0-9])"
)
#: how somebody is spoken of
_SIR = re.compile(r"(?<![a-z])(?:mr|mrs|ms|dr)(?![a-z])")
_PT = re.compile(r"(?<![a-z])(?:pts?|bene|yo|y/o)(?![a-z])")
#: a sign before a code, or who it is for after it
_APART, _FOR_ONE = re.compile(r"(?:^|[^A-Za-z0-9\s'] ?|[\n\t])$"), re.compile(r" (?:for|on|to) (?:[A-Z][a-z]|my |our )")


def somebody(look: Look, begin: int, stop: int) -> bool:
    """Whether what may be somebody's name stands in a stretch of text."""
    no_name = lists.not_surnames()
    return any(
        pair[1].lower() not in no_name and pair[2].lower() not in no_name
        for pair in _PAIR.finditer(look.text, begin, stop)
    )


def name(look: Look, keys: Keys, start: int, end: int, around: tuple[int, int]) -> bool:
    """Whether a code with its point is of somebody: a number of a person or a word for a patient stands beside it, or
    a name does and the code is no part of a sentence."""
    if patient(look, keys, around):
        return True
    if not (_APART.search(look.text, max(0, start - 3), start) or _FOR_ONE.match(look.text, end)):
        found = heads.head(look, start)
        if found.of is not heads.Of.PERSON or found.word not in lists.given_names():
            return False
    return bool(_SIR.search(look.low, *around)) or somebody(look, *around)


def patient(look: Look, keys: Keys, around: tuple[int, int]) -> bool:
    """Whether a patient is spoken of, or a number of one or of who cares for one stands there."""
    index = bisect.bisect_left(keys.people, around[0])
    return (
        keys.in_name
        or (index < len(keys.people) and keys.people[index] <= around[1])
        or bool(keys.near("name", *around, 0) or _PT.search(look.low, *around))
    )
