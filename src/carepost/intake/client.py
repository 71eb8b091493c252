"""The door from another process: the same calls as in the engine, over CAREPOST_HOME/run/engine-NN.sock.

Sync (`Client`, for the office and commands) and async (`AsyncClient`, from one engine to another). An acceptance always
carries an idempotency key, so that asking again after a lost answer does not make two messages of one. Who holds which
shard is asked of the engines themselves and remembered until one does not answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from carepost.ground import ids
from carepost.ground.errors import NotFound, Unavailable
from carepost.intake import frames
from carepost.intake.route import shard_of_key
from carepost.phi.types import Custom
from carepost.policy.types import Method
from carepost.queue.types import StoredBody
from carepost.rfc.asking import FAILED, Found, Question
from carepost.wire import doors
from carepost.wire.pacing import LaneView
from carepost.wire.probes import Probed
from carepost.wire.types import Accepted, AcceptedDelivery, AccessProof, Actor, Drained, MessageView, Submission

Answer = TypeVar("Answer")
_NOTHING = AccessProof()


class Client:
    """Callable from any thread; connections are kept and shared. Every call raises Unavailable when the engine that
    holds the matter does not answer, and what the engine raised otherwise."""

    def __init__(self, run: Path, shards: int, node: int = 0, *, answer_s: float | None = None) -> None:
        """`answer_s`: seconds an engine may take to answer; None: as long as a commit or a drain that waits may."""
        self._run = run
        self._shards = shards
        self._node = node
        self._answer_s = frames.ANSWER_S if answer_s is None else answer_s
        self._lock = threading.Lock()
        self._owners: dict[int, Path] = {}
        self._idle: dict[Path, list[socket.socket]] = {}

    def accept(self, submission: Submission) -> Accepted:
        """Returns after the engine's commit. Without a key of its own the submission gets one."""
        keyed = with_key(submission)
        shard = shard_of_key(keyed.org, keyed.key or "", self._shards, self._node)
        return self._ask(shard, doors.Accept(keyed), doors.AcceptAnswer).accepted

    def preview(self, submission: Submission) -> tuple[AcceptedDelivery, ...]:
        return self._any(doors.Preview(submission), doors.PreviewAnswer).deliveries

    def act(
        self,
        verb: str,
        org: bytes,
        deliveries: tuple[bytes, ...],
        actor: Actor,
        reason: str,
        also: tuple[str, ...] = (),
        methods: tuple[Method, ...] = (),
        note: str = "",
        access: AccessProof = _NOTHING,
        approvers: tuple[str, ...] | None = None,
    ) -> dict[str, str]:
        """hold | release | agree | refuse | retry | retract. Delivery id (text) -> new state, "not-found",
        "not-possible", "needs-another" or "not-stronger". `also` and all after it: as doors.Act."""
        states: dict[str, str] = {}
        for shard, some in by_shard(deliveries).items():
            call = doors.Act(verb, org, some, actor, reason, also, methods, note, access, approvers)
            states.update(self._ask(shard, call, doors.ActAnswer).states)
        return states

    def held(self, call: doors.Held) -> doors.HeldAnswer:
        """Of all engines that answer, newest held first. Raises Unavailable when none does."""
        return doors.one_page(self._each(call, doors.HeldAnswer), call.limit)

    def review(self, call: doors.Review) -> doors.ReviewAnswer:
        """Raises NotFound also for an id that is none of ours."""
        return self._ask(_shard(call.delivery), call, doors.ReviewAnswer)

    def waits(self) -> dict[bytes, tuple[int, int, int]]:
        """As doors.WaitsAnswer, of all engines that answer. Raises Unavailable when none does."""
        found: dict[bytes, tuple[int, int, int]] = {}
        for answer in self._each(doors.Waits(), doors.WaitsAnswer):
            for org, one in answer.held.items():
                found[org] = doors.together(found.get(org), one)
        return found

    def lookup(self, org: bytes, message: bytes) -> MessageView:
        """Raises NotFound also for an id that is none of ours."""
        return self._ask(_shard(message), doors.Lookup(org, message), doors.LookupAnswer).message

    def listing(self, org: bytes, state: str = "", limit: int = 100) -> tuple[MessageView, ...]:
        """Of all engines that answer, newest first. Raises Unavailable when none does."""
        call = doors.Queue(org, state, limit)
        found = [m for answer in self._each(call, doors.QueueAnswer) for m in answer.messages]
        return tuple(sorted(found, key=lambda m: m.at, reverse=True)[:limit])

    def drain(
        self, shard: int, after: int, acked: int, limit: int = 2000, wait_s: float = 0.0
    ) -> tuple[tuple[Drained, ...], int]:
        """(events of the shard after `after`, its newest number)."""
        answer = self._ask(shard, doors.Drain(shard, after, acked, limit, int(wait_s * 1000)), doors.DrainAnswer)
        return answer.rows, answer.head

    def body(self, org: bytes, message: bytes) -> StoredBody:
        answer = self._ask(_shard(message), doors.Body(org, message), doors.BodyAnswer)
        return StoredBody(answer.chunks, answer.wrapped_key, answer.record)

    def inspect(self, message: bytes, custom: Custom | None, show: bytes) -> doors.InspectAnswer:
        """What a message says, by a worker of an engine that answers; `show`: as doors.Inspect."""
        return self._any(doors.Inspect(message, custom, show), doors.InspectAnswer)

    def probe(self, call: doors.Probe) -> tuple[Probed, ...]:
        """What an engine finds at a tenant's own mail host, tried now. Raises NotFound, Unavailable."""
        return self._any(call, doors.ProbeAnswer).steps

    def seek(self, org: bytes, address: str, method: Method) -> None:
        """Has an engine look for this recipient's key anew; what is found comes as an event. Raises Unavailable."""
        self._any(doors.Seek(org, address, method), doors.Done)

    def lanes(self, org: bytes) -> tuple[LaneView, ...]:
        """How an organisation's ways out stand, of each engine that answers. Raises Unavailable when none does."""
        return tuple(view for answer in self._each(doors.Lanes(org), doors.LanesAnswer) for view in answer.lanes)

    def ask(self, question: Question) -> Found:
        """One question to DNS, by an engine's resolver; where none answers, nothing is learnt."""
        try:
            return self._any(doors.Ask(question), doors.AskAnswer).found
        except Unavailable:
            return FAILED

    def health(self) -> list[doors.HealthAnswer]:
        """Of the engines that answer; may be empty."""
        found = []
        for path in sockets(self._run):
            try:
                found.append(self._call(path, doors.Health(), doors.HealthAnswer))
            except Unavailable:
                continue
        return found

    def quit(self) -> None:
        """Asks every engine to stop."""
        for path in sockets(self._run):
            try:
                self._call(path, doors.Quit(), doors.Done)
            except Unavailable:
                continue

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, {}
        for connection in (c for some in idle.values() for c in some):
            connection.close()

    def _ask(self, shard: int, call: doors.Call, wanted: type[Answer]) -> Answer:
        path = self._owner(shard)
        try:
            return self._call(path, call, wanted)
        except Unavailable:
            with self._lock:
                self._owners.clear()
            raise

    def _any(self, call: doors.Call, wanted: type[Answer]) -> Answer:
        for path in sockets(self._run):
            try:
                return self._call(path, call, wanted)
            except Unavailable as error:
                if error.code != "engine-away":
                    raise
        raise frames.away()

    def _each(self, call: doors.Call, wanted: type[Answer]) -> list[Answer]:
        found = []
        for path in sockets(self._run):
            try:
                found.append(self._call(path, call, wanted))
            except Unavailable:
                continue
        if not found:
            raise frames.away()
        return found

    def _owner(self, shard: int) -> Path:
        """The socket of the engine that holds the shard; of one made by another node, any: it knows who has it, or that
        there is none. Raises Unavailable, NotFound for a shard that cannot be."""
        ours = shard >> 6 == self._node
        if shard == ids.OFFICE or (ours and (shard & 63) >= self._shards):
            raise NotFound
        with self._lock:
            known = self._owners.get(shard)
        if known is not None:
            return known
        answered = None
        for path in sockets(self._run):
            try:
                shards = self._call(path, doors.Health(), doors.HealthAnswer).shards
            except Unavailable:
                continue
            with self._lock:
                self._owners.update((int(number), path) for number in shards)
            if str(shard) in shards:
                return path
            answered = path
        if answered is not None and not ours:
            with self._lock:
                self._owners[shard] = answered
            return answered
        raise frames.away()

    def _call(self, path: Path, call: doors.Call, wanted: type[Answer]) -> Answer:
        """On a kept connection that the engine closed meanwhile the call is made once more, over a new one: nothing of
        it was read there, or it carries a key."""
        frame = doors.frame(call)
        with self._lock:
            kept = self._idle.get(path)
            connection = kept.pop() if kept else None
        if connection is not None:
            try:
                return self._exchange(path, connection, frame, wanted)
            except _Gone:
                pass
        try:
            return self._exchange(path, _connect(path, self._answer_s), frame, wanted)
        except _Gone:
            raise frames.away() from None

    def _exchange(self, path: Path, connection: socket.socket, frame: bytes, wanted: type[Answer]) -> Answer:
        with _closing_on_error(connection):
            connection.sendall(frame)
            payload = _read(connection, frames.size_of(_read(connection, 4)))
        with self._lock:
            self._idle.setdefault(path, []).append(connection)
        return frames.read(payload, wanted)


