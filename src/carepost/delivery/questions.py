"""The resolver as it answers the courses of questions of SPF, DKIM and DMARC (`rfc.asking`)."""

from collections.abc import Awaitable, Callable
from typing import Final

from carepost.delivery.resolver import Answer, Resolver, Status
from carepost.rfc.asking import ABSENT, FAILED, Found, Question, Record

#: records of one answer that are looked at
_MOST: Final = 64


class Questions:
    """`ask` never raises for what DNS says; nothing learnt is `FAILED`."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._asked: dict[Record, Callable[[str], Awaitable[Answer[str]]]] = {
            Record.A: resolver.addresses,
            Record.AAAA: lambda name: resolver.addresses(name, v6=True),
            Record.PTR: resolver.names,
        }

    async def ask(self, question: Question) -> Found:
        if question.record is Record.TXT:
            texts = await self._resolver.txt(question.name)
            return _found(texts) or Found(texts=texts.records[:_MOST])
        if question.record is Record.MX:
            hosts = await self._resolver.mx(question.name)
            return _found(hosts) or Found(names=tuple(host for _, host in sorted(hosts.records) if host)[:_MOST])
        names = await self._asked[question.record](question.name)
        return _found(names) or Found(names=names.records[:_MOST])


def _found(answer: Answer[bytes] | Answer[str] | Answer[tuple[int, str]]) -> Found | None:
    """What is said without records; None where there are some."""
    if answer.unknown:
        return FAILED
    if answer.status is Status.NXDOMAIN:
        return ABSENT
    return None
