"""What all questions about records have in common: texts that begin as they must, and lines made short."""

from collections.abc import Callable, Generator
from typing import Final

from carepost.rfc.asking import Found, Question, Record
from carepost.senders.types import SHOWN, Line, Part, State

SILENT: Final = "The name servers did not answer. Try again later; nothing is taken to be missing."

#: where this system has no name that others could know it by, every record about it is still open
NAMELESS: Final = (
    "This system was given no host name yet, so nothing about it can be published. Give its address a name such as "
    "mail.{domain}, set that as `hostname` in carepost.toml (or CAREPOST_HOSTNAME), start Carepost again, and compare "
    "anew."
)

Ask = Generator[Question, Found, Found]


def txt(name: str) -> Ask:
    return (yield Question(Record.TXT, name))


def texts(answer: Found, fits: Callable[[str], bool] = lambda _: True) -> tuple[str, ...]:
    """The TXT records that fit, cut to what is shown."""
    found = (text.decode("utf-8", "replace") for text in answer.texts)
    return tuple(text[:SHOWN] for text in found if fits(text))


class Lines:
    """Makes lines about one record; keywords as those of `Line`."""

    def __init__(
        self, part: Part, name: str, record: str, why: str, *, wanted: str = "", needed: bool = True, phase: str = ""
    ) -> None:
        self._part, self._name, self._record, self._why = part, name, record, why
        self._wanted, self._needed, self._phase = wanted, needed, phase

    def right(self, code: str = "right", todo: str = "", found: tuple[str, ...] = (), wanted: str = "") -> Line:
        return self._line(State.RIGHT, code, todo, found, wanted)

    def missing(self, todo: str, code: str = "missing", wanted: str = "") -> Line:
        return self._line(State.MISSING, code, todo, (), wanted)

    def different(self, code: str, todo: str, found: tuple[str, ...] = (), wanted: str = "") -> Line:
        return self._line(State.DIFFERENT, code, todo, found, wanted)

    def unknown(
        self, code: str = "no-answer", todo: str = SILENT, found: tuple[str, ...] = (), wanted: str = ""
    ) -> Line:
        return self._line(State.UNKNOWN, code, todo, found, wanted)

    def _line(self, state: State, code: str, todo: str, found: tuple[str, ...], wanted: str) -> Line:
        return Line(
            self._part, self._name, self._record, state, code, self._why, todo, wanted or self._wanted, found,
            self._needed, self._phase,
        )  # fmt: skip
