"""The shards of an engine process: on the home's disk, or in PostgreSQL, where nodes take over what one leaves."""

import asyncio
import importlib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from carepost.ground import clock, durable, log, metrics, postgres
from carepost.ground.config import Config
from carepost.ground.errors import CarepostError, ConfigError, Unavailable
from carepost.ground.home import Home
from carepost.ground.keys import PurposeKeys
from carepost.intake.across import Across, Held
from carepost.posture.elsewhere import Elsewhere
from carepost.processes import doorcerts, joining
from carepost.reception.doors import Remote
from carepost.spool.limits import Limits
from carepost.spool.shard import Shard
from carepost.wire.doors import CLOCK_OFF

#: looks at leases in a lease's time; missing three of them loses the shard
_LOOKS: Final = 5
#: seconds a node that starts waits for its own shards: another gives them back within a look and its drain
_TAKEN_WITHIN: Final = 45.0
#: the fence by which this home had the shard last
_FENCE: Final = "fence"


class Keeping(Protocol):
    """What an engine does when shards come and go while it runs."""

    async def adopt(self, shard: Shard) -> None:
        """Its deliveries are taken up here."""

    async def hand_over(self, number: int, *, lost: bool) -> None:
        """Its deliveries end here and the shard is closed; `lost`: another has it already."""

    def sharing(self, part: int, parts: int) -> None:
        """Which of how many engines of all nodes this is now: what may go to a destination is divided between them."""

    def fallen(self) -> None:
        """A shard of this node's own is another's: the process must begin anew."""


class Far(msgspec.Struct, frozen=True):
    """How other nodes are asked, and where they ask here; None: there are none."""

    across: Across | None = None
    remote: Remote | None = None


class Spool(Protocol):
    def open(self, numbers: Iterable[int]) -> list[Shard]:
        """This process's own shards (0, 1, …). Raises ConfigError, Unavailable."""

    def far(self) -> "Far":
        """The doors between nodes."""

    def neighbours(self) -> list[Path]:
        """Folders of what engines of other nodes saw of destinations."""

    def start(self, keeping: Keeping) -> None: ...

    async def stop(self) -> None:
        """Nothing comes or goes any more. The shards are still open."""

    def let_go(self) -> None:
        """After the shards were closed: others need not wait for their leases."""


def spool(home: Home, config: Config, keys: PurposeKeys, index: int) -> Spool:
    limits = Limits(min_free=config.min_free, outbox=config.outbox_limit)
    if not config.node_address:
        return DiskSpool(home, limits)
    return SharedSpool(home, config, keys, index, limits)


class DiskSpool:
    def __init__(self, home: Home, limits: Limits) -> None:
        self._home, self._limits = home, limits

    def open(self, numbers: Iterable[int]) -> list[Shard]:
        home = self._home
        return [Shard.open(home.shard(number), home.node << 6 | number, self._limits) for number in numbers]

    def far(self) -> Far:
        return Far()

    def neighbours(self) -> list[Path]:
        return []

    def start(self, keeping: Keeping) -> None:
        """Nothing comes or goes."""

    async def stop(self) -> None:
        """Nothing to stop."""

    def let_go(self) -> None:
        """Closing was enough."""


