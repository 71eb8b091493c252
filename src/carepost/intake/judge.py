"""The decision for each recipient, remembered where it must come out the same: a hot path costs a look-up."""

from typing import Protocol

import msgspec

from carepost.crypto.digest import hmac_sha256
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.intake.addresses import Tokens
from carepost.intake.facts import About, for_claim, gather
from carepost.intake.keys import Held, Keys
from carepost.intake.preview import foreseen, likely
from carepost.intake.routing import Via
from carepost.intake.suppression import Suppression
from carepost.policy.decide import decide
from carepost.policy.index import index
from carepost.policy.needs import needs
from carepost.policy.seeking import sought
from carepost.policy.types import (
    Category,
    ContentFacts,
    Decision,
    Facts,
    Hold,
    Kind,
    Method,
    Need,
    Refuse,
    Seen,
    Ternary,
)
from carepost.posture.types import Side
from carepost.queue.types import DeliveryRecord, MessageRecord
from carepost.wire.found import published

#: decisions and tokens remembered
_REMEMBERED = 8192
#: microseconds after which a decision is made anew: what posture says of a destination also changes with time
_MINUTE = 60_000_000
DESTINATION = 8
_KEYS = {Method.SMIME: "an S/MIME certificate", Method.OPENPGP: "an OpenPGP key"}
MAY_CHANGE = "What it contains is not known here and taken as the strictest; it is looked at before anything is sent."


class Seer(Protocol):
    """`posture.Posture`."""

    @property
    def version(self) -> int:
        """Moves whenever `seen` may answer otherwise."""

    def seen(self, domain: str) -> Seen: ...

    def side(self, domain: str, host: str, *, pinned: bool = False) -> Side | None: ...


class Judged(msgspec.Struct, frozen=True):
    decision: Decision
    #: token of the recipient's domain
    destination: bytes
    decided: tuple[int, int]
    #: the rule that made this delivery at the door; None: its recipient was asked for
    via: Via | None = None
    #: what of the content must be looked at before the decision stands; never of a refusal
    asks: frozenset[Need] = frozenset()
    #: it would be held, and a key of the recipient that nobody has looked for yet could let it go
    seeks: bool = False
    #: what the answer says, where it is known already that the plan's first step will not be reached; None: `decision`
    likely: Decision | None = None

    @property
    def open(self) -> bool:
        """Not decided at the door."""
        return self.seeks or bool(self.asks)


class _Named(msgspec.Struct, frozen=True):
    """Whether any rule of the organisation names a sender or a recipient: else their local parts cannot matter."""

    senders: frozenset[str]
    recipients: frozenset[str]


