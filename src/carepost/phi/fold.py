"""Text as the detector compares it: one way to write each letter, digit, dash and space.

Zero-width characters, soft hyphens and marks vanish (BI-063, BI-064), letters of other scripts that look like Latin
ones become them, compatibility forms (full width, superscript, mathematical) are unfolded, white space runs are one.
Linear in the text; nothing is looked up twice.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

import msgspec

#: other scripts' letters that a reader takes for Latin ones (Unicode TR 39 confusables, single letters)
_CONFUSABLE = {
    "A": "АΑꓮ", "B": "ВΒꓐ", "C": "СϹꓚ", "D": "ꓓ", "E": "ЕΕꓰ", "F": "ꓝϜ", "G": "Ԍꓖ", "H": "НΗꓧ", "I": "ІΙӀꓲ", "J": "Јꓙ",
    "K": "КΚꓗ", "L": "ꓡ", "M": "МΜꓟ", "N": "Νꓠ", "O": "ОΟՕꓳ", "P": "РΡꓑ", "Q": "Ԛ", "R": "ꓣ", "S": "ЅՏꓢ", "T": "ТΤꓔ",
    "U": "Սꓴ", "V": "ѴꓦⅤ", "W": "Ԝꓪ", "X": "ХΧꓫ", "Y": "УΥҮꓬ", "Z": "Ζꓜ",
    "a": "аαɑ", "c": "сϲ", "d": "ԁ", "e": "еҽ", "g": "ɡց", "h": "һհ", "i": "іıΐι", "j": "јϳ", "k": "к", "l": "ӏ",
    "n": "ոп", "o": "оοօσ", "p": "рρ", "q": "ԛ", "r": "г", "s": "ѕ", "u": "սυ", "v": "νѵ", "w": "ԝѡ", "x": "хχ",
    "y": "уүγ",
}  # fmt: skip
_SAME = {
    **{letter: latin for latin, letters in _CONFUSABLE.items() for letter in letters},
    **dict.fromkeys("‐‑‒–—―−⁃⸺⸻", "-"),
    **dict.fromkeys("‘’ʼ´`", "'"),
    **dict.fromkeys("“”«»", '"'),
    **dict.fromkeys("\n\r\f\v\x1c\x85\u2028\u2029", "\n"),
    "\t": "\t",
}
#: a hostile text of every character there is must not fill memory
_REMEMBERED = 20_000
_SPACES = re.compile(r"[ \t]{2,}")
_RUNS = re.compile(r"[0-9]+")
_LONG_RUN = 3
#: digits that a number of a person, of who cares for one or of a card has at least, and how far apart they stand
_MANY, _PARTED = 9, 4
#: what is not written as we compare it
_ODD = re.compile(r"[^\n\t -~]+")
#: a run of digits in so many characters is a crowd
_CROWDED = 4
#: the longest that a date or an address goes on before or after its digits, and what begins before its digits after
#: the first of them
_AROUND, _WITHIN = 120, 24
#: a number may be so long
_RUN = 40
#: a text this long is looked at for lines of this length that are said more often than so
_LONG, _WIDE, _SAID = 1_500, 20, 3
#: a digit after a letter; begins with the digit, so that nothing else is looked at
_TOUCHING = re.compile(r"\d(?<=[A-Za-z]\d)")
_LABEL = re.compile(
    r"(?<![A-Za-z0-9])(?:ssn|ss|mrn|dob|npi|dea|mbi|hicn|medicare|cpt|ndc|visa|amex|pan|cc|card)$", re.IGNORECASE
)
#: what is a whole number whatever touches it
_NUMBER = re.compile(
    r"(?:\d{3}([- ])\d\d\1\d{4}|[12]\d{9}|\d{4}([- ]?)\d{4}\2\d{4}\2\d{4}|\d[A-Z][A-Z0-9]\d-[A-Z])(?!\d)"
)


def _one(char: str) -> str:
    """What stands for one character that is not plain ASCII."""
    category = unicodedata.category(char)
    if category in ("Cf", "Mn", "Me", "Cn", "Co", "Cs"):
        return ""
    if category in ("Zs", "Cc"):
        return " "
    if category == "Nd":
        return str(unicodedata.digit(char))
    plain = "".join(c for c in unicodedata.normalize("NFKD", char) if unicodedata.category(c) != "Mn")
    # Some ligatures unfold to eighteen letters; a text must not grow by more than three
    return "".join(_SAME.get(c, c) for c in plain[:3]) or " "


class _Table(dict[int, str]):
    def __missing__(self, code: int) -> str:
        found = _one(chr(code))
        if len(self) < _REMEMBERED:
            self[code] = found
        return found


_TABLE = _Table({code: chr(code) for code in range(32, 127)})
_TABLE.update({ord(char): same for char, same in _SAME.items()})
_FLAT = str.maketrans({chr(code): " " for code in range(128) if not chr(code).isalnum()})


def unrepeated(text: str) -> str:
    """A long text without the lines it has said `_SAID` times already; an empty line stands for each, so that the
    numbers of lines stay. Quoted text and the rows of a table made by a machine are often the same a hundred times."""
    if len(text) < _LONG:
        return text
    lines = text.split("\n")
    if len(set(lines)) * _SAID >= len(lines):
        return text
    said: dict[str, int] = {}
    for number, line in enumerate(lines):
        if len(line) >= _WIDE:
            said[line] = times = said.get(line, 0) + 1
            if times > _SAID:
                lines[number] = ""
    return "\n".join(lines)


def unstuck(text: str) -> str:
    """Labels parted from the numbers that are written right after them: "SSN474-67-7040"."""
    parts, place = [], 0
    for found in _TOUCHING.finditer(text):
        start = found.start()
        if _LABEL.search(text, max(0, start - 9), start) or (text[start - 1].islower() and _NUMBER.match(text, start)):
            parts.append(text[place:start])
            place = start
    return " ".join((*parts, text[place:])) if parts else text


class Look(msgspec.Struct, frozen=True):
    """One text made ready. The three agree in every place: `text` folded, `low` in lower case, `flat` with a space for
    all that is neither letter nor digit."""

    text: str
    low: str
    flat: str
    #: where digits are
    numbers: list[tuple[int, int]] = []
    #: where runs of digits begin, and how many digits each has
    starts: list[int] = []
    lengths: list[int] = []
    #: those with a letter right before them
    lettered: list[int] = []
    #: those from which nine digits or more follow close to each other
    many: list[int] = []

    def without(self, spans: Sequence[tuple[int, int]]) -> "Look":
        """The same with blanks for some stretches; every place stays where it is."""
        if not spans:
            return self
        text, low, flat = self.text, self.low, self.flat
        for start, end in spans:
            blank = " " * (end - start)
            text, low, flat = (f"{one[:start]}{blank}{one[end:]}" for one in (text, low, flat))
        return Look(text, low, flat)

    def around(self, expression: re.Pattern[str], low: bool = False) -> Iterator[re.Match[str]]:
        """Every match of an expression that needs a digit."""
        source = self.low if low else self.text
        for begin, end in self.numbers:
            yield from expression.finditer(source, begin, end)

    def of(self, fewest: int, most: int) -> list[int]:
        """Where runs of so many digits begin."""
        return [start for start, length in zip(self.starts, self.lengths, strict=True) if fewest <= length <= most]

    def begins(
        self, expression: re.Pattern[str], starts: Sequence[int], low: bool = False, back: int = 0
    ) -> Iterator[re.Match[str]]:
        """Every match of an expression that begins with the first digit of one of these runs, or `back` characters
        before it; none in another. Dense text has a hundred times as many characters as runs of digits; where a text is
        hardly anything but digits, they are looked for in one pass."""
        source, match, end = self.low if low else self.text, expression.match, 0
        if not back and len(self.starts) * _CROWDED > len(source):
            yield from expression.finditer(source)
            return
        for start in starts:
            if start - back >= end and (found := match(source, start - back)):
                end = found.end()
                yield found

    def before(self, expression: re.Pattern[str], letters: int, low: bool = False) -> Iterator[re.Match[str]]:
        """Every match of an expression that begins at most so many characters before the first digit of a run of three
        or more, and ends at most `_WITHIN` after it; none in another."""
        source, search, end = self.low if low else self.text, expression.search, 0
        for start in self.of(_LONG_RUN, len(source)):
            found = search(source, max(end, start - letters), start + _WITHIN)
            if found and found.start() <= start:
                end = found.end()
                yield found


def fold(text: str) -> str:
    """Folded text: runs of white space are single, an empty line separates paragraphs."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    # Most of most texts is plain: only what is not goes through the table
    if not (text.isascii() and text.replace("\n", "").replace("\t", "").isprintable()):
        text = _ODD.sub(lambda odd: odd[0].translate(_TABLE), text)
    if "  " in text or ("\t" in text and ("\t\t" in text or " \t" in text or "\t " in text)):
        text = _SPACES.sub(lambda run: "\t" if "\t" in run[0] else " ", text)
    if "\n" in text:
        for around in (" \n", "\t\n"):
            text = text.replace(around, "\n")
        for around in ("\n ", "\n\t"):
            text = text.replace(around, "\n")
        while "\n\n\n" in text:
            text = text.replace("\n\n\n", "\n\n")
    return text


