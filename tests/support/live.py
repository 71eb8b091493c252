"""A live reception on ephemeral loopback ports: uvloop in a thread, so that blocking clients can talk to it.

`MemoryIntake` stands for the one door where a test is about the protocol and not about what lies behind it.
"""

import asyncio
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from carepost.directory.shelf import Shelf
from carepost.ground import ids
from carepost.ground.config import Config
from carepost.ground.errors import CarepostError
from carepost.ground.keys import PurposeKeys
from carepost.intake.accept import Intake
from carepost.intake.orgkeys import DirectoryKeys
from carepost.intake.refusals import RefusedSender
from carepost.intake.stages import Begun
from carepost.posture import Posture
from carepost.processes import certificates
from carepost.queue.queue import Queue
from carepost.reception.access import AccessProofs
from carepost.reception.credentials import Credentials
from carepost.reception.http.app import App
from carepost.reception.http.limits import HttpLimits
from carepost.reception.http.relay import Address, Relay
from carepost.reception.http.server import HttpServer
from carepost.reception.smtp.limits import Limits
from carepost.reception.smtp.server import SmtpServer
from carepost.reception.smtp.staged import Staged
from carepost.reception.smtp.types import Role
from carepost.reception.sockets import bind
from carepost.reception.tls import Certificates
from carepost.rendering.pool import Renderer
from carepost.spool.budget import Budget
from carepost.spool.shard import Shard
from carepost.wire.types import Accepted, AcceptedDelivery, Submission
from tests.support.clinics import Clinics

T = TypeVar("T")
HOST = "mail.maple.test"


class MemoryIntake:
    """Keeps what it accepted. `failure`: raised instead; `gate`: nothing is answered before it is set."""

    def __init__(self) -> None:
        self.submissions: list[Submission] = []
        self.refused: list[RefusedSender] = []
        self.failure: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.arrived = threading.Semaphore(0)
        self._by_key: dict[tuple[bytes, str], Accepted] = {}

    async def accept(self, submission: Submission) -> Accepted:
        self.arrived.release()
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        key = (submission.org, submission.key or "")
        if submission.key and key in self._by_key:
            first = self._by_key[key]
            return Accepted(first.message_id, first.deliveries, repeated=True)
        self.submissions.append(submission)
        accepted = Accepted(ids.text(ids.new(1)), await self.preview(submission))
        if submission.key:
            self._by_key[key] = accepted
        return accepted

    async def accept_many(self, submissions: Sequence[Submission]) -> list[Accepted | CarepostError]:
        async def one(submission: Submission) -> Accepted | CarepostError:
            try:
                return await self.accept(submission)
            except CarepostError as error:
                return error

        return [await one(submission) for submission in submissions]

    def begin_all(self, submissions: Sequence[Submission]) -> list[Begun]:
        return [asyncio.ensure_future(self.accept(submission)) for submission in submissions]

    def due(self, tell: Callable[[Accepted], None], accepted: Accepted) -> None:
        tell(accepted)

    async def preview(self, submission: Submission) -> tuple[AcceptedDelivery, ...]:
        return tuple(
            AcceptedDelivery(ids.text(ids.new(1)), r.address, "queued", "tls", "tls-verified", "Verified TLS.", "floor")
            for r in submission.envelope.recipients
        )

    def sender_refused(self, refused: RefusedSender) -> None:
        self.refused.append(refused)


class RealIntake:
    """The one door itself: directory, decision, queue and spool in `home`; no worker, so what it took stays queued.

    `submissions`: what was accepted, after it was durable."""

    def __init__(self, home: Path, clinics: Clinics, purposes: PurposeKeys, **settings: Any) -> None:
        folder = home / "shard-0000"
        folder.mkdir()
        self.shard = Shard.open(folder, 0)
        self.budget = Budget(256_000_000)
        self.queue = Queue(self.shard, DirectoryKeys(clinics.directory, purposes), budget=self.budget)
        self.intake = Intake(
            {0: self.queue}, clinics.directory, Posture(), purposes, Config(hostname=HOST, **settings), shards=1
        )
        self.submissions: list[Submission] = []

    async def accept(self, submission: Submission) -> Accepted:
        accepted = await self.intake.accept(submission)
        self.submissions.append(submission)
        return accepted

    async def accept_many(self, submissions: Sequence[Submission]) -> list[Accepted | CarepostError]:
        taken = await self.intake.accept_many(submissions)
        self.submissions += [one for one, got in zip(submissions, taken, strict=True) if isinstance(got, Accepted)]
        return taken

    def begin_all(self, submissions: Sequence[Submission]) -> list[Begun]:
        begun = self.intake.begin_all(submissions)
        for submission, one in zip(submissions, begun, strict=True):
            if isinstance(one, asyncio.Future):
                one.add_done_callback(partial(self._note, submission))
        return begun

    def _note(self, submission: Submission, one: "asyncio.Future[Accepted]") -> None:
        if one.exception() is None:
            self.submissions.append(submission)

    def due(self, tell: Callable[[Accepted], None], accepted: Accepted) -> None:
        tell(accepted)

    async def preview(self, submission: Submission) -> tuple[AcceptedDelivery, ...]:
        return await self.intake.preview(submission)

    def sender_refused(self, refused: RefusedSender) -> None:
        self.intake.sender_refused(refused)

    async def close(self) -> None:
        await self.intake.close()
        await self.queue.close()
        await asyncio.to_thread(self.shard.close)


