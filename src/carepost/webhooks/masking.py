"""What is kept of a receiver's answer: words of a closed list, at most a line. Everything else may be an echo of what
was told, and is a dot."""

import re
from typing import Final

#: characters
LONGEST: Final = 120
_WORD: Final = re.compile(r"[A-Za-z]+")
#: words that receivers, frameworks and proxies say of themselves
_WORDS: Final = (
    "accepted access already an and application authentication authorization bad be body broken busy cannot "
    "certificate check configured connect connection content could cpu csrf database deadlock denied disabled "
    "does down duplicate endpoint enabled error event exceeded exception exist expected expired failed failure "
    "field forbidden found gateway gone handler handle have header headers host html http internal invalid is "
    "json key large length limit limited locked maintenance malformed many media memory message method missing "
    "mismatch moved must no not null of ok only operation or overloaded page parse parsing path payload "
    "permission permitted please post processing proxy queue quota rate rejected request required requests "
    "resource retry route schema secret server service signature slow small status storage stream support "
    "supported temporarily temporary the timeout timestamp to token too try type unable unauthorized unavailable "
    "undefined unexpected unknown unprocessable unreachable unsupported upstream url user validation value "
    "verification verified verify version webhook while with wrong "
)
_KEPT: Final = frozenset(_WORDS.split())


def words(body: bytes) -> str:
    """The first words of an answer's body that are on the list; runs of others become one dot."""
    text = body[:1000].decode("utf-8", "replace")
    found: list[str] = []
    for word in _WORD.findall(text):
        known = word.lower() if word.lower() in _KEPT else "·"
        if known != "·" or not found or found[-1] != "·":
            found.append(known)
    if not any(word != "·" for word in found):
        return ""
    return " ".join(found)[:LONGEST].strip(" ·")
