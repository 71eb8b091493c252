"""Addresses nothing is sent to any more: bounced for good, complained, unsubscribed, or asked for (decision 0028)."""

import uuid
from collections.abc import Sequence
from typing import Final

import msgspec

from carepost.directory import columns
from carepost.ground.errors import NotFound
from carepost.rfc.address import parse_path
from carepost.tenancy import address_tokens, names, scope, sealing
from carepost.tenancy import keys as org_keys
from carepost.tenancy.act import Doing, Told, act
from carepost.tenancy.address_tokens import Standing
from carepost.tenancy.models import Suppression
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

#: `bounce`: the address itself is no good; `soft-bounces`: too many that could have passed
REASONS: Final = ("bounce", "soft-bounces", "complaint", "unsubscribe", "request")
#: which mail: everything, or one category
ALL: Final = "all"
SCOPES: Final = (ALL, "marketing", "operational", "transactional")
#: staff and api by hand, import from a file; a report that came back, a server's reply, a link in the mail
SOURCES: Final = ("staff", "api", "import", "report", "reply", "complaint", "one-click")
_NOTE: Final = 500
#: rows of one statement
_TOGETHER: Final = 200


class Wanted(msgspec.Struct, frozen=True):
    """`address`: as `spelt` gives it. `expires_at`: UTC microseconds, 0 for no end."""

    address: str
    reason: str
    scope: str = ALL
    source: str = "staff"
    expires_at: int = 0
    note: str = ""


def token(org: uuid.UUID, address: str) -> bytes:
    """What is written, and what the engine compares (`OrgSnapshot.suppressed`): under the newest index key. `address`:
    as `spelt` gives it."""
    return address_tokens.standing(org).token(address)


def tokens(org: uuid.UUID, address: str) -> list[bytes]:
    """What rows about this address may stand under: the newest index key, and those that still have rows."""
    return address_tokens.standing(org).tokens(address)


def spelt(address: str) -> str:
    """As the doors read it (A-labels, no invisible characters), so that no spelling escapes the list (BI-063).
    Raises AddressError."""
    return parse_path(address.strip(), utf8=True)


def wanted(
    address: str, reason: str, *, scope: str = ALL, source: str = "staff", expires_at: int = 0, note: str = ""
) -> Wanted:
    """Raises AddressError, names.Wrong."""
    if reason not in REASONS:
        raise names.Wrong("bad-reason", f"Reasons are: {', '.join(REASONS)}.")
    if scope not in SCOPES:
        raise names.Wrong("bad-scope", f"What is kept back is one of: {', '.join(SCOPES)}.")
    if source not in SOURCES:
        raise names.Wrong("bad-source", f"Sources are: {', '.join(SOURCES)}.")
    if expires_at < 0:
        raise names.Wrong("bad-end", "The end lies before the beginning of time; leave it out for no end.")
    if len(note) > _NOTE:
        raise names.Wrong("bad-note", f"A note has at most {_NOTE} characters.")
    return Wanted(spelt(address), reason, scope, source, expires_at, note.strip())


def suppress(
    org: uuid.UUID,
    address: str,
    *,
    actor: Actor,
    reason: str,
    scope: str = ALL,
    source: str = "staff",
    expires_at: int = 0,
    note: str = "",
) -> bool:
    """False when the address was suppressed so already. Raises AddressError, names.Wrong, Forbidden."""
    asked = wanted(address, reason, scope=scope, source=source, expires_at=expires_at, note=note)
    if known(org, asked):
        return False
    try:
        with act(org, Permission.SUPPRESSION, actor=actor) as doing:
            if put(doing, asked) is None:
                raise _Already
    except _Already:
        return False
    return True


class _Already(Exception):
    """Somebody else was faster: nothing is left to do, and nothing to tell."""


