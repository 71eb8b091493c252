"""The addresses nothing is sent to, as people may see them: each list an event before it is shown (law 7)."""

import uuid
from collections.abc import Iterator
from typing import Final

import msgspec
from django.db import transaction

from carepost.crypto.rest import Damaged
from carepost.destinations import suppression_lines, suppression_pages
from carepost.ground import clock
from carepost.ground.errors import CarepostError, NotFound, Refused
from carepost.proof import kinds
from carepost.tenancy import address_tokens, events, keys, scope
from carepost.tenancy.act import act
from carepost.tenancy.actions import suppression
from carepost.tenancy.actions.suppression import Wanted, address_of, note_of, spelt, tokens
from carepost.tenancy.models import Suppression
from carepost.tenancy.permissions import Forbidden, Permission, authorise
from carepost.wire.types import Actor

LISTED: Final = "suppression.listed"
#: rows of one page at most, lines and octets of one import
MOST, LINES, OCTETS = 1000, 100_000, 16 * 1024 * 1024
#: lines put on the list in one transaction
_TOGETHER: Final = 500
#: mistakes of a file that are named one by one
_NAMED: Final = 50


class Suppressed(msgspec.Struct, frozen=True):
    id: str
    #: "" where it can no longer be opened
    address: str
    #: tenancy.actions.suppression.REASONS
    reason: str
    #: UTC microseconds
    at: int
    scope: str = "all"
    source: str = ""
    #: 0: no end
    expires_at: int = 0
    note: str = ""


class Page(msgspec.Struct, frozen=True):
    rows: tuple[Suppressed, ...]
    #: hand it back as `after`; "" at the end
    cursor: str = ""


class Imported(msgspec.Struct, frozen=True):
    """`added`: or would be; `known`: were on the list already; `wrong`: (line from 1, what is wrong), the first."""

    lines: int
    added: int
    known: int
    failed: int
    wrong: tuple[tuple[int, str], ...]
    dry_run: bool


def listing(org: bytes, actor: Actor) -> list[Suppressed]:
    """The newest first, with those whose end has passed. Raises NotFound when `actor` may not see them."""
    return list(page(org, actor, standing="all", limit=MOST).rows)


def page(
    org: bytes,
    actor: Actor,
    *,
    after: str = "",
    address: str = "",
    reason: str = "",
    scope_: str = "",
    ends: bool | None = None,
    standing: str = "current",
    removed_since: int = 0,
    limit: int = 100,
) -> Page:
    """The newest first, those with what is asked for. `address`: exact, in any spelling. `ends`: with an end, or
    without one. `standing`: what keeps something back now, what did until its end, or all
    (suppression_pages.STANDINGS). `removed_since`: in place of the list what was taken off it since then (UTC
    microseconds), the latest first and without a cursor. Raises NotFound (forbidden), Refused for a cursor that is
    none, AddressError."""
    owner = uuid.UUID(bytes=org)
    size = max(1, min(limit, MOST))
    with scope.organisation(owner):
        allowed(owner, actor)
        older, now = _cursor(after) if after else None, clock.now()
        found = Suppression.objects.filter(org_id=owner)
        if removed_since:
            # both are said: the first is the index's own condition
            found = found.filter(removed_at__gt=0, removed_at__gte=removed_since)
            rows = list(found.order_by("-removed_at")[:size])
        elif address:
            # an address has a few rows at most: put in order here, the database looks at no others
            rows = list(found.filter(removed_at=0, token__in=tokens(owner, spelt(address))))
            fit = (row for row in rows if _fits(row, reason, scope_, ends, older) and _stands(row, standing, now))
            rows = sorted(fit, key=lambda row: -row.pk.int)
        else:
            chosen = suppression_pages.newest(
                owner, reasons=_only(reason), scopes=_only(scope_), ends=ends, standing=standing, now=now,
                after=older, limit=size + 1,
            )  # fmt: skip
            rows = list(found.filter(pk__in=chosen).order_by("-id"))
        with keys.together():
            shown = tuple([shown_of(row) for row in rows[:size]])
        tell(owner, actor, len(shown))
    return Page(shown, str(rows[size - 1].pk) if len(rows) > size else "")


def one(org: bytes, actor: Actor, row: uuid.UUID) -> Suppressed:
    """An entry of the list; its showing is an event. Raises NotFound (absent, off the list, forbidden)."""
    owner = uuid.UUID(bytes=org)
    with scope.organisation(owner):
        allowed(owner, actor)
        found = Suppression.objects.filter(org_id=owner, pk=row, removed_at=0).first()
        if found is None:
            raise NotFound("There is no such entry.")
        tell(owner, actor, 1)
        return shown_of(found)


