"""Search by recipient, domain, sender, subject words, Message-ID, tag and date, over years: tokens by day, newest day
first; every hit is opened and compared before it is shown (DESIGN 5), and the search is an event before its page is
(law 7). A page costs a bounded amount of work, and says how far back it came."""

import uuid
from collections.abc import Iterator
from itertools import accumulate, islice
from typing import Final, NamedTuple

import msgspec

from carepost.archive import acts, books, lists, narrowing, segments, sifting, tokens
from carepost.archive.lists import Page, Shown
from carepost.archive.store import store
from carepost.archive.wanted import Wanted
from carepost.audit.store import Store
from carepost.crypto import index
from carepost.ground import clock, ids
from carepost.ground.errors import Refused
from carepost.policy.content import FOUND, Level
from carepost.proof import kinds
from carepost.queue.sealing import OrgKeyBook
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor, DeliveryView, MessageView

#: days searched at most
MOST_DAYS: Final = 3660
_DAY_US: Final = 86_400_000_000
#: what one page may cost: look-ups of a token in a segment, and messages opened and compared. After it the page says
#: how far back it looked
LOOKS: Final = 250
OPENED: Final = 400
#: opening a few costs as much as so many more
_EACH: Final = 6
#: days sifted at once
_DAYS: Final = 256
#: a day with hits costs as much as so many more looks, besides what is opened: statements, and their rows
_OF_HITS: Final = 6
#: hits that cost as much as one opened: what their rows say is read even where they are ruled out
_HITS_OF_ONE: Final = 2
#: hits asked for at once where their rows may still rule them out
_BATCH: Final = 400


#: what a look into a message can have found
CONTENT: Final = (*(level.value for level in reversed(FOUND)), Level.UNKNOWN.value)

__all__ = ["CONTENT", "Wanted", "meant", "search"]


def search(org: bytes, actor: Actor, wanted: Wanted, *, after: str = "", limit: int = 50) -> Page:
    """A list where only state and time are given. Raises NotFound (forbidden), Refused when the cursor is none, the
    time is too long, or no word of the subject can be searched for."""
    acts.allowed(org, actor, Permission.SEARCH)
    wanted = spelt(wanted)
    size = max(1, min(limit, lists.MOST))
    below, above = lists.bounds(after, wanted.since, wanted.until)
    if not wanted.texts:
        return lists.by_rows(org, actor, wanted, after=after, limit=limit)
    _tokens(b"", 0, wanted)
    stopped = b""
    own = _own_id(wanted.message_id)
    if own is not None:
        found = [one for one in lists.show(org, [own]) if above <= uuid.UUID(bytes=own) < below]
        found = [one for one in found if _fits(one, msgspec.structs.replace(wanted, message_id=""))]
    else:
        # one state of the history for the whole page
        with store().reading(org):
            found, stopped = _by_tokens(org, wanted, below.bytes, size)
    page = lists.page_of([one.line for one in found], size, stopped)
    lists.record(kinds.MESSAGE_SEARCHED, org, actor, page, msgspec.json.encode(wanted).decode())
    return page


def meant(view: MessageView, wanted: Wanted) -> tuple[bytes, ...]:
    """The deliveries of a message found that fit all that is said of a recipient: those a job acts upon."""
    wanted = spelt(wanted)
    return tuple(ids.parse(one.id) for one in view.deliveries if _for(one, wanted))


def spelt(wanted: Wanted) -> Wanted:
    """With addresses and domains as they were indexed."""
    return msgspec.structs.replace(
        wanted, recipient=tokens.spelt(wanted.recipient), sender=tokens.spelt(wanted.sender),
        domain=tokens.spelt(wanted.domain).removeprefix("@"),
    )  # fmt: skip


def _own_id(text: str) -> bytes | None:
    try:
        return ids.parse(text.strip())
    except ValueError:
        return None


class _Pace:
    """What a page has cost so far."""

    def __init__(self) -> None:
        self.looks = self.opened = self.hits = 0

    @property
    def full(self) -> bool:
        """Enough was opened: the page may end within a day."""
        return self.opened >= OPENED

    @property
    def over(self) -> bool:
        """Looks and what was opened add up."""
        return self.looks * OPENED + self.opened * LOOKS >= LOOKS * OPENED


