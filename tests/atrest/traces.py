"""Words that stand for health data, in every form in which bytes can hold them, and the search for them."""

import base64
import mmap
import os
import quopri
import random
import urllib.parse
from pathlib import Path

_LETTERS = "bcdfghjklmnpqrstvwxz"
#: letters that all words of a test share, and letters of each of its own: the chance that bytes spell them is nil
SHARED, OWN = 10, 8


class Canaries:
    """`words`: name of the entry -> its word. A word with a letter beyond ASCII tries the encodings of text."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}
        self._random = random.SystemRandom()
        self.beginning = self._letters(SHARED)

    def new(self, name: str, *, ascii_only: bool = True) -> str:
        assert name not in self.words, name
        own = self._letters(OWN)
        self.words[name] = self.beginning + (own if ascii_only else own[:3] + "ü" + own[4:])
        return self.words[name]

    def _letters(self, count: int) -> str:
        return "".join(self._random.choice(_LETTERS) for _ in range(count))


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
    """Where a word, or the beginning of one, lies in any file under `folder` or in a file's name."""
    shared = forms(canaries.beginning)
    found = []
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            found += [f"{form} names {top}/{name}" for form, needle in shared.items() if needle in os.fsencode(name)]
        for name in files:
            path = Path(top) / name
            if path.is_file() and path.stat().st_size:
                found += [f"{place} in {path}" for place in _within(path, shared, canaries)]
    return found


def numbers(folder: Path, *written: str) -> list[str]:
    """Where one of these numbers lies, as it is written or as digits alone, in a file under `folder`."""
    wanted = {*written, *("".join(filter(str.isdigit, one)) for one in written)}
    needles = {(form, needle) for word in wanted for form, needle in forms(word).items() if form != "backwards"}
    found = []
    for top, _, files in os.walk(folder):
        for name in files:
            path = Path(top) / name
            if path.is_file() and path.stat().st_size:
                with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    found += [f"{form} in {path}" for form, needle in needles if data.find(needle) >= 0]
    return found


def _within(path: Path, shared: dict[str, bytes], canaries: Canaries) -> list[str]:
    """ "entry (form)"; an unknown entry where only the beginning of a word is there."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        hits = [form for form, needle in shared.items() if data.find(needle) >= 0]
        if not hits:
            return []
        words = {name: forms(word) for name, word in canaries.words.items()}
        named = [f"{n} ({form})" for n, f in words.items() for form, needle in f.items() if data.find(needle) >= 0]
        return named or [f"unknown ({form})" for form in hits]