def known(org: uuid.UUID, asked: Wanted) -> bool:
    """Whether the list says as much already, and for as long."""
    with scope.organisation(org):
        rows = Suppression.objects.filter(org_id=org, token__in=tokens(org, asked.address), scope=asked.scope)
        row = rows.first()
    return row is not None and not row.removed_at and _lasts(row.expires_at, asked.expires_at)


def put(doing: Doing, asked: Wanted) -> Suppression | None:
    """Within an act: the row, or None where the list says as much already. A longer end is taken over."""
    keys = address_tokens.standing(doing.org)
    row = Suppression.objects.filter(org_id=doing.org, token__in=keys.tokens(asked.address), scope=asked.scope).first()
    if row is not None and not row.removed_at and _lasts(row.expires_at, asked.expires_at):
        return None
    fresh = row is None
    if row is None:
        row = Suppression(org_id=doing.org, scope=asked.scope, token=keys.token(asked.address), under=keys.version)
    elif not row.former:
        retoken(row, keys, asked.address)
    row.sealed = sealing.seal(doing.org, "evidence", asked.address.encode(), _place(row))
    row.note = sealing.seal(doing.org, "evidence", asked.note.encode(), _note(row)) if asked.note else b""
    row.reason, row.source, row.expires_at = asked.reason, asked.source, asked.expires_at
    row.created_at, row.changed_at, row.removed_at = doing.at, doing.at, 0
    row.save(force_insert=fresh)
    on, facts, values = _told(row, asked)
    doing.event("suppression.added", on=on, facts=facts, values=values)
    doing.tell_engine()
    return row


def put_all(doing: Doing, asked: Sequence[Wanted]) -> int:
    """As `put`, of up to a thousand: how many the list did not say already. New ones are written together."""
    keys = address_tokens.standing(doing.org)
    first: dict[tuple[bytes, str], Wanted] = {}
    for one in asked:
        first.setdefault((keys.token(one.address), one.scope), one)
    there = on_list(doing.org, keys, list(first.values()))
    changed = [one for one in first.values() if (one.address, one.scope) in there]
    fresh = [(token, one) for (token, _), one in first.items() if (one.address, one.scope) not in there]
    version, key = org_keys.current(doing.org, "evidence")
    rows, told = [], []
    for token_, one in fresh:
        row = Suppression(org_id=doing.org, scope=one.scope, token=token_, under=keys.version)
        row.sealed = columns.seal(key, version, doing.org.bytes, one.address.encode(), _place(row))
        if one.note:
            row.note = columns.seal(key, version, doing.org.bytes, one.note.encode(), _note(row))
        row.reason, row.source, row.expires_at = one.reason, one.source, one.expires_at
        row.created_at = row.changed_at = doing.at
        rows.append(row)
        told.append(_told(row, one))
    Suppression.objects.bulk_create(rows, batch_size=_TOGETHER)
    doing.event_each("suppression.added", told)
    if rows:
        doing.tell_engine()
    return len(rows) + sum(put(doing, one) is not None for one in changed)


def on_list(org: uuid.UUID, keys: Standing, asked: Sequence[Wanted]) -> dict[tuple[str, str], bool]:
    """(address, scope) of those that have a row -> whether the list says as much already, and for as long."""
    by_token: dict[tuple[bytes, str], Wanted] = {}
    for one in asked:
        for token_ in keys.tokens(one.address):
            by_token[token_, one.scope] = one
    found: dict[tuple[str, str], bool] = {}
    wanted_ = [token_ for token_, _ in by_token]
    for start in range(0, len(wanted_), _TOGETHER):
        some = wanted_[start : start + _TOGETHER]
        rows = Suppression.objects.filter(org_id=org, token__in=some)
        for stands, kept, removed, expires in rows.values_list("token", "scope", "removed_at", "expires_at"):
            match = by_token.get((bytes(stands), kept))
            if match is not None:
                found[match.address, kept] = not removed and _lasts(expires, match.expires_at)
    return found


