"""Pages of the history, newest first: what a list shows of each message. Each page is an event before it is shown."""

import uuid
from collections.abc import Sequence
from typing import Final

import msgspec

from carepost.archive import access, acts, books, narrowing, recipient
from carepost.archive.store import store
from carepost.archive.tables import raw_value
from carepost.archive.wanted import Wanted
from carepost.crypto.rest import Damaged
from carepost.ground import ids
from carepost.ground.errors import NotFound, Refused
from carepost.proof import kinds
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor, DeliveryView, HistoryRecord, MessageView

#: rows of one page at most
MOST = 200
_LAST = b"\xff" * 16
# in plain SQL: a search shows the hits of each day by themselves, and to have Django build these statements cost more
# than to run them (3 ms a day with a hit, of 16 in a page)
_MESSAGES: Final = (
    "SELECT m.id, m.at, m.origin, m.category, m.size, m.header, k.wrapped FROM archive_message m "
    "LEFT JOIN archive_message_key k ON k.org_id = m.org_id AND k.id = m.id WHERE m.org_id = ? AND m.id IN ({0})"
)
_DELIVERIES: Final = (
    "SELECT id, message, state, method, assurance, reason, rule, recipient, provider, content, tags, opened, clicked "
    "FROM archive_delivery WHERE org_id = ? AND message IN ({0})"
)


class Page(msgspec.Struct, frozen=True):
    #: without attempts and words: those stand on the message's page
    messages: tuple[MessageView, ...]
    #: hand it back as `after` for the next page; "" at the end
    cursor: str = ""
    #: UTC microseconds down to which this page searched, where it ended before it was full; 0: it is full, or all of
    #: the time asked for was searched
    back_to: int = 0


class Shown(msgspec.Struct, frozen=True):
    """A message in a list, with what it was made of, for comparing. `sender` is that of From, else of the envelope."""

    line: MessageView
    header: HistoryRecord | None


def listing(
    org: bytes,
    actor: Actor,
    *,
    after: str = "",
    since: int = 0,
    until: int = 0,
    state: str = "",
    without: tuple[str, ...] = (),
    limit: int = 50,
) -> Page:
    """The organisation's messages, newest first. `since`, `until`: UTC microseconds, or 0. `state`: of any delivery.
    `without`: origins that are left out.
    Raises NotFound (forbidden), Refused for a cursor that is none."""
    wanted = Wanted(since=since, until=until, state=state, without=without)
    return by_rows(org, actor, wanted, after=after, limit=limit)


def by_rows(org: bytes, actor: Actor, wanted: Wanted, *, after: str = "", limit: int = 50) -> Page:
    """What fits by its rows and time alone; `wanted` asks for nothing of the index."""
    acts.allowed(org, actor, Permission.SEARCH)
    size = max(1, min(limit, MOST))
    below, above = bounds(after, wanted.since, wanted.until)
    chosen, stopped = narrowing.walk(store(), org, wanted, below.bytes, above.bytes, size + 1)
    page = page_of([shown.line for shown in show(org, chosen)], size, stopped)
    record(kinds.MESSAGE_LISTED, org, actor, page)
    return page


def page_of(lines: Sequence[MessageView], size: int, stopped: bytes = b"") -> Page:
    """`lines`: one more than fits says that there is a next page. `stopped`: the id down to which was searched, where
    not all was; b"" where it was."""
    if len(lines) > size:
        return Page(tuple(lines[:size]), lines[size - 1].id)
    if stopped:
        return Page(tuple(lines), ids.text(stopped), ids.made_at(stopped))
    return Page(tuple(lines))


def record(kind: str, org: bytes, actor: Actor, page: Page, wanted: str = "") -> None:
    """Who saw which messages, before they are shown."""
    acts.record(
        kind,
        org,
        actor,
        on=[line.id for line in page.messages],
        facts={"count": str(len(page.messages))},
        values={"wanted": wanted} if wanted else None,
    )


def bounds(after: str, since: int, until: int) -> tuple[uuid.UUID, uuid.UUID]:
    """(below, at or above) as ids, which are in the order of time. Raises Refused."""
    below = _LAST
    if until:
        below = ((until + 999) // 1000 << 80).to_bytes(16, "big")
    if after:
        try:
            below = min(below, ids.parse(after))
        except ValueError:
            raise Refused("bad-cursor", "This cursor is none of ours; begin at the first page.", status=422) from None
    above = (since // 1000 << 80).to_bytes(16, "big")
    return uuid.UUID(bytes=below), uuid.UUID(bytes=above)


def show(org: bytes, messages: Sequence[bytes]) -> list[Shown]:
    """The lines of these messages, in the given order; those that are not (or no longer) there are left out."""
    if not messages:
        return []
    log, owner = store(), org.hex()
    named = [message.hex() for message in messages]
    among = ", ".join("?" * len(named))
    with log.reading(org):
        rows = {raw_value(id_): rest for id_, *rest in log.rows(_MESSAGES.format(among), (owner, *named))}
        # put in order here: asked to, SQLite walks through all there are in the order of their ids
        deliveries = sorted(log.rows(_DELIVERIES.format(among), (owner, *named)), key=lambda row: raw_value(row[0]))
    by_message: dict[bytes, list[DeliveryView]] = {}
    for row in deliveries:
        by_message.setdefault(raw_value(row[1]), []).append(_delivery(org, *row))
    return [_shown(org, one, by_message.get(one, []), *rows[one]) for one in messages if one in rows]


def _shown(
    org: bytes,
    message: bytes,
    deliveries: Sequence[DeliveryView],
    at: int,
    origin: str,
    category: str,
    size: int,
    sealed: bytes,
    wrapped: bytes | None,
) -> Shown:
    header = access.header_in(org, message, bytes(sealed), bytes(wrapped or b""))
    line = MessageView(
        id=ids.text(message),
        org=ids.text(org),
        at=at,
        sender=(header.from_ or header.sender) if header else "",
        subject=header.subject if header else "",
        message_id=header.message_id if header else "",
        origin=origin,
        category=category,
        size=size,
        deliveries=tuple(deliveries),
    )
    return Shown(line, header)


def _delivery(
    org: bytes,
    raw: object,
    _: object,
    state: str,
    method: str,
    assurance: str,
    reason: str,
    rule: str,
    sealed: bytes,
    provider: str,
    content: str,
    tags: str,
    opened: str,
    clicked: str,
) -> DeliveryView:
    delivery = raw_value(raw)
    try:
        address = recipient.open_(books.book(), org, delivery, bytes(sealed)) if sealed else ""
    except (Damaged, NotFound):
        address = ""
    return DeliveryView(
        id=ids.text(delivery),
        recipient=address,
        state=state,
        method=method,
        assurance=assurance,
        reason=reason,
        words="",
        rule=rule,
        due_at=0,
        provider=provider,
        content=content,
        tags=tuple(tags.split()),
        opened=opened,
        clicked=clicked,
    )
