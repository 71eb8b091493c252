"""The examples of docs/api.md, as they stand there. What asks the office is run where one is (tests/rooms/api), every
other against an engine's listener alone: a new example that asks the office gets its word here."""

import os
import re
from pathlib import Path
from typing import Final

_BLOCK: Final = re.compile(r"^```(sh|python|js)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ALL: Final = _BLOCK.findall((Path(__file__).parents[2] / "docs" / "api.md").read_text())
#: what each of those asks for
OFFICE: Final = ("begin_job", "own_key", "know_network", "set_sending_ahead", "begin_suppression_import",
                       "pin_destination")  # fmt: skip


def alone() -> list[tuple[str, str]]:
    """(language, text) of what an engine answers by itself."""
    return [(kind, text) for kind, text in _ALL if not any(word in text for word in OFFICE)]


def naming(word: str) -> list[str]:
    """The Python examples of that word of OFFICE."""
    assert word in OFFICE
    return [text for kind, text in _ALL if kind == "python" and word in text]


def environment(url: str, key: str) -> dict[str, str]:
    """What the examples expect to find set."""
    return {**os.environ, "CAREPOST_URL": url, "CAREPOST_KEY": key}
