"""A small engine to be killed while a reviewer decides: intake, queue and shard as they are, and no worker.

    python -m tests.crash.deciding FOLDER release|refuse [FAULT]    FAULT: point:number, from the first decision on

Files in FOLDER: `accepted` (number and delivery), `decided` (number and what the reviewer was told), `journal`
(events). Ends with 0 when all is decided about and every event is drained."""

import asyncio
import sys
from pathlib import Path

import msgspec
import uvloop

from carepost.directory.lookup import Directory
from carepost.directory.source import Loaded, StaticSource
from carepost.directory.types import OrgSnapshot, SenderDomain
from carepost.ground import ids
from carepost.ground.config import Config
from carepost.ground.keys import PurposeKeys
from carepost.intake.accept import Intake
from carepost.intake.orgkeys import DirectoryKeys
from carepost.policy.types import Assurance, Rule
from carepost.posture import Posture
from carepost.queue.queue import Queue
from carepost.rfc.envelope import Envelope, Recipient
from carepost.spool.shard import Shard
from carepost.wire.types import Actor, Origin, Submission
from tests.crash.engine import Killer, Log, Secrets, body_of, done, drain

MESSAGES = 12
REVIEWER = Actor("staff", "olga")


class Later(Killer):
    """Nothing is counted before the first decision."""

    armed = False

    def at(self, point: str) -> None:
        if self.armed:
            super().at(point)


async def main(folder: Path, verb: str, fault: str) -> None:
    kept = msgspec.msgpack.decode((folder / "secrets").read_bytes(), type=Secrets)
    purposes = PurposeKeys.load(kept.purposes)
    snapshot = OrgSnapshot(
        kept.org, "Clinic", 1, "v1", "Clinic", "", "", "", "", Assurance.VERIFIED, 14_400,
        (Rule("look-at-it", action="hold"),), (SenderDomain("clinic.test"),), (), kept.keys,
    )  # fmt: skip
    directory = Directory(StaticSource([Loaded(snapshot)]))
    directory.start()
    faults = Later(fault)
    shard = Shard.open(folder / "spool" / "shard-0000", 0, faults=faults)
    queue = Queue(shard, DirectoryKeys(directory, purposes))
    await queue.start()
    intake = Intake({0: queue}, directory, Posture(), purposes, Config())
    accepted, decided = Log(folder / "accepted"), Log(folder / "decided")
    before = {words[0]: words[1] for words in done(folder, "accepted")}
    for number in range(MESSAGES):
        if str(number) not in before:
            envelope = Envelope("nurse@clinic.test", (Recipient(f"p{number}@d.test"),))
            asked = Submission(
                kept.org, envelope, body_of(number), Origin.SMTP, Actor("credential", "c1"), key=f"key-{number}"
            )
            answer = await intake.accept(asked)
            before[str(number)] = answer.deliveries[0].id
            accepted.line(f"{number} {answer.deliveries[0].id}", sync=True)
    faults.armed = True
    told = {words[0] for words in done(folder, "decided")}

    async def decide(number: str) -> None:
        states = await queue.act(verb, kept.org, (ids.parse(before[number]),), REVIEWER, "looked at")
        decided.line(f"{number} {states[before[number]]}")

    await asyncio.gather(*[decide(number) for number in before if number not in told])
    drained = max((int(words[0]) for words in done(folder, "journal")), default=0)
    journal = asyncio.ensure_future(drain(queue, Log(folder / "journal"), drained))
    while queue.stats()["outbox"] or shard.backend.acked != shard.backend.head:
        await asyncio.sleep(0.02)
    journal.cancel()
    await asyncio.gather(journal, return_exceptions=True)
    await queue.close()
    shard.close()
    directory.stop()


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else ""))
