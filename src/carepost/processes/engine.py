"""The `engine` process: its shards, SMTP and HTTP listeners, deliveries, and the socket for other processes."""

import asyncio
import gc
import importlib
import resource
import signal
from concurrent.futures import ThreadPoolExecutor

import uvloop

from carepost.delivery.courier import Courier
from carepost.delivery.exchange import Timeouts
from carepost.delivery.following import Follower
from carepost.delivery.lanes import Share
from carepost.delivery.ways import Pace
from carepost.delivery.worker import Worker
from carepost.delivery.world import World
from carepost.directory import Directory, Source, sqlite
from carepost.directory.scanning import Scanned
from carepost.directory.shelf import SqlShelf
from carepost.directory.threads import SqlThreads
from carepost.ground import log, metrics, processors
from carepost.ground.config import Config
from carepost.ground.home import Home
from carepost.ground.keys import PurposeKeys
from carepost.inspection.inspector import Inspector
from carepost.intake.accept import Intake
from carepost.intake.orgkeys import DirectoryKeys
from carepost.intake.peer import AsyncClient
from carepost.posture import Posture
from carepost.processes import gateway, outgoing, spools
from carepost.processes.checkpoints import Checkpoints
from carepost.processes.child import Start
from carepost.processes.pacing import Paced
from carepost.processes.sealing import Sealing
from carepost.queue.queue import Queue
from carepost.reception.access import AccessProofs
from carepost.reception.credentials import Credentials
from carepost.reception.doors import DoorsServer
from carepost.reception.evenly import Evenly
from carepost.reception.http.app import App
from carepost.reception.http.limits import HttpLimits
from carepost.reception.http.pressing import Pressing
from carepost.reception.http.relay import Relay
from carepost.reception.http.server import HttpServer
from carepost.reception.smtp.limits import Limits as SmtpLimits
from carepost.reception.smtp.server import SmtpServer
from carepost.reception.smtp.staged import Staged
from carepost.reception.smtp.types import Role
from carepost.reception.sockets import bind
from carepost.reception.tls import Certificates
from carepost.rendering.pool import Renderer
from carepost.spool.budget import Budget
from carepost.spool.shard import Shard

#: seconds what runs may take to end after SIGTERM (the supervisor waits 8)
DRAIN = 5.0


def run(start: Start) -> None:
    place = processors.own(start.index, outgoing.engine_count(start.home, start.config))
    if place is not None:
        processors.keep(place)
    uvloop.run(_run(start))


async def _run(start: Start) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="engine", initializer=processors.roam))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    engine = Engine(start.home, start.config, start.keys, start.index, stopping)
    try:
        await engine.start()
        # what was built so far lives as long as the process: the collector need not look at it again
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        start.ready()
        await stopping.wait()
    finally:
        await engine.stop()


def _directory(home: Home, config: Config, keys: PurposeKeys) -> Directory:
    if config.database_url:
        # psycopg is an extra: only an installation on PostgreSQL has it
        source: Source = importlib.import_module("carepost.directory.postgres").source(config.database_url, keys)
    else:
        source = sqlite.source(home.office_db, keys)
    return Directory(Scanned(source) if config.clamd else source)


def _threads(home: Home, config: Config, keys: PurposeKeys) -> SqlThreads:
    if config.database_url:
        made: SqlThreads = importlib.import_module("carepost.directory.postgres").threads(config.database_url, keys)
        return made
    return sqlite.threads(home.office_db, keys)


def _shelf(home: Home, config: Config, keys: PurposeKeys) -> SqlShelf:
    if config.database_url:
        made: SqlShelf = importlib.import_module("carepost.directory.postgres").shelf(config.database_url, keys)
        return made
    return sqlite.shelf(home.office_db, keys)


