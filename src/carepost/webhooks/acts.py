"""What people and keys do about endpoints. Each is one transaction with its event, from which on the journal follows.

A replay and a test are events too: the journal carries them out when it takes them in."""

import datetime
import secrets
import uuid
from typing import Final

import msgspec

from carepost.ground import ids, outward
from carepost.ground.errors import NotFound, Refused
from carepost.tenancy import names, pressed, sealing
from carepost.tenancy.act import Doing, act
from carepost.tenancy.permissions import Permission
from carepost.webhooks import checking, filters, signing
from carepost.webhooks.checking import Agreement
from carepost.webhooks.filters import Filter
from carepost.webhooks.models import DISABLED, LIVE, PAUSED, Endpoint, Secret
from carepost.wire.types import Actor

ADDED: Final = "webhook.added"
CHANGED: Final = "webhook.changed"
REMOVED: Final = "webhook.removed"
ROTATED: Final = "webhook.secret-added"
PAUSED_: Final = "webhook.paused"
RESUMED: Final = "webhook.resumed"
DISABLED_: Final = "webhook.disabled"
TESTED: Final = filters.TESTED
REPLAYED: Final = "webhook.replay-asked"
AGREED: Final = "webhook.agreement-recorded"
DISAGREED: Final = "webhook.agreement-ended"
#: every event of ours begins so
PREFIX: Final = "webhook."
HOUR_US: Final = 3_600_000_000
#: days back a replay reaches
REACH: Final = 90
_JOURNAL: Final = Actor("system", "journal")


class Made(msgspec.Struct, frozen=True):
    """`secret`: whsec_…, shown this once. `public`: whpk_…; `sendgrid`: SendGrid's verification key."""

    endpoint: uuid.UUID
    secret: str
    public: str
    sendgrid: str

    def __repr__(self) -> str:
        return f"Made({self.endpoint})"


def add_endpoint(
    org: uuid.UUID, url: str, *, actor: Actor, name: str = "", format: str = checking.CAREPOST,
    filter: Filter | None = None, page: str = "",
) -> Made:  # fmt: skip
    """`page`: mark of the form; the same sent again from there raises MadeAlready. Raises Wrong, Forbidden."""
    stored, _ = checking.url(url)
    label, form = names.words(name, "name", empty=True), checking.format(format)
    chosen = filters.checked(filter or Filter())
    with act(org, Permission.WEBHOOKS, actor=actor) as doing:
        row = Endpoint(org_id=org, name=label, url=stored, format=form, filter=filters.encode(chosen))
        pressed.once(row, pressed.id_of(org, page, "webhook", label, stored, form, chosen, actor))
        checking.room(org)
        row.token = sealing.seal(org, "evidence", secrets.token_bytes(32), token_place(row.pk))
        row.created_at = row.changed_at = row.state_at = doing.at
        row.save(force_insert=True)
        made = _secret(doing, row, Secret(org_id=org, endpoint=row, created_at=doing.at))
        doing.event(ADDED, on=[row.pk], facts={"format": form}, values=_values(row))
    return made


def change_endpoint(
    org: uuid.UUID, endpoint: uuid.UUID, *, actor: Actor, url: str | None = None, name: str | None = None,
    format: str | None = None, filter: Filter | None = None,
) -> Endpoint:  # fmt: skip
    """What is None stays. Where the host becomes another, the agreement ends: it was made with the former. Raises
    Wrong, NotFound, Forbidden."""
    stored, there = checking.url(url) if url is not None else ("", None)
    with act(org, Permission.WEBHOOKS, actor=actor) as doing:
        row = _row(org, endpoint)
        before = _values(row)
        if there is not None:
            _, was = _place(row.url)
            if row.agreement and (there.host, there.port) != was:
                _end_agreement(doing, row, "another-host")
            row.url = stored
        row.name = names.words(name, "name", empty=True) if name is not None else row.name
        row.format = checking.format(format) if format is not None else row.format
        row.filter = filters.encode(filters.checked(filter)) if filter is not None else row.filter
        row.changed_at = doing.at
        row.save()
        values = _values(row) | {f"old-{name}": value for name, value in before.items()}
        doing.event(CHANGED, on=[row.pk], facts={"format": row.format}, values=values)
    return row


