"""A whole engine's delivery in one loop: real queue on a real disk, real door, real DNS and mail hosts of the test.

Two clinics; Willow sends. What ends is seen by `ended`, which waits for the queue's own events."""

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from carepost.crypto import dkim
from carepost.delivery import https
from carepost.delivery.courier import Courier
from carepost.delivery.exchange import Timeouts
from carepost.delivery.hops import Finder
from carepost.delivery.methods.tls import Preparer
from carepost.delivery.mtasts import Policies
from carepost.delivery.resolver import Resolver, Server
from carepost.delivery.schedule import Schedule
from carepost.delivery.trust import Anchors
from carepost.delivery.ways import Pace
from carepost.delivery.worker import Worker
from carepost.delivery.world import World
from carepost.directory import Directory, Loaded, StaticSource
from carepost.directory.types import DkimKey, OrgSnapshot, Route, SenderDomain
from carepost.ground import ids
from carepost.ground.config import Config
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.inspection.inspector import Inspector
from carepost.intake.accept import Intake
from carepost.intake.orgkeys import DirectoryKeys
from carepost.policy.types import Assurance, Rule
from carepost.posture import Posture
from carepost.proof import event
from carepost.queue.queue import Queue
from carepost.queue.sealing import Opener
from carepost.rfc.envelope import Envelope, Recipient
from carepost.spool.shard import Shard
from carepost.wire.types import Accepted, AcceptedDelivery, Actor, DeliveryView, Origin, Protection, Submission
from tests.support.mailhost import Ca, MailHost, Names, pem_file

WILLOW = b"willow-clinic-00"
DOMAIN = "willow.test"
SENDER = f"nurse@{DOMAIN}"
BY_MAIL = Rule("portal-by-mail", portal_by_mail=True)
QUICK = Timeouts(connect=2, banner=2.0, command=2.0, data=2.0, block=2.0, dot=2.0, handshake=2.0, quit=0.5)
FINAL = ("sent", "deposited", "failed", "held", "tested")


def body(subject: str = "Invented results", *, extra: str = "", text: str = "The invented results.") -> bytes:
    message_id = f"<{os.urandom(6).hex()}@{DOMAIN}>"
    return (
        f"From: Nurse Fern <{SENDER}>\r\nTo: jane.roe@there.test\r\nSubject: {subject}\r\nMessage-ID: {message_id}\r\n"
        f"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n{extra}\r\n{text}\r\n"
    ).encode()


