"""Text that was dressed so that a machine stumbles, read a second time.

`plain` answers what a reader makes of it: letters with signs between them, digits for letters, starred vowels, words
over several short lines, words run together, words written backwards, pictures, encoded words, numbers in words, slips
of a typist (`typos`). What it answers is read in addition: the text itself stays. Each reading is one pass, and what it
adds is bounded.
"""

import email.errors
import email.header
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator

from carepost.phi import lists, typos

#: more than this of one text is not read a second time
_MOST = 20_000
_LETTERS = re.compile(r"(?<![^\W_])(?<![/.*|_-])[^\W\d_](?:[ .\-_*|/\u00b7]{1,3}[^\W\d_](?![^\W_])){4,400}")
_SIGN = re.compile(r"[.\-_*|/\u00b7]")
_MIXED = re.compile(r"(?<![\w@./:-])(?=[\w@$!]{0,20}[A-Za-z])(?=[A-Za-z]{0,20}[013457@$!])[\w@$!]{2,24}(?![\w@/:-])")
_SPOKEN = str.maketrans("0134578@$!", "oieastbasi")
_SPOKEN_SIGNS = frozenset("013457@$!")
#: what stands after or around a plain word
_PUNCTUATION = ".,;:?()\"'"
_STARRED = re.compile(r"(?<!\w)[A-Za-z]{0,14}\*[A-Za-z*]{1,14}(?!\w)")
_GLUED = re.compile(r"(?<![\w.@/-])[A-Za-z]{15,160}(?![\w@/]|\.\w)")
_HUMPED = re.compile(r"(?<![\w.@/-])[A-Z]?[a-z]{1,14}(?:[A-Z][a-z]{0,14}){2,30}(?![\w@/]|\.\w)")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BACKWARDS = re.compile(r"(?<!\w)[a-z]{2,20}[A-Z](?!\w)")
_ENCODED = re.compile(r"=\?[\w-]{1,20}\?[bqBQ]\?[^?\s]{1,400}\?=")
_PICTURES = re.compile(r"[\u2600-\u27bf\U0001f300-\U0001faff]")
_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_SPELT = {word: str(value) for value, word in enumerate(f"{_UNITS} seventeen eighteen nineteen".split())}
_SPELT |= {"oh": "0", "o": "0"}
_TEN = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: str(value) for value, word in enumerate(_TEN.split(), 2)}
_DIGIT = "|".join((*_TENS, *_SPELT))
_NUMBER = re.compile(
    rf"(?<!\w)(?:{_DIGIT})(?:(?:,? (?:then |and |dash )?|-)(?:{_DIGIT})(?!\w)){{5,30}}(?!\w)", re.IGNORECASE
)
#: digits of which a scanner made letters
_SCANNED = re.compile(r"(?<![A-Za-z0-9])[\dOolIiSBZ]{3,4}(?:[- .]?[\dOolIiSBZ]{2,4}){2,3}(?![A-Za-z0-9])")
_HALF = re.compile(r"\d[-.]?[OolIiSBZ]|[OolIiSBZ][-.]?\d")
_SMEARED = str.maketrans("OolIiSBZ", "00111582")
#: how much of what stands around such a number says what it is, and so many of them
_BESIDE, _SCANS = 60, 30
#: the groups of a number beside the one that a scanner spoilt
_GROUPS = 12
_WORDS = re.compile(r"[a-z]+", re.IGNORECASE)
_SPELLING = _SPELT.keys() | _TENS.keys()
#: so many single letters, signs in a word, letters in a word, words for digits are worth a look
_SINGLE, _SIGNED, _LONG, _SPELT_MOST = 5, 7, 15, 4
#: words of one sign side by side; words of two as words of one; no word is counted longer
_ALONE, _TINY, _WIDE = b"\1\1\1", bytes.maketrans(b"\2", b"\1"), 9
#: a line as narrow as a column of letters, and so many of them
_NARROW, _LINES = 12, 3
_FEW = frozenset(range(1, _NARROW + 1))
#: words for digits so far apart, counted in words, are no number
_CLOSE = 3 * _SPELT_MOST
_LONGEST = 18
#: a text so short is read again as a whole
_SHORT = 2_000


def plain(text: str) -> str:
    """The second reading of a text, "" where the first says all."""
    text = text[:_MOST]
    return "\n".join(reading for reading in _readings(text) if reading)


def _readings(text: str) -> Iterator[str]:
    # Most text is not dressed up: what its words are like says which readings are worth a pass
    words = text.split()
    odd = [word for word in words if not word.isalpha() and not word.strip(_PUNCTUATION).isalpha()]
    lengths = list(map(len, words))
    if (lengths.count(1) >= _SINGLE and _in_a_row(lengths)) or any(_signed(word) for word in odd):
        yield " ".join(_joined(found[0]) for found in _LETTERS.finditer(text))
    mixed = sum(1 for word in odd if not _SPOKEN_SIGNS.isdisjoint(word) and _MIXED.search(word))
    if mixed >= 2 and 6 * mixed >= len(words):
        yield _MIXED.sub(lambda found: found[0].translate(_SPOKEN), _concerned(text, _MIXED))
    if "*" in text and _STARRED.search(text):
        yield _STARRED.sub(lambda found: _starred(found[0]), _concerned(text, _STARRED))
    yield _narrow(text)
    long = " ".join([word for word, length in zip(words, lengths, strict=True) if length >= _LONG])
    yield " ".join(filter(None, (_parted(found[0].lower()) for found in _GLUED.finditer(long))))
    humped = " ".join([word for word in words if not (word.islower() or word.istitle() or word.isupper())])
    yield " ".join(_HUMP.sub(" ", found[0]) for found in _HUMPED.finditer(humped))
    if sum(1 for _ in _BACKWARDS.finditer(humped)) >= 2:
        yield _WORDS.sub(lambda found: found[0][::-1], _concerned(text, _BACKWARDS))
    if not text.isascii():
        yield " ".join(dict.fromkeys(unicodedata.name(sign[0], "").lower() for sign in _PICTURES.finditer(text)))
    if "=?" in text:
        yield " ".join(_decoded(found[0]) for found in _ENCODED.finditer(text))
    spelt = text.lower().replace(",", " ").split()
    if not _SPELLING.isdisjoint(spelt) and _spelt_out(spelt) and _NUMBER.search(text):
        yield _NUMBER.sub(lambda found: _digits(found[0]), _concerned(text, _NUMBER))
    if _HALF.search(" ".join(odd)):
        yield "\n".join(_scans(text, [word for word in odd if _HALF.search(word)]))
    yield typos.mended(text)


