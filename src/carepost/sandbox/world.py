"""The whole sandbox as one value: `World.start(folder)` brings up DNS, mail servers, policy hosts and viewer.

`folder` is the home's sandbox folder (`Home.world`). There `world.json` and `dial.json` say where everything is.
"""

from pathlib import Path

import msgspec

from carepost.ground import durable
from carepost.sandbox import dns, keyplaces, mail, policies, records
from carepost.sandbox.ca import Authority
from carepost.sandbox.domains import ALL, LOOPBACK, Domain, MtaSts
from carepost.sandbox.owners import Owners
from carepost.sandbox.store import Mail, Store
from carepost.sandbox.viewer import Viewer
from carepost.sandbox.web import WebServer

#: host -> (address, port)
Dial = dict[str, tuple[str, int]]


class WorldFile(msgspec.Struct, frozen=True):
    """`world.json`: written when everything answers, removed at the end."""

    #: the validating resolver
    dns: tuple[str, int]
    #: address of the viewer, ending in /sandbox/
    viewer: str
    viewer_address: tuple[str, int]
    #: PEM of the CA that vouches for the sandbox's servers
    ca_file: str
    #: trust anchor of test.: DS and DNSKEY in presentation form
    anchor_ds: str
    anchor_dnskey: str
    #: the table of MX hosts and policy hosts
    dial_file: str


def read_world(folder: Path) -> WorldFile | None:
    """None: the world is not up."""
    try:
        return msgspec.json.decode((folder / "world.json").read_bytes(), type=WorldFile)
    except FileNotFoundError:
        return None


def read_dial(folder: Path) -> Dial:
    try:
        return msgspec.json.decode((folder / "dial.json").read_bytes(), type=Dial)
    except FileNotFoundError:
        return {}


class World:
    """Made by `start` inside a running event loop; ended by `stop` in the same."""

    def __init__(self, folder: Path, domains: tuple[Domain, ...] = ALL) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.domains = domains
        self.store = Store(Owners(folder))
        self._authority = Authority(folder / "tls")
        self.ca_file = self._authority.ca_file
        self._answers = dns.Answers(folder, domains, self._authority.of)
        self._dns = dns.Server(self._answers)
        self.servers = mail.Servers(domains, self.store, self._authority.of)
        self._viewer = WebServer(Viewer(self.store))
        hosts = tuple(domain.policy_host for domain in domains if domain.mta_sts is not MtaSts.NONE)
        hosts += tuple(host for domain in domains for host in domain.key_hosts)
        pem = self._authority.leaf("mta-sts", names=hosts) if hosts else None
        published = keyplaces.directory(folder, domains)
        self._policies = WebServer(keyplaces.with_directory(policies.make(domains), published), pem=pem)
        self._policy_hosts = hosts
        self.dial: Dial = {}

    @classmethod
    async def start(
        cls, folder: Path, *, dns_port: int = 0, viewer_port: int = 0, domains: tuple[Domain, ...] = ALL
    ) -> "World":
        """Port 0: a free one. Mail servers and policy hosts take the ports of an earlier run when those are free.

        Raises ConfigError when `dns_port` or `viewer_port` is taken.
        """
        world = cls(folder, domains)
        try:
            await world._start(dns_port, viewer_port)
        except BaseException:
            await world.stop()
            raise
        return world

    async def _start(self, dns_port: int, viewer_port: int) -> None:
        crashed = read_world(self.folder)
        (self.folder / "world.json").unlink(missing_ok=True)
        former = read_dial(self.folder)
        await self._dns.start(dns_port)
        if viewer_port == 0 and crashed is not None:
            # Whoever relays to the viewer finds it again where it was.
            await self._viewer.start(crashed.viewer_address[1])
        else:
            await self._viewer.start(viewer_port, setting="the viewer's port")
        await self.servers.start(former)
        self.dial = self.servers.dial()
        if self._policy_hosts:
            await self._policies.start(former.get(self._policy_hosts[0], (LOOPBACK, 0))[1])
            self.dial |= dict.fromkeys(self._policy_hosts, self._policies.address)
        durable.write(self.folder / "dial.json", msgspec.json.encode(self.dial))
        durable.write(self.folder / "world.json", msgspec.json.encode(self.file()))

    def file(self) -> WorldFile:
        return WorldFile(
            self.dns_address,
            self.viewer,
            self._viewer.address,
            str(self.ca_file),
            self.anchor_ds,
            self.anchor_dnskey,
            str(self.folder / "dial.json"),
        )

    async def stop(self) -> None:
        (self.folder / "world.json").unlink(missing_ok=True)
        await self.servers.stop()
        await self._policies.stop()
        await self._viewer.stop()
        await self._dns.stop()

    @property
    def dns_address(self) -> tuple[str, int]:
        return self._dns.address

    @property
    def viewer(self) -> str:
        return f"http://{self._viewer.address[0]}:{self._viewer.address[1]}/sandbox/"

    @property
    def anchor_ds(self) -> str:
        return self._answers.anchor_ds

    @property
    def anchor_dnskey(self) -> str:
        return self._answers.anchor_dnskey

    def mailbox(self, address: str) -> tuple[Mail, ...]:
        return self.store.mailbox(address)

    def publish(self, name: str, kind: str, text: str) -> None:
        """A record appears in the DNS (a DKIM key: kind TXT, text as the key's record is written)."""
        records.publish(self.folder, name, kind, text)
