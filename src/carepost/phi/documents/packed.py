"""gzip and tar, and the content of an opaque S/MIME signature (RFC 8551 3.5.2): files that only wrap others."""

import io
import tarfile
import zlib
from typing import Final

from asn1crypto import cms

from carepost.phi.documents.sheet import Inner, Sheet
from carepost.phi.documents.types import Trait, Unreadable

_CHUNK: Final = 64 * 1024


def gzip(data: bytes, sheet: Sheet, name: str = "") -> None:
    """One member; several joined are read one after the other."""
    out: list[bytes] = []
    seen = 0
    rest = data
    try:
        while rest[:2] == b"\x1f\x8b":
            stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
            pending = rest
            while pending and not stream.eof:
                piece = stream.decompress(pending, _CHUNK)
                pending = stream.unconsumed_tail
                seen += len(piece)
                sheet.grown(len(data), seen)
                sheet.budget.inflate(len(piece))
                out.append(piece)
                if not piece and not pending:
                    break
            if not stream.eof:
                raise Unreadable("damaged")
            rest = stream.unused_data
    except zlib.error:
        raise Unreadable("damaged") from None
    sheet.add(Inner(name.removesuffix(".gz").replace(".tgz", ".tar"), b"".join(out)))


def tar(data: bytes, sheet: Sheet) -> None:
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for count, member in enumerate(archive):
                if count >= sheet.limits.members:
                    sheet.note(Trait.BOMB)
                    raise Unreadable("too-many")
                if member.issym() or member.islnk():
                    sheet.add(Inner(member.name, b"", traits=(Trait.SYMLINK,)))
                elif member.isfile():
                    if member.size > sheet.limits.member:
                        raise Unreadable("too-large")
                    sheet.budget.inflate(member.size)
                    opened = archive.extractfile(member)
                    sheet.add(Inner(member.name, opened.read() if opened else b""))
    except (tarfile.TarError, ValueError, EOFError, OSError, RecursionError):
        raise Unreadable("damaged") from None


def signature(data: bytes, sheet: Sheet) -> None:
    """A detached signature says nothing; an opaque one holds the message it signs."""
    if data[:1] != b"\x30":
        return
    try:
        signed = cms.ContentInfo.load(data)["content"]
        content = signed["encap_content_info"]["content"].native
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Unreadable("damaged") from None
    if isinstance(content, bytes) and content:
        sheet.budget.inflate(len(content))
        sheet.add(Inner("signed-content", content, "message/rfc822"))
