"""A file of lines that is imported: cut into parts as it comes, so that nobody ever holds it whole. A part ends with a
whole line, and of a table (CSV) where no quotation mark is open."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from carepost.ground.errors import Refused

#: lines and octets of a part (a single line may be longer), of a line, and of a file
PART_LINES, PART_OCTETS, LINE_OCTETS = 1_000, 131_072, 65_536
MOST_LINES: Final = 2_000_000
MOST_OCTETS: Final = 268_435_456
_BOM: Final = b"\xef\xbb\xbf"


class Cut(msgspec.Struct, frozen=True):
    """`line`: number in the file of its first, from 1. `lines`: how many there are."""

    line: int
    lines: int
    data: bytes


def cut(blocks: Iterable[bytes], *, table: bool) -> Iterator[Cut]:
    """`table`: CSV. Raises Refused for a file or line that is too large."""
    held, size, line = b"", 0, 1
    waiting: list[bytes] = []
    octets = marks = 0
    for block in blocks:
        size += len(block)
        if size > MOST_OCTETS:
            raise Refused("import-size", "The file is larger than 256 MB: import it in parts.", status=413)
        *whole, held = ((held or block[:0]) + block).split(b"\n")
        if len(held) > LINE_OCTETS:
            raise _too_long(line + len(waiting))
        for one in whole:
            if line + len(waiting) > MOST_LINES + 1:
                raise Refused("import-lines", "The file has more than 2,000,000 lines: import it in parts.", status=413)
            waiting.append(one)
            octets += len(one) + 1
            marks += one.count(b'"') if table else 0
            if (len(waiting) >= PART_LINES or octets >= PART_OCTETS) and marks % 2 == 0:
                yield Cut(line, len(waiting), b"\n".join(waiting) + b"\n")
                line, waiting, octets, marks = line + len(waiting), [], 0, 0
            elif octets > PART_OCTETS + LINE_OCTETS:
                raise _too_long(line)
    if held:
        waiting.append(held)
    if waiting:
        yield Cut(line, len(waiting), b"\n".join(waiting) + b"\n")


def without_mark(first: bytes) -> bytes:
    """The head of a file without its byte order mark."""
    return first.removeprefix(_BOM)


def _too_long(line: int) -> Refused:
    text = f"A line at or after line {line} is longer than 64 KB; perhaps a quotation mark is not closed."
    return Refused("import-line", text, status=422)
