"""The parts of an engine that lead outside, built from the settings and, in a sandbox home, from its world."""

import asyncio
import ssl
from pathlib import Path

import msgspec

from carepost.delivery import https, resolver
from carepost.delivery.discovery.fetch import KeyFetch
from carepost.delivery.hops import Finder
from carepost.delivery.methods.tls import Preparer
from carepost.delivery.mtasts import Policies
from carepost.delivery.questions import Questions
from carepost.delivery.refresh import Refresher
from carepost.delivery.reporting import Reporter
from carepost.delivery.resolver import Resolver
from carepost.delivery.schedule import Schedule
from carepost.delivery.trust import Anchors
from carepost.delivery.world import Door
from carepost.directory import Directory
from carepost.ground import processors
from carepost.ground.config import Config
from carepost.ground.errors import Unavailable
from carepost.ground.home import Home
from carepost.ground.keys import PurposeKeys
from carepost.posture import Posture
from carepost.sandbox.world import read_dial, read_world

_OWNED_WITHIN = 30.0


class Outgoing(msgspec.Struct, frozen=True):
    anchors: Anchors
    finder: Finder
    schedule: Schedule
    questions: Questions
    resolver: Resolver
    policies: Policies
    #: files whose place a stranger names
    files: KeyFetch
    #: for policies and reports: the Web PKI
    web: ssl.SSLContext
    dial: dict[str, tuple[str, int]] = {}


def build(home: Home, config: Config, posture: Posture) -> Outgoing:
    """Raises ConfigError naming the setting that is wrong. The dial table is honoured only in a sandbox home."""
    world = read_world(home.world) if home.sandbox else None
    dial = read_dial(home.world) if home.sandbox else {}
    extra = config.outbound_ca or (world.ca_file if world else "")
    anchors = Anchors.system(Path(extra) if extra else None)
    asked = Resolver(resolver.servers(config.resolvers, config.resolvers_validate))
    web = https.context(extra)
    fetch = https.PolicyFetch(asked, web, dial=dial)
    policies = Policies(asked, posture, fetch)
    finder = Finder(asked, policies, ours=(config.hostname,), port=config.smtp_port, dial=dial or None)
    schedule = Schedule(config.retry_first, config.retry_longest, config.give_up)
    files = KeyFetch(asked, web, dial=dial)
    return Outgoing(anchors, finder, schedule, Questions(asked, fetch), asked, policies, files, web, dial)


class Background:
    """What an engine does by the clock: old MTA-STS policies anew; in one engine of a home, TLS reports besides."""

    def __init__(self, *parts: Refresher | Reporter) -> None:
        self._parts = parts

    def start(self) -> None:
        for part in self._parts:
            part.start()

    async def stop(self) -> None:
        await asyncio.gather(*(part.stop() for part in self._parts))


def background(
    way: Outgoing,
    home: Home,
    config: Config,
    keys: PurposeKeys,
    index: int,
    posture: Posture,
    *,
    directory: Directory,
    door: Door,
) -> Background:
    files = [home.shard(number) / "posture.db" for number in range(home.shards)]
    refresher = Refresher(files[index], keys, way.policies)
    if index or not config.tls_reports:
        return Background(refresher)
    reporter = Reporter(
        files, keys, posture, directory, way.resolver, door, config.hostname, tls=way.web, dial=way.dial
    )
    return Background(refresher, reporter)


def preparer(keys: PurposeKeys) -> Preparer:
    return Preparer(keys.only("dkim"))


def tls_folder(home: Home, config: Config) -> Path:
    return Path(config.tls_folder) if config.tls_folder else home.tls


def viewer(home: Home) -> tuple[str, int] | None:
    world = read_world(home.world) if home.sandbox else None
    return world.viewer_address if world else None


def engine_count(home: Home, config: Config) -> int:
    return max(1, min(config.engines or processors.count(), home.shards))


async def every_shard_owned(home: Home, config: Config) -> None:
    """Waits until each engine's socket answers. Raises Unavailable after 30 s: the supervisor starts us again."""
    deadline = asyncio.get_running_loop().time() + _OWNED_WITHIN
    for index in range(engine_count(home, config)):
        while not await _answers(home.socket(index)):
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable("shard-alone", "A shard has no owner; nothing is accepted until it has.")
            await asyncio.sleep(0.05)


async def _answers(path: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(str(path))
    except OSError:
        return False
    writer.close()
    return True
