"""A message taken apart for inspection: subject, all texts, all pages, and each file. One of a message within too.

The structure is the one reading of `rfc.parts`, so what is inspected is what is shown and sent (BI-053)."""

import binascii
import itertools
import re
from collections.abc import Iterator
from typing import Final

from carepost.phi.documents.sheet import Budget, Inner
from carepost.phi.documents.texts import decode, embedded
from carepost.phi.documents.types import Unreadable
from carepost.rfc import mime, parts, words
from carepost.rfc.errors import MimeError, RfcError

#: fields whose text is shown as the message's own: a subject may also hide in a thread's
_SHOWN: Final = (b"subject:", b"thread-topic:", b"comments:", b"keywords:")
_ARMOUR: Final = "-----BEGIN PGP MESSAGE-----"
_BEGIN: Final = re.compile(r"^begin [0-7]{3,4} ([^\r\n]{1,200})\r?$", re.MULTILINE)
#: uuencoded files of one text, and lines of one
_UUENCODED: Final = 20
_UU_LINES: Final = 500_000
_HEADER: Final = 512 * 1024


class Taken:
    """What stands in one message, before its files are read."""

    def __init__(self) -> None:
        self.subject = ""
        self.texts: list[str] = []
        self.pages: list[str] = []
        self.files: list[Inner] = []


def take(raw: bytes, budget: Budget) -> Taken:
    """Raises Unreadable where the structure has two readings or is over a limit: never half of a message (BI-052)."""
    taken = Taken()
    taken.subject = "\n".join(_subjects(raw))
    limits = parts.Limits(depth=min(100, 4 * budget.limits.depth), parts=min(1_000, budget.limits.files))
    try:
        leaves = parts.walk(raw, limits)
    except RfcError:
        raise Unreadable("message-structure") from None
    for leaf in leaves:
        _leaf(raw, leaf, budget, taken)
    for page in taken.pages:
        taken.files.extend(embedded(page))
    return taken


def crlf(data: bytes) -> bytes:
    if data.count(b"\n") == data.count(b"\r\n"):
        return data
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _leaf(raw: bytes, leaf: parts.Part, budget: Budget, taken: Taken) -> None:
    # RFC 2047 forbids encoded words here; programs write them and show them decoded all the same
    given, *others = _names(leaf) or [""]
    fault, data = "", b""
    try:
        data = mime.decode(raw, leaf)
    except MimeError:
        fault = "bad-encoding"
    budget.inflate(len(data))
    body = not fault and not given and leaf.disposition in ("", "inline")
    charset = leaf.params.get("charset", "utf-8")
    if body and leaf.type in ("text/plain", "text/enriched"):
        text = decode(data, charset)
        taken.texts.append(text)
        taken.files.extend(_within(text, budget))
    elif body and leaf.type == "text/html":
        taken.pages.append(decode(data, charset))
    else:
        inline = bool(leaf.content_id) and leaf.disposition != "attachment"
        taken.files.append(Inner(given, data, leaf.type, inline, fault, also=tuple(others)))


def _names(leaf: parts.Part) -> list[str]:
    """`filename`, then `name` where it is another: some programs show and save by the one, some by the other."""
    given = (leaf.disposition_params.get("filename", ""), leaf.params.get("name", ""))
    return list(dict.fromkeys(words.decode(one) for one in given if one))


def _lines(text: str, at: int) -> Iterator[str]:
    while at < len(text):
        end = text.find("\n", at)
        end = end if end >= 0 else len(text)
        yield text[at:end].rstrip("\r")
        at = end + 1


def _within(text: str, budget: Budget) -> list[Inner]:
    """Files that stand in a text: OpenPGP's armour, and uuencoding, which mail programs still show as attachments."""
    found = []
    at = text.find(_ARMOUR)
    if at >= 0:
        found.append(Inner("", text[at : at + 10_000].encode("utf-8", "replace")))
    for begin in itertools.islice(_BEGIN.finditer(text), _UUENCODED):
        data = bytearray()
        for line in itertools.islice(_lines(text, begin.end() + 1), _UU_LINES):
            if line.strip() in ("end", "`", ""):
                break
            try:
                data += binascii.a2b_uu(line)
            except (binascii.Error, ValueError):
                break
        if data:
            budget.inflate(len(data))
            found.append(Inner(begin[1].strip(), bytes(data)))
    return found


def _subjects(raw: bytes) -> list[str]:
    """Decoded values of the fields a reader is shown."""
    end = raw.find(b"\r\n\r\n", 0, _HEADER)
    found = []
    if end < 0:
        end = raw.find(b"\n\n", 0, _HEADER)
    header = raw[: end if end >= 0 else _HEADER].replace(b"\r\n", b"\n").replace(b"\n ", b" ").replace(b"\n\t", b" ")
    for line in header.split(b"\n"):
        if line[:16].lower().startswith(_SHOWN):
            value = line.partition(b":")[2].strip()[:16_384]
            found.append(words.decode(value.decode("utf-8", "replace")))
    return found[:20]
