"""An intake over real rooms: directory from memory, posture that remembers nothing, a queue over a real shard."""

from pathlib import Path

import msgspec

from carepost.directory.lookup import Directory
from carepost.directory.source import Loaded, StaticSource
from carepost.directory.types import OrgSnapshot, Route, SenderDomain
from carepost.ground import ids
from carepost.ground.config import Config
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.intake.accept import Elsewhere, Intake
from carepost.intake.looking import Inspector
from carepost.intake.orgkeys import DirectoryKeys
from carepost.policy.types import Assurance, Rule
from carepost.posture import Measured, Posture
from carepost.queue.queue import Queue
from carepost.rfc.envelope import Envelope, Recipient
from carepost.spool.shard import Shard
from carepost.wire.types import Actor, Origin, Submission

CLINIC, HARBOUR = ids.new(), ids.new()
BY_MAIL = Rule("portal-by-mail", portal_by_mail=True)

BODY = (
    b"From: Nurse Quill <nurse@clinic.test>\r\nTo: jane.roe@verified.test\r\nSubject: Your appointment\r\n"
    b"Date: Sat, 21 Nov 2026 18:00:00 +0000\r\nMessage-ID: <m-1@clinic.test>\r\n\r\nDear Jane,\r\n"
)


class Office:
    def __init__(self, folder: Path, shard: int = 0) -> None:
        self.purposes = PurposeKeys.ephemeral()
        self.org_keys = OrgKeys(self.purposes)
        self.source = StaticSource([
            self.organisation(CLINIC, "clinic.test", "wards.clinic.test"), self.organisation(HARBOUR, "harbour.test")
        ])  # fmt: skip
        self.directory = Directory(self.source)
        self.directory.start()
        self.posture = Posture()
        self.shard = Shard.open(folder / f"shard-{shard:04d}", shard)
        self.queue = Queue(self.shard, DirectoryKeys(self.directory, self.purposes))
        self.config = Config(hostname="mail.clinic.test", max_message=100_000, max_recipients=5)

    def organisation(self, org: bytes, *domains: str) -> Loaded:
        keys = {p: (1, self.org_keys.new(org, p)) for p in ("content", "evidence", "index")}
        snapshot = OrgSnapshot(
            id=org, name="Clinic", epoch=1, policy_version="v1", notice_name="Clinic", phone="555", auditor="",
            portal_url="https://portal.test", portal_address="portal@clinic.test", floor=Assurance.VERIFIED,
            patience=14_400, rules=(BY_MAIL,), domains=tuple(SenderDomain(d) for d in domains), routes=(), keys=keys,
        )  # fmt: skip
        return Loaded(snapshot)

    def change(self, org: bytes, **changes: object) -> None:
        """An action of the office: the epoch moves and the engine sees it at its next look."""
        loaded = self.source.load(org)
        snapshot = msgspec.structs.replace(loaded.snapshot, epoch=loaded.snapshot.epoch + 1, **changes)
        self.source.put(Loaded(snapshot))
        assert self.directory.poll()

    def intake(
        self, *, shards: int = 1, elsewhere: Elsewhere | None = None, inspector: Inspector | None = None
    ) -> Intake:
        return Intake(
            {self.queue.number: self.queue}, self.directory, self.posture, self.purposes, self.config,
            shards=shards, elsewhere=elsewhere, inspector=inspector,
        )  # fmt: skip

    def seen(self, domain: str, tls: Assurance) -> None:
        self.posture.record(domain, Measured(hosts=("mx." + domain,), tls=tls, starttls=tls > Assurance.NONE))

    async def close(self) -> None:
        await self.queue.close()
        self.shard.close()
        self.directory.stop()


def route(domain: str) -> Route:
    return Route(domain, "mx." + domain, 25)


def submission(
    *recipients: str, body: bytes = BODY, sender: str = "nurse@clinic.test", **changes: object
) -> Submission:
    addresses = recipients or ("jane.roe@verified.test",)
    envelope = Envelope(sender, tuple(Recipient(a) for a in addresses))
    made = Submission(CLINIC, envelope, body, Origin.SMTP, Actor("credential", "c1"), client="192.0.2.9", via="ESMTPSA")
    return msgspec.structs.replace(made, **changes)


def sent_from(address: str) -> bytes:
    return BODY.replace(b"nurse@clinic.test", address.encode())
