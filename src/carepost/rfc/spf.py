"""The SPF record (RFC 7208 4.6, 12): terms of one record, read whole before any of it is evaluated, and its macros."""

import ipaddress
import re
from urllib.parse import quote

import msgspec

from carepost.rfc.errors import RfcError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: octets of a record, terms in it (BI-042); what is longer is an error of its publisher
MAX_RECORD, MAX_TERMS = 8_192, 200

_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral", "": "pass"}
_TERM = re.compile(r"([+?~-]?)([A-Za-z][A-Za-z0-9_.-]*)(.*)", re.DOTALL)
_MACRO = re.compile(r"%(?:%|_|-|\{([slodiphcrtvSLODIPHCRTV])([0-9]{0,3})(r?)([-.+,/_=]*)\})", re.IGNORECASE)
_LITERAL = re.compile(r"[\x21-\x24\x26-\x7e]+")
_CIDR4 = re.compile(r"(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?$")
_TOP = re.compile(r"\.(?:[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9])\.?$")
_NO_ARGUMENT = frozenset({"all"})
_DOMAIN_NEEDED = frozenset({"include", "exists"})
_MECHANISMS = frozenset({"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"})


class SpfError(RfcError):
    """A record that RFC 7208 makes a permerror."""

    def __init__(self, public: str) -> None:
        super().__init__("spf-record", public)


class Term(msgspec.Struct, frozen=True):
    """A mechanism. `result`: pass | fail | softfail | neutral. `domain`: with its macros; "" where the current domain
    is meant. `cidr4`, `cidr6`: of a and mx. `network`: of ip4 and ip6."""

    name: str
    result: str
    domain: str = ""
    cidr4: int = 32
    cidr6: int = 128
    network: str = ""


class Record(msgspec.Struct, frozen=True):
    terms: tuple[Term, ...]
    redirect: str = ""


class About(msgspec.Struct, frozen=True):
    """What macros stand for. `sender`: local@domain; `validated`: the name the client's address was proved to have."""

    ip: str
    sender: str
    helo: str
    domain: str
    validated: str = "unknown"


def is_record(text: bytes) -> bool:
    """RFC 7208 4.5: exactly the version, then a space or the end."""
    return text[:6].lower() == b"v=spf1" and (len(text) == 6 or text[6:7] == b" ")


def parse(text: bytes) -> Record:
    """Raises SpfError for anything the grammar does not allow."""
    if len(text) > MAX_RECORD:
        raise SpfError("The SPF record is larger than 8 KiB.")
    try:
        line = text.decode("ascii")
    except UnicodeDecodeError:
        raise SpfError("The SPF record is not ASCII.") from None
    terms: list[Term] = []
    modifiers: dict[str, str] = {}
    words = [word for word in line[6:].split(" ") if word]
    if len(words) > MAX_TERMS:
        raise SpfError("The SPF record has more than 200 terms.")
    for word in words:
        found = _TERM.fullmatch(word)
        if found is None:
            raise SpfError("A term of the SPF record is not well formed.")
        sign, name, rest = found[1], found[2].lower(), found[3]
        if rest.startswith("=") and not sign:
            _modifier(modifiers, name, rest[1:])
            continue
        terms.append(_mechanism(_RESULTS[sign], name, rest))
    return Record(tuple(terms), modifiers.get("redirect", ""))


def _modifier(found: dict[str, str], name: str, value: str) -> None:
    if name in ("redirect", "exp"):
        if name in found:
            raise SpfError(f"The SPF record has {name} twice.")
        found[name] = _domain_spec(value)
    elif not _is_macro_string(value):
        raise SpfError("A modifier of the SPF record is not well formed.")


