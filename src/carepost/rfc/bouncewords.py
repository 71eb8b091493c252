"""The patterns of `bouncewords.txt`, compiled once: by what words a bounce, and its reason, are known."""

import re
from importlib import resources
from typing import Final

_MAIL: Final = "mail:"


def _sections() -> list[tuple[str, list[str]]]:
    """A reason may have several: the narrow patterns of one stand before another's wide ones."""
    text = resources.files("carepost.rfc").joinpath("bouncewords.txt").read_text("utf-8")
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        heading = re.fullmatch(r"\[([a-z:-]+)\]", line)
        if heading is not None:
            found.append((heading[1], []))
        else:
            found[-1][1].append(line)
    return found


def _one(alternatives: list[str], begins: str = "") -> re.Pattern[str]:
    joined = "|".join(f"(?:{one})" for one in alternatives)
    return re.compile(f"{begins}(?:{joined})", re.IGNORECASE)


_FOUND: Final = _sections()
#: (reason, pattern), in the order in which they count
REASONS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (reason, _one(alternatives)) for reason, alternatives in _FOUND if not reason.startswith(_MAIL)
)
_MAILS: Final = dict(_FOUND)
#: of a mail: who writes it, under which subject, what it says of a delivery, that it is only late
SENDER: Final = _one(_MAILS["mail:sender"])
SUBJECT: Final = _one(_MAILS["mail:subject"], r"^(?:(?:re|fwd?|aw): ?)?")
SPEAKS: Final = _one(_MAILS["mail:speaks"])
LATER: Final = _one(_MAILS["mail:later"])
#: the line after which the mail that came back stands
COPY: Final = _one(_MAILS["mail:copy"], r"^[\s>|*=_-]*")