class SharedSpool:
    """Leases are renewed, and what others left is taken up, by one task on the loop; the server is asked in threads."""

    def __init__(self, home: Home, config: Config, keys: PurposeKeys, index: int, limits: Limits) -> None:
        """Raises ConfigError."""
        self._home, self._config, self._index, self._limits = home, config, index, limits
        self._url = postgres.role_url(config.database_url, "engine", keys)
        host, port = joining.address(config, index)
        # psycopg is an extra: only an installation on PostgreSQL has it
        holding = importlib.import_module("carepost.spool.postgres.holding")
        self._store = importlib.import_module("carepost.spool.postgres.store")
        holder = f"{doorcerts.node_name(home.node)}/{home.id}/{index}"
        self.holdings = holding.Holdings(self._url, holder, f"{host}:{port}")
        self._elsewhere = Elsewhere(
            importlib.import_module("carepost.spool.postgres.sights").sights(self._url), keys,
            (home.node << 6 | index, home.shard(index)), None if index else home.elsewhere,
        )  # fmt: skip
        #: number in ids -> (what it is held by, its shard)
        self._held: dict[int, tuple[Any, Shard]] = {}
        self._own: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    def open(self, numbers: Iterable[int]) -> list[Shard]:
        opened = []
        for local in numbers:
            number = self._home.node << 6 | local
            opened.append(self._open(self._taken(number), self._home.shard(local)))
            self._own.add(number)
        # before the first message: what another node was warned of holds here too
        self._elsewhere.step()
        return opened

    def far(self) -> Far:
        folder = self._home.doors
        host, port = joining.address(self._config, self._index)
        across = Across(self._places, doorcerts.calling(folder), doorcerts.node_name(self._home.node))
        return Far(across, Remote(host, port, doorcerts.listening(folder)))

    def neighbours(self) -> list[Path]:
        return [self._home.elsewhere]

    def _places(self) -> dict[int, Held]:
        found = {}
        for number, place in self.holdings.places().items():
            found[number] = Held(place.holder.partition("/")[0], place.address)
        return found

    def _taken(self, number: int) -> Any:
        """Waits while another node gives it back, or until the lease of one that is gone is over."""
        deadline = clock.monotonic() + _TAKEN_WITHIN
        while True:
            held = self.holdings.take(number)
            if held is not None:
                return held
            if clock.monotonic() > deadline:
                raise Unavailable("shard-elsewhere", f"Shard {number} is still held by another node; trying again.")
            self.holdings.want(number)
            time.sleep(0.2)

    def _open(self, held: Any, folder: Path) -> Shard:
        lease = self.holdings.lease_s
        shard = Shard.open(
            folder, held.number, self._limits, store=lambda: self._store.PostgresBackend(self._url, held, lease)
        )
        if _fence(folder) != held.fence - 1:
            # another had it meanwhile: what this machine remembers of attempts past their dot is not all there is
            shard.dots.doubt()
        durable.write(folder / _FENCE, b"%d\n" % held.fence)
        self._held[held.number] = held, shard
        return shard

    def start(self, keeping: Keeping) -> None:
        self._task = asyncio.get_running_loop().create_task(self._keep(keeping))

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def let_go(self) -> None:
        for held, shard in self._held.values():
            if not shard.backend.lost:
                try:
                    self.holdings.let_go(held)
                except CarepostError as error:
                    log.failure("shard-not-let-go", error, shard=held.number)
        try:
            self.holdings.left(self._home.node)
        except CarepostError as error:
            log.failure("node-not-signed-off", error)
        self._held.clear()
        self._elsewhere.close()
        self.holdings.close()

    async def _keep(self, keeping: Keeping) -> None:
        while True:
            try:
                await self._share(keeping)
                await asyncio.sleep(self.holdings.lease_s / _LOOKS)
                await self._renew(keeping)
                await self._adopt(keeping)
                off = await asyncio.to_thread(self.holdings.heard, self._home.node)
                metrics.gauge(CLOCK_OFF, off / 1_000_000)
                await asyncio.to_thread(self._elsewhere.step)
            except CarepostError as error:
                log.failure("leases-not-renewed", error)
                await asyncio.sleep(self.holdings.lease_s / _LOOKS)

    async def _share(self, keeping: Keeping) -> None:
        places = await asyncio.to_thread(self.holdings.places)
        holders = sorted({place.holder for place in places.values() if place.address})
        if self.holdings.holder in holders:
            keeping.sharing(holders.index(self.holdings.holder), len(holders))

    async def _renew(self, keeping: Keeping) -> None:
        held = [one for one, _ in self._held.values()]
        asked_at = clock.monotonic()
        told = await asyncio.to_thread(self.holdings.renew, held)
        for one in held:
            _, shard = self._held[one.number]
            if one.number not in told.kept or shard.backend.lost:
                log.event("shard-lost", shard=one.number)
                if one.number in self._own:
                    keeping.fallen()
                    return
                await self._part(keeping, one.number, lost=True)
            elif one.number in told.wanted and one.number not in self._own:
                await self._part(keeping, one.number, lost=False)
            else:
                renewed = getattr(shard.backend, "renewed", None)
                if renewed is not None:
                    renewed(asked_at)

    async def _part(self, keeping: Keeping, number: int, *, lost: bool) -> None:
        held, _ = self._held.pop(number)
        await keeping.hand_over(number, lost=lost)
        if not lost:
            await asyncio.to_thread(self.holdings.let_go, held)
            log.event("shard-handed-over", shard=number)

    async def _adopt(self, keeping: Keeping) -> None:
        held = await asyncio.to_thread(self.holdings.adopt)
        if held is None:
            return
        folder = self._home.path / "spool" / f"adopted-{held.number:04d}"
        try:
            shard = await asyncio.to_thread(self._open, held, folder)
        except (ConfigError, OSError) as error:
            log.failure("shard-not-adopted", error, shard=held.number)
            await asyncio.to_thread(self.holdings.let_go, held, 0.0)
            return
        try:
            await keeping.adopt(shard)
        except CarepostError:
            del self._held[held.number]
            await asyncio.to_thread(shard.close)
            await asyncio.to_thread(self.holdings.let_go, held, 0.0)
            raise
        log.event("shard-adopted", shard=held.number)


def _fence(folder: Path) -> int:
    try:
        return int((folder / _FENCE).read_text())
    except (OSError, ValueError):
        return -1