class _Found:
    """What a page shows: hits of several days are opened together, for over a connection each day costs as much."""

    def __init__(self, org: bytes, wanted: Wanted, limit: int) -> None:
        self._org = org
        self._wanted = wanted
        self._limit = limit
        self._waiting: list[bytes] = []
        self.shown: list[Shown] = []

    @property
    def room(self) -> int:
        """How many more it takes: what waits may turn out not to fit."""
        if len(self.shown) + len(self._waiting) >= self._limit:
            self.open()
        return self._limit - len(self.shown) - len(self._waiting)

    def add(self, hits: list[bytes]) -> None:
        self._waiting += hits

    def open(self) -> None:
        waiting, self._waiting = self._waiting, []
        self.shown += [hit for hit in lists.show(self._org, waiting) if _fits(hit, self._wanted)]


def _by_tokens(org: bytes, wanted: Wanted, below: bytes, size: int) -> tuple[list[Shown], bytes]:
    """(what fits, newest first, one more than `size` at most; where the work of one page was over, b"": nowhere)."""
    found = _Found(org, wanted, size + 1)
    stopped = _look(org, wanted, below, found)
    found.open()
    return found.shown, stopped


def _look(org: bytes, wanted: Wanted, below: bytes, found: _Found) -> bytes:
    first, last = _days(wanted, below)
    book, log = books.book(), store()
    with log.reading(org):
        days = segments.days(log, org, first, last)
    pace = _Pace()
    own = index.day_of(ids.made_at(below))
    for one, held in _sifted(log, org, _asked(book, org, wanted, days), below, pace):
        day, hits = one.day, pace.hits
        end = _of_day(org, wanted, one, below, found, pace) if held else b""
        pace.looks += _OF_HITS if pace.hits > hits else 0
        if not found.room:
            break
        if end:
            return end
        if pace.over and day <= own and day != days[-1][0]:
            return min(below, _beginning(day))
    return b""


class _Day(NamedTuple):
    """`looks`: what a look into it costs."""

    day: int
    asked: list[list[bytes]]
    looks: int
    rare: bool = False


def _asked(book: OrgKeyBook, org: bytes, wanted: Wanted, days: list[tuple[int, int]]) -> Iterator[_Day]:
    for day, count in days:
        asked = [_tokens(key, day, wanted) for key in tokens.keys_of(book, org, day)]
        yield _Day(day, asked, count * sum(map(len, asked)))


def _sifted(log: Store, org: bytes, days: Iterator[_Day], below: bytes, pace: _Pace) -> Iterator[tuple[_Day, bool]]:
    """With whether it may be there: one day after the other as long as each had something, then more and more at once,
    as far as the work of a page reaches."""
    many, hits = 4, -1
    while part := list(islice(days, 1 if hits != pace.hits else many)):
        if hits != pace.hits:
            held = {part[0].day}
        else:
            reach = list(accumulate((one.looks for one in part), initial=pace.looks))
            fit = [one for one, looks in zip(part, reach, strict=False) if looks <= LOOKS]
            with log.reading(org):
                held = sifting.sift(log, org, [(one.day, one.asked) for one in fit], below)
            held.update(one.day for one in part[len(fit) :])
            part = [one._replace(rare=True) for one in part]
            many = min(many * 4, _DAYS)
        hits = pace.hits
        for one in part:
            pace.looks += one.looks
            yield one, one.day in held


def _of_day(org: bytes, wanted: Wanted, one: _Day, below: bytes, found: _Found, pace: _Pace) -> bytes:
    """Puts into `found` what fits of a day. Where the page's work is over before the day is: its last message looked
    at; else b""."""
    log = store()
    while room := found.room:
        many = _BATCH if wanted.of_rows else room
        hits = _hits(log, org, one, below, many)
        pace.opened += len(hits) // _HITS_OF_ONE
        pace.hits += len(hits)
        fit = narrowing.fitting(log, org, wanted, hits) if wanted.of_rows and hits else set(hits)
        chosen = [hit for hit in hits if hit in fit]
        while chosen and (room := found.room) and not pace.full:
            part, chosen = chosen[:room], chosen[room:]
            found.add(part)
            pace.opened += len(part) + _EACH
            below = part[-1]
        if chosen and found.room:
            return below
        if len(hits) < many:
            return b""
        below = hits[-1]
        if pace.full:
            return below
    return b""


