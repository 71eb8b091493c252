"""The page on which an organisation publishes the keys of its log (`/.well-known/carepost-log`): a verifier key a line,
the earlier ones too, each after a comment that says from which event on, and up to which, it signs.

    # since 0 at 2026-11-22T05:00:00.000000Z until 1200 at 2027-11-22T05:00:00.000000Z
    carepost/<org>+<hash>+<key>

A reader that knows no such comments passes over them. Numbers are leaves of the log: a key that is retired `until 1200`
signed no checkpoint of more than 1200."""

import re
from collections.abc import Iterable

import msgspec

from carepost.ground.clock import rfc3339
from carepost.proof.note import VerifierKey

_TERM = re.compile(r"# since (\d{1,18}) at \S{1,40}(?: until (\d{1,18}) at \S{1,40})?")


class Published(msgspec.Struct, frozen=True):
    key: VerifierKey
    #: leaves of the log before its first checkpoint, and of its last one; None: it still signs, or nothing is said
    since: int = 0
    until: int | None = None


class Term(msgspec.Struct, frozen=True):
    """When a key began to sign, for the page: text of the key, leaves before it, UTC microseconds."""

    key: str
    since: int
    at: int


def page(logs: Iterable[list[Term]]) -> str:
    """`logs`: the keys of each log, the first one first."""
    lines: list[str] = []
    for terms in logs:
        for term, later in zip(terms, [*terms[1:], None], strict=True):
            said = f"# since {term.since} at {rfc3339(term.at)}"
            if later is not None:
                said += f" until {later.since} at {rfc3339(later.at)}"
            lines += (said, term.key)
    return "".join(f"{line}\n" for line in lines)


def read(text: str | None) -> list[Published]:
    """Empty lines, and comments that say nothing of a term, are passed over. Raises NoteError."""
    found: list[Published] = []
    since, until = 0, None
    for line in (text or "").splitlines():
        if not (line := line.strip()):
            continue
        if line.startswith("#"):
            said = _TERM.fullmatch(line)
            if said is not None:
                since, until = int(said[1]), int(said[2]) if said[2] else None
            continue
        found.append(Published(VerifierKey.parse(line), since, until))
        since, until = 0, None
    return found