class Delivering:
    """`names` is the DNS (change its zone), `hosts` maps MX host names to mail hosts through the dial table. `dns`,
    `dial` and `ca_file` put another world in their place."""

    def __init__(
        self,
        hosts: dict[str, MailHost],
        zone: dict[tuple[str, str], object],
        ca: Ca,
        *,
        signed: tuple[str, ...] = (),
        rules: tuple[Rule, ...] = (BY_MAIL,),
        routes: tuple[Route, ...] = (),
        patience: int = 3600,
        schedule: Schedule | None = None,
        dial: dict[str, tuple[str, int]] | None = None,
        dns: tuple[str, int] | None = None,
        ca_file: Path | None = None,
        worker: bool = True,
        inspector: Inspector | None = None,
        **snapshot: Any,
    ) -> None:
        self.hosts, self.ca, self.inspector = hosts, ca, inspector
        self.names = Names(zone, signed)
        self.schedule = schedule or Schedule(first=0.5, longest=0.5, give_up=60.0)
        self._dial, self._dns, self._ca_file = dial or {}, dns, ca_file
        self._folder = tempfile.TemporaryDirectory(prefix="carepost-test-")
        self.folder = Path(self._folder.name)
        self.keys = PurposeKeys.ephemeral()
        self._run_worker = worker
        org_keys = OrgKeys(self.keys)
        self.signing_key, self.dkim_record = dkim.generate(dkim.ED25519)
        aad = b"dkim|" + WILLOW + b"|" + DOMAIN.encode() + b"|" + b"s1"
        pair = DkimKey("s1", dkim.ED25519, self.keys.wrap("dkim", self.signing_key, aad))
        self.snapshot = OrgSnapshot(
            id=WILLOW, name="Willow Clinic", epoch=1, policy_version="v1", notice_name="Willow", phone="555-0100",
            auditor="", portal_url="https://portal.test", portal_address=f"portal@{DOMAIN}",
            floor=snapshot.pop("floor", Assurance.VERIFIED), patience=patience, rules=rules, routes=routes,
            domains=(SenderDomain(DOMAIN, (pair,)),),
            keys={p: (1, org_keys.new(WILLOW, p)) for p in ("content", "evidence", "index", "portal")}, **snapshot,
        )  # fmt: skip
        self.source = StaticSource([Loaded(self.snapshot)])

    async def __aenter__(self) -> "Delivering":
        await self.names.__aenter__()
        for host in self.hosts.values():
            await host.__aenter__()
        dial = {name: host.address for name, host in self.hosts.items()} | self._dial
        self.directory = Directory(self.source)
        self.directory.poll()
        self.posture = Posture.open(self.folder, self.keys)
        self.shard = Shard.open(self.folder / "shard-0000", 0)
        self.queue = Queue(self.shard, DirectoryKeys(self.directory, self.keys))
        self.config = Config(hostname="mail.willow.test")
        self.intake = Intake({0: self.queue}, self.directory, self.posture, self.keys, self.config)
        resolver = Resolver([Server(*(self._dns or self.names.address), trusted=True)], timeout=0.5)
        self.resolver = resolver
        ca_file = self._ca_file or pem_file(self.folder, self.ca.pem)
        policies = Policies(resolver, self.posture, https.PolicyFetch(resolver, https.context(str(ca_file)), dial=dial))
        self.finder = Finder(resolver, policies, ours=("mail.willow.test",), dial=dial)
        self.courier = Courier("mail.willow.test", Anchors.pinned(ca_file.read_text()), timeouts=QUICK)
        self.courier.start()
        self.pace = Pace()
        self.world = World(
            self.directory, self.posture, self.finder, self.courier, Preparer(self.keys), self.intake,
            self.schedule, "mail.willow.test", inspector=self.inspector, pace=self.pace,
        )  # fmt: skip
        self.worker = Worker(self.queue, self.world)
        self.queue.paced_by(self.worker.may, self.worker.why)
        self.pace.reopened.append(self.queue.reopen)
        self.queue.taker = self.worker if self._run_worker else None
        await self.queue.start()
        if self._run_worker:
            self.worker.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.worker.stop(1.0)
        await self.courier.close()
        await self.queue.close()
        self.shard.close()
        self.posture.close()
        self.directory.stop()
        for host in self.hosts.values():
            await host.__aexit__()
        await self.names.__aexit__()
        self._folder.cleanup()

    def change(self, **fields: Any) -> None:
        """A new epoch of the organisation, seen at once."""
        self.snapshot = msgspec.structs.replace(self.snapshot, epoch=self.snapshot.epoch + 1, **fields)
        self.source.put(Loaded(self.snapshot))
        self.directory.poll()
        self.pace.know(self.snapshot)

    async def submit(
        self,
        *to: str | Recipient,
        raw: bytes | None = None,
        sender: str = SENDER,
        protection: Protection | None = None,
        envid: str | None = None,
        **fields: Any,
    ) -> Accepted:
        return await self.intake.accept(submission(to, raw, sender, protection, envid, **fields))

    async def preview(self, to: str, *, protection: Protection | None = None) -> AcceptedDelivery:
        (found,) = await self.intake.preview(submission((to,), protection=protection))
        return found

    async def view(self, accepted: Accepted, number: int = 0) -> DeliveryView:
        found = await self.queue.lookup(WILLOW, ids.parse(accepted.message_id))
        return found.deliveries[number]

    async def until(
        self, accepted: Accepted, good: Callable[[DeliveryView], bool], *, number: int = 0, within: float = 15.0
    ) -> DeliveryView:
        """Looks each time the queue has written an event."""
        seen = 0
        try:
            async with asyncio.timeout(within):
                while True:
                    view = await self.view(accepted, number)
                    if good(view):
                        return view
                    _, head = await self.queue.drain(seen, 0, 1, wait_s=0.2)
                    seen = head
        except TimeoutError:
            raise AssertionError(f"not so within {within} s: {await self.view(accepted, number)}") from None

    async def ended(self, accepted: Accepted, *, number: int = 0, within: float = 15.0) -> DeliveryView:
        return await self.until(accepted, lambda view: view.state in FINAL, number=number, within=within)

    async def deferred(self, accepted: Accepted, attempts: int = 1) -> DeliveryView:
        return await self.until(accepted, lambda view: len(view.attempts) >= attempts and view.state == "deferred")

    async def events(self, kind: str = "") -> list[event.Event]:
        rows, _ = await self.queue.drain(0, 0, 2000)
        found = [event.read(row.event) for row in rows]
        return [one for one in found if not kind or one.kind == kind]

    async def openings(self, kind: str) -> dict[str, bytes]:
        """What the newest event of this kind commits to, opened."""
        rows, _ = await self.queue.drain(0, 0, 2000)
        for row in reversed(rows):
            one = event.read(row.event)
            if one.kind == kind:
                opener = Opener(DirectoryKeys(self.directory, self.keys))
                return {name: value for name, (_, value) in opener.personal(row).items()}
        raise AssertionError(f"no event {kind}")


def side(name: str) -> dict[tuple[str, str], object]:
    """DNS of a domain with one mail host `mx.<name>` at a public address (the dial table leads to the test's)."""
    return {(name, "MX"): f"10 mx.{name}.", (f"mx.{name}", "A"): "8.8.8.8"}


def submission(
    to: tuple[str | Recipient, ...],
    raw: bytes | None = None,
    sender: str = SENDER,
    protection: Protection | None = None,
    envid: str | None = None,
    **fields: Any,
) -> Submission:
    recipients = tuple(r if isinstance(r, Recipient) else Recipient(r) for r in to)
    raw = raw if raw is not None else body()
    utf8 = fields.pop("smtputf8", False)
    envelope = Envelope(sender, recipients, envid=envid, smtputf8=utf8, eightbit=not raw.isascii())
    return Submission(
        WILLOW, envelope, raw, fields.pop("origin", Origin.SMTP), Actor("credential", "nurse-1"),
        protection=protection or Protection(), **fields,
    )  # fmt: skip
