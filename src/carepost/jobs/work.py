"""The journal's part: the oldest open job, a page at a time, as the one who asked for it.

What a page did is done before the job's row says so: after a crash in between the page is done again, and finds its
deliveries acted upon already (an export writes the same piece again, under the same number)."""

import threading
import uuid
from typing import Final

import msgspec
from django.db import transaction

from carepost.archive import access, engine
from carepost.archive.search import meant, search
from carepost.archive.store import store
from carepost.audit import reader
from carepost.ground import clock, ids, log
from carepost.ground.errors import CarepostError, NotFound, Refused, Unavailable
from carepost.jobs import acts, resending, rows, suppressing, undoing
from carepost.jobs.models import Job
from carepost.jobs.suppressing import Named
from carepost.jobs.types import LISTED, Asked, Kind
from carepost.mailbox import deposits
from carepost.tenancy import events, scope
from carepost.tenancy.permissions import authorise
from carepost.wire.types import Actor, MessageView

#: messages, or events, of one page
PAGE: Final = 100
#: microseconds one step may go on to the next page
_SPAN_US: Final = 2_000_000
#: events the journal has not taken, above which imports wait
_BEHIND: Final = 20_000
_IN_PORTAL: Final = frozenset({"deposited", "opened"})
_OVER: Final = frozenset({"sent", "failed", "tested", "expired", "retracted", "suppressed"})


class Page(msgspec.Struct, frozen=True):
    """What one page came to. `cursor`: of the next; "" at the end."""

    cursor: str
    seen: int
    made: int
    data: bytes = b""
    #: messages that could not be sent again
    passed: int = 0


class Work:
    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        #: of each try under way: what its file named so far
        self._tried: dict[uuid.UUID, Named] = {}

    def step(self, now: int) -> int:
        """How many pages were done."""
        done = 0
        while not self._stopping.is_set() and clock.now() - now < _SPAN_US:
            row = _next()
            if row is None:
                break
            if row.kind in LISTED and events.waiting() > _BEHIND:
                # the log is behind: what is added now would only wait there
                break
            _page(row, self._tried)
            done += 1
        return done


def _next() -> Job | None:
    """The one that waited longest for a page: the organisations take turns."""
    with scope.every("jobs of every organisation are done in turn"):
        return Job.objects.filter(state__in=acts.OPEN).order_by("changed_at", "pk").first()


def _page(row: Job, tried: dict[uuid.UUID, Named]) -> None:
    kind, actor = Kind(row.kind), Actor(*row.author.split(":", 1))
    try:
        asked = acts.asked_of(row)
        with scope.organisation(row.org_id):
            for permission in acts.needed(kind, asked):
                authorise(actor, permission, row.org_id)
        if kind in LISTED:
            if kind is Kind.UNDO:
                undoing.page(row, asked, actor)
            else:
                suppressing.page(row, asked, actor, tried)
            return
        page = _do(row, kind, asked, actor)
    except Unavailable as error:
        log.event("job-waits", job=str(row.pk), code=error.code)
        _save(row, row.state, {"changed_at": clock.now()})
        return
    except CarepostError as error:
        log.event("job-failed", job=str(row.pk), code=error.code)
        _save(row, "failed", {"cause": error.code})
        return
    done = "running" if page.cursor else "done"
    changes = {
        "cursor": page.cursor, "seen": row.seen + page.seen, "made": row.made + page.made,
        "wrong": row.wrong + page.passed,
    }  # fmt: skip
    _save(row, done, changes, page.data)


def _save(row: Job, state: str, changes: dict[str, object], data: bytes = b"") -> None:
    """COMMIT POINT: cursor, figures and the page's piece, unless somebody cancelled it meanwhile."""
    with scope.organisation(row.org_id), transaction.atomic():
        acts.further(row, state, changes, data)


def _do(row: Job, kind: Kind, asked: Asked, actor: Actor) -> Page:
    org = row.org_id.bytes
    first = not row.cursor
    if kind is Kind.EVENTS:
        found = reader.events_from(store(), org, int(row.cursor or 0), PAGE)
        data, made = rows.events(org, found, asked.form, first=first, with_personal=asked.opened)
        return Page(str(found[-1].index + 1) if len(found) == PAGE else "", len(found), made, data)
    page = search(org, actor, asked.wanted, after=row.cursor, limit=PAGE)
    if kind is Kind.MESSAGES:
        data, made = rows.messages(page.messages, asked.form, first=first)
        return Page(page.cursor, len(page.messages), made, data)
    changed = 0
    if kind is Kind.RESEND:
        sent = [_resend(row, asked, actor, one) for one in page.messages]
        return Page(page.cursor, len(sent), sum(one or 0 for one in sent), passed=sent.count(None))
    for message in page.messages:
        act = _retry if kind is Kind.RETRY else retract
        states = act(org, ids.parse(message.id), actor, asked.reason, meant(message, asked.wanted))
        changed += sum(state not in ("not-possible", "not-found") for state in states.values())
    return Page(page.cursor, len(page.messages), changed)


def _resend(row: Job, asked: Asked, actor: Actor, message: MessageView) -> int | None:
    """How many recipients get it again; None: it cannot be sent again, and is passed over. The key is the job's: a page
    that is done again sends nothing twice."""
    try:
        done = resending.resend(
            row.org_id.bytes, ids.parse(message.id), actor, asked.reason, chosen=meant(message, asked.wanted),
            anew=asked.anew, key=f"{row.pk}:{message.id}",
        )  # fmt: skip
    except Refused as refused:
        log.event("job-passed-over", job=str(row.pk), code=refused.code)
        return None
    return len(done.deliveries)


def retract(org: bytes, message: bytes, actor: Actor, reason: str, chosen: tuple[bytes, ...] = ()) -> dict[str, str]:
    """From the queue by its engine, from the portal where it lies there already. `chosen`: deliveries of the message;
    empty: all. Delivery -> its state now, or "not-possible". Each act writes its own event. Raises NotFound (absent,
    another organisation's, or a delivery that is none of this message), Unavailable."""
    known = access.states_of(org, message)
    if not known or any(delivery not in known for delivery in chosen):
        raise NotFound
    done: dict[str, str] = {}
    queued = []
    for delivery in chosen or tuple(known):
        state = known[delivery]
        if state in _IN_PORTAL:
            done[ids.text(delivery)] = deposits.retract(org, delivery, actor=actor, reason=reason)
        elif state in _OVER:
            done[ids.text(delivery)] = state if state == "retracted" else "not-possible"
        else:
            queued.append(delivery)
    if queued:
        taken = engine.client().act("retract", org, tuple(queued), actor, reason)
        # its shard calls it a failure; here it has the word that its history will have
        done.update({one: "retracted" if state == "failed" else state for one, state in taken.items()})
    return done


def _retry(org: bytes, message: bytes, actor: Actor, reason: str, chosen: tuple[bytes, ...]) -> dict[str, str]:
    known = access.states_of(org, message)
    waiting = tuple(one for one in chosen if known.get(one) == "deferred")
    return engine.client().act("retry", org, waiting, actor, reason) if waiting else {}
