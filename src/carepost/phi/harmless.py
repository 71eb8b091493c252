"""Values that an organisation looked at and found harmless, known by a keyed hash alone; and how a value is shown to
those who may decide so: masked. The key is the organisation's and of no other use."""

import hmac
import re

from carepost.phi.fold import Look
from carepost.phi.marks import Mark
from carepost.phi.types import Known, Part, Shown

#: findings shown of one message; octets of a token
MOST = 200
TOKEN = 16
_LONGEST = 60
_LETTERS = re.compile(r"[A-Za-z]+")


def token(key: bytes, kind: str, value: str) -> bytes:
    """The same value of the same kind, however it is spaced, punctuated or capitalised, has the same token."""
    plain = "".join(char for char in value.upper() if char.isalnum())
    return hmac.digest(key, b"carepost finding\0" + kind.encode() + b"\0" + plain.encode(), "sha256")[:TOKEN]


def counts(look: Look, mark: Mark, known: Known, tokens: frozenset[bytes]) -> bool:
    """Whether a mark is none of the known."""
    return token(known.key, mark.kind, look.text[mark.start : mark.end]) not in tokens


def masked(value: str) -> str:
    """A value as it may be shown: the first letter of each word, no digit but the last two of a long number."""
    value = " ".join(value.split())
    digits = [place for place, char in enumerate(value) if char.isdigit()]
    kept = set(digits[-2:]) if len(digits) >= 7 else set()
    kept |= {found.start() for found in _LETTERS.finditer(value)}
    shown = "".join(char if place in kept or not char.isalnum() else "•" for place, char in enumerate(value))
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


class Seen:
    """Gathers findings with their tokens, each once, for one who may see that they are there."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._found: dict[tuple[bytes, str, int], Shown] = {}

    def __call__(self, part: Part, look: Look, mark: Mark) -> None:
        value = look.text[mark.start : mark.end]
        mine = token(self._key, mark.kind, value)
        place = (mine, part.where.value, part.number)
        if place in self._found or len(self._found) >= MOST:
            return
        line = look.text.count("\n", 0, mark.start) + 1
        self._found[place] = Shown(
            mark.kind, mark.score, mark.strength, part.where, part.number, line, masked(value), mine
        )  # fmt: skip

    def found(self) -> tuple[Shown, ...]:
        return tuple(self._found.values())
