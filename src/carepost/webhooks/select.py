"""Reading endpoints and what became of their calls. No secret is among it, and nothing of any message but ids."""

import uuid
from typing import Final
from urllib.parse import urlsplit

import msgspec

from carepost.archive.store import store
from carepost.ground import ids
from carepost.ground.errors import NotFound, Refused
from carepost.tenancy import scope, sealing
from carepost.tenancy.permissions import Permission, authorise
from carepost.webhooks import acts, filters, settling, signing
from carepost.webhooks.calls import rows
from carepost.webhooks.calls.rows import State, Try
from carepost.webhooks.checking import Agreement
from carepost.webhooks.filters import Filter
from carepost.webhooks.models import DISABLED, Endpoint, Secret
from carepost.wire.types import Actor

#: tries of one page
PAGE: Final = 50


class Key(msgspec.Struct, frozen=True):
    """Of one secret: what may be shown at any time. `ends_at` 0: until it is replaced."""

    made_at: int
    ends_at: int
    public: str
    sendgrid: str


class Shown(msgspec.Struct, frozen=True):
    id: str
    name: str
    url: str
    format: str
    filter: Filter
    #: live | paused | disabled
    state: str
    state_at: int
    #: failing | gone, where it was disabled
    cause: str
    agreement: Agreement | None
    agreed_at: int
    #: newest first; those that count
    keys: tuple[Key, ...]
    calls: State
    waiting: int
    created_at: int
    changed_at: int


def endpoints(org: uuid.UUID, actor: Actor, *, now: int) -> tuple[Shown, ...]:
    """By name, then address. Raises Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.WEBHOOKS, org)
        found = Endpoint.objects.filter(org_id=org, removed_at=0).order_by("name", "url", "pk")
        return tuple([_shown(row, now) for row in found])


def endpoint(org: uuid.UUID, actor: Actor, row: uuid.UUID, *, now: int) -> Shown:
    """Raises NotFound, Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.WEBHOOKS, org)
        return _shown(_row(org, row), now)


def deliveries(
    org: uuid.UUID, actor: Actor, row: uuid.UUID, *, result: str = "", event: str = "", cursor: str = "",
    limit: int = PAGE,
) -> tuple[tuple[Try, ...], str]:  # fmt: skip
    """(tries, newest first; the cursor of the next page, "" on the last). Raises NotFound, Forbidden, Refused for a
    result, an event or a cursor that is none."""
    if result and result not in settling.RESULTS:
        raise Refused("invalid", f"A result is one of {', '.join(settling.RESULTS)}.", status=422)
    before, of = _id(cursor, "bad-cursor"), _id(event, "bad-event")
    with scope.organisation(org):
        authorise(actor, Permission.WEBHOOKS, org)
        found = _row(org, row)
        records = store()
        with records.reading(org.bytes):
            tries = rows.tries(
                records, org.bytes, found.pk.bytes, before=before, result=result, event=of, limit=limit + 1
            )
    more = len(tries) > limit
    return tuple(tries[:limit]), tries[limit - 1].id.hex() if more else ""


class Told(msgspec.Struct, frozen=True):
    """One try to tell an endpoint of a message. `host`: of the endpoint's address, "" where it is gone; never more of
    the address, which may hold a secret. `status` 0: no answer came, `code` says why."""

    at: int
    host: str
    kind: str
    number: int
    result: str
    status: int
    code: str


def of_message(org: uuid.UUID, actor: Actor, message: bytes, *, limit: int = 100) -> tuple[Told, ...]:
    """Who was told of a message, the oldest first of the newest `limit`. Raises Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.READ, org)
        records = store()
        with records.reading(org.bytes):
            found = rows.about(records, org.bytes, message, limit)
        if not found:
            return ()
        named = Endpoint.objects.filter(org_id=org, pk__in={uuid.UUID(bytes=endpoint) for endpoint, _ in found})
        hosts = {row.pk.bytes: urlsplit(row.url).hostname or "" for row in named}
    return tuple(
        Told(ids.made_at(one.id), hosts.get(endpoint, ""), one.kind, one.number, one.result, one.status, one.code)
        for endpoint, one in reversed(found)
    )


def attention(org: uuid.UUID) -> int:
    """Endpoints that are told nothing because their calls failed: the console says so."""
    with scope.organisation(org):
        return Endpoint.objects.filter(org_id=org, removed_at=0, state=DISABLED).count()


def _row(org: uuid.UUID, row: uuid.UUID) -> Endpoint:
    found = Endpoint.objects.filter(org_id=org, pk=row, removed_at=0).first()
    if found is None:
        raise NotFound("There is no such webhook.")
    return found


def _shown(row: Endpoint, now: int) -> Shown:
    keys = []
    for one in Secret.objects.filter(org_id=row.org_id, endpoint=row).order_by("-created_at", "-pk"):
        if one.sealed and (not one.ends_at or one.ends_at > now):
            opened = signing.decode(sealing.open_(row.org_id, "evidence", bytes(one.sealed), acts.secret_place(one.pk)))
            keys.append(Key(one.created_at, one.ends_at, signing.public(opened), signing.sendgrid_public(opened)))
    records, org = store(), row.org_id.bytes
    with records.reading(org):
        state, waiting = rows.state(records, org, row.pk.bytes), rows.waiting(records, org, row.pk.bytes)
    agreed = Agreement(row.agreement, row.agreement_date, row.agreement_with) if row.agreement else None
    return Shown(
        str(row.pk), row.name, row.url, row.format, filters.decode(row.filter), row.state, row.state_at, row.cause,
        agreed, row.agreed_at, tuple(keys), state, waiting, row.created_at,
        row.changed_at,
    )  # fmt: skip


def _id(text: str, code: str) -> bytes:
    if not text:
        return b""
    try:
        return uuid.UUID(text).bytes
    except ValueError:
        raise Refused(code, "This is none of ours; begin without it.", status=422) from None
