"""Patterns an organisation writes: a small, bounded language, so that none can make reading slow.

    letters and digits   themselves (capitals do not matter)
    \\d \\w \\s             a digit, a letter or digit, a space        .          any one character
    [A-F0-9] [^x]        one of, none of                            ( | )      one of several
    ? {3} {2,8}          optional, so many times

What it says is folded as the text is: `HX–\\d` is `HX-\\d`, an accent counts for nothing.

`*`, `+`, `{2,}`, anchors, look-around and back references are refused, and so is what could match in too many ways: the
work at each place of a text is limited before the pattern is ever used.
"""

import re
import unicodedata
from typing import NamedTuple

from carepost.ground.errors import ConfigError
from carepost.phi.fold import fold

#: characters the longest match may have
WIDEST = 120
#: ways in which one place of a text may be tried
WAYS = 60
_CLASSES = {"d": r"[0-9]", "w": r"[0-9A-Za-z]", "s": r"[ \t\n]"}
_SPECIAL = frozenset("()[]{}?*+|^$.\\")
_COUNT = re.compile(r"\{(\d{1,3})(?:,(\d{0,3}))?\}")


class _Piece(NamedTuple):
    """A translated piece: its expression, the fewest and most characters, and the ways it can match."""

    expression: str
    least: int
    most: int
    ways: int


def compile_pattern(identity: str, source: str) -> re.Pattern[str]:
    """The pattern as an expression over folded text, whole words only. ConfigError says what to write instead."""
    if not source or len(source) > 300:
        raise ConfigError(f"Pattern '{identity}' must have 1 to 300 characters.")
    piece = _Reader(identity, source).read()
    if piece.least < 2:
        raise ConfigError(f"Pattern '{identity}' would match almost anything: it must need at least two characters.")
    return re.compile(rf"(?<![0-9A-Za-z])(?:{piece.expression})(?![0-9A-Za-z])", re.IGNORECASE)


def ways(identity: str, source: str) -> int:
    """In how many ways one place of a text may be tried. ConfigError as `compile_pattern`."""
    return _Reader(identity, source).read().ways


