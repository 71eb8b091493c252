"""What follows from a bounce or a complaint that is believed: one row, its event, and the address on the suppression
list where the rules below say so, in one transaction (decision 0028). Told again, nothing happens again.

    hard, the mailbox          30 days for all mail; without an end when it bounces hard again afterwards
    hard, the domain           the same, at the second failure on another day: a domain may be gone for an hour
    soft                       5 on 3 days within 14: marketing for 30 days
    block, admin, unknown      never: it is about us
    complaint                  marketing, without an end

A report that says how a message went on (delayed, delivered, relayed, expanded) is evidence alone: one event of each
kind a delivery, no state, no entry on the list (decision 0081)."""

import uuid
from typing import Final

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from carepost.destinations.models import Bounce
from carepost.ground import clock
from carepost.ground.errors import CarepostError
from carepost.proof import kinds
from carepost.rfc.bounces import MEANINGS, Class
from carepost.tenancy import address_tokens, scope
from carepost.tenancy.act import Doing, act
from carepost.tenancy.actions import suppression
from carepost.tenancy.actions.suppression import Wanted, spelt
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor, Told

BOUNCE, COMPLAINT = "bounce", "complaint"
DAY_US: Final = 86_400_000_000
#: how long a first hard bounce, and soft ones, keep an address back; how far back is looked
KEPT_US, SOFT_WINDOW_US, HARD_WINDOW_US = 30 * DAY_US, 14 * DAY_US, 365 * DAY_US
SOFT_MANY, SOFT_DAYS = 5, 3
#: how far ahead another system may say that it tries
TRIED_US: Final = 60 * DAY_US
_ACTOR: Final = Actor("system", "journal")
_encode = msgspec.json.Encoder().encode


class Failure(msgspec.Struct, frozen=True):
    """`form`: dsn | text | arf | reply. `at`: UTC microseconds. `reason`, `klass` of `rfc.bounces`, or for a complaint
    its type and ""."""

    kind: str
    delivery: bytes
    message: bytes
    address: str
    category: str
    reason: str
    klass: str
    form: str
    at: int
    enhanced: str = ""


class _Nothing(Exception):
    """It is known already, or changes nothing that an event would tell: nothing is left behind."""


def take(org: uuid.UUID, failure: Failure) -> str:
    """Answers: known | counted | suppressed. Raises NotFound for an organisation that is no more."""
    try:
        address = spelt(failure.address)
    except CarepostError:
        return "known"
    with scope.organisation(org):
        # a row holds no address and keeps the token it got: all index keys there were are asked
        keys = address_tokens.ever(org)
        mine, before = keys.token(address), keys.tokens(address)
        if _of(org, failure).exists():
            return "known"
    try:
        with act(org, Permission.SUPPRESSION, actor=_ACTOR) as doing:
            if _of(org, failure).exists():
                raise _Nothing
            wanted = _wanted(org, before, address, failure)
            _keep(org, mine, failure)
            if failure.form != "reply":
                _tell(doing, failure)
            put = suppression.put(doing, wanted) if wanted is not None else None
            if failure.form == "reply" and put is None:
                raise _Nothing
            # COMMIT POINT: a crash before it leaves no trace, and the effect comes again; after it the row says so, and
            # the effect, coming again, changes nothing.
    except _Nothing:
        return _counted(org, mine, failure)
    return "suppressed" if put is not None else "counted"


def _counted(org: uuid.UUID, mine: bytes, failure: Failure) -> str:
    """A reply at the wire is told by its delivery's own event: only the row is missing."""
    with scope.organisation(org), transaction.atomic():
        if _of(org, failure).exists():
            return "known"
        try:
            with transaction.atomic():
                _keep(org, mine, failure)
        except IntegrityError:
            return "known"
    return "counted"


def _of(org: uuid.UUID, failure: Failure) -> "QuerySet[Bounce]":
    return Bounce.objects.filter(org_id=org, delivery=uuid.UUID(bytes=failure.delivery), kind=failure.kind)


