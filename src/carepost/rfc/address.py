"""Addresses: SMTP paths (from `path`) and the mailboxes of header fields (RFC 5322 3.4), read once and strictly.

One parse serves policy, log and screen, so `From: <a@good> <b@evil>` has no second reading: it is refused (BI-048).
"""

import re

import msgspec

from carepost.rfc import words
from carepost.rfc.errors import AddressError
from carepost.rfc.path import domain, matching, parse_domain, parse_path

__all__ = ["Mailbox", "domain", "format_mailbox", "matching", "parse_domain", "parse_mailboxes", "parse_path"]

#: mailboxes in one header field (BI-050)
MAX_MAILBOXES = 2_000

_ATOM = r"[^\x00-\x20\x7f()<>\[\]:;@\\,\"]+"
_TOKEN = re.compile(
    r'(?P<ws>[ \t]+)|(?P<quoted>"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x1f\x7f])*")'
    rf"|(?P<atom>{_ATOM})|(?P<special>[<>@,:;])"
)
_SIMPLE = re.compile(
    r"(?:([A-Za-z0-9][A-Za-z0-9 .'-]*) |\"([A-Za-z0-9 .,'()-]+)\" ?)?"
    r"<([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+)>"
)
#: an address alone, as most fields that we wrote ourselves have it
_BARE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")
_UNQUOTE = re.compile(r"\\(.)")
#: nested comments; more is an attack on someone's recursion
_DEPTH = 16

_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")

#: kind, text, start, end
_Token = tuple[str, str, int, int]


class Mailbox(msgspec.Struct, frozen=True):
    """`name` is decoded and safe to show, "" when there was none; `address` is as `parse_path` gives it."""

    name: str
    address: str
    #: display name of the group it stood in
    group: str = ""


def _bad(code: str = "list-syntax") -> AddressError:
    return AddressError(code, "An address field of the message is not well formed.", "5.6.0", reply=550)


def _comment(value: str, at: int) -> int:
    """The position after the comment that begins at `at`."""
    depth = 0
    size = len(value)
    while at < size:
        char = value[at]
        if char == "\\":
            at += 1
        elif char == "(":
            depth += 1
            if depth > _DEPTH:
                break
        elif char == ")":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    raise _bad()


def _tokens(value: str) -> list[_Token]:
    found: list[_Token] = []
    at, size = 0, len(value)
    match = _TOKEN.match
    while at < size:
        if value[at] == "(":
            at = _comment(value, at)
            continue
        token = match(value, at)
        if token is None:
            raise _bad()
        at = token.end()
        if token.lastgroup != "ws":
            found.append((str(token.lastgroup), token[0], token.start(), at))
    return found


def _phrase(tokens: list[_Token]) -> str:
    parts: list[str] = []
    run: list[str] = []
    for kind, text, _, _ in tokens:
        if kind == "atom":
            run.append(text)
            continue
        if run:
            parts.append(words.decode(" ".join(run)))
            run = []
        # an encoded word inside quotes is text (RFC 2047 5)
        parts.append(words.safe(_UNQUOTE.sub(r"\1", text[1:-1])))
    if run:
        parts.append(words.decode(" ".join(run)))
    return " ".join(parts)


def _spec(tokens: list[_Token]) -> str:
    """local "@" domain, touching each other."""
    if len(tokens) != 3 or tokens[0][0] not in ("atom", "quoted") or tokens[1][1] != "@" or tokens[2][0] != "atom":
        raise _bad()
    if tokens[0][3] != tokens[1][2] or tokens[1][3] != tokens[2][2]:
        raise _bad()
    return parse_path(tokens[0][1] + "@" + tokens[2][1], utf8=True)


def _mailbox(tokens: list[_Token], group: str) -> Mailbox:
    if not tokens:
        raise _bad("list-empty")
    opened = next((i for i, t in enumerate(tokens) if t[1] == "<"), -1)
    if opened < 0:
        return Mailbox("", _spec(tokens), group)
    if tokens[-1][1] != ">" or any(t[0] == "special" for t in tokens[:opened]):
        raise _bad()
    return Mailbox(_phrase(tokens[:opened]), _spec(tokens[opened + 1 : -1]), group)


def parse_mailboxes(value: str, *, groups: bool = True) -> list[Mailbox]:
    """The mailboxes of an unfolded address field, groups flattened (`groups=False` refuses them, as From does).

    Raises AddressError for anything with a second reading, empty members, controls, over 2,000 mailboxes."""
    if _BARE.fullmatch(value) is not None:
        return [Mailbox("", parse_path(value))]
    simple = _SIMPLE.fullmatch(value)
    if simple is not None:
        return [Mailbox((simple[1] or simple[2] or "").strip(), parse_path(simple[3]))]
    found: list[Mailbox] = []
    group, inside = "", False
    item: list[_Token] = []
    closed = False
    for token in [*_tokens(value), ("special", ",", -1, -1)]:
        kind, text, _, _ = token
        if kind != "special" or text in "<>@":
            if closed:
                raise _bad()
            item.append(token)
        elif text == ":":
            if inside or not groups or not item or any(t[0] == "special" for t in item):
                raise _bad("list-group")
            group, inside, item = _phrase(item), True, []
        elif text == ";":
            if not inside:
                raise _bad()
            if item:
                found.append(_mailbox(item, group))
            group, inside, item, closed = "", False, [], True
        else:
            if inside and token[2] < 0:
                raise _bad("list-group")
            if not closed:
                found.append(_mailbox(item, group))
            item, closed = [], False
        if len(found) > MAX_MAILBOXES:
            raise AddressError("list-long", "An address field has more than 2,000 addresses.", "5.5.3", reply=550)
    return found


def format_mailbox(name: str, address: str) -> str:
    """`name <address>` for a header field, RFC 2047 where the name needs it. Raises AddressError on any control
    character: nothing given as a name can begin another field (BI-043, BI-045, BI-046)."""
    address = parse_path(address, utf8=True)
    if not name:
        return address
    if any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029" for c in name):
        raise AddressError("name-control", "The display name contains a control character.")
    name = name.strip()
    if not name:
        return address
    if not name.isascii() or "=?" in name:
        return f"{words.encode(words.safe(name))} <{address}>"
    if not _PHRASE.fullmatch(name):
        name = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return f"{name} <{address}>"