def look(text: str) -> Look:
    folded = unrepeated(fold(text))
    low = folded.lower()
    if len(low) != len(folded):
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in folded)
    runs = [found.span() for found in _RUNS.finditer(folded)]
    starts = [start for start, _ in runs]
    lengths = [end - start for start, end in runs]
    lettered = [start for start in starts if start and folded[start - 1].isalpha()]
    return Look(folded, low, flatten(low), numbered(starts, len(folded)), starts, lengths, lettered, _followed(runs))


def _followed(runs: Sequence[tuple[int, int]]) -> list[int]:
    """Where runs begin from which `_MANY` digits or more follow, none more than `_PARTED` characters from the next."""
    found: list[int] = []
    digits, next_ = 0, -1
    for start, end in reversed(runs):
        digits = end - start + (digits if next_ - end <= _PARTED else 0)
        if digits >= _MANY:
            found.append(start)
        next_ = start
    found.reverse()
    return found


def numbered(starts: Sequence[int], length: int) -> list[tuple[int, int]]:
    """Stretches of the text around its digits: most prose has few, and every number is found by looking there."""
    spans: list[tuple[int, int]] = []
    begin = end = -1
    for start in starts:
        if start - _AROUND > end:
            if end >= 0:
                spans.append((begin, min(length, end)))
            begin = max(0, start - _AROUND)
        end = start + _AROUND + _RUN
    if end >= 0:
        spans.append((begin, min(length, end)))
    return spans


def flatten(low: str) -> str:
    """A space for every character that is no letter or digit: phrases match whatever stands between their words."""
    return low.translate(_FLAT)
