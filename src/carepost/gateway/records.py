"""What a connection's sender domains publish, as far as the connection works by it: MX, SPF, DKIM. A pure course of
questions to DNS (`rfc.asking`)."""

import re
from collections.abc import Generator, Mapping, Sequence
from typing import Final

import msgspec

from carepost.directory.gateways import RETURN, Settings
from carepost.rfc import spf_check
from carepost.rfc.asking import Course, Found, Question, Record
from carepost.wire.probes import BAD, DKIM, GOOD, MX, SPF, Probed

#: domains looked at
MOST: Final = 5


class Asked(msgspec.Struct, frozen=True):
    """`host`: this system's name. `keys`: sender domain -> (selector, record) of the DKIM keys in use. `include`: what
    SPF records of the provider's tenants include."""

    settings: Settings
    host: str
    domains: tuple[str, ...]
    keys: Mapping[str, Sequence[tuple[str, str]]]
    include: str = ""


def check(asked: Asked) -> Course[tuple[Probed, ...]]:
    """One finding for each of MX, SPF and DKIM, over all domains: the first that is amiss names the cause."""
    ours = yield from _addresses(asked.host)
    found: dict[str, list[Probed]] = {MX: [], SPF: [], DKIM: []}
    for domain in asked.domains[:MOST]:
        found[MX].append((yield from _mx(domain, asked)))
        found[SPF].append((yield from _spf(domain, asked, ours)))
        found[DKIM].append((yield from _dkim(domain, asked.keys.get(domain, ()))))
    return tuple(_one(step, some) for step, some in found.items() if some)


def _one(step: str, some: Sequence[Probed]) -> Probed:
    said = "; ".join(one.found for one in some if one.found)[:500]
    wrong = next((one for one in some if one.state == BAD), None)
    return Probed(step, BAD if wrong else GOOD, said, wrong.cause if wrong else "")


def _addresses(host: str) -> Generator[Question, Found, tuple[str, ...]]:
    v4 = yield Question(Record.A, host)
    v6 = yield Question(Record.AAAA, host)
    return (*v4.names, *v6.names)[:4]


def _mx(domain: str, asked: Asked) -> Generator[Question, Found, Probed]:
    answer = yield Question(Record.MX, domain)
    if answer.failed:
        return Probed(MX, BAD, domain, "dns-failure")
    names = tuple(name.rstrip(".").lower() for name in answer.names)
    said = f"{domain}: {', '.join(names[:4]) or 'none'}"
    if not asked.settings.inbound:
        return Probed(MX, GOOD if names else BAD, said, "" if names else "mx-missing")
    if asked.host not in names:
        return Probed(MX, BAD, said, "mx-not-here")
    # whoever writes to another of them passes by what opens and judges mail
    return Probed(
        MX, GOOD if set(names) == {asked.host} else BAD, said, "" if set(names) == {asked.host} else "mx-also"
    )


def _spf(domain: str, asked: Asked, ours: Sequence[str]) -> Generator[Question, Found, Probed]:
    answer = yield Question(Record.TXT, domain)
    if answer.failed:
        return Probed(SPF, BAD, domain, "dns-failure")
    texts = [t.decode("utf-8", "replace") for t in answer.texts]
    records = [t for t in texts if re.match(r"v=spf1( |$)", t, re.IGNORECASE)]
    if len(records) != 1:
        return Probed(SPF, BAD, f"{domain}: {len(records)} records", "spf-two" if records else "spf-missing")
    said = f"{domain}: {records[0][:150]}"
    if asked.settings.mode == RETURN:
        words = records[0].lower().split()
        if asked.include and not any(one.lstrip("+") == f"include:{asked.include}" for one in words):
            return Probed(SPF, BAD, said, "spf-without-provider")
        return Probed(SPF, GOOD, said)
    if not ours:
        return Probed(SPF, BAD, said, "host-without-address")
    for ip in ours:
        verdict = yield from spf_check.check(ip, asked.host, f"postmaster@{domain}")
        if verdict.result != "pass":
            return Probed(SPF, BAD, f"{said} ({ip}: {verdict.result})", "spf-without-us")
    return Probed(SPF, GOOD, said)


def _dkim(domain: str, keys: Sequence[tuple[str, str]]) -> Generator[Question, Found, Probed]:
    if not keys:
        return Probed(DKIM, BAD, f"{domain}: no key", "dkim-none")
    for selector, record in keys:
        name = f"{selector}._domainkey.{domain}"
        answer = yield Question(Record.TXT, name)
        if answer.failed:
            return Probed(DKIM, BAD, name, "dns-failure")
        if not answer.texts:
            return Probed(DKIM, BAD, name, "dkim-missing")
        if _key(answer.texts[0].decode("utf-8", "replace")) != _key(record):
            return Probed(DKIM, BAD, name, "dkim-other")
    return Probed(DKIM, GOOD, f"{domain}: {', '.join(selector for selector, _ in keys)}")


def _key(record: str) -> str:
    found = re.search(r"(?:^|;)\s*p\s*=([^;]*)", record)
    return re.sub(r"\s", "", found[1]) if found else ""
