"""The journal's part: from hits to verdicts, and from verdicts to events.

A copy is judged when a minute has passed since its first new hit, for a sweep is over by then; and again with every hit
that comes later, with what other copies of the message or the domain show, and with newer rules. What a new hit is
called is an event; what an earlier one is called instead is another."""

import uuid
from collections.abc import Sequence
from typing import Final

import msgspec
from django.db import transaction

from carepost.audit.store import Store
from carepost.crypto.rest import Damaged
from carepost.directory import columns
from carepost.engagement import known, sessions
from carepost.engagement.arriving import PLACE, SETTLE_US
from carepost.engagement.known import Known
from carepost.engagement.models import Copy, Hit, Session
from carepost.ground import log, metrics
from carepost.ground.errors import NotFound
from carepost.proof import kinds
from carepost.tenancy import events, keys, scope, sealing
from carepost.tracking import types as tracking
from carepost.tracking.judge import judge
from carepost.tracking.types import RULES, Around, Ruling, Seen, Trail, Verdict

#: copies of one step; hits of one copy; hits of others that are looked at beside it
STEP: Final = 100
_HITS: Final = 500
_AROUND: Final = 300
#: how near hits of others count
_NEAR_US: Final = 900_000_000
#: copies that are judged again because of one; how far back newer rules go
_ECHO: Final = 25
_PAST_US: Final = 90 * 86_400_000_000
#: how long the log may not know yet that a copy was taken; then it is judged without
_PATIENCE_US: Final = 900_000_000
_AGAIN_US: Final = 30_000_000
_DAY_US: Final = 86_400_000_000
_BEST: Final = (Ruling.HUMAN, Ruling.UNDETERMINED, Ruling.AUTOMATED)
_EVENTS: Final = {"open": kinds.TRACKING_OPENED, "click": kinds.TRACKING_CLICKED}


class Folding:
    """`step` in one thread."""

    def __init__(self, store: Store) -> None:
        """`store`: a connection of the thread's own."""
        self._store = store

    def step(self, now: int) -> int:
        """How many copies were judged."""
        with scope.every("copies of every organisation come due to be judged"):
            due = list(
                Copy.objects.filter(due_at__gt=0, due_at__lte=now)
                .order_by("due_at")
                .values_list("org_id", "delivery")[:STEP]
            )
            old = [] if due else list(
                Copy.objects.filter(due_at=0, judged_at__gt=0, rules__lt=RULES, sent_at__gt=now - _PAST_US)
                .order_by("sent_at").values_list("org_id", "delivery")[:STEP]
            )  # fmt: skip
            begun = [] if due else list(
                Session.objects.filter(seen=False, at__lte=now - SETTLE_US).order_by("at")[:STEP]
            )  # fmt: skip
        for org, delivery in due:
            if self._one(org, delivery, now):
                for near in self._echo(org, delivery):
                    self._one(org, near, now)
        for org, delivery in old:
            self._one(org, delivery, now)
        for session in begun:
            self._before(session, now)
        return len(due) + len(old) + len(begun)

    def _before(self, session: Session, now: int) -> None:
        """Clicks before a portal session are judged with it: those of its person change, the others stay."""
        with scope.organisation(session.org_id):
            near = sessions.before(session)
        for delivery in near:
            self._one(session.org_id, delivery, now)
        with scope.organisation(session.org_id):
            Session.objects.filter(pk=session.pk, org_id=session.org_id).update(seen=True)

    def _one(self, org: uuid.UUID, delivery: uuid.UUID, now: int) -> bool:
        """Whether a new hit was called a machine's: what is known of others may change with it."""
        found = known.of_delivery(self._store, org, delivery)
        with scope.organisation(org):
            copy = Copy.objects.filter(org_id=org, delivery=delivery).first()
            if copy is None:
                return False
            hits = list(Hit.objects.filter(org_id=org, delivery=delivery).order_by("at", "pk")[:_HITS])
            if found is None and hits and now - hits[0].at < _PATIENCE_US:
                Copy.objects.filter(pk=copy.pk, org_id=org).update(due_at=now + _AGAIN_US)
                return False
            opened = _Opened(org)
            seen = [opened.seen(hit, found.sent_at if found is not None else 0) for hit in hits]
            around = self._around(org, copy, found, opened, hits) if found is not None else ()
        trail = Trail(
            tuple(tracking.Hit(str(n), one) for n, one in enumerate(seen)), copy.links, copy.decoy,
            found.later if found is not None else (), around,
        )  # fmt: skip
        try:
            return settle(org, copy, hits, judge(trail), found, now)
        except NotFound as error:
            log.failure("tracking-unjudged", error)
            return False

    def _around(
        self, org: uuid.UUID, copy: Copy, found: Known, opened: "_Opened", hits: Sequence[Hit]
    ) -> tuple[Around, ...]:
        """Hits on other copies of the message, and of others to the domain, near in time."""
        if not hits:
            return ()
        window = (hits[0].at - _NEAR_US, hits[-1].last_at + _NEAR_US)
        others = Copy.objects.filter(org_id=org).exclude(pk=copy.pk)
        same = {d: (True, bytes(token) in found.domains) for d, token in
                others.filter(message=found.message).values_list("delivery", "domain")[:_AROUND]}  # fmt: skip
        if found.domains:
            since = found.sent_at - _DAY_US
            for delivery in others.filter(
                domain__in=found.domains, sent_at__gt=since, sent_at__lt=found.sent_at + _DAY_US
            ).order_by("-sent_at").values_list("delivery", flat=True)[:_AROUND]:  # fmt: skip
                same.setdefault(delivery, (False, True))
        rows = Hit.objects.filter(org_id=org, delivery__in=list(same), at__range=window).order_by("-at")[:_AROUND]
        return tuple(
            Around(
                str(hit.delivery), hit.at - found.sent_at, opened.seen(hit, 0), hit.verdict, hit.reason,
                *same[hit.delivery],
            )
            for hit in rows
        )  # fmt: skip

    def _echo(self, org: uuid.UUID, delivery: uuid.UUID) -> list[uuid.UUID]:
        """Copies judged before, of the same message or domain, with hits near this one's."""
        with scope.organisation(org):
            copy = Copy.objects.filter(org_id=org, delivery=delivery).first()
            hits = Hit.objects.filter(org_id=org, delivery=delivery).order_by("-at").values_list("at", flat=True)[:1]
            if copy is None or copy.message is None or not hits:
                return []
            others = Copy.objects.filter(org_id=org, judged_at__gt=0, due_at=0, message=copy.message).exclude(
                pk=copy.pk
            )
            near = Hit.objects.filter(
                org_id=org, at__range=(hits[0] - _NEAR_US, hits[0] + _NEAR_US),
                delivery__in=list(others.values_list("delivery", flat=True)[:_AROUND]),
            )  # fmt: skip
            return list(dict.fromkeys(near.order_by("-at").values_list("delivery", flat=True)))[:_ECHO]


