"""Text in header fields: RFC 2047 encoded words, RFC 6532 UTF-8, and making either safe to show.

Decoding happens after parsing, so an encoded comma or line end never becomes structure (BI-044, BI-049).
"""

import base64
import binascii
import codecs
import re

#: only these are decoded; UTF-7 and the rest stay as written (BI-061)
_CHARSETS = frozenset(
    {"utf-8", "ascii", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258"}
    | {"koi8-r", "koi8-u", "gb2312", "gbk", "gb18030", "big5", "euc_kr", "euc_jp", "shift_jis", "iso2022_jp"}
    | {f"iso8859-{n}" for n in range(1, 17)}
)
_WORD = re.compile(r"=\?([^?*\s]{1,40})(?:\*[^?\s]{0,40})?\?([bBqQ])\?([^?\s]*)\?=")
#: C0, DEL, C1, line and paragraph separators: never shown
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
#: what reorders or hides text (BI-056, BI-063)
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def codec(charset: str) -> str | None:
    """Python's name of a charset that may be decoded, or None."""
    try:
        name = codecs.lookup(charset.strip().strip("\"'")).name if charset.isascii() else ""
    except (LookupError, ValueError):
        return None
    return name if name in _CHARSETS else None


def safe(text: str) -> str:
    """`text` on one line: controls become a space, marks that reorder text are dropped, lone surrogates replaced."""
    if text.isascii() and text.isprintable():
        return text
    text = _SURROGATE.sub("\ufffd", _BIDI.sub("", text))
    return _CONTROL.sub(" ", text)


def _payload(encoding: str, text: str) -> bytes | None:
    try:
        if encoding in "bB":
            return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        return binascii.a2b_qp(text.encode("ascii"), header=True)
    except (binascii.Error, ValueError):
        return None


def decode(text: str) -> str:
    """Unstructured text with its encoded words decoded, safe to show. Undecodable words stay as written."""
    if "=?" not in text:
        return safe(text)
    out: list[str] = []
    pending, charset = b"", ""
    end = 0
    for found in _WORD.finditer(text):
        between = text[end : found.start()]
        name = codec(found[1])
        raw = _payload(found[2], found[3]) if name else None
        if name is None or raw is None:
            continue
        # white space between two encoded words is not text (RFC 2047 6.2); peers also split characters there
        joined = bool(charset) and not between.strip(" \t")
        if not (joined and name == charset):
            if charset:
                out.append(pending.decode(charset, "replace"))
            pending = b""
        if not joined:
            out.append(between)
        pending, charset, end = pending + raw, name, found.end()
    if charset:
        out.append(pending.decode(charset, "replace"))
    out.append(text[end:])
    return safe("".join(out))


def encode(text: str, *, used: int = 0) -> str:
    """ASCII text as it is, other text as UTF-8 encoded words of at most 75 octets, folded. `used`: columns taken.

    The caller has refused controls. ASCII that looks like an encoded word is encoded, so it reads back unchanged."""
    if text.isascii() and "=?" not in text:
        return text
    words: list[str] = []
    # a line with encoded words has at most 76 columns (RFC 2047 2); 12 of them frame the word
    room = max(12, (64 - used) // 4 * 3)
    piece = b""
    for char in text:
        octets = char.encode("utf-8")
        if len(piece) + len(octets) > room:
            words.append(_word(piece))
            piece, room = b"", 45
        piece += octets
    words.append(_word(piece))
    return "\r\n ".join(words)


def _word(octets: bytes) -> str:
    return "=?utf-8?B?" + base64.b64encode(octets).decode("ascii") + "?="
