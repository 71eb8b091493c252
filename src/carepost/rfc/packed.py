"""A report as it comes in the mail: plain, gzip, or one file in a ZIP, taken out within a limit of size and ratio.

The limits count what comes out, while it comes out: what the archive says of itself is not believed (BI-058)."""

import io
import struct
import zipfile
import zlib

from carepost.rfc.errors import RfcError

#: octets of a report once it is out, and how many times larger than it came
MOST, RATIO = 16 * 1024 * 1024, 400
#: files of a ZIP looked at, and octets of its list of them
FILES, LIST = 10, 65_536
#: the record at the end of a ZIP, and the place of the longer one that would count instead
_END, _LONG_END = b"PK\x05\x06", b"PK\x06\x07"


class PackedError(RfcError):
    """`code`: packed-large | packed-damaged | packed-files."""

    def __init__(self, code: str, public: str) -> None:
        super().__init__(code, public)


def open_(data: bytes, most: int = MOST) -> bytes:
    """The one file in `data`. Raises PackedError."""
    if data[:2] == b"\x1f\x8b":
        return _inflate(data, min(most, max(65_536, len(data) * RATIO)), 31)
    if data[:4] == b"PK\x03\x04":
        return _unzip(data, most)
    if len(data) > most:
        raise _large()
    return data


def _inflate(data: bytes, most: int, window: int) -> bytes:
    opener = zlib.decompressobj(window)
    try:
        out = opener.decompress(data, most + 1)
    except zlib.error:
        raise _damaged() from None
    if len(out) > most or opener.unconsumed_tail:
        raise _large()
    if not opener.eof:
        raise _damaged()
    return out


def _unzip(data: bytes, most: int) -> bytes:
    _listed(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = [one for one in archive.infolist()[:FILES] if not one.is_dir()]
            if len(files) != 1 or len(archive.infolist()) > FILES:
                raise PackedError("packed-files", "The report's archive must hold one file.")
            one = files[0]
            if one.flag_bits & 0x1 or one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise PackedError("packed-files", "The report's archive is encrypted or packed in an unusual way.")
            room = min(most, max(65_536, len(data) * RATIO))
            with archive.open(one) as stream:
                out = stream.read(room + 1)
    except PackedError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, LookupError, RuntimeError, struct.error):
        # LookupError: of a file without a name
        raise _damaged() from None
    if len(out) > room:
        raise _large()
    return out


def _listed(data: bytes) -> None:
    """Raises PackedError for an archive whose list of files alone would cost seconds and hundreds of megabytes to
    read."""
    end = data.rfind(_END, -65_558)
    if end < 0 or len(data) < end + 22:
        raise _damaged()
    if _LONG_END in data[max(0, end - 20) : end] or int.from_bytes(data[end + 12 : end + 16], "little") > LIST:
        raise PackedError("packed-files", "The report's archive must hold one file.")


def _large() -> PackedError:
    return PackedError("packed-large", "The report is larger than this system reads.")


def _damaged() -> PackedError:
    return PackedError("packed-damaged", "The report's archive cannot be opened; send it again.")
