"""`POST /api/v1/messages` and `POST /api/v1/protection/preview`: decoded, handed over, answered after the commit."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from carepost.directory import keywords
from carepost.directory.types import ApiKey
from carepost.ground import metrics
from carepost.ground.errors import CarepostError
from carepost.policy.types import Access
from carepost.reception.access import AccessProofs
from carepost.reception.http import compose, decode
from carepost.reception.http.asgi import Body, Headers, Receive, Scope, Send, answer, answer_json, header
from carepost.reception.http.keys import Keys
from carepost.reception.http.limits import HttpLimits
from carepost.reception.http.parts import Fetched, Parts
from carepost.reception.http.pressing import Pressing
from carepost.reception.http.problem import SOON, ProblemError, of_error, refuse
from carepost.reception.http.rate import Rate
from carepost.spool.budget import Budget
from carepost.wire import rest
from carepost.wire.types import Accepted, AcceptedDelivery, AccessProof, Submission

SCOPE = "send"
#: a Structured Field string (draft-ietf-httpapi-idempotency-key-header), or the bare text many clients send
_KEY = re.compile(r'"([ -~]{1,255})"|([!#-~]{1,255})')
_QUOTA = "https://iana.org/assignments/http-problem-types#quota-exceeded"
#: messages of a batch made ready in one turn of the loop
_TURN = 64
#: (status, answer, header fields) of a request whose key and body were read
Work = Callable[[Scope, ApiKey, bytes], Awaitable[tuple[int, object, Headers]]]


class Intake(Protocol):
    """The one door. `accept` returns after the commit; it and `preview` raise Refused, Unavailable."""

    async def accept(self, submission: Submission) -> Accepted: ...

    async def accept_many(self, submissions: Sequence[Submission]) -> list[Accepted | CarepostError]: ...

    async def preview(self, submission: Submission) -> tuple[AcceptedDelivery, ...]: ...


class Sender:
    """`checkpoint`: the organisation's latest checkpoint on one line, for the header of every answer; None: unknown."""

    def __init__(
        self,
        intake: Intake,
        keys: Keys,
        access: AccessProofs,
        bodies: Budget,
        limits: HttpLimits,
        checkpoint: Callable[[bytes], str | None] | None,
        parts: Parts,
        pressing: Pressing | None = None,
    ) -> None:
        self._intake = intake
        self._keys = keys
        self._access = access
        self._bodies = bodies
        self._limits = limits
        self._checkpoint = checkpoint
        self._parts = parts
        self._rate = Rate(limits)
        self._pressing = pressing or Pressing()
        self._in_flight: set[tuple[bytes, str]] = set()

    async def send(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.with_key(scope, receive, send, self._send)

    async def preview(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.with_key(scope, receive, send, self._preview)

    async def with_key(self, scope: Scope, receive: Receive, send: Send, work: Work) -> None:
        """Reads what a key that may send asks, and answers what `work` made of it; None: nothing but the status. Raises
        problems, Refused, Unavailable: the caller words them."""
        key = self._keys.require(scope, SCOPE)
        wait = self._rate.enter(key.id, keywords.limit_of(key.scopes))
        if wait:
            metrics.count("http_limited")
            asked = rest.Problem(_QUOTA, "Too many requests", 429, "This key asks more than it may; come again later.")
            raise ProblemError(asked, ((b"retry-after", b"%d" % wait), *self._rate_headers(key)))
        body = Body(self._bodies, self._limits)
        self._pressing.begin(key.org)
        try:
            media = (header(scope, b"content-type") or b"").partition(b";")[0].strip().lower()
            if media != b"application/json" or header(scope, b"content-encoding") is not None:
                raise refuse(415, "media-type", "Send application/json, not encoded.")
            raw = await body.read(scope, receive)
            self._keys.still(key)
            status, found, headers = await work(scope, key, raw)
        except (ProblemError, CarepostError) as error:
            told = error if isinstance(error, ProblemError) else of_error(error)
            raise ProblemError(told.problem, (*told.headers, *self._headers(key))) from None
        finally:
            body.close()
            self._rate.leave(key.id)
            self._pressing.end(key.org)
        headers = (*headers, *self._headers(key))
        if found is None:
            await answer(send, status, b"", b"text/plain", headers)
        else:
            await answer_json(send, status, found, headers)

    async def _send(self, scope: Scope, key: ApiKey, raw: bytes) -> tuple[int, object, Headers]:
        messages, batch = decode.messages(raw)
        if batch:
            return 202, rest.BatchAccepted(await self.several(scope, key, messages)), ()
        one = messages[0]
        assert isinstance(one, rest.Message)
        with self._asked(scope, key, 1) as (idempotency, fetched):
            accepted = await self._accept(await self._submission(scope, key, one, idempotency, fetched))
        return 202, _accepted(accepted), ((b"location", f"/api/v1/messages/{accepted.message_id}".encode()),)

    async def several(
        self, scope: Scope, key: ApiKey, messages: tuple[rest.Message | ProblemError, ...]
    ) -> tuple[rest.BatchEntry, ...]:
        """One entry a message, in their order. Raises a 503 problem where none could be taken now."""
        with self._asked(scope, key, len(messages)) as (idempotency, fetched):
            return await self._send_batch(scope, key, messages, idempotency, fetched)

    @contextmanager
    def _asked(self, scope: Scope, key: ApiKey, count: int) -> Iterator[tuple[str | None, Fetched]]:
        """While it lasts nobody else carries out a request with the same Idempotency-Key."""
        idempotency = _idempotency_key(scope)
        mark = (key.org, idempotency or "")
        if idempotency is not None and mark in self._in_flight:
            raise refuse(409, "in-flight", "A request with this Idempotency-Key is being carried out.")
        self._rate.charge(key.id, count - 1)
        if idempotency is not None:
            self._in_flight.add(mark)
        fetched = Fetched(self._bodies)
        try:
            yield idempotency, fetched
        finally:
            fetched.close()
            if idempotency is not None:
                self._in_flight.discard(mark)

    async def _send_batch(
        self,
        scope: Scope,
        key: ApiKey,
        messages: tuple[rest.Message | ProblemError, ...],
        idempotency: str | None,
        fetched: Fetched,
    ) -> tuple[rest.BatchEntry, ...]:
        """Each is a message of its own, and they share commits: what is wrong with one is told in its place, and the
        others go their way."""
        drafts = await self._drafts(scope, key, messages, idempotency, fetched)
        self._pressing.begin(key.org, len(drafts))
        try:
            taken = iter(await self._intake.accept_many([one for one in drafts if isinstance(one, Submission)]))
        finally:
            self._pressing.end(key.org, len(drafts))
        results = [rest.BatchEntry(problem=d) if isinstance(d, rest.Problem) else _entry(next(taken)) for d in drafts]
        if all(entry.problem is not None and entry.problem.status == 503 for entry in results):
            first = results[0].problem
            assert first is not None
            raise ProblemError(first, SOON)
        return tuple(results)

    async def _drafts(
        self,
        scope: Scope,
        key: ApiKey,
        messages: tuple[rest.Message | ProblemError, ...],
        idempotency: str | None,
        fetched: Fetched,
    ) -> list[Submission | rest.Problem]:
        made: list[Submission | rest.Problem] = []
        own: set[str] = set()
        for number, message in enumerate(messages):
            if number % _TURN == _TURN - 1:
                # others have their turn
                await asyncio.sleep(0)
            if isinstance(message, ProblemError):
                made.append(message.problem)
                continue
            part = f"{idempotency}:{number}" if idempotency is not None else None
            try:
                if message.idempotency_key is not None:
                    if message.idempotency_key in own:
                        raise compose.field_fault("/idempotency_key", "Another message of this batch has this key.")
                    own.add(message.idempotency_key)
                made.append(await self._submission(scope, key, message, part, fetched))
            except ProblemError as error:
                made.append(_in_batch(error, number).problem)
            except CarepostError as error:
                made.append(of_error(error).problem)
        return made

    async def _accept(self, submission: Submission) -> Accepted:
        accepted = await self._intake.accept(submission)
        metrics.count("http_accepted")
        return accepted

    async def _submission(
        self, scope: Scope, key: ApiKey, message: rest.Message, idempotency: str | None, fetched: Fetched
    ) -> Submission:
        draft = await self._draft(scope, key, message, idempotency, fetched)
        asked = draft.access
        if asked is None:
            return draft.submission
        proof = await self._access.proof(key.org, asked.code, asked.question, asked.answer)
        return compose.with_access(draft, proof)

    async def _draft(
        self, scope: Scope, key: ApiKey, message: rest.Message, idempotency: str | None, fetched: Fetched
    ) -> compose.Draft:
        client = scope["client"][0] if scope.get("client") else ""
        own = message.idempotency_key if message.idempotency_key is not None else idempotency
        made = await self._parts.made(key.org, message, fetched)
        return compose.draft(
            made.message, key, client, own, self._limits, said=message, files=made.files, template=made.template
        )

    async def _preview(self, scope: Scope, key: ApiKey, raw: bytes) -> tuple[int, object, Headers]:
        fetched = Fetched(self._bodies)
        try:
            draft = await self._draft(scope, key, decode.message(raw), None, fetched)
        finally:
            fetched.close()
        submission = draft.submission
        if draft.access is not None:
            # what kind is agreed decides; the secret itself need not be hashed for a preview
            kind = Access.CODE if draft.access.code else Access.QUESTION
            submission = compose.with_access(draft, AccessProof(kind, draft.access.question, "preview"))
        found = await self._intake.preview(submission)
        return 200, rest.Previewed(tuple(_delivery(d, preview=True) for d in found)), ()

    def _headers(self, key: ApiKey) -> Headers:
        checkpoint = self._checkpoint(key.org) if self._checkpoint is not None else None
        extra = ((b"carepost-checkpoint", checkpoint.encode()),) if checkpoint else ()
        return (*self._rate_headers(key), *extra)

    def _rate_headers(self, key: ApiKey) -> Headers:
        return (b"ratelimit-policy", self._rate.policy(key.id)), (b"ratelimit", self._rate.state(key.id))


def _idempotency_key(scope: Scope) -> str | None:
    value = header(scope, b"idempotency-key")
    if value is None:
        return None
    found = _KEY.fullmatch(value.decode("latin-1").strip())
    if found is None:
        raise refuse(400, "idempotency-key", "Idempotency-Key has 1 to 255 printable ASCII characters.")
    return found[1] or found[2]


def _in_batch(error: ProblemError, number: int) -> ProblemError:
    """The same fault, with the pointer from the top of the document."""
    found = error.problem
    faults = tuple(rest.Fault(f"/messages/{number}{f.pointer}", f.detail) for f in found.errors)
    return refuse(found.status, found.type.rpartition(":")[2], found.detail, faults)


def _entry(taken: Accepted | CarepostError) -> rest.BatchEntry:
    if isinstance(taken, CarepostError):
        return rest.BatchEntry(problem=of_error(taken).problem)
    metrics.count("http_accepted")
    found = _accepted(taken)
    return rest.BatchEntry(found.id, found.deliveries, found.repeated, found.repeats)


def _accepted(accepted: Accepted) -> rest.MessageAccepted:
    deliveries = tuple(_delivery(d) for d in accepted.deliveries)
    return rest.MessageAccepted(accepted.message_id, deliveries, accepted.repeated, accepted.repeats)


def _delivery(found: AcceptedDelivery, *, preview: bool = False) -> rest.Delivery:
    # one word wherever a message is told of: what history calls so (archive.timeline) is called so at once
    state = found.reason if found.state == "failed" and found.reason == "suppressed" else found.state
    return rest.Delivery(
        found.recipient, state, found.method, found.reason, found.words, found.rule, "" if preview else found.id
    )
