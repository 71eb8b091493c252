"""Questions to DNS as values: whoever evaluates (SPF, DKIM, DMARC) yields a Question and is sent a Found; whoever has a
resolver answers. So each evaluation is a pure course of questions, the same for the engine, a page and a test."""

import enum
from collections.abc import Callable, Generator
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Record(enum.StrEnum):
    TXT = "TXT"
    A = "A"
    AAAA = "AAAA"
    MX = "MX"
    PTR = "PTR"
    CNAME = "CNAME"
    #: no record of DNS: the MTA-STS policy of a domain as HTTPS serves it (RFC 8461 3.3), one text
    POLICY = "POLICY"


class Question(msgspec.Struct, frozen=True):
    """`name` without its last dot. A PTR is asked by the reverse name. `fresh`: what is remembered does not do."""

    record: Record
    name: str
    fresh: bool = False


class Found(msgspec.Struct, frozen=True):
    """`texts`: of TXT, the strings of a record joined. `names`: addresses, hosts (of MX by preference), PTR names.

    `failed`: nothing was learnt (SERVFAIL, timeout, bogus). `exists`: False for NXDOMAIN; nothing there otherwise is
    an existing name without such records."""

    texts: tuple[bytes, ...] = ()
    names: tuple[str, ...] = ()
    failed: bool = False
    exists: bool = True

    @property
    def void(self) -> bool:
        """RFC 7208 4.6.4: an answer without records."""
        return not self.failed and not self.texts and not self.names


FAILED = Found(failed=True)
ABSENT = Found(exists=False)

Course = Generator[Question, Found, T]


def run(course: Course[T], answer: Callable[[Question], Found]) -> T:
    """Carries a course out with a function that answers at once."""
    try:
        question = next(course)
        while True:
            question = course.send(answer(question))
    except StopIteration as end:
        result: T = end.value
        return result