def _beginning(day: int) -> bytes:
    """An id less than those of messages accepted on this day, and greater than those before."""
    return (day * _DAY_US // 1000 << 80).to_bytes(16, "big")


def _days(wanted: Wanted, below: bytes) -> tuple[int, int]:
    last = index.day_of(wanted.until or clock.now() + _DAY_US)
    first = index.day_of(wanted.since) if wanted.since else last - MOST_DAYS
    if last - first > MOST_DAYS:
        raise Refused("time-too-long", "Search ten years at most: give a later beginning.", status=422)
    # a message is indexed on the day it was accepted, which its id, made a moment before, may not have reached; where
    # a page ended with a day, that day is done
    own = index.day_of(ids.made_at(below))
    return first, min(last, own - 1 if below == _beginning(own) else own + 1)


def _tokens(key: bytes, day: int, wanted: Wanted) -> list[bytes]:
    """What a message's tokens must hold on this day; never empty."""
    found = []
    if wanted.recipient:
        name = wanted.recipient.strip().removeprefix("@")
        found.append(index.token(key, tokens.ADDRESS if "@" in name else tokens.DOMAIN, name, day))
    if wanted.domain:
        found.append(index.token(key, tokens.DOMAIN, wanted.domain, day))
    if wanted.sender:
        found.append(index.token(key, tokens.SENDER, wanted.sender, day))
    if wanted.message_id:
        found.append(index.token(key, tokens.MESSAGE_ID, wanted.message_id, day))
    if wanted.tag:
        found.append(index.token(key, tokens.TAG, wanted.tag, day))
    found += [index.token(key, tokens.WORD, word, day) for word in index.subject_words(wanted.subject)]
    if not found:
        raise Refused(
            "nothing-asked", "Give a recipient, sender, subject, Message-ID or tag to search for.", status=422
        )
    return found


def _hits(log: Store, org: bytes, one: _Day, below: bytes, limit: int) -> list[bytes]:
    """Ids of the messages that hold every token of one of the index keys, newest first."""
    with log.reading(org):
        return segments.find(log, org, one.day, one.asked, below, limit, rare=one.rare)


def _fits(one: Shown, wanted: Wanted) -> bool:
    """The hit itself, compared: eight bytes of a token can collide, and the time is exact here."""
    header, line = one.header, one.line
    if header is None or line.origin in wanted.without or (wanted.category and line.category != wanted.category):
        return False
    if (wanted.since and line.at < wanted.since) or (wanted.until and line.at >= wanted.until):
        return False
    return (
        any(_for(delivery, wanted) for delivery in line.deliveries)
        and (not wanted.sender or _same("sender", wanted.sender, header.sender, header.from_))
        and (not wanted.message_id or _same("message-id", wanted.message_id, header.message_id))
        and (
            not wanted.tag or _same("tag", wanted.tag, *header.tags, *(tag for d in line.deliveries for tag in d.tags))
        )
        and set(index.subject_words(wanted.subject)) <= set(index.subject_words(header.subject))
    )


def _for(one: DeliveryView, wanted: Wanted) -> bool:
    """Whether this one recipient is all that is said of a recipient."""
    domain = one.recipient.rpartition("@")[2]
    name = wanted.recipient.removeprefix("@")
    if name and not (_same("address", name, one.recipient) if "@" in name else _same("domain", name, domain)):
        return False
    return (
        (not wanted.domain or _same("domain", wanted.domain, domain))
        and wanted.state in ("", one.state)
        and wanted.provider in ("", one.provider)
        and wanted.method in ("", one.method)
        and wanted.assurance in ("", one.assurance)
        and (not wanted.content or one.content in wanted.content)
        and (not wanted.opened or one.opened in wanted.opened)
        and (not wanted.clicked or one.clicked in wanted.clicked)
    )


def _same(field: str, wanted: str, *held: str) -> bool:
    return index.normalise(field, wanted) in {index.normalise(field, one) for one in held}
