"""Opening a zip that may mean harm: its directory is weighed before it is believed, and nothing expands unwatched.

What is not safe to open is not opened: overlapping members (one kernel of data in many names), a directory too long,
other compressions than deflate, growth beyond any document's, members under a password (BI-058).
"""

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

from carepost.phi.documents.sheet import Inner, Sheet
from carepost.phi.documents.types import Trait, Unreadable

_CHUNK: Final = 64 * 1024
_END: Final = b"PK\x05\x06"
_END64: Final = b"PK\x06\x07"
#: octets of the directory of one archive
_DIRECTORY: Final = 2_000_000
#: octets of the fixed part of a local header
_LOCAL: Final = 30
_DRIVE: Final = re.compile(r"[A-Za-z]:")


class Archive:
    """Raises Unreadable for an archive that will not be opened."""

    def __init__(self, data: bytes, sheet: Sheet) -> None:
        self.sheet = sheet
        _weigh(data, sheet)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            self.members = self._zip.infolist()
        except (zipfile.BadZipFile, ValueError, struct.error, EOFError, NotImplementedError, OverflowError):
            raise Unreadable("damaged") from None
        if len(self.members) > sheet.limits.members:
            sheet.note(Trait.BOMB)
            raise Unreadable("too-many")
        self._by_name = {m.filename: m for m in self.members}
        self.encrypted = any(m.flag_bits & 1 for m in self.members)
        _overlaps(self.members, len(data), sheet)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    @property
    def names(self) -> list[str]:
        return [m.filename for m in self.members]

    def member(self, name: str) -> zipfile.ZipInfo | None:
        return self._by_name.get(name)

    def chunks(self, member: zipfile.ZipInfo) -> Iterator[bytes]:
        """The octets of a member as they come out. Raises Unreadable beyond a limit or where they are damaged."""
        if member.flag_bits & 1:
            self.sheet.note(Trait.ENCRYPTED)
            raise Unreadable("encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unreadable("compression")
        seen = 0
        try:
            with self._zip.open(member) as opened:
                while chunk := opened.read(_CHUNK):
                    seen += len(chunk)
                    self.sheet.grown(member.compress_size, seen)
                    self.sheet.budget.inflate(len(chunk))
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError):
            raise Unreadable("damaged") from None

    def whole(self, member: zipfile.ZipInfo) -> bytes:
        return b"".join(self.chunks(member))


def _weigh(data: bytes, sheet: Sheet) -> None:
    """The end record's own word on how long the directory is, before anything reads the directory."""
    end = data.rfind(_END, max(0, len(data) - 65_557))
    if end < 0 or len(data) < end + 22:
        raise Unreadable("damaged")
    entries, size = struct.unpack("<HI", data[end + 10 : end + 16])
    at = data.rfind(_END64, max(0, end - 64), end)
    if at >= 0:
        record = int.from_bytes(data[at + 8 : at + 16], "little")
        if data[record : record + 4] != b"PK\x06\x06":
            raise Unreadable("damaged")
        entries, size = struct.unpack("<QQ", data[record + 32 : record + 48])
    # the smallest entry has 46 octets: a count that the directory cannot hold is a lie, and so is a longer directory
    if entries > sheet.limits.members or size > min(_DIRECTORY, len(data)):
        sheet.note(Trait.BOMB)
        raise Unreadable("too-many")


def follows(data: bytes) -> bool:
    """Whether a zip stands at the end of a file that begins as something else: an unpacker opens it all the same."""
    end = data.rfind(_END, max(0, len(data) - 65_557))
    if end < 0 or len(data) < end + 22:
        return False
    if data.rfind(_END64, max(0, end - 64), end) >= 0:
        return True
    size = int.from_bytes(data[end + 12 : end + 16], "little")
    return 46 <= size <= end and data[end - size : end - size + 4] == b"PK\x01\x02"


def _overlaps(members: list[zipfile.ZipInfo], size: int, sheet: Sheet) -> None:
    """Two members that share octets are one kernel told twice (the trick of the flat bomb)."""
    end = 0
    for member in sorted(members, key=lambda m: m.header_offset):
        if member.header_offset < end or member.header_offset + _LOCAL + member.compress_size > size:
            sheet.note(Trait.BOMB)
            raise Unreadable("overlap")
        end = member.header_offset + _LOCAL + member.compress_size


def read(archive: Archive, sheet: Sheet) -> None:
    """A plain zip: every member is a file of its own. One that cannot be had stands in the list with its reason."""
    for member in archive.members:
        if member.is_dir():
            continue
        traits = _traits(member)
        try:
            sheet.add(Inner(member.filename, archive.whole(member), traits=traits))
        except Unreadable as error:
            if error.reason == "encrypted":
                traits = (*traits, Trait.ENCRYPTED)
            sheet.add(Inner(member.filename, b"", fault=error.reason, traits=traits))
            if error.reason in ("ratio", "too-large"):
                raise


def _traits(member: zipfile.ZipInfo) -> tuple[Trait, ...]:
    if stat.S_ISLNK(member.external_attr >> 16):
        return (Trait.SYMLINK,)
    return (Trait.ODD_NAME,) if _DRIVE.match(member.filename) else ()
