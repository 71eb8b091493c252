"""Search by recipient, sender, subject words, Message-ID, tag and date: tokens by day, newest day first; every hit is
opened and compared before it is shown (DESIGN 5), and the search is an event before its page is (law 7)."""

import uuid
from typing import Final

import msgspec

from carepost.archive import acts, books, lists, segments, tokens
from carepost.archive.lists import Page, Shown
from carepost.archive.store import store
from carepost.audit.store import Store
from carepost.crypto import index
from carepost.ground import clock, ids
from carepost.ground.errors import Refused
from carepost.proof import kinds
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor, MessageView

#: days searched when no date is given, and at most
DAYS: Final = 90
MOST_DAYS: Final = 3660
_DAY_US: Final = 86_400_000_000
#: hits opened for one page at most, so that a search cannot run for ever over tokens that collide
_OPENED: Final = 5_000


class Wanted(msgspec.Struct, frozen=True):
    """Every word given must fit. `recipient`: an address or a domain. `subject`: words, in any order (of the first
    twelve of a subject). `message_id`: the header's, or our id. Times: UTC microseconds, or 0."""

    recipient: str = ""
    sender: str = ""
    subject: str = ""
    message_id: str = ""
    tag: str = ""
    #: of any delivery
    state: str = ""
    since: int = 0
    until: int = 0
    #: origins that are left out (wire.types.Origin)
    without: tuple[str, ...] = ()


def search(org: bytes, actor: Actor, wanted: Wanted, *, after: str = "", limit: int = 50) -> Page:
    """A list where only state and time are given. Raises NotFound (forbidden), Refused when the cursor is none, the
    time is too long, or no word of the subject can be searched for."""
    acts.allowed(org, actor, Permission.SEARCH)
    wanted = msgspec.structs.replace(
        wanted, recipient=tokens.spelt(wanted.recipient), sender=tokens.spelt(wanted.sender)
    )
    size = max(1, min(limit, lists.MOST))
    below, above = lists.bounds(after, wanted.since, wanted.until)
    if not _texts(wanted):
        return lists.listing(
            org, actor, after=after, since=wanted.since, until=wanted.until, state=wanted.state,
            without=wanted.without, limit=limit,
        )  # fmt: skip
    own = _own_id(wanted.message_id)
    if own is not None:
        found = [one for one in lists.show(org, [own]) if above <= uuid.UUID(bytes=own) < below]
        found = [one for one in found if _fits(one, msgspec.structs.replace(wanted, message_id=""))]
    else:
        found = _by_tokens(org, wanted, below.bytes, size)
    page = lists.page_of([one.line for one in found], size)
    lists.record(kinds.MESSAGE_SEARCHED, org, actor, page, msgspec.json.encode(wanted).decode())
    return page


def _texts(wanted: Wanted) -> bool:
    return any((wanted.recipient, wanted.sender, wanted.subject, wanted.message_id, wanted.tag))


def _own_id(text: str) -> bytes | None:
    try:
        return ids.parse(text.strip())
    except ValueError:
        return None


def _by_tokens(org: bytes, wanted: Wanted, below: bytes, size: int) -> list[Shown]:
    first, last = _days(wanted)
    book, log = books.book(), store()
    found: list[Shown] = []
    opened = 0
    for day in range(last, first - 1, -1):
        end = below
        asked = [_tokens(key, day, wanted) for key in tokens.keys_of(book, org, day)]
        while True:
            hits = _hits(log, org, day, asked, end, size + 1)
            found += [one for one in lists.show(org, hits) if _fits(one, wanted)]
            opened += len(hits)
            if len(found) > size or len(hits) <= size or opened > _OPENED:
                break
            end = hits[-1]
        if len(found) > size or opened > _OPENED:
            break
    return found[: size + 1]


def _days(wanted: Wanted) -> tuple[int, int]:
    last = index.day_of(wanted.until or clock.now() + _DAY_US)
    first = index.day_of(wanted.since) if wanted.since else last - DAYS
    if last - first > MOST_DAYS:
        raise Refused("time-too-long", "Search ten years at most: give a later beginning.", status=422)
    return first, last


def _tokens(key: bytes, day: int, wanted: Wanted) -> list[bytes]:
    """What a message's tokens must hold on this day; never empty."""
    found = []
    if wanted.recipient:
        name = wanted.recipient.strip().removeprefix("@")
        found.append(index.token(key, tokens.ADDRESS if "@" in name else tokens.DOMAIN, name, day))
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


def _hits(log: Store, org: bytes, day: int, wanted: list[list[bytes]], below: bytes, limit: int) -> list[bytes]:
    """Ids of the messages that hold every token of one of the index keys, newest first."""
    with log.reading(org):
        return segments.find(log, org, day, wanted, below, limit)


def _fits(one: Shown, wanted: Wanted) -> bool:
    """The hit itself, compared: eight bytes of a token can collide, and the time is exact here."""
    header, line = one.header, one.line
    if header is None or line.origin in wanted.without:
        return False
    if (wanted.since and line.at < wanted.since) or (wanted.until and line.at >= wanted.until):
        return False
    if wanted.state and wanted.state not in {delivery.state for delivery in line.deliveries}:
        return False
    return (
        (not wanted.recipient or _for(line, wanted.recipient))
        and (not wanted.sender or _same("sender", wanted.sender, header.sender, header.from_))
        and (not wanted.message_id or _same("message-id", wanted.message_id, header.message_id))
        and (not wanted.tag or _same("tag", wanted.tag, *header.tags))
        and set(index.subject_words(wanted.subject)) <= set(index.subject_words(header.subject))
    )


def _for(line: MessageView, recipient: str) -> bool:
    name = recipient.strip().removeprefix("@")
    addresses = [delivery.recipient for delivery in line.deliveries]
    if "@" in name:
        return _same("address", name, *addresses)
    return _same("domain", name, *(address.rpartition("@")[2] for address in addresses))


def _same(field: str, wanted: str, *held: str) -> bool:
    return index.normalise(field, wanted) in {index.normalise(field, one) for one in held}
