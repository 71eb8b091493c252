"""A batch of drained events, read once: what goes into the log, into history, and what follows. No I/O but keys."""

from collections.abc import Sequence
from typing import Final

import msgspec

from carepost.archive import header, recipient, tallies, timeline, tokens
from carepost.archive.tallies import Count
from carepost.archive.writing import Change, DeliveryRow, Effect, MessageRow
from carepost.crypto import index
from carepost.crypto.rest import Damaged
from carepost.ground import log
from carepost.ground.errors import NotFound
from carepost.proof import event as events
from carepost.proof import kinds, openings
from carepost.proof.event import Event
from carepost.queue.sealing import EVIDENCE, Opener, OrgKeyBook, month_key
from carepost.wire.types import Drained

DEPOSIT: Final = "deposit"
NOTICE: Final = "notice"
REPORT: Final = "report"
FAILURE: Final = "failure"
FOUND: Final = "key-found"
WITHDRAWN: Final = "key-withdrawn"
DECIDED: Final = "key-decided"
GATEWAY: Final = "gateway-seen"
BOUNCE: Final = "bounce"
REFUSED: Final = "refused"
UNSUBSCRIBED: Final = "unsubscribed"
ASKED: Final = "provider-asked"

#: after which a recipient's key may be settled, whoever did it and wherever
_KEYS_DECIDED: Final = (
    "keyring.key-added", "keyring.key-pinned", "keyring.key-renewed", "keyring.key-distrusted",
    "keyring.key-superseded", "keyring.key-removed",
)  # fmt: skip
#: kind of event -> what it makes the journal owe
_EFFECTS: Final = {
    kinds.DELIVERY_DEPOSITED: DEPOSIT, kinds.REPORT_RECEIVED: REPORT, kinds.DELIVERY_FAILED: FAILURE,
    kinds.KEY_FOUND: FOUND, kinds.KEY_WITHDRAWN: WITHDRAWN,
    **dict.fromkeys(_KEYS_DECIDED, DECIDED),
    kinds.BOUNCE_RECEIVED: BOUNCE, kinds.UNSUBSCRIBED: UNSUBSCRIBED, kinds.PROVIDER_ASKED: ASKED,
}  # fmt: skip
#: events that show how a connection to a tenant's mail system works
_GATEWAYS: Final = frozenset({
    kinds.MESSAGE_ACCEPTED, kinds.SENDER_REFUSED, kinds.DELIVERY_SENT, kinds.DELIVERY_DEFERRED, kinds.DELIVERY_FAILED,
    kinds.GATEWAY_RETURNED,
})  # fmt: skip
_TRACKED: Final = frozenset({kinds.TRACKING_OPENED, kinds.TRACKING_CLICKED, kinds.TRACKING_REJUDGED})
#: events of a delivery that say who it is for
_FIRST: Final = frozenset({kinds.DELIVERY_QUEUED, kinds.DELIVERY_HELD, kinds.DELIVERY_REFUSED})


