"""What the journal does by the clock: the clock's own state hourly, deposits that expire, checkpoints daily, what the
engines saw of destinations, and what somebody must be told of them, content past its retention, rows that have had
their time, and who opened what."""

import threading
from typing import Final

from django.conf import settings
from django.db import close_old_connections, transaction

from carepost.archive.joining import Joining
from carepost.archive.marks import Marks
from carepost.archive.packing import Packing
from carepost.archive.summing import Summing
from carepost.audit.store import Store
from carepost.destinations import alerts
from carepost.engagement.counting import Counting
from carepost.engagement.folding import Folding
from carepost.engagement.retokening import PLACES
from carepost.ground import clock, ids, log, timesync
from carepost.jobs.work import Work
from carepost.journal import checkpoints, holds, sweeping
from carepost.journal.alarms import Alarms, Door
from carepost.journal.destinations import Follower
from carepost.journal.disposal import Disposal
from carepost.journal.purging import Purging
from carepost.journal.rewrapping import Rewrapping
from carepost.journal.uses import Uses
from carepost.keyring import alerts as key_alerts
from carepost.keyring import anew, authorities, end_letters, warnings
from carepost.mailbox import deposits
from carepost.mailbox.models import READABLE, Deposit
from carepost.proof import kinds
from carepost.review import letters as review_letters
from carepost.senders import complaints, daily
from carepost.senders import letters as sender_letters
from carepost.tenancy import events, scope
from carepost.tenancy.retokening import Work as RetokeningWork
from carepost.webhooks import letters as webhook_letters

HOUR_US: Final = 3_600_000_000
#: seconds between looks
ROUND: Final = 5.0
_EXPIRY_US: Final = 60_000_000
_MAIL_US: Final = 300_000_000
_ALERT_US: Final = 60_000_000
_ACTOR: Final = ("system", "journal")


class Chores:
    """`run` is a thread of its own."""

    def __init__(self, store: Store, door: Door, stopping: threading.Event, uses: Uses | None = None) -> None:
        """`store`: a connection of its own. `uses`: what the commits saw."""
        self._store = store
        self._marks = Marks(store)
        self._door = door
        self._uses = uses or Uses()
        self._stopping = stopping
        self._hour = -1
        self._expired_at = 0
        self._mailed_at = 0
        self._swept_at = 0
        self._disposal = Disposal(store, self._marks)
        self._purging = Purging(store, self._marks)
        self._rewrapping = Rewrapping(settings.CAREPOST_KEYS, self._marks)
        self._summing = Summing(store)
        self._packing = Packing(store)
        self._joining = Joining(store)
        self._retokening = RetokeningWork(PLACES)
        self._alerted_at = 0
        self._jobs = Work(stopping)
        self._folding, self._counting = Folding(store), Counting(store)
        home = settings.CAREPOST_HOME
        self._alarms = Alarms(home, settings.CAREPOST_CONFIG, self._marks, door) if home is not None else None
        self._follower = Follower(home, settings.CAREPOST_KEYS, self._marks) if home is not None else None

    def run(self) -> None:
        while True:
            try:
                close_old_connections()
                self.step()
            except Exception as error:
                log.failure("journal-chore", error)
            if self._stopping.wait(ROUND):
                return

    def step(self) -> None:
        now = clock.now()
        if now // HOUR_US != self._hour:
            record_clock(now)
            self._hour = now // HOUR_US
        if now - self._expired_at >= _EXPIRY_US:
            self._uses.write()
            self._uses.warmth.write(now)
            expire()
            self._expired_at = now
        if self._follower is not None:
            self._follower.step()
        if now - self._alerted_at >= _ALERT_US:
            review_letters.send(self._door, now, settings.CAREPOST_CONFIG.console_url)
            alerts.ending(now)
            alerts.mail(self._door, now, settings.CAREPOST_CONFIG.console_url)
            key_alerts.mail(self._door, now, settings.CAREPOST_CONFIG.console_url)
            end_letters.mail(self._door, self._marks, now, settings.CAREPOST_CONFIG.console_url)
            if self._alarms is not None:
                self._alarms.step(now)
            sender_letters.mail(self._door, now, settings.CAREPOST_CONFIG.console_url)
            webhook_letters.mail(self._door, now, settings.CAREPOST_CONFIG.console_url)
            self._alerted_at = now
        if now - self._mailed_at >= _MAIL_US:
            checkpoints.mail(self._store, self._marks, self._door, now)
            anew.look(self._door, now)
            complaints.mail(self._store, self._marks, self._door, now, settings.CAREPOST_CONFIG.console_url)
            self._mailed_at = now
        if now - self._swept_at >= HOUR_US:
            sweeping.sweep(now)
            authorities.sign_lists(now)
            authorities.renew(now)
            warnings.ending(now)
            self._swept_at = now
        daily.step(self._door.ask, now)
        # what must be kept is marked before anything is disposed of
        holds.step(self._store)
        # a few messages a round: the writer of the log waits for each of them
        self._disposal.step(now)
        self._purging.step(now)
        self._rewrapping.step()
        self._retokening.step()
        self._summing.step()
        self._packing.step()
        self._joining.step()
        self._jobs.step(clock.now())
        # of organisations that watch opens and clicks; for all others these are two looks at empty tables
        self._counting.step()
        self._folding.step(clock.now())


def record_clock(now: int) -> None:
    """Whether the clock is synchronised, as an event of the house (DESIGN 4): at the start, then hourly."""
    word, error_us = timesync.state()
    draft, openings = kinds.make(
        kinds.CLOCK_STATE,
        id=ids.text(ids.new()),
        org=ids.text(kinds.HOUSE_ORG),
        at=now,
        actor=_ACTOR,
        on=(),
        facts={"clock": word, "error-us": str(error_us)},
    )
    with scope.every("the clock belongs to no organisation"), transaction.atomic():
        events.append(draft, openings)


def expire() -> None:
    """Ends deposits past their date, in every organisation."""
    with scope.every("deposits of every organisation expire"):
        due = Deposit.objects.filter(state__in=READABLE, expires_at__lte=clock.now())
        orgs = list(due.values_list("org_id", flat=True).distinct())
    for org in orgs:
        while deposits.expire(org.bytes, limit=500) == 500:
            pass
