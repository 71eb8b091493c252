"""`POST /api/v1/messages` and `POST /api/v1/protection/preview`: decoded, handed over, answered after the commit."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from carepost.directory.types import ApiKey
from carepost.ground import metrics
from carepost.ground.errors import CarepostError
from carepost.policy.types import Access
from carepost.reception.access import AccessProofs
from carepost.reception.http import compose, decode
from carepost.reception.http.asgi import Body, Headers, Receive, Scope, Send, answer, answer_json, header
from carepost.reception.http.limits import HttpLimits
from carepost.reception.http.parts import Fetched, Parts
from carepost.reception.http.problem import SOON, ProblemError, of_error, refuse
from carepost.reception.http.visits import Visits, check_media
from carepost.spool.budget import Budget
from carepost.wire import rest
from carepost.wire.types import Accepted, AcceptedDelivery, AccessProof, Submission

#: a Structured Field string (draft-ietf-httpapi-idempotency-key-header), or the bare text many clients send
_KEY = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,255})"|([!#-~]{1,255})')
#: messages of a batch made ready in one turn of the loop
_TURN = 64
#: and octets of them
_TURN_BYTES = 1_048_576
#: (status, answer, header fields) of a request whose key and body were read
Work = Callable[[Scope, ApiKey, bytes], Awaitable[tuple[int, object, Headers]]]


class Intake(Protocol):
    """The one door. `accept` returns after the commit; it and `preview` raise Refused, Unavailable."""

    async def accept(self, submission: Submission) -> Accepted: ...

    async def accept_many(self, submissions: Sequence[Submission]) -> list[Accepted | CarepostError]: ...

    async def preview(self, submission: Submission) -> tuple[AcceptedDelivery, ...]: ...


class Sender:
    def __init__(
        self, intake: Intake, visits: Visits, access: AccessProofs, bodies: Budget, limits: HttpLimits, parts: Parts
    ) -> None:
        self._intake = intake
        self._visits = visits
        self._access = access
        self._bodies = bodies
        self._limits = limits
        self._parts = parts
        self._in_flight: set[tuple[bytes, str]] = set()

    async def send(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.with_key(scope, receive, send, self._send)

    async def preview(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.with_key(scope, receive, send, self._preview)

    async def with_key(self, scope: Scope, receive: Receive, send: Send, work: Work) -> None:
        """Reads what a key that may send asks, and answers what `work` made of it; None: nothing but the status. Raises
        problems, Refused, Unavailable: the caller words them."""
        key = self._visits.enter(scope)
        body = Body(self._bodies, self._limits)
        try:
            check_media(scope)
            raw = await body.read(scope, receive)
            self._visits.still(key)
            status, found, headers = await work(scope, key, raw)
        except (ProblemError, CarepostError) as error:
            raise self._visits.told(error, key) from None
        finally:
            body.close()
            self._visits.leave(key)
        headers = (*headers, *self._visits.headers(key))
        if found is None:
            await answer(send, status, b"", b"text/plain", headers)
        else:
            await answer_json(send, status, found, headers)

    async def _send(self, scope: Scope, key: ApiKey, raw: bytes) -> tuple[int, object, Headers]:
        return await self.decoded(scope, key, *decode.messages(raw))

    async def decoded(
        self, scope: Scope, key: ApiKey, messages: tuple[rest.Message | ProblemError, ...], batch: bool
    ) -> tuple[int, object, Headers]:
        """(status, answer, header fields) of what `decode.messages` read."""
        if batch:
            return 202, rest.BatchAccepted(await self.several(scope, key, messages)), ()
        one = messages[0]
        assert isinstance(one, rest.Message)
        with self._asked(scope, key, 1) as (idempotency, fetched):
            accepted = await self._intake.accept(await self._submission(scope, key, one, idempotency, fetched))
        return answered(accepted)

    async def several(
        self, scope: Scope, key: ApiKey, messages: Sequence[rest.Message | ProblemError]
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
        self._visits.rate.charge(key.id, count - 1)
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
        messages: Sequence[rest.Message | ProblemError],
        idempotency: str | None,
        fetched: Fetched,
    ) -> tuple[rest.BatchEntry, ...]:
        """Each is a message of its own, and they share commits: what is wrong with one is told in its place, and the
        others go their way. What is made goes to the door as soon as it is much: a small request may name large files
        a thousand times."""
        results: list[rest.BatchEntry] = []
        drafts: list[Submission | rest.Problem] = []
        async for draft in self._drafts(scope, key, messages, idempotency, fetched):
            drafts.append(draft)
            if fetched.made >= self._limits.batch_bytes:
                results += await self._taken(key, drafts, fetched)
                drafts = []
        if drafts:
            results += await self._taken(key, drafts, fetched)
        if all(entry.problem is not None and entry.problem.status == 503 for entry in results):
            first = results[0].problem
            assert first is not None
            raise ProblemError(first, SOON)
        return tuple(results)

    async def _taken(
        self, key: ApiKey, drafts: list[Submission | rest.Problem], fetched: Fetched
    ) -> list[rest.BatchEntry]:
        self._visits.pressing.begin(key.org, len(drafts))
        try:
            taken = iter(await self._intake.accept_many([one for one in drafts if isinstance(one, Submission)]))
        finally:
            self._visits.pressing.end(key.org, len(drafts))
        fetched.handed_over()
        return [rest.BatchEntry(problem=d) if isinstance(d, rest.Problem) else _entry(next(taken)) for d in drafts]

    async def _drafts(
        self,
        scope: Scope,
        key: ApiKey,
        messages: Sequence[rest.Message | ProblemError],
        idempotency: str | None,
        fetched: Fetched,
    ) -> AsyncIterator[Submission | rest.Problem]:
        own: set[str] = set()
        turn = 0
        for number, message in enumerate(messages):
            if number % _TURN == _TURN - 1 or fetched.made - turn >= _TURN_BYTES:
                # others have their turn
                await asyncio.sleep(0)
                turn = fetched.made
            turn = min(turn, fetched.made)
            if isinstance(message, ProblemError):
                yield message.problem
                continue
            part = f"{idempotency}:{number}" if idempotency is not None else None
            try:
                if message.idempotency_key is not None:
                    if message.idempotency_key in own:
                        raise compose.field_fault("/idempotency_key", "Another message of this batch has this key.")
                    own.add(message.idempotency_key)
                yield await self._submission(scope, key, message, part, fetched)
            except ProblemError as error:
                yield _in_batch(error, number).problem
            except CarepostError as error:
                yield of_error(error).problem

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
        size = compose.weight(made.message, made.files)
        if size <= self._limits.max_message:
            # what is larger is refused, not made
            fetched.making(size)
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


def _idempotency_key(scope: Scope) -> str | None:
    value = header(scope, b"idempotency-key")
    if value is None:
        return None
    found = _KEY.fullmatch(value.decode("latin-1").strip())
    if found is None:
        raise refuse(400, "idempotency-key", "Idempotency-Key is one key, of 1 to 255 printable ASCII characters.")
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


def answered(accepted: Accepted) -> tuple[int, rest.MessageAccepted, Headers]:
    """(status, answer, header fields) of a message taken; it is counted."""
    metrics.count("http_accepted")
    return 202, _accepted(accepted), ((b"location", b"/api/v1/messages/" + accepted.message_id.encode()),)


def _accepted(accepted: Accepted) -> rest.MessageAccepted:
    deliveries = tuple(_delivery(d) for d in accepted.deliveries)
    return rest.MessageAccepted(accepted.message_id, deliveries, accepted.repeated, accepted.repeats)


def _delivery(found: AcceptedDelivery, *, preview: bool = False) -> rest.Delivery:
    # one word wherever a message is told of: what history calls so (archive.timeline) is called so at once
    state = found.reason if found.state == "failed" and found.reason == "suppressed" else found.state
    return rest.Delivery(
        found.recipient, state, found.method, found.reason, found.words, found.rule, "" if preview else found.id
    )