class Digest:
    """One batch. `rows` is the batch with the openings that must not be kept taken out."""

    def __init__(self, book: OrgKeyBook) -> None:
        self._book = book
        self._opener = Opener(book)
        self.rows: list[Drained] = []
        #: what each of `rows` says; None: it is no event
        self.events: list[Event | None] = []
        self.messages: dict[bytes, MessageRow] = {}
        self.deliveries: dict[bytes, DeliveryRow] = {}
        #: of deliveries that earlier batches have seen
        self.changes: dict[bytes, Change] = {}
        self.effects: list[Effect] = []
        #: what `archive.tallies` adds up, by delivery
        self.counts: dict[bytes, Count] = {}
        #: (organisation, message) of earlier batches -> tags rules gave for its content
        self.tagged: dict[tuple[bytes, bytes], set[str]] = {}
        self._gateways: dict[tuple[str, str, str], Effect] = {}
        #: of each of `messages`, the key that indexes it
        self._index_keys: dict[bytes, bytes] = {}

    def take(self, rows: Sequence[Drained]) -> None:
        """Raises Unavailable when keys cannot be read now; msgspec.DecodeError is the sequencer's to refuse."""
        for row in rows:
            try:
                event = events.read(row.event)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self.rows.append(row)
                self.events.append(None)
                continue
            if event.kind == kinds.MESSAGE_ACCEPTED:
                row = self._message(row, event)
            elif len(event.on) == 2 and event.kind.startswith(("delivery.", "portal.")):
                self._delivery(row, event)
            elif event.kind in _TRACKED and len(event.on) == 2:
                change = self.changes.setdefault(_id(event.on[1]), Change(_id(event.on[1]), row.org))
                self._engaged(change, event)
                change.at = event.at
            elif event.kind == kinds.UNSUBSCRIBED and len(event.on) == 1:
                self._count(row.org, _id(event.on[0]), event, "")
            self.rows.append(row)
            self.events.append(event)
            effect = _EFFECTS.get(event.kind)
            if effect is not None:
                self.effects.append(Effect(effect, event.source, event.seq, row.org))
            if event.kind == kinds.DELIVERY_FAILED and "bounce-class" in event.facts:
                self.effects.append(Effect(REFUSED, event.source, event.seq, row.org))
            if "gateway" in event.facts and event.kind in _GATEWAYS:
                # the last of a batch says it for all
                step = event.facts["gateway"], event.kind, event.facts.get("origin", "")
                self._gateways[step] = Effect(GATEWAY, event.source, event.seq, row.org)
        self.effects += self._gateways.values()
        self._gateways.clear()

    def _message(self, row: Drained, event: Event) -> Drained:
        """History of a message; answers the row without the opening `record`, which lives with the content."""
        opened = self._open(row, event)
        encoded = opened.pop("record", (b"", b""))[1]
        if not encoded:
            return row
        message = _id(event.on[0])
        sealed, wrapped = header.seal(self._book, row.org, message, encoded)
        day = index.day_of(event.at)
        key = self._index_keys[message] = tokens.key_of(self._book, row.org, event.at)
        found = tokens.of_header(key, day, header.decode(encoded))
        self.messages[message] = MessageRow(
            message, row.org, event.at, event.category, event.facts.get("origin", ""),
            int(event.facts.get("size", "0")), sealed, wrapped, found, day,
        )  # fmt: skip
        return msgspec.structs.replace(row, sealed=self._sealed(row, event, opened))

    def _sealed(self, row: Drained, event: Event, left: dict[str, tuple[bytes, bytes]]) -> bytes:
        version = openings.key_version(row.sealed)
        key = month_key(self._book.version(row.org, EVIDENCE, version), event.at)
        return openings.seal(key, version, row.org, event.id, left)

    def _delivery(self, row: Drained, event: Event) -> None:
        message, delivery = _id(event.on[0]), _id(event.on[1])
        known = self.deliveries.get(delivery)
        if known is None and event.kind in _FIRST and "recipient" in event.commit:
            known = self._first(row, event, message, delivery)
        if known is not None:
            change = known.change
        else:
            change = self.changes.setdefault(delivery, Change(delivery, row.org))
        change.state = timeline.state_after(event) or change.state
        change.assurance = timeline.assurance_after(event) or change.assurance
        if event.kind.startswith("delivery."):
            change.method = event.facts.get("method") or change.method
            change.reason = event.cause or change.reason
            change.rule = event.facts.get("rule") or change.rule
            change.provider = event.facts.get("provider") or change.provider
            if event.kind == kinds.DELIVERY_INSPECTED:
                self._looked(row.org, message, change, event)
            self._engaged(change, event)
            self._count(row.org, delivery, event, change.provider)
        change.at = event.at

    def _engaged(self, change: Change, event: Event) -> None:
        opened, clicked = timeline.engaged_after(event)
        change.opened = change.opened if opened in ("", "no") and change.opened else opened
        change.clicked = change.clicked if clicked in ("", "no") and change.clicked else clicked

    def _looked(self, org: bytes, message: bytes, change: Change, event: Event) -> None:
        change.content = event.facts.get("content", "")
        change.tags = event.facts.get("tags", "")
        about, tags = self.messages.get(message), change.tags.split()
        if about is not None:
            about.tokens |= tokens.of_tags(self._index_keys[message], about.day, tags)
        elif tags:
            self.tagged.setdefault((org, message), set()).update(tags)

    def _count(self, org: bytes, delivery: bytes, event: Event, provider: str) -> None:
        measures = tallies.of_event(event, delivery)
        if not measures:
            return
        count = self.counts.get(delivery)
        if count is None:
            count = self.counts[delivery] = Count(org, delivery)
        count.measures += measures
        count.provider = provider or count.provider

    def _first(self, row: Drained, event: Event, message: bytes, delivery: bytes) -> DeliveryRow:
        address = self._open(row, event).get("recipient", (b"", b""))[1]
        sealed = recipient.seal(self._book, row.org, delivery, address) if address else b""
        made = self.deliveries[delivery] = DeliveryRow(message, sealed, Change(delivery, row.org))
        name = address.decode("utf-8", "replace")
        domain = index.normalise("domain", name.rpartition("@")[2])
        self.counts[delivery] = Count(row.org, delivery, domain, measures=["accepted"])
        about = self.messages.get(message)
        if about is not None and address:
            about.tokens |= tokens.of_recipients(self._index_keys[message], about.day, [name])
        return made

    def _open(self, row: Drained, event: Event) -> dict[str, tuple[bytes, bytes]]:
        """What does not open goes into the log as it came: `carepost audit verify` names it."""
        try:
            return dict(self._opener.openings(row.org, event, row.sealed))
        except (Damaged, NotFound) as error:
            log.failure("journal-unopened", error, source=event.source, seq=event.seq)
            return {}


def _id(text: str) -> bytes:
    """The 16 bytes of an id in an event of ours."""
    return bytes.fromhex(text.replace("-", ""))