def export(org: bytes, actor: Actor) -> Iterator[bytes]:
    """What keeps something back now as lines of JSON, a page at a time; each page is an event. Raises NotFound at the
    first."""
    after = ""
    while True:
        found = page(org, actor, after=after, limit=MOST)
        yield b"".join(msgspec.json.encode(row) + b"\n" for row in found.rows)
        after = found.cursor
        if not after:
            return


def import_(org: bytes, actor: Actor, data: bytes, *, dry_run: bool, reason: str = "request") -> Imported:
    """Lines of CSV (a header with `address`; `reason`, `scope`, `expires_at`, `note` may stand beside it) or of JSON.
    A wrong line spoils no other. Raises NotFound (forbidden), Refused."""
    owner = uuid.UUID(bytes=org)
    with scope.organisation(owner):
        allowed(owner, actor)
    if len(data) > OCTETS:
        raise Refused("import-size", "The file is larger than 16 MB: import it in parts.", status=413)
    taking = _Taking(owner, actor, dry_run)
    lines = failed = 0
    wrong: list[tuple[int, str]] = []
    for number, fields in suppression_lines.of_file(data):
        lines += 1
        if lines > LINES:
            raise Refused("import-lines", "The file has more than 100,000 lines: import it in parts.", status=413)
        try:
            asked = suppression_lines.wanted(fields, reason)
        except CarepostError as error:
            failed += 1
            if len(wrong) < _NAMED:
                wrong.append((number, error.public))
            continue
        taking.take(asked)
    taking.done()
    return Imported(lines, taking.added, taking.known, failed, tuple(wrong), dry_run)


class _Taking:
    """Lines as they are read, looked for on the list and put on it some hundred at a time."""

    def __init__(self, owner: uuid.UUID, actor: Actor, dry_run: bool) -> None:
        self._owner, self._actor, self._dry_run = owner, actor, dry_run
        with scope.organisation(owner):
            self._keys = address_tokens.standing(owner)
        self._seen: set[tuple[bytes, str]] = set()
        self._waiting: list[Wanted] = []
        self.added = self.known = 0

    def take(self, asked: Wanted) -> None:
        mark = (self._keys.token(asked.address), asked.scope)
        if mark in self._seen:
            self.known += 1
            return
        self._seen.add(mark)
        self._waiting.append(asked)
        if len(self._waiting) >= _TOGETHER:
            self.done()

    def done(self) -> None:
        waiting, self._waiting = self._waiting, []
        with scope.organisation(self._owner):
            there = suppression.on_list(self._owner, self._keys, waiting)
        fresh = [one for one in waiting if not there.get((one.address, one.scope), False)]
        self.known += len(waiting) - len(fresh)
        self.added += len(fresh)
        if fresh and not self._dry_run:
            _put(self._owner, self._actor, fresh)


def _put(owner: uuid.UUID, actor: Actor, waiting: list[Wanted]) -> None:
    """COMMIT POINT: before it none of these lines is on the list, after it all are; a file imported again adds none."""
    with act(owner, Permission.SUPPRESSION, actor=actor) as doing:
        doing.event("suppression.imported", on=[], facts={"count": str(suppression.put_all(doing, waiting))})


def shown_of(row: Suppression) -> Suppressed:
    try:
        address, note = address_of(row), note_of(row)
    except (Damaged, NotFound):
        address, note = "", ""
    return Suppressed(str(row.pk), address, row.reason, row.created_at, row.scope, row.source, row.expires_at, note)


def allowed(owner: uuid.UUID, actor: Actor) -> None:
    try:
        authorise(actor, Permission.SUPPRESSION, owner)
    except Forbidden:
        raise NotFound from None


def _only(word: str) -> tuple[str, ...]:
    return (word,) if word else ()


def _fits(row: Suppression, reason: str, scope_: str, ends: bool | None, older: uuid.UUID | None) -> bool:
    return (
        (not reason or row.reason == reason)
        and (not scope_ or row.scope == scope_)
        and (ends is None or bool(row.expires_at) is ends)
        and (older is None or row.pk < older)
    )


def _stands(row: Suppression, standing: str, now: int) -> bool:
    over = 0 < row.expires_at <= now
    return standing == "all" or over is (standing == "ended")


def _cursor(after: str) -> uuid.UUID:
    try:
        return uuid.UUID(after)
    except ValueError:
        raise Refused("bad-cursor", "This cursor is none of ours; begin without one.", status=422) from None


def tell(owner: uuid.UUID, actor: Actor, count: int) -> None:
    draft, openings = kinds.make(
        LISTED, id=events.new_id(), org=str(owner), at=clock.now(), actor=(actor.kind, actor.id), on=[],
        facts={"count": str(count)},
    )  # fmt: skip
    with transaction.atomic():
        events.append(draft, openings)
