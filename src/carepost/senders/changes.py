"""Pure: what changed between what was last known of a domain's records and what DNS says now, and whether the domain
is protected less by it. Silence changes nothing."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from carepost.rfc import dmarc
from carepost.senders.types import Line, Part, State

#: whose values are compared too; addresses and names of addresses change their order and choice by themselves
_COMPARED: Final = frozenset({"TXT", "MX", "CNAME", "HTTPS"})
_DMARC: Final = ("none", "quarantine", "reject")
_STS: Final = ("none", "testing", "enforce")
#: what the end of an SPF record says of everybody else; "" is "+"
_SPF: Final = {"": 0, "+": 0, "?": 1, "~": 2, "-": 3}
_ALL: Final = re.compile(r"(?:^|\s)([-~?+]?)all(?:\s|$)", re.IGNORECASE)
_MODE: Final = re.compile(r"(?m)^\s*mode:[ \t]*(\w+)")


class Known(msgspec.Struct, frozen=True):
    """The state of a record that was last known. `at`: since when, UTC microseconds. `found`: the values that stood
    there, in order; None: kept by a version that did not note them."""

    state: str
    code: str
    at: int
    found: tuple[str, ...] | None = None


class Turn(msgspec.Struct, frozen=True):
    """One record that changed. `weaker`: it was right and is not, or it is still right and asks for less."""

    line: Line
    was: str
    old: tuple[str, ...]
    weaker: bool


def values(line: Line) -> tuple[str, ...]:
    return tuple(sorted(line.found))


def between(known: Mapping[str, Known], lines: Sequence[Line]) -> list[Turn]:
    """Of records that were known before and are known now."""
    found = []
    for line in lines:
        old = known.get(line.place)
        if old is None or line.state is State.UNKNOWN:
            continue
        new = values(line)
        moved = old.found is not None and line.record in _COMPARED and old.found != new
        if old.state != line.state.value or moved:
            found.append(Turn(line, old.state, old.found or (), _weaker(line, old, new)))
    return found


def _weaker(line: Line, old: Known, new: tuple[str, ...]) -> bool:
    if old.state == State.RIGHT.value and line.state is not State.RIGHT:
        return True
    if line.state is not State.RIGHT or not old.found:
        return False
    before, after = _strength(line.part, old.found), _strength(line.part, new)
    return before is not None and after is not None and after < before


def _strength(part: Part, found: Iterable[str]) -> int | None:
    """How much the record asks of others; None: it is of no kind that asks more or less."""
    text = "\n".join(found)
    if part is Part.DMARC:
        policy = dmarc.parse(text.encode())
        if policy is None or policy.p not in _DMARC:
            return None
        # t=y asks for one step less (RFC 9989 4.6)
        return max(0, _DMARC.index(policy.p) - policy.testing)
    if part is Part.MTA_STS_FILE:
        mode = _MODE.search(text)
        return _STS.index(mode[1].lower()) if mode is not None and mode[1].lower() in _STS else None
    if part in (Part.SPF, Part.RETURN_SPF):
        end = _ALL.search(text)
        return _SPF[end[1]] if end is not None else None
    return None
