"""SPF (RFC 7208) of one name: one record that can be evaluated, and that names every address mail leaves from.

What we propose is the record that stands there with our addresses put in before its end: what others were allowed to
send stays allowed. Lookups are counted over the whole record, as a receiver may have to."""

import ipaddress
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from carepost.rfc import spf, spf_check
from carepost.rfc.asking import Course, Found, Question, Record
from carepost.senders.answers import NAMELESS, Lines, texts, txt
from carepost.senders.types import Address, Line, Part

#: records looked into for the count: more than a receiver follows
_MOST: Final = 24
_WHY: Final = "It names the servers that may send for this name; receivers put mail from others aside."
_WHY_RETURN: Final = "Receivers check SPF at the return path: it must name the servers your mail leaves from."
_ENDS: Final = re.compile(r"[+?~-]?all|redirect=.*", re.IGNORECASE)
_BROKEN: Final = "Receivers count the record as broken."


class Used(msgspec.Struct):
    """What a receiver that follows every term asks (RFC 7208 4.6.4)."""

    lookups: int = 0
    voids: int = 0
    records: int = 0


def check(name: str, addresses: Sequence[Address], host: str, *, returns: bool = False) -> Course[Line]:
    """`returns`: the name is a return path."""
    why = _WHY_RETURN if returns else _WHY
    lines = Lines(Part.RETURN_SPF if returns else Part.SPF, name, "TXT", why, wanted=_new(addresses, host))
    answer = yield from txt(name)
    if answer.failed:
        return lines.unknown()
    records = [text for text in answer.texts if spf.is_record(text)]
    found = texts(answer, lambda text: spf.is_record(text.encode()))
    if not found:
        if not addresses and not host:
            return lines.missing(NAMELESS.format(domain=_parent(name, returns)), "no-name")
        return lines.missing("Publish the record.")
    if len(found) > 1:
        todo = f"{_BROKEN} Make one record of the {len(found)}."
        return lines.different("several", todo, found, _with(_one_of(found), addresses, host))
    wanted = _with(found[0], addresses, host)
    if re.search(r"(^| )\+?all( |$)", found[0], re.IGNORECASE):
        todo = "With “+all” anybody may send as this name. End the record with “-all”, or “~all” while you look."
        return lines.different("everybody", todo, found, re.sub(r"(^| )\+?all(?= |$)", r"\1-all", wanted, flags=re.I))
    try:
        record = spf.parse(records[0])
    except spf.SpfError as error:
        return lines.different("syntax", f"{error.public} {_BROKEN}", found, wanted)
    used = Used()
    yield from _count(name, record, used)
    if used.lookups > spf_check.LOOKUPS:
        todo = f"{_BROKEN} It leads to more than 10 questions; take out what sends no more, or name addresses by ip4."
        return lines.different("lookups", todo, found)
    if used.voids > spf_check.VOIDS:
        todo = f"{_BROKEN} {used.voids} names in it lead to nothing; take them out."
        return lines.different("voids", todo, found)
    return (yield from _ours(name, addresses, host, lines, found, wanted))


def _ours(
    name: str, addresses: Sequence[Address], host: str, lines: Lines, found: tuple[str, ...], wanted: str
) -> Course[Line]:
    """Whether every address we send from passes."""
    if not addresses:
        todo = f"{host} has no address in DNS, so nobody can tell whether the record names this system."
        if not host:
            todo = "This system has no name yet, so nobody can tell whether the record names it."
        return lines.unknown("no-address", todo, found)
    for address in addresses:
        verdict = yield from spf_check.check(address.ip, address.helo or host, f"postmaster@{name}")
        if verdict.result == "temperror":
            return lines.unknown(found=found)
        if verdict.result == "permerror":
            return lines.different("broken", f"{_BROKEN} One of the names it includes has no record.", found)
        if verdict.result != "pass":
            todo = f"It does not name {address.ip}, from which this system sends: put it in."
            return lines.different("without-us", todo, found, wanted)
    return lines.right(found=found, wanted=found[0])


def _terms(addresses: Sequence[Address], host: str) -> str:
    four = [f"ip4:{a.ip}" for a in addresses if ipaddress.ip_address(a.ip).version == 4]
    six = [f"ip6:{a.ip}" for a in addresses if ipaddress.ip_address(a.ip).version == 6]
    return " ".join(dict.fromkeys((*four, *six))) or (f"a:{host}" if host else "")


def _parent(name: str, returns: bool) -> str:
    return name.partition(".")[2] if returns else name


def _new(addresses: Sequence[Address], host: str) -> str:
    terms = _terms(addresses, host)
    return f"v=spf1 {terms} -all" if terms else ""


def _one_of(records: Sequence[str]) -> str:
    """What any of them allowed, and the end of the first."""
    words = [word for record in records for word in record.split()[1:]]
    ends = [word for word in words if _ENDS.fullmatch(word)]
    return " ".join(("v=spf1", *dict.fromkeys(word for word in words if word not in ends), *ends[:1]))


def _with(record: str, addresses: Sequence[Address], host: str) -> str:
    """The record that stands there, and our addresses before its end."""
    words = record.split()
    ours = [term for term in _terms(addresses, host).split() if term not in words]
    at = next((i for i, word in enumerate(words) if i and _ENDS.fullmatch(word)), len(words))
    return " ".join((*words[:at], *ours, *words[at:]))


def _count(name: str, record: spf.Record, used: Used) -> Course[None]:
    """Adds up what `record` of `name` leads to; stops where it is too much anyway."""
    used.records += 1
    for term in record.terms:
        if term.name not in ("include", "a", "mx", "ptr", "exists"):
            continue
        used.lookups += 1
        if used.lookups > spf_check.LOOKUPS:
            return
        target = term.domain or name
        if "%" in target:
            continue
        if term.name == "include":
            yield from _follow(target, used)
        elif term.name in ("a", "mx", "exists"):
            yield from _void(term.name, target, used)
    if record.redirect and "%" not in record.redirect and not any(one.name == "all" for one in record.terms):
        used.lookups += 1
        yield from _follow(record.redirect, used)


def _follow(name: str, used: Used) -> Course[None]:
    if used.lookups > spf_check.LOOKUPS or used.records >= _MOST:
        return
    answer = yield from txt(name)
    found = [text for text in answer.texts if spf.is_record(text)]
    if answer.void:
        used.voids += 1
    if len(found) != 1:
        return
    try:
        record = spf.parse(found[0])
    except spf.SpfError:
        return
    yield from _count(name, record, used)


def _void(kind: str, name: str, used: Used) -> Course[None]:
    """A question without any record (4.6.4); of `a` both kinds of address count as one."""
    if kind == "mx":
        answer: Found = yield Question(Record.MX, name)
    else:
        answer = yield Question(Record.A, name)
        if kind == "a" and answer.void:
            answer = yield Question(Record.AAAA, name)
    if answer.void:
        used.voids += 1
