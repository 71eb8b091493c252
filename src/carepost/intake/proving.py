"""Who sent what came to the MX: SPF, DKIM and DMARC asked of DNS within a time, and put on record, whatever they say.

An evaluation that fails never loses mail and never counts as proof: what could not be learnt is `temperror`."""

import asyncio
from typing import Final, Protocol

from carepost.crypto import dkim_verify, sender
from carepost.crypto.sender import Peer, Proved
from carepost.ground import clock, log, metrics
from carepost.rfc.asking import FAILED, Course, Found, Question
from carepost.rfc.message import Message
from carepost.wire.types import Submission

#: seconds all questions about one message may take
SECONDS: Final = 15.0
#: evaluations under way at once; more wait within their time
AT_ONCE: Final = 50


class Dns(Protocol):
    """`delivery.questions.Questions`."""

    async def ask(self, question: Question) -> Found: ...


class NoDns:
    """Where no resolver was given: nothing can be learnt."""

    async def ask(self, question: Question) -> Found:
        return FAILED


class Prover:
    def __init__(self, dns: Dns, *, seconds: float = SECONDS) -> None:
        self._dns = dns
        self._seconds = seconds
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def prove(
        self, submission: Submission, read: Message, services: frozenset[str] = dkim_verify.EMAIL
    ) -> Proved:
        """Never raises. `services`: what a signing key may be for."""
        authors = tuple(mailbox.address for mailbox in read.from_)
        peer = Peer(submission.client, submission.helo, submission.envelope.sender)
        course = sender.prove(submission.body, authors, peer, clock.now() // 1_000_000, services)
        try:
            async with asyncio.timeout(self._seconds), self._slots:
                return await self.carry_out(course)
        except TimeoutError:
            metrics.count("sender_proof_late")
        except Exception as error:
            # an evaluation that fails is no proof, and no reason to lose mail
            log.failure("sender-proof", error)
        return sender.unproved(authors[0].rpartition("@")[2] if len(authors) == 1 else "")

    async def carry_out(self, course: Course[Proved]) -> Proved:
        """Each question once; past the limit of questions nothing is learnt."""
        known: dict[Question, Found] = {}
        try:
            question = next(course)
            while True:
                if question not in known:
                    over = sender.beyond(known, question)
                    known[question] = FAILED if over else await self._dns.ask(question)
                question = course.send(known[question])
        except StopIteration as end:
            result: Proved = end.value
            return result