def rotate_secret(
    org: uuid.UUID, endpoint: uuid.UUID, *, actor: Actor, overlap: int = checking.OVERLAP, page: str = ""
) -> Made:
    """A new secret; the one in use counts for `overlap` more hours, and calls carry both signatures. `page`:
    as for a new one. Raises Wrong, Refused where two count already, MadeAlready, NotFound, Forbidden."""
    if not 0 <= overlap <= checking.LONGEST_OVERLAP:
        raise names.Wrong("bad-overlap", f"Both secrets count for 0 to {checking.LONGEST_OVERLAP} hours.")
    with act(org, Permission.WEBHOOKS, actor=actor) as doing:
        row = _row(org, endpoint)
        fresh = Secret(org_id=org, endpoint=row, created_at=doing.at)
        pressed.once(fresh, pressed.id_of(org, page, "webhook-secret", endpoint, overlap, actor))
        rows = Secret.objects.filter(org_id=org, endpoint=row)
        if overlap and rows.filter(ends_at__gt=doing.at).exists():
            raise Refused("two-secrets", "Two secrets count already; rotate without overlap to end both.", status=409)
        ends = doing.at + overlap * HOUR_US if overlap else doing.at
        rows.filter(ends_at=0).update(ends_at=ends)
        if not overlap:
            rows.filter(ends_at__gt=doing.at).update(ends_at=doing.at)
        made = _secret(doing, row, fresh)
        doing.event(ROTATED, on=[row.pk], facts={"overlap": str(overlap)})
    return made


def pause(org: uuid.UUID, endpoint: uuid.UUID, *, actor: Actor, reason: str = "") -> None:
    """Nothing is told until it is resumed. Raises Refused where it is not live, NotFound, Forbidden."""
    why = names.words(reason, "reason", longest=500, empty=True)
    with act(org, Permission.WEBHOOKS, actor=actor) as doing:
        row = _row(org, endpoint)
        if row.state != LIVE:
            raise Refused("not-live", "It is told nothing already.", status=409)
        row.state, row.state_at, row.cause, row.resume_from = PAUSED, doing.at, "", doing.at
        row.save(update_fields=["state", "state_at", "cause", "resume_from"])
        doing.event(PAUSED_, on=[row.pk], values={"reason": why} if why else {})


def resume(org: uuid.UUID, endpoint: uuid.UUID, *, actor: Actor, catch_up: bool = True) -> None:
    """Told again; `catch_up`: first what happened since it was paused, or since its calls began to fail. Raises
    Refused where it is live, NotFound, Forbidden."""
    with act(org, Permission.WEBHOOKS, actor=actor) as doing:
        row = _row(org, endpoint)
        if row.state == LIVE:
            raise Refused("live", "It is told of events already.", status=409)
        since = row.resume_from if catch_up else 0
        row.state, row.state_at, row.cause, row.told_at, row.resume_from = LIVE, doing.at, "", 0, 0
        row.save(update_fields=["state", "state_at", "cause", "told_at", "resume_from"])
        facts = {"since": str(since), "until": str(doing.at)} if since else {}
        doing.event(RESUMED, on=[row.pk], facts=facts)


def test(org: uuid.UUID, endpoint: uuid.UUID, *, actor: Actor) -> uuid.UUID:
    """One call that tells of this test alone, whatever the filter says; the event's id. Raises NotFound, Forbidden."""
    with act(org, Permission.WEBHOOKS, actor=actor) as doing:
        row = _row(org, endpoint)
        return uuid.UUID(doing.event(TESTED, on=[row.pk]))


def replay(
    org: uuid.UUID, endpoint: uuid.UUID, *, actor: Actor, event: str = "", since: int = 0, until: int = 0
) -> None:
    """Tells again of one event, or of what happened from `since` to `until` (UTC microseconds; `until` 0: now), under
    the same ids. Raises Wrong, NotFound, Forbidden."""
    with act(org, Permission.WEBHOOKS, actor=actor) as doing:
        row = _row(org, endpoint)
        if event:
            at, only = _moment(event)
            doing.event(REPLAYED, on=[row.pk], facts={"since": str(at), "until": str(at), "only": only})
            return
        end = until or doing.at
        if not 0 < since <= end:
            raise names.Wrong("bad-range", "A range begins before it ends.")
        if since < doing.at - REACH * 24 * HOUR_US:
            raise names.Wrong("bad-range", f"A replay reaches back {REACH} days.")
        if row.state != LIVE:
            raise Refused("not-live", "Resume it first; then what it missed is told.", status=409)
        doing.event(REPLAYED, on=[row.pk], facts={"since": str(since), "until": str(min(end, doing.at))})


