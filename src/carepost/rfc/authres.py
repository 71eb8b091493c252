"""Authentication-Results (RFC 8601): ours written, forgeries of ours recognised. It never names a local part."""

import re

import msgspec

from carepost.rfc.message import Message

NAME = b"authentication-results"
#: results of one field
MOST = 20

_PLAIN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~@/-]{1,255}")


class Result(msgspec.Struct, frozen=True):
    """`method`: spf | dkim | dmarc | auth | arc. `properties`: ("smtp.mailfrom", "clinic.test") and so on."""

    method: str
    result: str
    reason: str = ""
    properties: tuple[tuple[str, str], ...] = ()


def field(authserv: str, results: tuple[Result, ...]) -> bytes:
    """The whole field with its CRLF. `authserv`: our own id, the host's name."""
    parts = [f"Authentication-Results: {authserv}"]
    parts += [_text(one) for one in results[:MOST]] or [" none"]
    return (";\r\n\t".join(parts)).encode("ascii", "replace") + b"\r\n"


def _text(one: Result) -> str:
    words = [f"{one.method}={one.result}"]
    if one.reason:
        words.append(f'reason="{_clean(one.reason)}"')
    words += [f"{name}={_value(value)}" for name, value in one.properties if value]
    return " ".join(words)


def _clean(text: str) -> str:
    return "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else " " for c in text)[:120]


def _value(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else f'"{_clean(text)}"'


def forged(message: Message, authserv: str) -> frozenset[int]:
    """Offsets at which fields stand that claim to be ours, or whose owner cannot be read (RFC 8601 5)."""
    ours = authserv.casefold()
    return frozenset(
        f.start for f in message.fields if f.name == NAME and owner(message.text(f)).casefold() in ("", ours)
    )


def without(raw: bytes, message: Message, authserv: str) -> bytes:
    """`raw` without the forgeries; every other octet as it is, also fields of others, which are only their word."""
    drop = forged(message, authserv)
    if not drop:
        return raw
    parts: list[bytes] = []
    kept = 0
    for one in message.fields:
        if one.start in drop:
            parts.append(raw[kept : one.start])
            kept = one.end
    parts.append(raw[kept:])
    return b"".join(parts)


def owner(value: str) -> str:
    """The authserv-id of a field's value; "" where none can be read."""
    at, depth = 0, 0
    while at < len(value):
        char = value[at]
        if char == "(":
            depth += 1
        elif char == ")" and depth:
            depth -= 1
        elif char == "\\" and depth:
            at += 1
        elif not depth and char not in " \t\r\n":
            break
        at += 1
    rest = value[at:]
    if rest.startswith('"'):
        quoted = re.match(r'"((?:[^"\\]|\\.)*)"', rest)
        return re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else ""
    found = re.match(r"[^\s;()\"]+", rest)
    return found[0] if found else ""
