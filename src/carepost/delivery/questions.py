"""The resolver as it answers the courses of questions of SPF, DKIM and DMARC (`rfc.asking`), and the policy files that
sender domains serve."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from carepost.delivery.resolver import Answer, Resolver, Status
from carepost.rfc.asking import ABSENT, FAILED, Found, Question, Record

#: records of one answer that are looked at
_MOST: Final = 64
#: seconds a policy file may take
_POLICY_S: Final = 15.0

#: (policy host) -> the file; raises OSError, TimeoutError, ValueError
Fetch = Callable[[str], Awaitable[bytes]]


class Questions:
    """`ask` never raises for what DNS says; nothing learnt is `FAILED`."""

    def __init__(self, resolver: Resolver, fetch: Fetch | None = None) -> None:
        """`fetch`: as `mtasts.Policies` has it; without one no policy is ever had."""
        self._resolver = resolver
        self._fetch = fetch
        self._asked: dict[Record, Callable[[str], Awaitable[Answer[str]]]] = {
            Record.A: resolver.addresses,
            Record.AAAA: lambda name: resolver.addresses(name, v6=True),
            Record.PTR: resolver.names,
            Record.CNAME: resolver.aliases,
        }

    async def ask(self, question: Question) -> Found:
        if question.record is Record.POLICY:
            return await self._policy(question.name)
        if question.fresh:
            self._resolver.forget_name(question.name)
        if question.record is Record.TXT:
            texts = await self._resolver.txt(question.name)
            return _found(texts) or Found(texts=texts.records[:_MOST])
        if question.record is Record.MX:
            hosts = await self._resolver.mx(question.name)
            return _found(hosts) or Found(names=tuple(host for _, host in sorted(hosts.records) if host)[:_MOST])
        names = await self._asked[question.record](question.name)
        return _found(names) or Found(names=names.records[:_MOST])

    async def _policy(self, domain: str) -> Found:
        if self._fetch is None:
            return FAILED
        try:
            async with asyncio.timeout(_POLICY_S):
                return Found(texts=(await self._fetch(f"mta-sts.{domain}"),))
        except (OSError, ValueError, EOFError, TimeoutError):
            return FAILED


def _found(answer: Answer[bytes] | Answer[str] | Answer[tuple[int, str]]) -> Found | None:
    """What is said without records; None where there are some."""
    if answer.unknown:
        return FAILED
    if answer.status is Status.NXDOMAIN:
        return ABSENT
    return None
