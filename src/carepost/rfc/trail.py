"""The Received trail (RFC 5321 4.4) read back: where a message says it has been, and when.

It is what each server wrote; all below the first server one trusts may be invented."""

import ipaddress
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from carepost.rfc import words
from carepost.rfc.message import Message

#: fields read at most: of more, half of it from either end
MOST = 100

_WORD = r"([^\s;()]{1,255})"
_FROM = re.compile(rf"^from\s+{_WORD}", re.IGNORECASE)
_BY = re.compile(rf"(?:^|\s)by\s+{_WORD}", re.IGNORECASE)
_WITH = re.compile(r"\swith\s+([A-Za-z0-9]{1,20}(?:\s+SMTP)?)", re.IGNORECASE)
_ADDRESS = re.compile(
    r"\[(?:IPv6:)?([0-9A-Fa-f:.]{2,45})\]"
    r"|(?:^|[\s@])([0-9]{1,3}(?:\.[0-9]{1,3}){3}|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4})$"
)
#: what the client said of itself, which servers write into their comments too (Exim, qmail)
_CLAIMED = re.compile(r"(?:^|(?<=\s))(?:(?:helo|ehlo)[=\s]|ident=)\S*", re.IGNORECASE)
#: comments about the encryption and the account
_OTHER = re.compile(r"(?:using|client|no client|authenticated|version=)", re.IGNORECASE)
_TLS = re.compile(r"(TLSv?1(?:[._][0-3])?|TLS1_[23])", re.IGNORECASE)


class Hop(msgspec.Struct, frozen=True):
    """One field. `named`: what the client called itself; `address`: what the server saw of it, "" where not written.

    `at`: UTC microseconds, 0 where no date can be read. `protocol`: ESMTPS and so on. `encrypted`: None where the
    field does not say. `delay`: seconds since the hop before, None for the first or without dates."""

    named: str
    address: str
    by: str
    protocol: str
    at: int
    encrypted: bool | None
    tls: str = ""
    delay: int | None = None


def count(message: Message) -> int:
    """Its Received fields, read or not."""
    return sum(f.name == b"received" for f in message.fields)


def read(message: Message) -> tuple[Hop, ...]:
    """In the order of travel: the field at the bottom is the first hop. Of more than MOST the first and the last."""
    fields = [f for f in message.fields if f.name == b"received"]
    # the place after which some were left out: between its neighbours no time can be told
    gap = MOST // 2 if len(fields) > MOST else 0
    if gap:
        fields = fields[:gap] + fields[-gap:]
    hops: list[Hop] = []
    for field in reversed(fields):
        hop = _hop(words.safe(message.text(field))[:4096])
        before = hops[-1].at if hops and len(hops) != gap else 0
        if hop.at and before:
            hop = msgspec.structs.replace(hop, delay=round((hop.at - before) / 1_000_000))
        hops.append(hop)
    return tuple(hops)


def _hop(value: str) -> Hop:
    trace, _, date = value.rpartition(";")
    trace = trace or value
    by = _BY.search(trace)
    head = trace[: by.start()] if by else trace
    from_ = _FROM.search(head)
    # a comment before it may say "with cipher"
    protocol = _WITH.search(trace, by.end() if by else 0)
    word = protocol[1].upper() if protocol else ""
    tls = _TLS.search(trace)
    return Hop(
        from_[1] if from_ else "",
        _address(head),
        by[1] if by else "",
        word,
        moment(date),
        _encrypted(word, tls is not None),
        tls[1] if tls else "",
    )


def _address(head: str) -> str:
    """What the server saw, which it writes in a comment (RFC 5321 4.4): anything before that, and what follows HELO in
    one, the client chose, and may be the address of somebody whose word counts. Where several comments have an address
    the last: a server writes its own after the client's words."""
    said = [_CLAIMED.sub("", comment).strip() for comment in _comments(head) if _OTHER.match(comment) is None]
    for text in reversed(said):
        for found in reversed(list(_ADDRESS.finditer(text))):
            if address := _parsed(found[1] or found[2]):
                return address
    # Exim writes the address it saw in the place of a name it could not find
    only = _ADDRESS.search(head.partition("(")[0])
    return _parsed(only[1] or only[2]) if only else ""


def _parsed(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def _comments(head: str) -> list[str]:
    """The outermost ones, with what is nested in them."""
    found: list[str] = []
    depth = start = 0
    for at, character in enumerate(head):
        if character == "(":
            depth += 1
            start = at + 1 if depth == 1 else start
        elif character == ")" and depth:
            depth -= 1
            if not depth:
                found.append(head[start:at])
    return found


def _encrypted(protocol: str, tls: bool) -> bool | None:
    if tls:
        return True
    if protocol in ("ESMTPS", "ESMTPSA", "UTF8SMTPS", "UTF8SMTPSA", "LMTPS", "HTTPS"):
        return True
    return False if protocol in ("SMTP", "ESMTP", "ESMTPA", "UTF8SMTP", "UTF8SMTPA") else None


def moment(date: str) -> int:
    """UTC microseconds of an RFC 5322 date; 0 for what is none, or lies outside the calendar (BI-065)."""
    try:
        at = parsedate_to_datetime(date.strip()[:128])
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        return max(0, int((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0
