"""Who may send for a domain: `check` is RFC 7208's check_host as a course of questions.

At most 10 terms that ask, 2 answers without records, 10 names of an MX or PTR (4.6.4); what is over is a permerror,
never another question (BI-042)."""

import ipaddress
import re

import msgspec

from carepost.rfc import spf
from carepost.rfc.asking import Course, Found, Question, Record

LOOKUPS, VOIDS, NAMES = 10, 2, 10

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?|[\x20-\x2d\x2f-\x5b\x5d-\x7e]{1,63}")


class Verdict(msgspec.Struct, frozen=True):
    """RFC 7208 2.6: none | neutral | pass | fail | softfail | temperror | permerror. `domain`: whose word it is;
    `identity`: mailfrom | helo. `term`: what matched, e.g. "ip4" or "all"; "" where nothing did."""

    result: str
    domain: str
    identity: str = "mailfrom"
    term: str = ""
    lookups: int = 0


class _End(Exception):
    def __init__(self, result: str) -> None:
        super().__init__(result)
        self.result = result


class _State:
    """What one evaluation has used up."""

    def __init__(self, ip: str, sender: str, helo: str) -> None:
        address = ipaddress.ip_address(ip)
        mapped = getattr(address, "ipv4_mapped", None)
        self.address = mapped or address
        self.sender = sender
        self.helo = helo
        self.lookups = 0
        self.voids = 0

    @property
    def family(self) -> Record:
        return Record.A if self.address.version == 4 else Record.AAAA

    def count(self) -> None:
        self.lookups += 1
        if self.lookups > LOOKUPS:
            raise _End("permerror")

    def about(self, domain: str, validated: str = "unknown") -> spf.About:
        return spf.About(str(self.address), self.sender, self.helo, domain, validated)


def check(ip: str, helo: str, sender: str) -> Course[Verdict]:
    """`sender`: the reverse path, "" for the null one: then HELO is asked for (2.4). Raises nothing for bad input:
    what cannot be asked is `none`."""
    identity = "mailfrom" if sender else "helo"
    local, _, domain = sender.rpartition("@") if sender else ("postmaster", "@", helo)
    domain = domain.rstrip(".")
    try:
        state = _State(ip, f"{local or 'postmaster'}@{domain}", helo)
    except ValueError:
        return Verdict("none", domain, identity)
    try:
        result, term = yield from _host(state, domain, first=True)
    except _End as end:
        result, term = end.result, ""
    return Verdict(result, domain.lower(), identity, term, min(state.lookups, LOOKUPS))


def _host(state: _State, domain: str, *, first: bool = False) -> Course[tuple[str, str]]:
    if not _is_name(domain):
        return "none", ""
    found = yield Question(Record.TXT, domain)
    if found.failed:
        raise _End("temperror")
    records = [text for text in found.texts if spf.is_record(text)]
    if not records:
        return "none", ""
    if len(records) > 1:
        raise _End("permerror")
    try:
        record = spf.parse(records[0])
    except spf.SpfError:
        raise _End("permerror") from None
    for term in record.terms:
        if (yield from _matches(state, term, domain)):
            return term.result, term.name
    if record.redirect:
        state.count()
        target = yield from _target(state, record.redirect, domain)
        result, term_name = yield from _host(state, target)
        if result == "none":
            raise _End("permerror")
        return result, term_name
    return "neutral", ""


def _matches(state: _State, term: spf.Term, domain: str) -> Course[bool]:
    if term.name == "all":
        return True
    if term.network:
        network = ipaddress.ip_network(term.network, strict=False)
        return network.version == state.address.version and state.address in network
    state.count()
    target = yield from _target(state, term.domain, domain)
    if term.name == "include":
        return (yield from _include(state, target))
    if term.name == "ptr":
        return (yield from _validated(state, target)) != ""
    if not _is_name(target):
        return False
    if term.name == "exists":
        return bool((yield from _ask(state, Question(Record.A, target))).names)
    if term.name == "a":
        return _inside(state, term, (yield from _ask(state, Question(state.family, target))).names)
    return (yield from _mx(state, term, target))


def _include(state: _State, target: str) -> Course[bool]:
    result, _ = yield from _host(state, target)
    if result == "none":
        raise _End("permerror")
    return result == "pass"


def _mx(state: _State, term: spf.Term, target: str) -> Course[bool]:
    hosts = (yield from _ask(state, Question(Record.MX, target))).names
    if len(hosts) > NAMES:
        raise _End("permerror")
    for host in hosts:
        if _is_name(host) and _inside(state, term, (yield from _ask(state, Question(state.family, host))).names):
            return True
    return False


def _inside(state: _State, term: spf.Term, addresses: tuple[str, ...]) -> bool:
    length = term.cidr4 if state.address.version == 4 else term.cidr6
    return any(
        state.address in network
        for text in addresses
        if (network := ipaddress.ip_network(f"{text}/{length}", strict=False)).version == state.address.version
    )


def _target(state: _State, value: str, domain: str) -> Course[str]:
    if not value:
        return domain
    validated = "unknown"
    if spf.names_validated(value):
        validated = (yield from _validated(state, domain, preferred=True)) or "unknown"
    return spf.expand(value, state.about(domain, validated))


def _validated(state: _State, domain: str, *, preferred: bool = False) -> Course[str]:
    """5.5: a name of the client's address that leads back to it and is `domain` or below; with `preferred` any such
    name, `domain` and what is below it first. "" where there is none."""
    reverse = state.address.reverse_pointer
    found = yield Question(Record.PTR, reverse)
    if found.failed:
        return ""
    _void(state, found)
    proved = []
    for name in found.names[:NAMES]:
        if not _is_name(name):
            continue
        back = yield Question(state.family, name)
        if not back.failed and any(ipaddress.ip_address(a) == state.address for a in back.names):
            proved.append(name.lower().rstrip("."))
    wanted = domain.lower()
    proved.sort(key=lambda name: (name != wanted, not name.endswith("." + wanted)))
    if proved and (preferred or proved[0] == wanted or proved[0].endswith("." + wanted)):
        return proved[0]
    return ""


def _ask(state: _State, question: Question) -> Course[Found]:
    found = yield question
    if found.failed:
        raise _End("temperror")
    _void(state, found)
    return found


def _void(state: _State, found: Found) -> None:
    if found.void:
        state.voids += 1
        if state.voids > VOIDS:
            raise _End("permerror")


def _is_name(name: str) -> bool:
    """A name of at least two labels that DNS can be asked for."""
    labels = name.split(".")
    return 3 <= len(name) <= 253 and len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels) and (
        not labels[-1].endswith("]")
    )  # fmt: skip
