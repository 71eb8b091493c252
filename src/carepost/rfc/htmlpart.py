"""The page of a message: found, and put back changed, every other part untouched.

What was signed or encrypted by its sender is left alone, and so is whatever has no single reading."""

import binascii
from typing import Final

import msgspec

from carepost.rfc import mime, parts, recoding, words
from carepost.rfc.errors import RfcError
from carepost.rfc.links import CHARSETS
from carepost.rfc.parts import Part

#: characters of a line, without its end (RFC 5322 2.1.1)
_LONGEST: Final = 998
_PLAIN: Final = frozenset({"7bit", "8bit", "binary"})
_SIGNED: Final = (b"\ndkim-signature:", b"\narc-seal:")
_WRAPPED: Final = (b"application/pkcs7-mime", b"application/x-pkcs7-mime", b"multipart/signed", b"multipart/encrypted")


class HtmlPart(msgspec.Struct, frozen=True):
    #: decoded, line ends as they came
    page: bytes
    #: Python's name, one of `links.CHARSETS`
    charset: str
    #: which of `leaves` it is
    index: int
    leaves: tuple[Part, ...]


def find(raw: bytes) -> HtmlPart | None:
    """The first HTML part that is shown; None where there is none, or none that may be changed."""
    head = raw[: max(0, raw.find(b"\r\n\r\n")) or len(raw)].lower()
    if any(name in b"\n" + head for name in _SIGNED) or any(name in head for name in _WRAPPED):
        return None
    try:
        leaves = parts.walk(raw)
        for index, part in enumerate(leaves):
            named = part.disposition_params.get("filename") or part.params.get("name")
            if part.type != "text/html" or part.disposition not in ("", "inline") or named:
                continue
            charset = words.codec(part.params.get("charset", "us-ascii")) or ""
            if recoding.KEPT & set(part.within) or charset not in CHARSETS:
                return None
            # what is said to be ASCII and is not is shown as UTF-8
            return HtmlPart(mime.decode(raw, part), "utf-8" if charset == "ascii" else charset, index, tuple(leaves))
    except RfcError:
        pass
    return None


def put(raw: bytes, found: HtmlPart, page: bytes) -> bytes | None:
    """`raw` with `page` in the place of the part's. None where that cannot be had without touching anything else."""
    part = found.leaves[found.index]
    tail = raw[part.end :]
    if part.encoding in _PLAIN and max(map(len, page.split(b"\r\n"))) <= _LONGEST:
        made = raw[: part.start] + page + tail
    elif part.encoding in _PLAIN:
        head = recoding.head(raw, found.leaves[found.index - 1].end if found.index else 0, part.start)
        kept = recoding.CTE.sub(b"", raw[head : part.start - 2])
        made = b"".join((raw[:head], kept, b"Content-Transfer-Encoding: quoted-printable\r\n\r\n", _quoted(page), tail))
    elif part.encoding == "base64":
        made = raw[: part.start] + recoding.base64_lines(page) + tail
    else:
        made = raw[: part.start] + _quoted(page) + tail
    return made if _same(raw, found, made, page) else None


def _quoted(page: bytes) -> bytes:
    """RFC 2045 6.7, line by line, so that the line ends of the page stay."""
    lines = [binascii.b2a_qp(line, quotetabs=False, istext=False) for line in page.split(b"\r\n")]
    return b"\r\n".join(line.replace(b"=\n", b"=\r\n") for line in lines)


def _same(raw: bytes, found: HtmlPart, made: bytes, page: bytes) -> bool:
    """Nothing but the page changed, and the page is what was asked for."""
    try:
        after = parts.walk(made)
        return len(after) == len(found.leaves) and all(
            (old.type, old.params, old.within, old.disposition, old.content_id)
            == (new.type, new.params, new.within, new.disposition, new.content_id)
            and (
                mime.decode(made, new) == page
                if n == found.index
                else raw[old.start : old.end] == made[new.start : new.end]
            )
            for n, (old, new) in enumerate(zip(found.leaves, after, strict=True))
        )
    except RfcError:
        return False