class Judge:
    def __init__(self, posture: Seer, purposes: PurposeKeys) -> None:
        self._posture = posture
        tokens = Tokens(OrgKeys(purposes))
        self.suppression = Suppression(tokens)
        self.keys = Keys(tokens)
        self._destination_key = purposes.raw("index", b"destination")
        self._destinations: dict[str, bytes] = {}
        self._named: dict[tuple[bytes, int], _Named] = {}
        self._known: dict[tuple[object, ...], Judged] = {}

    def destination(self, domain: str) -> bytes:
        """The token under which deliveries to this domain are counted and paced."""
        found = self._destinations.get(domain)
        if found is None:
            if len(self._destinations) >= _REMEMBERED:
                self._destinations.clear()
            found = hmac_sha256(self._destination_key, domain.encode())[:DESTINATION]
            self._destinations[domain] = found
        return found

    def judge(self, snapshot: OrgSnapshot, about: About, recipient: str) -> Judged:
        """Pure in effect: the same organisation, posture and recipient, the same answer."""
        domain = recipient.rpartition("@")[2]
        version = self._posture.version
        suppressed = self.suppression.look(snapshot, recipient, about.category, about.kind)
        held = self.keys.look(snapshot, recipient)
        named = self._names(snapshot)
        sender = about.sender.lower()
        key = (
            snapshot.id, snapshot.epoch, version, clock.now() // _MINUTE, domain, suppressed, held,
            sender if sender in named.senders else about.sender_domain,
            recipient if recipient.lower() in named.recipients else "",
            about.kind, about.category, about.data_class, about.purpose, about.origin, about.asked_floor,
            about.asked_methods, about.access.kind, about.marks, bool(about.reason), about.made,
        )  # fmt: skip
        found = self._known.get(key)
        if found is None:
            found = self._decide(snapshot, about, recipient, suppressed, held, version)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = found
        return found

    def foresee(
        self, snapshot: OrgSnapshot, about: About, recipient: str, content: ContentFacts | None = None
    ) -> tuple[Decision, str]:
        """For a preview: what is likely to be carried out, and its words. `content`: what somebody saw who looked."""
        facts = self._facts(snapshot, about, recipient)
        if content is not None:
            facts = msgspec.structs.replace(facts, content=content)
        decision, words, facts = foreseen(facts)
        looked = published(sought(facts), snapshot.key_sources)
        if looked:
            names = " or ".join(_KEYS[method] for method in looked)
            words += f" Before that, {names} of this recipient would be looked for; if there is one, it is used."
        if content is None and self._asks(snapshot, facts):
            words += f" {MAY_CHANGE}"
        return decision, words

    def wanted(self, snapshot: OrgSnapshot, about: About, recipient: str) -> frozenset[Need]:
        """What must be looked at before the decision stands; nothing where no rule asks."""
        if not index(snapshot.rules).questions.content:
            return frozenset()
        return self._asks(snapshot, self._facts(snapshot, about, recipient))

    def _asks(self, snapshot: OrgSnapshot, facts: Facts) -> frozenset[Need]:
        return needs(snapshot.rules, facts) if index(snapshot.rules).questions.content else frozenset()

    def _facts(self, snapshot: OrgSnapshot, about: About, recipient: str) -> Facts:
        seen = self._seen(snapshot, recipient.rpartition("@")[2])
        suppressed = self.suppression.look(snapshot, recipient, about.category, about.kind)
        held = self.keys.look(snapshot, recipient)
        return gather(snapshot, seen, about, recipient, suppressed, held=held)

    def _seen(self, snapshot: OrgSnapshot, domain: str) -> Seen:
        seen, route = self._posture.seen(domain), snapshot.route(domain)
        if route is None:
            return seen
        # what another pin led to says nothing of this one, neither the organisation's former nor somebody else's
        met = self._posture.side(domain, route.host.rstrip(".").lower(), pinned=True)
        proved = met.assurance if met is not None and met.pin == route.mark else None
        return msgspec.structs.replace(seen, pinned=proved)

    def waiting(self, snapshot: OrgSnapshot, message: MessageRecord, record: DeliveryRecord) -> Facts:
        """Of a delivery in the queue, as of now."""
        recipient = record.recipient.address
        seen = self._seen(snapshot, record.recipient.domain)
        suppressed = self.suppression.look(snapshot, recipient, Category(message.category), Kind(message.kind))
        held = self.keys.look(snapshot, recipient)
        return for_claim(snapshot, seen, message, record, suppressed, held)

    def _decide(
        self, snapshot: OrgSnapshot, about: About, recipient: str, suppressed: Ternary, held: Held, version: int
    ) -> Judged:
        domain = recipient.rpartition("@")[2]
        facts = gather(snapshot, self._seen(snapshot, domain), about, recipient, suppressed, held=held)
        decision = decide(facts)
        asks = frozenset[Need]()
        if index(snapshot.rules).questions.content and not isinstance(decision, Refuse):
            asks = needs(snapshot.rules, facts)
        seeks = isinstance(decision, Hold) and bool(snapshot.key_sources) and bool(sought(facts))
        foreseeable = None if isinstance(decision, Refuse) else likely(facts, first=decision)[0]
        said = None if foreseeable == decision else foreseeable
        return Judged(decision, self.destination(domain), (snapshot.epoch, version), None, asks, seeks, said)

    def _names(self, snapshot: OrgSnapshot) -> _Named:
        found = self._named.get((snapshot.id, snapshot.epoch))
        if found is None:
            if len(self._named) >= _REMEMBERED:
                self._named.clear()
            found = self._named[snapshot.id, snapshot.epoch] = _Named(
                frozenset(r.sender.lower() for r in snapshot.rules if r.sender),
                frozenset(r.recipient.lower() for r in snapshot.rules if r.recipient),
            )
        return found
