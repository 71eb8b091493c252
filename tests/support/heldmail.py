"""A real engine's doors over the office's own organisations: intake, queue, shard and socket, and no worker, so what is
released or refused stays where the next attempt would find it."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.conf import settings

from carepost.archive import engine as archives
from carepost.directory import Directory, Loaded, StaticSource
from carepost.ground import ids
from carepost.ground.config import Config
from carepost.intake.accept import Intake
from carepost.intake.client import Client
from carepost.intake.orgkeys import DirectoryKeys
from carepost.mailbox import door
from carepost.policy.types import Assurance, ContentFacts, Method, Rule
from carepost.posture import Posture
from carepost.queue.queue import Queue
from carepost.queue.types import Settlement, State
from carepost.reception.doors import DoorsServer
from carepost.rfc import compose
from carepost.rfc.address import Mailbox
from carepost.rfc.envelope import Envelope, Recipient
from carepost.spool.budget import Budget
from carepost.spool.shard import Shard
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation, OrgKey
from carepost.wire.types import Actor, Origin, Submission
from tests.support.clinics import snapshot
from tests.support.live import Loop

JANE = "jane.quillfeather@patient.test"
NURSE = Actor("credential", "nurse")
HOLD = Rule("look-at-it", action="hold", held_hours=48)
#: by the portal alone, which nothing opens that travels by e-mail: who writes without a code waits for one
PORTAL_ALONE = Rule("portal-alone", methods=(Method.PORTAL,), floor=Assurance.MESSAGE)
TWO = Rule("two-people", sender="boss@maple.test", action="approve", approvals=2)
#: words nobody says by chance
SUBJECT = "About Xylographia Quillfeather"
TEXT = "Dear Ms Quillfeather, your zebrafish titre is normal."


class HeldMail:
    """`client`: as the office reaches it. `rules`: of every organisation."""

    def __init__(self, home: Path, *clinics: Organisation, rules: tuple[Rule, ...]) -> None:
        run, folder = home / "run", home / "shard-0000"
        run.mkdir(mode=0o700)
        folder.mkdir()
        self.purposes = settings.CAREPOST_KEYS
        source = StaticSource([Loaded(self._snapshot(one, rules)) for one in clinics])
        self.directory = Directory(source)
        self.directory.poll()
        self.shard = Shard.open(folder, 0)
        self.thread = Loop()
        self.client = Client(run, 1)
        self.thread.run(self._start(run))

    def _snapshot(self, clinic: Organisation, rules: tuple[Rule, ...]) -> Any:
        with scope.organisation(clinic.pk):
            rows = list(OrgKey.objects.filter(org=clinic, retired_at=0).order_by("version"))
        keys = {row.purpose: (row.version, bytes(row.wrapped)) for row in rows}
        return snapshot(clinic.pk.bytes, clinic.name, (f"{clinic.slug}.test",), keys=keys, rules=rules)

    async def _start(self, run: Path) -> None:
        bodies = Budget(64_000_000)
        self.queue = Queue(self.shard, DirectoryKeys(self.directory, self.purposes), budget=bodies)
        self.intake = Intake({0: self.queue}, self.directory, Posture(), self.purposes, Config(hostname="mail.test"))
        self.doors = DoorsServer(
            run / "engine-00.sock", self.intake, {0: self.queue}, bodies, health=dict, quit_=lambda: None
        )
        await self.queue.start()
        await self.doors.start()

    def mail(
        self, clinic: Organisation, *, to: str = JANE, sender: str = "", subject: str = SUBJECT, name: str = "",
        html: str | None = None, content: ContentFacts | None = None, actor: Actor = NURSE,
    ) -> uuid.UUID:  # fmt: skip
        """A message of a nurse's; its delivery. `content`: what inspection said of it."""
        address = sender or f"nurse@{clinic.slug}.test"
        body = compose.build(
            from_=Mailbox(name, address), to=[Mailbox("", to)], subject=subject, text=None if html else TEXT, html=html,
            message_id=f"<{ids.new().hex()}@{clinic.slug}.test>", at=1_795_262_400_000_000,
        )  # fmt: skip
        taken = self.client.accept(
            Submission(clinic.pk.bytes, Envelope(address, (Recipient(to),)), body, Origin.SMTP, actor)
        )
        delivery = uuid.UUID(taken.deliveries[0].id)
        if content is not None:
            self.thread.run(self._found(clinic.pk.bytes, delivery.bytes, content))
        return delivery

    async def _found(self, org: bytes, delivery: bytes, content: ContentFacts) -> None:
        """As after an attempt that looked into the message and held it."""
        await self.queue.act("release", org, (delivery,), Actor("system", "test"), "")
        (claim,) = await self.queue.claim(1)
        record = msgspec.structs.replace(claim.record, content=content, reason="rule-holds", rule=HOLD.id)
        await self.queue.settle(claim, Settlement(State.HELD, record))

    async def held_for(self, org: bytes, delivery: bytes, reason: str, rule: str) -> None:
        """As after an attempt that held it for this reason."""
        await self.queue.act("release", org, (delivery,), Actor("system", "test"), "")
        (claim,) = await self.queue.claim(1)
        record = msgspec.structs.replace(claim.record, reason=reason, rule=rule)
        await self.queue.settle(claim, Settlement(State.HELD, record))

    def record(self, delivery: uuid.UUID) -> Any:
        """The delivery's record as the next attempt finds it."""
        row = self.shard.backend.delivery(delivery.bytes)
        assert row is not None
        return self.queue._opener.delivery_record(row.org, row.message, row.id, row.record)

    def close(self) -> None:
        async def end() -> None:
            await self.doors.close()
            await self.intake.close()
            await self.queue.close()
            self.shard.close()

        self.client.close()
        self.thread.run(end())
        self.thread.stop()


@pytest.fixture
def waiting(
    maple: Organisation,
    harbour: Organisation,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[HeldMail]:
    yield from _open(maple, harbour, tmp_path_factory, monkeypatch, (HOLD, TWO))


@pytest.fixture
def wanting(
    maple: Organisation,
    harbour: Organisation,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[HeldMail]:
    """What is written waits for an access code; the boss's for two people first."""
    yield from _open(maple, harbour, tmp_path_factory, monkeypatch, (PORTAL_ALONE, TWO))


def _open(
    maple: Organisation, harbour: Organisation, folders: pytest.TempPathFactory, patch: pytest.MonkeyPatch,
    rules: tuple[Rule, ...],
) -> Iterator[HeldMail]:  # fmt: skip
    made = HeldMail(folders.mktemp("w"), maple, harbour, rules=rules)
    for place in (door, archives):
        patch.setattr(place, "client", lambda: made.client)
    yield made
    made.close()