def record_agreement(org: uuid.UUID, endpoint: uuid.UUID, given: Agreement, *, actor: Actor) -> None:
    """From now on it is told what is personal. A person says so: no key can. Raises Wrong, NotFound, Forbidden."""
    agreed = checking.agreement(given)
    with act(org, Permission.WEBHOOKS, actor=actor) as doing:
        if actor.kind == "key":
            raise Refused("needs-a-person", "An agreement is recorded by a person, in the console.")
        row = _row(org, endpoint)
        if (
            datetime.date.fromisoformat(agreed.date)
            > datetime.datetime.fromtimestamp(doing.at / 1e6, datetime.UTC).date()
        ):
            raise names.Wrong("bad-date", "The agreement's date lies ahead.")
        row.agreement, row.agreement_date, row.agreement_with = agreed.reference, agreed.date, agreed.party
        row.agreed_at = row.changed_at = doing.at
        row.save()
        doing.event(AGREED, on=[row.pk], values=msgspec.to_builtins(agreed))


def end_agreement(org: uuid.UUID, endpoint: uuid.UUID, *, actor: Actor) -> None:
    """Nothing personal is told any more, whatever waits. Raises Refused, NotFound, Forbidden."""
    with act(org, Permission.WEBHOOKS, actor=actor) as doing:
        row = _row(org, endpoint)
        if not row.agreement:
            raise Refused("no-agreement", "No agreement is on file.", status=409)
        _end_agreement(doing, row, "")
        row.save()


def remove_endpoint(org: uuid.UUID, endpoint: uuid.UUID, *, actor: Actor, reason: str = "") -> None:
    """It is told nothing more, and its secrets are gone. Raises NotFound, Forbidden."""
    why = names.words(reason, "reason", longest=500, empty=True)
    with act(org, Permission.WEBHOOKS, actor=actor) as doing:
        row = _row(org, endpoint)
        row.removed_at, row.token = doing.at, b""
        row.save(update_fields=["removed_at", "token"])
        Secret.objects.filter(org_id=org, endpoint=row).update(ends_at=doing.at, sealed=b"")
        doing.event(REMOVED, on=[row.pk], values={"reason": why} if why else {})


def disable(org: uuid.UUID, endpoint: uuid.UUID, cause: str, resume_from: int) -> bool:
    """The journal's own: its calls failed for a day, or it answered that it is gone. False: it was not live.
    `cause`: failing | gone."""
    try:
        with act(org, Permission.WEBHOOKS, actor=_JOURNAL) as doing:
            row = _row(org, endpoint)
            if row.state != LIVE:
                raise Refused("not-live", "It is told nothing already.", status=409)
            row.state, row.state_at, row.cause, row.resume_from = DISABLED, doing.at, cause, resume_from
            row.save(update_fields=["state", "state_at", "cause", "resume_from"])
            doing.event(DISABLED_, on=[row.pk], facts={"cause": cause})
    except (Refused, NotFound):
        return False
    return True


def token_place(endpoint: uuid.UUID) -> str:
    return sealing.place("webhooks_endpoint", "token", endpoint)


def secret_place(secret: uuid.UUID) -> str:
    return sealing.place("webhooks_secret", "sealed", secret)


def _secret(doing: Doing, row: Endpoint, made: Secret) -> Made:
    keys = signing.make()
    made.sealed = sealing.seal(doing.org, "evidence", signing.encode(keys), secret_place(made.pk))
    made.save(force_insert=True)
    return Made(row.pk, signing.secret(keys), signing.public(keys), signing.sendgrid_public(keys))


def _row(org: uuid.UUID, endpoint: uuid.UUID) -> Endpoint:
    row = Endpoint.objects.filter(org_id=org, pk=endpoint, removed_at=0).first()
    if row is None:
        raise NotFound("There is no such webhook.")
    return row


def _end_agreement(doing: Doing, row: Endpoint, cause: str) -> None:
    was = Agreement(row.agreement, row.agreement_date, row.agreement_with)
    row.agreement = row.agreement_date = row.agreement_with = ""
    row.agreed_at, row.changed_at = 0, doing.at
    doing.event(DISAGREED, on=[row.pk], facts={"cause": cause} if cause else {}, values=msgspec.to_builtins(was))


def _place(url: str) -> tuple[str, tuple[str, int]]:
    found = outward.place(url, checking.allowed())
    return url, (found.host, found.port)


def _values(row: Endpoint) -> dict[str, str]:
    return {"url": row.url, "name": row.name, "filter": row.filter}


def _moment(event: str) -> tuple[int, str]:
    """When an event was made, by its id, and the id as it is written. Raises NotFound."""
    try:
        raw = ids.parse(event)
        return ids.made_at(raw), ids.text(raw)
    except ValueError:
        raise NotFound("There is no such event.") from None