def _mechanism(result: str, name: str, rest: str) -> Term:
    if name not in _MECHANISMS:
        raise SpfError("The SPF record has a mechanism nobody knows.")
    if name in _NO_ARGUMENT:
        if rest:
            raise SpfError("The mechanism all takes no argument.")
        return Term(name, result)
    if name in ("ip4", "ip6"):
        return Term(name, result, network=_network(name, rest))
    cidr4, cidr6 = 32, 128
    if name in ("a", "mx"):
        found = _CIDR4.search(rest)
        assert found is not None
        rest = rest[: found.start()]
        cidr4 = int(found[1]) if found[1] is not None else 32
        cidr6 = int(found[2]) if found[2] is not None else 128
        if cidr4 > 32 or cidr6 > 128:
            raise SpfError("A prefix length in the SPF record is too large.")
    if not rest and name not in _DOMAIN_NEEDED:
        return Term(name, result, "", cidr4, cidr6)
    if not rest.startswith(":"):
        raise SpfError("A mechanism of the SPF record lacks its domain.")
    return Term(name, result, _domain_spec(rest[1:]), cidr4, cidr6)


def _network(name: str, rest: str) -> str:
    value = rest[1:] if rest.startswith(":") else ""
    address, slash, prefix = value.partition("/")
    try:
        parsed = ipaddress.IPv4Address(address) if name == "ip4" else ipaddress.IPv6Address(address)
    except ValueError:
        raise SpfError("An address in the SPF record is not well formed.") from None
    longest = parsed.max_prefixlen
    if "%" in address or (slash and (not prefix.isascii() or not prefix.isdigit() or len(prefix) > 3)):
        raise SpfError("An address in the SPF record is not well formed.")
    length = int(prefix) if slash else longest
    if length > longest or (slash and prefix != str(length)):
        raise SpfError("A prefix length in the SPF record is too large.")
    return f"{parsed}/{length}"


def _is_macro_string(value: str, *, explain: bool = False) -> bool:
    at = 0
    while at < len(value):
        if value[at] == "%":
            found = _MACRO.match(value, at)
            if found is None or (found[2] and int(found[2]) == 0):
                return False
            if found[1] and found[1] in "crtCRT" and not explain:
                return False
        else:
            found = _LITERAL.match(value, at)
            if found is None:
                return False
        at = found.end()
    return True


def _domain_spec(value: str) -> str:
    """RFC 7208 7.1: ends in a macro or in a top label."""
    if not value or not _is_macro_string(value):
        raise SpfError("A domain in the SPF record is not well formed.")
    ends_in_macro = any(found.end() == len(value) and found[1] for found in _MACRO.finditer(value))
    if not ends_in_macro and _TOP.search(value) is None:
        raise SpfError("A domain in the SPF record does not end in a top-level name.")
    return value


def names_validated(value: str) -> bool:
    """Whether a macro string needs the client's proved name (`%{p}`), which costs questions."""
    return any(found[1] and found[1] in "pP" for found in _MACRO.finditer(value))


def expand(value: str, about: About) -> str:
    """RFC 7208 7.3, for a domain: at most 253 characters, labels dropped on the left."""
    name = _MACRO.sub(lambda found: _expanded(found, about), value)
    while len(name) > 253 and "." in name:
        name = name.partition(".")[2]
    return name.rstrip(".")


def _expanded(found: re.Match[str], about: About) -> str:
    letter = found[1]
    if letter is None:
        return {"%%": "%", "%_": " ", "%-": "%20"}[found[0]]
    value = _values(about)[letter.lower()]
    if found[2] or found[3] or found[4]:
        parts = re.split("[" + re.escape(found[4] or ".") + "]", value)
        if found[3]:
            parts.reverse()
        value = ".".join(parts[-int(found[2]) :] if found[2] else parts)
    return quote(value, safe="-._~") if letter.isupper() else value


def _values(about: About) -> dict[str, str]:
    local, _, domain = about.sender.rpartition("@")
    address = ipaddress.ip_address(about.ip)
    four = address.version == 4
    text = about.ip if four else ".".join(address.exploded.replace(":", ""))
    return {
        "s": about.sender,
        "l": local,
        "o": domain,
        "d": about.domain,
        "i": text,
        "p": about.validated,
        "v": "in-addr" if four else "ip6",
        "h": about.helo,
    }
