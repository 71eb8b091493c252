"""Events of messages accepted, attempted and sent, as an engine's outbox holds them, for the journal's bench."""

from itertools import count

import msgspec

from carepost.archive.books import book
from carepost.ground import clock, ids
from carepost.proof import event, kinds
from carepost.queue.sealing import MessageSeal
from carepost.queue.types import EventDraft
from carepost.tenancy.actions import organisations
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.types import Drained, HistoryRecord, Told

SHARD = 0
SOURCE = "shard-0000"
_encode = msgspec.json.encode
_FACTS = {"attempt": "1", "method": "tls", "required": "VERIFIED", "rule": "default-floor"}
_SEEN = {
    "state": "sent", "stage": "dot", "tls": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "achieved": "VERIFIED",
    "code": "250", "enhanced": "2.0.0", "mta-sts": "none", "dns-signed": "no", "dane": "no", "peer-name": "yes",
}  # fmt: skip


def organisation() -> bytes:
    made = organisations.create_organisation("bench", "Bench Clinic", actor=BOOTSTRAP)
    return bytes(made.pk.bytes)


def drained(org: bytes, messages: int) -> list[Drained]:
    numbers = count(1)
    rows: list[Drained] = []
    for number in range(messages):
        rows += _message(org, number, numbers)
    return rows


def _message(org: bytes, number: int, numbers: "count[int]") -> list[Drained]:
    message, delivery = ids.new(SHARD), ids.new(SHARD)
    seal = MessageSeal(book(), org, message)
    on = (ids.text(message), ids.text(delivery))
    record = HistoryRecord(
        "nurse@clinic.test", "nurse@clinic.test", f"Your appointment on Monday, number {number}, at the clinic",
        f"<{number}@clinic.test>",
    )  # fmt: skip
    words = {"words": _encode(Told("The recipient's mail server accepted the message.", "Accepted."))}
    accepted = {"submitted": bytes(32), "mail": bytes(400), "client": b"192.0.2.7", "record": _encode(record)}
    wire = kinds.commit_wire(
        mx="mx1.verified.test", address="192.0.2.9", reply="250 2.0.0 Taken", recipient="jane@verified.test"
    )
    made = [
        (kinds.MESSAGE_ACCEPTED, on[:1], accepted, {"origin": "smtp", "size": "10240", "purpose": "treatment"}),
        (
            kinds.DELIVERY_QUEUED,
            on,
            {"recipient": f"person{number % 977}@verified.test".encode(), **words},
            _FACTS | {"attempt": "1"},
        ),
        (kinds.DELIVERY_SENT, on, {"sent": bytes(32), "mail": bytes(400), **wire, **words}, _FACTS | _SEEN),
    ]
    rows = []
    for kind, about, values, facts in made:
        drafted = EventDraft(
            *kinds.make(
                kind, id=ids.text(ids.new(SHARD)), org=ids.text(org), at=clock.now(), actor=("system", "bench"),
                on=about, values=values, facts=facts, policy="1", category="transactional",
            )
        )  # fmt: skip
        seq = next(numbers)
        rows.append(Drained(seq, org, event.finish(drafted.draft, SOURCE, seq), seal.openings(drafted)))
    return rows