def _told(row: Suppression, asked: Wanted) -> Told:
    values = {"address": asked.address} | ({"note": asked.note} if asked.note else {})
    return [row.pk], {"cause": asked.reason, "scope": asked.scope, "source": asked.source}, values


def _lasts(there: int, asked: int) -> bool:
    return there == 0 or (asked != 0 and there >= asked)


def unsuppress(org: uuid.UUID, address: str, *, actor: Actor, reason: str, scope: str = "") -> None:
    """Off the list, with a reason in words. `scope`: one of SCOPES, "" for all there are. Raises NotFound."""
    why = names.words(reason, "reason", longest=500)
    address = spelt(address)
    with act(org, Permission.SUPPRESSION, actor=actor) as doing:
        rows = Suppression.objects.filter(org_id=org, token__in=tokens(org, address), removed_at=0)
        found = list(rows.filter(scope=scope) if scope else rows)
        if not found:
            raise NotFound("This address is not suppressed.")
        values = {"address": address, "reason": why}
        for row in found:
            facts = {"cause": row.reason, "scope": row.scope}
            doing.event("suppression.removed", on=[row.pk], facts=facts, values=values)
            row.removed_at = row.changed_at = doing.at
            row.save(update_fields=["removed_at", "changed_at"])
        doing.tell_engine()


def take_back(doing: Doing, asked: Sequence[Wanted], *, since: int, until: int, reason: str) -> int:
    """Within an act: off the list what an import put there between two moments (UTC microseconds, inclusive), each with
    its event. How many."""
    keys = address_tokens.standing(doing.org)
    by_token = {(token_, one.scope): one for one in asked for token_ in keys.tokens(one.address)}
    wanted_ = [token_ for token_, _ in by_token]
    removed: list[Suppression] = []
    told: list[Told] = []
    for start in range(0, len(wanted_), _TOGETHER):
        rows = Suppression.objects.filter(org_id=doing.org, token__in=wanted_[start : start + _TOGETHER], removed_at=0)
        for row in rows.filter(source="import", created_at__gte=since, created_at__lte=until):
            match = by_token.get((bytes(row.token), row.scope))
            if match is None:
                continue
            row.removed_at = row.changed_at = doing.at
            removed.append(row)
            facts = {"cause": row.reason, "scope": row.scope}
            told.append(([row.pk], facts, {"address": match.address, "reason": reason}))
    if removed:
        Suppression.objects.bulk_update(removed, ["removed_at", "changed_at"], batch_size=_TOGETHER)
        doing.event_each("suppression.removed", told)
        doing.tell_engine()
    return len(removed)


def restore(org: uuid.UUID, row: uuid.UUID, *, actor: Actor) -> bool:
    """Undoes a removal: on the list again, as it was. False where it stands there (again) already. Raises NotFound."""
    try:
        with act(org, Permission.SUPPRESSION, actor=actor) as doing:
            found = Suppression.objects.filter(org_id=org, pk=row).first()
            if found is None:
                raise NotFound("There is no such entry.")
            asked = Wanted(
                address_of(found), found.reason, found.scope, found.source, found.expires_at, note_of(found)
            )  # fmt: skip
            if put(doing, asked) is None:
                raise _Already
    except _Already:
        return False
    return True


def retoken(row: Suppression, keys: Standing, address: str) -> None:
    """Under the newest key, not saved yet. Engines drop what it had before as they read the change."""
    if row.under != keys.version:
        row.former, row.token, row.under = bytes(row.token), keys.token(address), keys.version


def address_of(row: Suppression) -> str:
    return sealing.open_(row.org_id, "evidence", bytes(row.sealed), _place(row)).decode()


def note_of(row: Suppression) -> str:
    return sealing.open_(row.org_id, "evidence", bytes(row.note), _note(row)).decode() if row.note else ""


def _place(row: Suppression) -> str:
    return sealing.place("tenancy_suppression", "sealed", row.pk)


def _note(row: Suppression) -> str:
    return sealing.place("tenancy_suppression", "note", row.pk)