def _keep(org: uuid.UUID, mine: bytes, failure: Failure) -> None:
    Bounce.objects.create(
        org_id=org, delivery=uuid.UUID(bytes=failure.delivery), kind=failure.kind,
        message=uuid.UUID(bytes=failure.message), token=mine, category=failure.category,
        reason=failure.reason[:24], klass=failure.klass, form=failure.form, at=failure.at,
    )  # fmt: skip


def _tell(doing: Doing, failure: Failure) -> None:
    on = [uuid.UUID(bytes=failure.message), uuid.UUID(bytes=failure.delivery)]
    if failure.kind == COMPLAINT:
        words = Told("The recipient's provider passed on a complaint: the message was marked as unwanted.")
        doing.event(kinds.DELIVERY_COMPLAINED, on=on, facts={"cause": failure.reason}, values=_words(words))
        return
    facts = {"bounce": failure.reason, "bounce-class": failure.klass, "state": "failed"}
    if failure.enhanced:
        facts["enhanced"] = failure.enhanced
    doing.event(
        kinds.DELIVERY_BOUNCED, on=on, facts=facts, values=_words(Told(words_of(failure.reason, failure.klass)))
    )


def reported(org: uuid.UUID, failure: Failure, until: int = 0) -> bool:
    """`failure.kind`: of wire.bounces.WENT_ON; `until`: of a delay, UTC microseconds, or 0. Whether it was new."""
    try:
        address = spelt(failure.address)
    except CarepostError:
        return False
    with scope.organisation(org):
        mine = address_tokens.ever(org).token(address)
        if _of(org, failure).exists():
            return False
    facts = {"reported": failure.kind}
    if failure.at < until <= failure.at + TRIED_US:
        facts["tries-until"] = clock.rfc3339(until)
    try:
        with act(org, Permission.SUPPRESSION, actor=_ACTOR) as doing:
            _keep(org, mine, failure)
            on = [uuid.UUID(bytes=failure.message), uuid.UUID(bytes=failure.delivery)]
            doing.event(kinds.DELIVERY_REPORTED, on=on, facts=facts)
            # COMMIT POINT: as of `take`: the row and its event, or neither.
    except IntegrityError:
        return False
    return True


def words_of(reason: str, klass: str) -> str:
    said = MEANINGS[reason].words if reason in MEANINGS else MEANINGS["unknown"].words
    return f"Bounced later: {said} ({klass}). The recipient's server had accepted the message before."


def _words(told: Told) -> dict[str, str]:
    return {"words": _encode(told).decode()}


def _wanted(org: uuid.UUID, tokens: list[bytes], address: str, failure: Failure) -> Wanted | None:
    """What goes on the list because of it."""
    source = {"reply": "reply", "arf": "complaint"}.get(failure.form, "report")
    if failure.kind == COMPLAINT:
        return Wanted(address, "complaint", "marketing", source) if failure.reason != "not-spam" else None
    before = Bounce.objects.filter(org_id=org, token__in=tokens, kind=BOUNCE, at__lte=failure.at)
    if failure.klass == Class.HARD.value:
        earlier = list(
            before.filter(klass=Class.HARD.value, at__gt=failure.at - HARD_WINDOW_US).values_list("at", flat=True)
        )
        days = {at // DAY_US for at in earlier} - {failure.at // DAY_US}
        if failure.reason == "domain-unknown" and not days:
            return None
        again = any(at <= failure.at - KEPT_US for at in earlier)
        return Wanted(address, "bounce", "all", source, 0 if again else failure.at + KEPT_US)
    if failure.klass == Class.SOFT.value:
        soft = before.filter(klass=Class.SOFT.value, at__gt=failure.at - SOFT_WINDOW_US).values_list("at", flat=True)
        at = [failure.at, *soft]
        if len(at) >= SOFT_MANY and len({one // DAY_US for one in at}) >= SOFT_DAYS:
            return Wanted(address, "soft-bounces", "marketing", source, failure.at + KEPT_US)
    return None


def unsubscribe(org: uuid.UUID, address: str) -> bool:
    """A recipient unsubscribed by the link in a message: no marketing from now on. Once."""
    try:
        return suppression.suppress(
            org, address, actor=_ACTOR, reason="unsubscribe", scope="marketing", source="one-click"
        )
    except CarepostError:
        return False