class _Reader:
    """Reads one pattern from left to right."""

    def __init__(self, identity: str, source: str) -> None:
        self.identity = identity
        # marks alone, and what shows nothing, are in no folded text
        self.source = "".join(char for char in unicodedata.normalize("NFC", source) if fold(char))
        self.place = 0
        self.depth = 0

    def read(self) -> _Piece:
        piece = self.branches()
        if self.place < len(self.source):
            raise self.wrong("a ')' has no '('")
        return piece

    def branches(self) -> _Piece:
        found = [self.sequence()]
        while self.peek() == "|":
            self.place += 1
            found.append(self.sequence())
        if len(found) == 1:
            return found[0]
        return self.limited(
            _Piece(
                "(?:" + "|".join(piece.expression for piece in found) + ")",
                min(piece.least for piece in found),
                max(piece.most for piece in found),
                sum(piece.ways for piece in found),
            )
        )

    def sequence(self) -> _Piece:
        whole = _Piece("", 0, 0, 1)
        while self.place < len(self.source) and self.peek() not in "|)":
            piece = self.repeated(self.atom())
            whole = self.limited(
                _Piece(
                    whole.expression + piece.expression,
                    whole.least + piece.least,
                    whole.most + piece.most,
                    whole.ways * piece.ways,
                )
            )
        return whole

    def atom(self) -> _Piece:
        char = self.take()
        if char == "(":
            return self.group()
        if char == "[":
            return _Piece(self.set_of(), 1, 1, 1)
        if char == ".":
            return _Piece(r"[^\n]", 1, 1, 1)
        if char == "\\":
            escaped = self.escaped()
            return _Piece(escaped, 1, 1, 1) if escaped in _CLASSES.values() else _literal(escaped)
        if char in "*+":
            raise self.wrong(f"'{char}' has no upper limit: write a number of times, such as {{1,20}}")
        if char in "^$":
            raise self.wrong(
                f"'{char}' is not needed: a pattern is found as a whole word anywhere; write \\{char} for the sign"
            )
        if char in _SPECIAL:
            raise self.wrong(f"'{char}' stands where it has no meaning: write \\{char} for the character")
        return _literal(char)

    def group(self) -> _Piece:
        if self.source.startswith("?:", self.place):
            self.place += 2
        elif self.peek() == "?":
            raise self.wrong("groups that begin with '(?' are not offered: use plain brackets")
        self.depth += 1
        if self.depth > 5:
            raise self.wrong("brackets stand in brackets more than five deep")
        inner = self.branches()
        self.depth -= 1
        if self.peek() != ")":
            raise self.wrong("a '(' has no ')'")
        self.place += 1
        return inner._replace(expression=f"(?:{inner.expression})")

    def escaped(self) -> str:
        char = self.take()
        if char in _CLASSES:
            return _CLASSES[char]
        if char.isalnum():
            raise self.wrong(f"\\{char} is not offered: \\d, \\w and \\s are")
        return char

    def set_of(self) -> str:
        """What stands between brackets, as Python writes it."""
        inside = ""
        if self.peek() == "^":
            self.place += 1
            inside = "^"
        first = True
        while (char := self.take()) != "]" or first:
            first = False
            if char == "\\":
                inside += self.escaped().strip("[]") if self.peek() in _CLASSES else _folded(self.escaped())
            elif char == "-" and inside not in ("", "^") and self.peek() != "]":
                if fold(self.peek())[:1] < inside[-1]:
                    raise self.wrong("a range in square brackets runs backwards")
                inside += "-"
            else:
                inside += _folded(char)
        return f"[{inside}]"

    def repeated(self, piece: _Piece) -> _Piece:
        char = self.peek()
        if char in ("*", "+"):
            raise self.wrong(f"'{char}' has no upper limit: write a number of times, such as {{1,20}}")
        if char == "?":
            self.place += 1
            least, most = 0, 1
        elif char == "{":
            count = _COUNT.match(self.source, self.place)
            if not count:
                raise self.wrong(
                    "'{' must be followed by a number of times, such as {3} or {2,8}; write \\{ for the sign"
                )
            self.place = count.end()
            least = int(count[1])
            if count[2] == "":
                raise self.wrong(f"{{{least},}} has no upper limit: write {{{least},20}}")
            most = int(count[2]) if count[2] is not None else least
        else:
            return piece
        if most < least or most == 0:
            raise self.wrong("the upper limit of a repetition is below its lower one")
        if self.peek() in ("?", "*", "+", "{"):
            raise self.wrong("one repetition follows another: put brackets around the first")
        if most > WIDEST:
            raise self.wrong(f"a repetition of more than {WIDEST} times is too long")
        # More ways than are allowed need not be counted to the end
        ways = 0
        for times in range(least, most + 1):
            ways += min(piece.ways**times, WAYS + 1)
            if ways > WAYS:
                break
        mark = "?" if (least, most) == (0, 1) else f"{{{least},{most}}}"
        return self.limited(_Piece(f"(?:{piece.expression}){mark}", piece.least * least, piece.most * most, ways))

    def limited(self, piece: _Piece) -> _Piece:
        if piece.most > WIDEST:
            raise self.wrong(f"it can match more than {WIDEST} characters: make the repetitions shorter")
        if piece.ways > WAYS:
            raise self.wrong(
                "it can match in too many ways, which would make reading slow: "
                "use fewer or shorter repetitions beside each other"
            )
        return piece

    def peek(self) -> str:
        return self.source[self.place : self.place + 1]

    def take(self) -> str:
        if self.place >= len(self.source):
            raise self.wrong("it ends too early: a bracket or a \\ is left open")
        self.place += 1
        return self.source[self.place - 1]

    def wrong(self, why: str) -> ConfigError:
        return ConfigError(f"Pattern '{self.identity}', at character {min(self.place, len(self.source))}: {why}.")


def _folded(char: str) -> str:
    """As it stands in folded text; in square brackets, of a sign that is several characters there each counts."""
    return re.escape(fold(char))


def _literal(char: str) -> _Piece:
    """One character as it stands in folded text; a ligature or a sign may be several there."""
    length = len(fold(char))
    return _Piece(_folded(char), length, length, 1)