def settle(
    org: uuid.UUID, copy: Copy, hits: Sequence[Hit], verdicts: Sequence[Verdict], found: Known | None, now: int
) -> bool:
    """Verdicts, the copy's sum of them and their events in one transaction. Whether a new hit is a machine's."""
    with scope.organisation(org), transaction.atomic():
        row = Copy.objects.select_for_update().get(pk=copy.pk, org_id=org)
        news = False
        sums = best(verdicts, ("open", "click")), best(verdicts, ("click",))
        for hit, verdict in zip(hits, verdicts, strict=True):
            before, now_called = hit.verdict, verdict.verdict.value
            if before == now_called and hit.reason == verdict.reason:
                continue
            hit.verdict, hit.reason = now_called, verdict.reason
            hit.confidence = round(verdict.confidence * 100)
            hit.save(update_fields=["verdict", "reason", "confidence"])
            news = news or (not before and verdict.verdict is Ruling.AUTOMATED)
            if found is not None and before != now_called:
                _tell(org, row.delivery, hit, before, found, sums)
        if found is not None:
            row.message, row.category = found.message, found.category
            row.domain, row.under = found.domain, found.under
            row.sent_at, row.day = found.sent_at, found.sent_at // _DAY_US
        row.opened, row.clicked = sums
        row.judged_at, row.rules = now, RULES
        # a hit that came meanwhile has its own minute
        row.due_at = 0 if row.hits == copy.hits else now + _AGAIN_US
        row.save()
        # COMMIT POINT: before it the copy is judged again; after it verdicts, figures and events agree
    metrics.count("tracking_judged")
    return news


def best(verdicts: Sequence[Verdict], of: Sequence[str]) -> str:
    """What the copy counts as: whoever followed a link has opened it (`tracking.count.happened`). "": by nobody."""
    called = {v.verdict for v in verdicts if v.kind in of and v.role != "decoy"}
    return next((ruling.value for ruling in _BEST if ruling in called), "")


def _tell(org: uuid.UUID, delivery: uuid.UUID, hit: Hit, before: str, found: Known, sums: tuple[str, str]) -> None:
    """The hidden link is nobody's click: only what it changes is told. `sums`: what the copy counts as, opened and
    clicked, by which history finds it."""
    if hit.role == "decoy":
        return
    facts = {"verdict": hit.verdict, "confidence": str(hit.confidence), "rules": str(RULES), "link": str(hit.link)}
    facts |= {name: one for name, one in zip(("opened", "clicked"), sums, strict=True) if one}
    kind = _EVENTS[hit.kind]
    if before:
        kind, facts = kinds.TRACKING_REJUDGED, facts | {"verdict-before": before}
    draft, openings = kinds.make(
        kind, id=events.new_id(), org=str(org), at=hit.at, actor=("system", "journal"),
        on=[str(found.message), str(delivery)], facts=facts, cause=hit.reason, category=found.category,
    )  # fmt: skip
    events.append(draft, openings)


class _Opened:
    """Sealed features of one organisation's hits, opened."""

    def __init__(self, org: uuid.UUID) -> None:
        self._org = org
        self._keys: dict[int, bytes] = {}

    def seen(self, hit: Hit, sent_at: int) -> Seen:
        """`sent_at`: when the recipient's server took the copy; 0: not known, or of no interest. What does not open
        says only that somebody asked."""
        raw = bytes(hit.sealed)
        version = columns.key_version(raw)
        try:
            key = self._keys.get(version)
            if key is None:
                key = self._keys[version] = keys.version(self._org, "evidence", version)
            plain = columns.open_(key, self._org.bytes, raw, sealing.place(*PLACE, hit.pk))
            found = tracking.decode(plain)
        except (Damaged, NotFound, msgspec.DecodeError):
            found = Seen(
                "open" if hit.kind == "open" else "click", "pixel" if hit.kind == "open" else "link", 0, link=hit.link
            )
        if not sent_at:
            return found
        return msgspec.structs.replace(found, since=hit.at - sent_at, provisional=False)
