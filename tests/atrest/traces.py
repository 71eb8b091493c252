"""Words that stand for health data, in every form in which bytes can hold them, and the search for them."""

import base64
import mmap
import os
import quopri
import random
import urllib.parse
from pathlib import Path

#: letters of a word; the chance that a byte somewhere spells one is nil
LENGTH = 14


class Canaries:
    """`words`: name of the entry -> its word. A word with a letter beyond ASCII tries the encodings of text."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}
        self._random = random.SystemRandom()

    def new(self, name: str, *, ascii_only: bool = True) -> str:
        assert name not in self.words, name
        letters = [self._random.choice("bcdfghjklmnpqrstvwxz") for _ in range(LENGTH)]
        if not ascii_only:
            letters[LENGTH // 2] = "ü"
        self.words[name] = "".join(letters)
        return self.words[name]


def forms(word: str) -> dict[str, bytes]:
    """Every form of the word that is searched for."""
    raw = word.encode()
    found = {
        "raw": raw,
        "upper": word.upper().encode(),
        "capital": word.capitalize().encode(),
        "latin-1": word.encode("latin-1"),
        "utf-16-le": word.encode("utf-16-le"),
        "utf-16-be": word.encode("utf-16-be"),
        "quoted-printable": quopri.encodestring(raw).strip(),
        "percent": urllib.parse.quote(word).encode(),
        "hex": raw.hex().encode(),
        "hex-upper": raw.hex().upper().encode(),
        "json": word.encode("ascii", "backslashreplace").replace(b"\\xfc", b"\\u00fc"),
        "backwards": raw[::-1],
    }
    for shift in range(3):
        # whatever stands before and after it in the same base64 text
        text = base64.b64encode(b"\0" * shift + raw + b"\0" * ((-len(raw) - shift) % 3))
        inner = text[-(-shift * 8 // 6) : len(text) - 4]
        found[f"base64-{shift}"] = inner
        found[f"base64url-{shift}"] = inner.replace(b"+", b"-").replace(b"/", b"_")
    return found


def traces(folder: Path, canaries: Canaries) -> list[str]:
    """Where a word lies in any file under `folder` or in a file's name: "name of the entry, form, file"."""
    wanted = [(name, form, needle) for name, word in canaries.words.items() for form, needle in forms(word).items()]
    found = []
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            found += [f"{entry} ({form}) names {top}/{name}" for entry, form, n in wanted if n in os.fsencode(name)]
        for name in files:
            path = Path(top) / name
            if path.is_file() and path.stat().st_size:
                found += [f"{entry} ({form}) in {path}" for entry, form in _within(path, wanted)]
    return found


def _within(path: Path, wanted: list[tuple[str, str, bytes]]) -> list[tuple[str, str]]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return [(entry, form) for entry, form, needle in wanted if data.find(needle) >= 0]
