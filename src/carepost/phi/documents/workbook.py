"""XLSX worksheets as tables of text: shared strings in their places, numbers that are dates written as dates."""

import datetime
import itertools
import re
from collections.abc import Mapping
from typing import Final

from carepost.phi.documents.markup import Handler
from carepost.phi.documents.sheet import Sheet
from carepost.phi.documents.types import Unreadable

#: shared strings, and formats, of a workbook
_STRINGS: Final = 400_000
_FORMATS: Final = 70_000
#: empty cells written out between two
_GAP: Final = 100
#: built-in number formats that show a date (ECMA-376 18.8.30)
_DATES: Final = frozenset({*range(14, 18), 22, *range(27, 37), *range(50, 59)})
_QUOTED: Final = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
#: a number shown with leading zeros, in groups: 000-00-0000
_ZEROS: Final = re.compile(r"0{1,20}(?:[- ]0{1,20}){0,5}")
_COLUMN: Final = re.compile(r"[A-Z]{1,3}")
#: day 0 of a workbook, and of one that counts from 1904; days up to 9999
_DAY_0: Final = datetime.date(1899, 12, 30)
_DAY_0_MAC: Final = datetime.date(1904, 1, 1)
_LAST_DAY: Final = 2_958_000


class Strings(Handler):
    """xl/sharedStrings.xml: kept apart, and counted where a cell uses them."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(sheet)
        self.strings: list[str] = []
        self._now: list[str] = []
        self._room = sheet.limits.texts

    def characters(self, content: str) -> None:
        if self.path[-1] == "t":
            self._room -= len(content)
            if self._room < 0:
                raise Unreadable("too-long")
            self._now.append(content)

    def end(self, name: str) -> None:
        if name == "si":
            if len(self.strings) >= _STRINGS:
                raise Unreadable("too-many")
            self.strings.append("".join(self._now))
            self._now = []


class Styles(Handler):
    """xl/styles.xml: which styles of a cell show a date."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(sheet)
        self.dates: set[int] = set()
        #: style -> how many digits each group of its number has: a Social Security number is kept as 12345678
        self.digits: dict[int, tuple[int, ...]] = {}
        self._grouped: dict[str, tuple[int, ...]] = {}
        self._formats: set[str] = {str(number) for number in _DATES}
        self._style = 0

    def begin(self, name: str, attrs: Mapping[str, str]) -> None:
        if name == "numFmt" and len(self._formats) < _FORMATS:
            code = _QUOTED.sub("", attrs.get("formatCode", "")[:500]).lower()
            if "y" in code or "d" in code:
                self._formats.add(attrs.get("numFmtId", ""))
            elif _ZEROS.fullmatch(plain := attrs.get("formatCode", "")[:100].replace("\\", "").replace('"', "")):
                self._grouped[attrs.get("numFmtId", "")] = tuple(map(len, re.split("[- ]", plain)))
        elif name == "xf" and self.path[-2:-1] == ["cellXfs"]:
            if attrs.get("numFmtId") in self._formats and len(self.dates) < _FORMATS:
                self.dates.add(self._style)
            if (groups := self._grouped.get(attrs.get("numFmtId", ""))) and len(self.digits) < _FORMATS:
                self.digits[self._style] = groups
            self._style += 1


class Workbook(Handler):
    """xl/workbook.xml: the names of sheets, and how days are counted."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(sheet)
        self.names: list[str] = []
        self.day_0 = _DAY_0

    def begin(self, name: str, attrs: Mapping[str, str]) -> None:
        if name == "sheet" and len(self.names) < 1_000:
            self.names.append(attrs.get("name", ""))
        elif name == "workbookPr" and attrs.get("date1904") in ("1", "true"):
            self.day_0 = _DAY_0_MAC


class Cells(Handler):
    """A worksheet: a row a line, cells set apart by tabs, each in its column."""

    def __init__(self, sheet: Sheet, strings: list[str], styles: Styles, day_0: datetime.date) -> None:
        super().__init__(sheet)
        self._strings = strings
        self._styles = styles
        self._day_0 = day_0
        self._type = ""
        self._style = ""
        self._value: list[str] = []
        #: columns written of this row
        self._column = 0

    def begin(self, name: str, attrs: Mapping[str, str]) -> None:
        if name == "c":
            self._type, self._style, self._value = attrs.get("t", ""), attrs.get("s", ""), []
            place = _COLUMN.match(attrs.get("r", ""))
            column = _number(place[0]) if place else self._column + 1
            gap = min(max(column - self._column, 1), _GAP)
            self.sheet.write("\t" * (gap if self._column else gap - 1))
            self._column = max(column, self._column + 1)
        elif name == "row":
            self._column = 0

    def characters(self, content: str) -> None:
        if self.path[-1] in ("v", "t", "oddHeader", "oddFooter"):
            self._value.append(content)

    def end(self, name: str) -> None:
        if name == "c":
            self.sheet.write(self._shown())
        elif name == "row":
            self.sheet.write("\n")
        elif name in ("oddHeader", "oddFooter"):
            self.sheet.write("".join(self._value) + "\n")
            self._value = []

    def _shown(self) -> str:
        value = "".join(self._value)
        if self._type == "s":
            number = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else -1
            return self._strings[number] if 0 <= number < len(self._strings) else ""
        if self._type in ("", "n") and self._style.isdigit() and len(self._style) < 8:
            style = int(self._style)
            if style in self._styles.dates:
                return self._day(value)
            if groups := self._styles.digits.get(style):
                return _grouped(value, groups)
        return value

    def _day(self, value: str) -> str:
        whole = value.partition(".")[0]
        if not (whole.isascii() and whole.isdigit() and len(whole) < 9) or int(whole) > _LAST_DAY:
            return value
        return (self._day_0 + datetime.timedelta(days=int(whole))).isoformat()


def _grouped(value: str, groups: tuple[int, ...]) -> str:
    """A number as its format of zeros shows it: one with more digits stays as it is."""
    if not (value.isascii() and value.isdigit() and len(value) <= sum(groups)):
        return value
    value = value.zfill(sum(groups))
    ends = itertools.accumulate(groups)
    return "-".join(value[end - size : end] for size, end in zip(groups, ends, strict=True))


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