class _Gone(Exception):
    """The connection ended before an answer."""


def with_key(submission: Submission) -> Submission:
    if submission.key is not None:
        return submission
    return msgspec.structs.replace(submission, key="client:" + ids.text(ids.new()))


def by_shard(items: tuple[bytes, ...]) -> dict[int, tuple[bytes, ...]]:
    found: dict[int, tuple[bytes, ...]] = {}
    for item in items:
        shard = _shard(item)
        found[shard] = (*found.get(shard, ()), item)
    return found


def sockets(run: Path) -> list[Path]:
    return sorted(run.glob("engine-*.sock"))


def _shard(item: bytes) -> int:
    if len(item) != 16:
        raise NotFound
    return ids.shard_of(item)


def _connect(path: Path, answer_s: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(frames.CONNECT_S)
        connection.connect(str(path))
        connection.settimeout(answer_s)
    except OSError:
        connection.close()
        raise frames.away() from None
    return connection


@contextmanager
def _closing_on_error(connection: socket.socket) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        connection.close()
        raise frames.away() from None
    except OSError:
        connection.close()
        raise _Gone from None
    except BaseException:
        connection.close()
        raise


def _read(connection: socket.socket, size: int) -> bytes:
    buffer = bytearray(size)
    view = memoryview(buffer)
    at = 0
    while at < size:
        got = connection.recv_into(view[at:])
        if got == 0:
            raise ConnectionResetError
        at += got
    return bytes(buffer)