def _scans(text: str, odd: Iterable[str]) -> Iterator[str]:
    """Numbers with letters for some digits, as numbers, with what stands around them; an odd word is in each."""
    place = end = 0
    for word in itertools.islice(odd, _SCANS):
        place = max(text.find(word, place), 0)
        found = _SCANNED.search(text, max(end, place - _GROUPS), place + len(word) + _GROUPS)
        if not found:
            continue
        end = found.end()
        digits = sum(map(str.isdigit, found[0]))
        letters = sum(map(str.isalpha, found[0]))
        if letters and digits >= 2 * letters:
            before, after = text[max(0, found.start() - _BESIDE) : found.start()], text[found.end() :][:_BESIDE]
            yield f"{before}{found[0].translate(_SMEARED)}{after}"


def _spelt_out(words: list[str]) -> bool:
    """Whether words for digits stand close together: "one" and "two" stand in every letter."""
    places = [place for place, word in enumerate(words) if word in _SPELLING]
    return any(after - place <= _CLOSE for place, after in zip(places, places[_SPELT_MOST - 1 :], strict=False))


def _concerned(text: str, sign: re.Pattern[str]) -> str:
    """Of a long text the paragraphs that bear a sign: one disguised note in a thread must not have all of it read twice
    (a tenth of the development texts of 10 kB took a third longer for it)."""
    if len(text) <= _SHORT:
        return text
    return "\n\n".join(paragraph for paragraph in text.split("\n\n") if sign.search(paragraph))


def _in_a_row(lengths: Iterable[int]) -> bool:
    """Whether three words of one sign, or four of one or two, stand side by side: "a" and "I" stand in every letter."""
    row = bytes(length if length < _WIDE else _WIDE for length in lengths)
    return _ALONE in row or _ALONE + b"\1" in row.translate(_TINY)


def _signed(word: str) -> bool:
    """Whether every second character of a word is a sign."""
    return len(word) >= _SIGNED and 5 * len(_SIGN.findall(word)) >= 2 * len(word)


def _joined(run: str) -> str:
    """Letters with signs between them as words: where a sign parts letters a space parts words, else two spaces do."""
    parts = re.split(r"\s+" if len(_SIGN.findall(run)) * 2 > run.count(" ") else r"\s{2,}", run)
    return " ".join("".join(c for c in part if c.isalpha()) for part in parts)


def _starred(word: str) -> str:
    """A word whose vowels are stars, as a word there is."""
    words = lists.valued("meaning")
    tries = [""]
    for char in word.lower():
        tries = [t + c for t in tries for c in ("aeiou" if char == "*" else char)][:125]
    return next((t for t in tries if t in words), word)


def _narrow(text: str) -> str:
    """Lines too narrow to be any, joined."""
    found: list[str] = []
    run: list[str] = []
    lines = text.split("\n")
    if sum(map(_FEW.__contains__, map(len, lines))) < _LINES:
        return ""
    for line in (*lines, " " * (_NARROW + 1)):
        if 0 < len(line) <= _NARROW:
            run.append(line)
            continue
        if len(run) >= _LINES:
            found.append("".join(run))
        run = []
    return "\n".join(found)


def _parted(run: str) -> str:
    """Words run together, parted into the fewest there are; "" where it is one or none."""
    words = lists.valued("meaning")
    if run in words:
        return ""
    best: list[tuple[int, str]] = [(0, "")]
    for end in range(1, len(run) + 1):
        tries = (
            (best[begin][0] + 1, run[begin:end])
            for begin in range(max(0, end - _LONGEST), end)
            if best[begin][0] < 999 and run[begin:end] in words and (end - begin > 1 or run[begin] in "ai")
        )
        best.append(min(tries, default=(999, "")))
    if best[-1][0] >= 999:
        return ""
    parts: list[str] = []
    end = len(run)
    while end:
        parts.append(best[end][1])
        end -= len(best[end][1])
    return " ".join(reversed(parts))


def _decoded(word: str) -> str:
    try:
        return str(email.header.make_header(email.header.decode_header(word)))
    except (ValueError, LookupError, email.errors.MessageError):
        return ""


def _digits(spelt: str) -> str:
    """ "four one nine, then fifty two" as 41952."""
    found = ""
    ten = ""
    for word in _WORDS.findall(spelt.lower()):
        if word in _TENS:
            found, ten = found + ten, _TENS[word] + "0"
        elif word in _SPELT:
            one = _SPELT[word]
            found += ten[:1] + one if ten and one in "123456789" else ten + one
            ten = ""
    return found + ten