class Engine:
    """Everything of one engine process, built here and nowhere else."""

    def __init__(self, home: Home, config: Config, keys: PurposeKeys, index: int, stopping: asyncio.Event) -> None:
        self._home, self._config, self._index = home, config, index
        engines = outgoing.engine_count(home, config)
        self._budget = Budget(config.max_bodies)
        self._directory = _directory(home, config, keys)
        book = DirectoryKeys(self._directory, keys)
        self._book, self._stopping = book, stopping
        self._spool = spools.spool(home, config, keys, index)
        self._far = self._spool.far()
        self._shards = {shard.number: shard for shard in self._spool.open(range(index, home.shards, engines))}
        #: also what other nodes left
        self._queues = {number: self._queue(shard) for number, shard in self._shards.items()}
        others = [home.shard(number) for number in range(home.shards) if number != index] + self._spool.neighbours()
        self._posture = Posture.open(home.shard(index), keys, others)
        self._elsewhere = AsyncClient(home.run, home.shards, home.node)
        self._threads = _threads(home, config, keys)
        way = outgoing.build(home, config, self._posture)
        self._questions = way.questions
        self._inspector = Inspector.of(config)
        self._intake = Intake(
            self._queues, self._directory, self._posture, keys, config, shards=home.shards, node=home.node,
            elsewhere=self._elsewhere, dns=way.questions, threads=self._threads, inspector=self._inspector,
        )  # fmt: skip
        times = Timeouts.of(config.command_timeout, config.data_timeout)
        self._courier = Courier(config.hostname, way.anchors, timeouts=times, per_host=config.destination_connections)
        self._sealing = Sealing(
            home, config, keys, directory=self._directory, book=book, intake=self._intake, way=way,
            queues=tuple(self._queues.values()),
        )  # fmt: skip
        self._share = Share(index, engines)
        self._follower = Follower(Pace(self._share), self._directory)
        fronts = gateway.fronts(way.finder, book, keys, way)
        self._world = World(
            fronts=fronts, pace=self._follower.pace,
            directory=self._directory, posture=self._posture, finder=way.finder, courier=self._courier,
            preparer=self._sealing.preparer, keyed=self._sealing.keyed, intake=self._intake,
            schedule=way.schedule, hostname=config.hostname, inspector=self._inspector, seeker=self._sealing.seeker,
        )  # fmt: skip
        self._ahead, self._prober = gateway.asking(
            self._directory, fronts, self._courier, self._sealing, way, keys, config
        )
        self._pressing = Pressing()
        self._workers = {number: self._worker(queue) for number, queue in self._queues.items()}
        self._paced = Paced(self._intake, self._under_way)
        # one secret for all engines: an unknown user gets the same salt from each
        self._credentials = Credentials(self._directory, keys.raw("index", b"scram"))
        self._checkpoints = Checkpoints(home, config, keys)
        self._background = outgoing.background(
            way, home, config, keys, index, self._posture, directory=self._directory, door=self._intake
        )
        self._access = AccessProofs()
        self._gateways = gateway.gateways(self._directory, way.anchors, keys)
        self._listeners(keys, stopping)

    def _queue(self, shard: Shard) -> Queue:
        return Queue(shard, self._book, budget=self._budget)

    def _worker(self, queue: Queue) -> Worker:
        worker = queue.taker = Worker(queue, self._world, pressed=self._pressed)
        queue.paced_by(worker.may, worker.why)
        self._follower.pace.reopened.append(queue.reopen)
        return worker

    async def adopt(self, shard: Shard) -> None:
        """A shard another node left: what waits there leaves from here; nothing new is accepted into it."""
        queue = self._queue(shard)
        await queue.start()
        worker = self._worker(queue)
        self._shards[shard.number], self._queues[shard.number] = shard, queue
        self._workers[shard.number] = worker
        worker.start()

    async def hand_over(self, number: int, *, lost: bool) -> None:
        shard, worker = self._shards.pop(number), self._workers.pop(number)
        await worker.stop(0.0 if lost else DRAIN / 2)
        queue = self._queues.pop(number)
        self._follower.pace.reopened.remove(queue.reopen)
        await queue.close()
        await asyncio.to_thread(shard.close)

    def sharing(self, part: int, parts: int) -> None:
        self._share.part, self._share.parts = part, parts

    def fallen(self) -> None:
        """What this process remembers of its own shards is no longer so: the supervisor starts it anew."""
        self._stopping.set()

    def _listeners(self, keys: PurposeKeys, stopping: asyncio.Event) -> None:
        config, home = self._config, self._home
        self._shelf, self._renderer = _shelf(home, config, keys), Renderer()
        self._certificates = Certificates(outgoing.tls_folder(home, config), config.hostname)
        smtp_limits = SmtpLimits(
            command_timeout=config.command_timeout,
            data_timeout=config.data_timeout,
            max_message=config.max_message,
            max_recipients=config.max_recipients,
            max_connections=config.max_connections,
        )

        staged = Staged(self._paced, self._credentials)

        def smtp(role: Role, *, implicit_tls: bool = False) -> SmtpServer:
            return SmtpServer(
                role, self._paced, self._credentials, self._access, self._certificates, self._budget, smtp_limits,
                hostname=config.hostname, implicit_tls=implicit_tls, gateways=self._gateways,
                recipients=self._ahead if role is Role.MX else None, staged=staged,
            )  # fmt: skip

        self._smtp = [
            (smtp(Role.SUBMISSION), config.port_submission, "port_submission"),
            (smtp(Role.SUBMISSION, implicit_tls=True), config.port_submission_tls, "port_submission_tls"),
            (smtp(Role.MX), config.port_mx, "port_mx"),
            *gateway.listeners(
                home, config, self._gateways, self._paced, self._credentials, self._access, self._certificates,
                self._budget, smtp_limits,
            ),
        ]  # fmt: skip
        limits = HttpLimits(
            max_message=config.max_message, max_recipients=config.max_recipients,
            engines=outgoing.engine_count(home, config), engine=self._index,
        )  # fmt: skip
        viewer = outgoing.viewer(home)
        app = App(
            self._intake, self._directory, self._access, self._budget, limits,
            office=Relay(str(home.run / "staff.sock"), limits, "staff"),
            sandbox=Relay(viewer, limits, "sandbox") if viewer else None,
            checkpoint=self._checkpoints.latest, shelf=self._shelf, renderer=self._renderer,
            pressing=self._pressing, taking=self._taking,
        )  # fmt: skip
        tls = self._certificates.context if config.http_tls else None
        self._http = HttpServer(app, limits, tls=tls)
        self._doors = DoorsServer(
            home.socket(self._index), self._intake, self._queues, self._budget,
            health=self._health, quit_=stopping.set, ask=self._questions.ask, inspect=self._inspector.shown,
            probe=self._prober.probe, lanes=self._follower.pace.views,
            seek=self._sealing.seeker.anew, across=self._far.across, remote=self._far.remote, first=not self._index,
        )  # fmt: skip

    async def start(self) -> None:
        self._directory.start()
        self._checkpoints.start()
        self._paced.start()
        self._follower.start()
        for queue in self._queues.values():
            await queue.start()
        self._courier.start()
        await self._doors.start()
        # nothing listens until every shard has an owner (DESIGN 2)
        await outgoing.every_shard_owned(self._home, self._config)
        for worker in self._workers.values():
            worker.start()
        self._background.start()
        self._spool.start(self)
        listen = self._config.listen
        for server, port, setting in self._smtp:
            await server.start(bind(listen, port, setting), self._evenly(port))
        port = self._config.port_api
        await self._http.start(bind(listen, port, "port_api"), self._evenly(port))

    def _evenly(self, port: int) -> Evenly | None:
        engines = outgoing.engine_count(self._home, self._config)
        try:
            return Evenly(self._home.run, port, self._index, engines) if engines > 1 else None
        except OSError as error:
            # each engine then keeps what the kernel gives it
            log.failure("connections-not-shared", error)
            return None

    async def stop(self) -> None:
        """No new connection; what runs ends or is taken up again at the next start."""
        self._paced.stop()
        self._follower.stop()
        await self._spool.stop()
        await self._background.stop()
        drains = [server.drain(DRAIN) for server, _, _ in self._smtp]
        await asyncio.gather(*drains, self._http.drain(DRAIN), return_exceptions=True)
        await asyncio.gather(*(worker.stop(DRAIN / 2) for worker in self._workers.values()), return_exceptions=True)
        for server, _, _ in self._smtp:
            server.close()
        await self._doors.close()
        if self._far.across is not None:
            await self._far.across.close()
        await self._ahead.close()
        await self._courier.close()
        await self._sealing.close()
        await self._inspector.close()
        await self._renderer.close()
        await self._intake.close()
        for queue in self._queues.values():
            await queue.close()
        for shard in self._shards.values():
            await asyncio.to_thread(shard.close)
        await asyncio.to_thread(self._spool.let_go)
        self._posture.close()
        self._credentials.close()
        self._access.close()
        self._directory.stop()
        self._threads.close()
        self._shelf.close()
        self._checkpoints.stop()
        log.event("engine-stopped")

    def _taking(self) -> bool:
        return any(queue.taking() for number, queue in self._queues.items() if number >> 6 == self._home.node)

    def _under_way(self) -> int:
        return sum(worker.held for worker in self._workers.values())

    def _pressed(self, org: bytes) -> bool:
        return self._pressing.now(org) and self._paced.busy()

    def _health(self) -> dict[str, int]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        counted = {name: int(value) for name, value in metrics.snapshot().items()}
        return {
            **counted,
            "rss": usage.ru_maxrss * 1024,
            "under_way": self._under_way(),
            "connections": sum(server.connections for server, _, _ in self._smtp),
        }
