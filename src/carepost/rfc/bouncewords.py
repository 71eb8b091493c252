"""The patterns of `bouncewords.txt`, compiled once: by what words a bounce, and its reason, are known."""

import re
from importlib import resources
from typing import Final

_MAIL: Final = "mail:"


def _sections() -> dict[str, list[str]]:
    text = resources.files("carepost.rfc").joinpath("bouncewords.txt").read_text("utf-8")
    found: dict[str, list[str]] = {}
    current = ""
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        heading = re.fullmatch(r"\[([a-z:-]+)\]", line)
        if heading is not None:
            current = heading[1]
            found[current] = []
        else:
            found[current].append(line)
    return found


def _one(alternatives: list[str], begins: str = "") -> re.Pattern[str]:
    joined = "|".join(f"(?:{one})" for one in alternatives)
    return re.compile(f"{begins}(?:{joined})", re.IGNORECASE)


_FOUND: Final = _sections()
#: (reason, pattern), in the order in which they count
REASONS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (reason, _one(alternatives)) for reason, alternatives in _FOUND.items() if not reason.startswith(_MAIL)
)
#: of a mail: who writes it, under which subject, what it says of a delivery, that it is only late
SENDER: Final = _one(_FOUND["mail:sender"])
SUBJECT: Final = _one(_FOUND["mail:subject"], r"^(?:(?:re|fwd?|aw): ?)?")
SPEAKS: Final = _one(_FOUND["mail:speaks"])
LATER: Final = _one(_FOUND["mail:later"])
#: the line after which the mail that came back stands
COPY: Final = _one(_FOUND["mail:copy"], r"^[\s>|*=_-]*")
