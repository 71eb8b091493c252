"""A small log in memory: messages with their deliveries, and the proof of any of them."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from carepost.proof import canonical, event, file, kinds, merkle
from carepost.proof.note import Checkpoint, SignerKey, sign

ORG = "018f0000-0000-7000-8000-0000000000aa"
MESSAGE = "018f0000-0000-7000-8000-000000000001"
FIRST, SECOND = "018f0000-0000-7000-8000-0000000000d1", "018f0000-0000-7000-8000-0000000000d2"
SEED = hashlib.sha256(b"a signing key for tests").digest()
SUBMITTED = (
    b"From: Dr Ada Example <ada@clinic.test>\r\nTo: Bo Sample <bo@verified.test>, Cy <cy@x.test>\r\n"
    b"Bcc: hidden@x.test\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <one@clinic.test>\r\n"
    b"Subject: Your visit on Monday\r\n\r\nDear Bo,\r\n\r\nyour next visit is on Monday at ten.\r\n\r\nAda\r\n"
)
SENT = b"Received: from carepost; now\r\n" + SUBMITTED.replace(b"Bcc: hidden@x.test\r\n", b"")


class Log:
    """`SENT`: what went over the wire for FIRST; SECOND got the same by the portal."""

    MESSAGE, FIRST, SECOND, SUBMITTED, SENT = MESSAGE, FIRST, SECOND, SUBMITTED, SENT

    def __init__(self, org: str = ORG, seed: bytes = SEED) -> None:
        self.org = org
        self.signer = SignerKey(f"carepost/{org}", seed)
        self.events: list[bytes] = []
        self.openings: dict[str, dict[str, tuple[bytes, bytes]]] = {}
        #: (size, checkpoint of the key before) of each change of the key
        self.changes: list[tuple[int, bytes]] = []

    def change(self, seed: bytes) -> None:
        """The key changes: the next event introduces it, under the last checkpoint of the one before."""
        following = SignerKey(f"carepost/{self.org}", seed)
        facts = {
            "key": "signing", "version": str(len(self.changes) + 2), "log-key": following.verifier.text,
            "log-key-before": self.signer.verifier.text,
        }  # fmt: skip
        self.add(kinds.LOG_KEY_INTRODUCED, ["018f0000-0000-7000-8000-0000000000bb"], facts=facts, source="office")
        self.changes.append((len(self.events), self.checkpoint()))
        self.signer = following

    def add(
        self,
        kind: str,
        on: list[str],
        values: Mapping[str, bytes] | None = None,
        facts: Mapping[str, str] | None = None,
        source: str = "shard-0001",
        **more: Any,
    ) -> str:
        number = len(self.events) + 1
        id = f"018f0000-0000-7000-8000-0000000e{number:04x}"
        draft, openings = kinds.make(
            kind, id=id, org=self.org, at=1_800_000_000_000_000 + number * 1_500_000, actor=("credential", "c1"),
            on=on, values=values, facts=facts, policy="7", category="transactional", **more,
        )  # fmt: skip
        self.openings[id] = openings
        self.events.append(event.finish(draft, source, number))
        return id

    def leaves(self) -> list[bytes]:
        return [merkle.leaf_hash(raw) for raw in self.events]

    def checkpoint(self) -> bytes:
        point = Checkpoint(f"carepost/{self.org}", len(self.events), merkle.root(self.leaves()))
        return sign(point.text, self.signer)

    def prove(self, message: str = MESSAGE, delivery: str = FIRST) -> bytes:
        hashes = self.leaves()

        def inclusion(index: int) -> list[bytes]:
            return [merkle.root(hashes[a:b]) for a, b in merkle.inclusion_ranges(index, len(hashes))]

        leaves = [
            file.Leaf(i, raw, event.read(raw), inclusion(i), self.openings[event.read(raw).id])
            for i, raw in enumerate(self.events)
        ]
        introduced = [
            file.Introduction(
                canonical.b64(self.events[size - 1]),
                [canonical.b64(merkle.root(hashes[a:b])) for a, b in merkle.inclusion_ranges(size - 1, size)],
                checkpoint.decode(),
                [canonical.b64(merkle.root(hashes[a:b])) for a, b in merkle.consistency_ranges(size, len(hashes))],
            )
            for size, checkpoint in self.changes
        ]
        signed = self.signer.verifier.text
        return file.build(self.org, message, delivery, leaves, self.checkpoint(), signed, introduced)


def two_recipients() -> Log:
    """One message to two recipients: the first sent by TLS, the second laid into the portal and opened."""
    log = Log()
    log.add(kinds.HOUSE_STARTED, [])
    log.add(
        kinds.MESSAGE_ACCEPTED,
        [MESSAGE],
        kinds.commit_message(SUBMITTED, client="203.0.113.7"),
        {"clock": "synchronised"},
    )
    log.add(
        kinds.DELIVERY_QUEUED, [MESSAGE, FIRST], kinds.commit_recipient("bo@verified.test"), {"required": "VERIFIED"}
    )
    log.add(kinds.DELIVERY_QUEUED, [MESSAGE, SECOND], kinds.commit_recipient("cy@x.test"), {"required": "VERIFIED"})
    log.add(kinds.DELIVERY_ATTEMPTED, [MESSAGE, FIRST], None, {"method": "tls", "attempt": "1"})
    wire = kinds.commit_wire(
        mx="mx.verified.test", address="127.0.0.1", reply="250 2.0.0 Ok for bo@verified.test",
        recipient="bo@verified.test", chain=[b"leaf", b"ca"],
    )  # fmt: skip
    facts = {"method": "tls", "required": "VERIFIED", "achieved": "VERIFIED", "tls": "TLSv1.3", "code": "250"}
    log.add(kinds.DELIVERY_SENT, [MESSAGE, FIRST], kinds.commit_sent(SENT) | wire, facts)
    log.add(kinds.DELIVERY_DEPOSITED, [MESSAGE, SECOND], kinds.commit_deposit(SENT), {"method": "portal"})
    opened = {"required": "VERIFIED", "achieved": "MAILBOX", "rule": "portal-by-mail"}
    log.add(kinds.PORTAL_OPENED, [MESSAGE, SECOND], {"client": b"203.0.113.9"}, opened)
    log.add(kinds.MESSAGE_VIEWED, [MESSAGE, FIRST], None, None)
    log.add(kinds.DELIVERY_QUEUED, ["018f0000-0000-7000-8000-000000000002", "018f0000-0000-7000-8000-0000000000d3"])
    return log


@pytest.fixture
def log() -> Log:
    return two_recipients()


@pytest.fixture
def new_log() -> Callable[..., Log]:
    return Log