class Loop:
    """uvloop in a thread. `run` carries a coroutine out there and waits."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], seconds: float = 30) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


class Live:
    """`port`: of "submission", "submissions" (implicit TLS), "mx". `ca`: trusts the server's certificate."""

    def __init__(
        self, home: Path, *, intake: Any = None, clinics: Clinics | None = None, real: bool = False, **limits: Any
    ) -> None:
        """`real`: a real queue and intake stand behind the doors."""
        self.home = home
        self.purposes = PurposeKeys.ephemeral()
        self.clinics = clinics or Clinics(self.purposes)
        self.intake = intake or (None if real else MemoryIntake())
        self.limits = Limits(**{"linger": 0.5, **limits})
        self.tls = home / "tls"
        self.tls.mkdir(exist_ok=True)
        certificates.ensure(self.tls, HOST)
        self.ca = self.tls / "ca.pem"
        self.bodies = Budget(64_000_000)
        self.thread = Loop()
        self.servers: dict[str, SmtpServer] = {}
        self.port: dict[str, int] = {}
        self.thread.run(self._start())

    async def _start(self) -> None:
        if self.intake is None:
            self.intake = RealIntake(self.home, self.clinics, self.purposes)
            await self.intake.queue.start()
        self.credentials = Credentials(self.clinics.directory)
        self.access = AccessProofs()
        found = Certificates(self.tls, HOST)
        ours = isinstance(self.intake, MemoryIntake | RealIntake)
        staged = Staged(self.intake, self.credentials) if ours else None
        for name, role, implicit in (
            ("submission", Role.SUBMISSION, False), ("submissions", Role.SUBMISSION, True), ("mx", Role.MX, False),
        ):  # fmt: skip
            server = SmtpServer(
                role, self.intake, self.credentials, self.access, found, self.bodies, self.limits,
                hostname=HOST, implicit_tls=implicit, staged=staged,
            )  # fmt: skip
            sock = bind("127.0.0.1", 0, "port")
            self.port[name] = sock.getsockname()[1]
            await server.start(sock)
            self.servers[name] = server

    def client_tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca))

    def connect(self, name: str = "submission") -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port[name]), timeout=10)

    def close(self) -> None:
        async def end() -> None:
            for server in self.servers.values():
                server.close()
            self.credentials.close()
            self.access.close()
            if isinstance(self.intake, RealIntake):
                await self.intake.close()

        self.thread.run(end())
        self.thread.stop()


class InOnePiece(http.client.HTTPConnection):
    """Head and body in one write, as most clients but Python's send a small request."""

    _kept: list[bytes] | None = None

    def _send_output(self, *arguments: Any, **named: Any) -> None:
        self._kept = []
        super()._send_output(*arguments, **named)  # type: ignore[misc]
        kept, self._kept = self._kept, None
        self.send(b"".join(kept))

    def send(self, data: Any) -> None:
        if self._kept is not None:
            self._kept.append(data)
        else:
            super().send(data)


class LiveHttp:
    """The HTTP listener on an ephemeral port. `url`: its address; `office`: where the relay goes, if anywhere;
    `home`: then a real queue and intake stand behind it."""

    def __init__(
        self,
        *,
        intake: Any = None,
        clinics: Clinics | None = None,
        office: Address | None = None,
        sandbox: Address | None = None,
        home: Path | None = None,
        tls: ssl.SSLContext | None = None,
        checkpoint: Callable[[bytes], str | None] | None = None,
        shelf: Shelf | None = None,
        in_pieces: bool = False,
        **limits: Any,
    ) -> None:
        """`in_pieces`: requests send their bodies after their heads, and go the longer way."""
        self.in_pieces = in_pieces
        purposes = PurposeKeys.ephemeral()
        self.clinics = clinics or Clinics(purposes)
        self.bodies = Budget(200_000_000)
        self.thread = Loop()
        self.intake = intake or MemoryIntake()
        if home is not None:
            self.intake = self.thread.run(self._real(home, purposes))
        self.access = AccessProofs()
        self.limits = HttpLimits(**({"body_soon": 0.0} if in_pieces else {}), **limits)
        self.renderer = Renderer(seconds=20.0)
        self.app = App(
            self.intake, self.clinics.directory, self.access, self.bodies, self.limits,
            office=Relay(office, self.limits, "office") if office else None,
            sandbox=Relay(sandbox, self.limits, "sandbox") if sandbox else None,
            checkpoint=checkpoint, shelf=shelf, renderer=self.renderer,
        )  # fmt: skip
        self.server = HttpServer(self.app, self.limits, tls=tls)
        sock = bind("127.0.0.1", 0, "port_api")
        self.port = sock.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread.run(self.server.start(sock))

    async def _real(self, home: Path, purposes: PurposeKeys) -> RealIntake:
        made = RealIntake(home, self.clinics, purposes)
        await made.queue.start()
        return made

    def close(self) -> None:
        self.thread.run(self.server.drain(2))
        self.thread.run(self.renderer.close())
        if isinstance(self.intake, RealIntake):
            self.thread.run(self.intake.close())
        self.access.close()
        self.thread.stop()

    def post(
        self, path: str, body: Any, key: str | None = "maple", **headers: str
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """(status, JSON answer, header fields). `body`: bytes as they are, else encoded."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if key is not None:
            sent["Authorization"] = f"Bearer {self.clinics.secrets.get(key, key)}"
        return self.request("POST", path, raw, sent)

    def request(
        self, method: str, path: str, raw: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        kind = http.client.HTTPConnection if self.in_pieces else InOnePiece
        connection = kind("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, raw, headers or {})
            answer = connection.getresponse()
            text = answer.read()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            is_json = "json" in fields.get("content-type", "")
            return answer.status, (json.loads(text) if is_json and text else {"text": text}), fields
        finally:
            connection.close()
