"""What becomes of a key that the engine found, beside what is known of its recipient: the journal's act.

It is used where nothing was known, or only what is trusted less (standards 3.4); what differs from a key in use holds
the mail until a person decides (BI-072). What a person distrusted or put aside is not taken up again."""

import uuid
from typing import Final

import msgspec
from django.db.models import QuerySet

from carepost.crypto.openpgp import certificate, usable
from carepost.directory.types import KEY_PLACE, KeptKey
from carepost.ground import clock
from carepost.ground.errors import CarepostError
from carepost.keyring.acts import (
    CHANGED,
    DISTRUSTED,
    IN_USE,
    NOT_WARNED,
    REPLACED,
    WITHDRAWN,
    marks,
    of_address,
    opened,
    place,
)
from carepost.keyring.models import RecipientKey
from carepost.keyring.reading import Read
from carepost.keyring.words import rank
from carepost.policy.types import Method
from carepost.tenancy import address_tokens, scope, sealing
from carepost.tenancy.act import Doing, act
from carepost.tenancy.actions.suppression import spelt
from carepost.tenancy.endings import DAY_US
from carepost.tenancy.permissions import Permission
from carepost.wire.found import MOST, RECIPIENT, SOURCES, Found
from carepost.wire.types import Actor

_ACTOR: Final = Actor("system", "journal")
#: keys of one recipient beyond which no more is taken (BI-070)
MOST_KEYS: Final = 20

_encode = msgspec.msgpack.Encoder().encode


def take(org: uuid.UUID, found: Found) -> str:
    """Idempotent. Answers: new | used (in the place of a less trusted one) | known | changed | ignored. Raises
    NotFound for an organisation that is no more, crypto.rest.Damaged."""
    if found.source not in (*SOURCES, RECIPIENT) or found.size > MOST:
        return "ignored"
    try:
        who = spelt(found.address)
    except CarepostError:
        return "ignored"
    read = Read(Method(found.method), found.raw, found.fingerprint, (who,), found.not_after, found.chain)
    with scope.organisation(org):
        mine = of_address(org, who).filter(method=found.method)
        row = mine.filter(mark__in=marks(address_tokens.standing(org), read)).first()
        if row is not None and not _moved(row, mine, found, clock.now()):
            mine.filter(pk=row.pk).update(seen_at=clock.now())
            return "known" if row.state in (IN_USE, CHANGED) else "ignored"
        if row is None and mine.count() >= MOST_KEYS:
            return "ignored"
    with act(org, Permission.KEYRING, actor=_ACTOR) as doing:
        return _put(doing, who, read, found)


def used(org: uuid.UUID, key: uuid.UUID, at: int) -> None:
    """A message left encrypted to it at `at`; the event of its delivery says so, this is for the screen, by the day."""
    with scope.organisation(org):
        RecipientKey.objects.filter(org_id=org, pk=key, used_at__lt=at - at % DAY_US).update(used_at=at)


def withdraw(org: uuid.UUID, key: uuid.UUID) -> bool:
    """Its owner wants it used no more. Only what its owner uploaded, and no administrator vouches for; once."""
    mine = RecipientKey.objects.filter(org_id=org, pk=key, source=RECIPIENT, pinned=False, state__in=(IN_USE, CHANGED))
    with scope.organisation(org):
        if not mine.exists():
            return False
    with act(org, Permission.KEYRING, actor=_ACTOR) as doing:
        mine.update(state=WITHDRAWN, changed_at=doing.at)
        facts = {"source": RECIPIENT, "state": WITHDRAWN}
        doing.event("keyring.key-removed", on=[key], facts=facts)
        doing.tell_engine()
    return True


def _moved(row: RecipientKey, mine: "QuerySet[RecipientKey]", found: Found, now: int) -> bool:
    """Whether one that is known says something new: a later end, or that it is needed again. `mine`: all of its kind
    that are known of this recipient."""
    if row.state == DISTRUSTED:
        return False
    if row.state == WITHDRAWN:
        return found.source == RECIPIENT
    if row.state == REPLACED:
        return not any(_live(one, now) for one in mine.filter(state__in=(IN_USE, CHANGED)))
    return row.not_after != found.not_after or rank(found.source) < rank(row.source)


def _put(doing: Doing, who: str, read: Read, found: Found) -> str:
    """The rows are read again: the organisation is locked now."""
    keys = address_tokens.standing(doing.org)
    mine = of_address(doing.org, who).filter(method=found.method)
    row = mine.filter(mark__in=marks(keys, read)).first()
    others = [one for one in mine.filter(state__in=(IN_USE, CHANGED)) if row is None or one.pk != row.pk]
    current = next((one for one in others if one.state == IN_USE), None)
    said, state = _judge(row, current, others, found, doing.at)
    if row is None:
        row = RecipientKey(org_id=doing.org, method=found.method, found_at=doing.at)
    place(row, keys, who, read.fingerprint)
    if row.not_after != found.not_after:
        row.warned = NOT_WARNED
    if not row.source or rank(found.source) < rank(row.source):
        row.source = found.source
    kept, row.not_after = _kept(row, who, found)
    row.sealed = sealing.seal(doing.org, "evidence", _encode(kept), f"{KEY_PLACE}/{row.pk}")
    row.seen_at = doing.at
    if row.state != state:
        row.state, row.changed_at = state, doing.at
    row.save()
    facts = {"method": row.method, "source": found.source, "state": row.state}
    values = {"address": who, "fingerprint": found.fingerprint}
    if said == "used" and current is not None:
        current.state, current.changed_at, current.pinned = REPLACED, doing.at, False
        current.save(update_fields=["state", "changed_at", "pinned"])
        doing.event("keyring.key-superseded", on=[current.pk, row.pk], facts=facts, values=values)
    doing.event(f"keyring.key-{'changed' if state == CHANGED else 'taken'}", on=[row.pk], facts=facts, values=values)
    doing.tell_engine()
    return said


def _kept(row: RecipientKey, who: str, found: Found) -> tuple[KeptKey, int]:
    """With its end. Of an OpenPGP key that is known, what both copies say: an old copy must take nothing away."""
    vouched, raw, until = found.vouched, found.raw, found.not_after
    if row.sealed:
        before = opened(row)
        vouched = vouched or before.vouched
        if row.method == Method.OPENPGP.value:
            merged = usable.merge(certificate.read(before.raw), found.raw)
            raw, until = merged.raw, merged.encrypts_until or 0
    return KeptKey(who, raw, found.fingerprint, found.chain, found.capabilities, vouched), until


def _judge(
    row: RecipientKey | None, current: RecipientKey | None, others: list[RecipientKey], found: Found, now: int
) -> tuple[str, str]:
    """(what is answered, the state it gets)."""
    if row is not None and row.state in (IN_USE, CHANGED):
        return "known", row.state
    if any(one.state == CHANGED for one in others):
        # somebody must decide already; one more that differs changes nothing of that
        return "changed", CHANGED
    if current is None:
        return "new", IN_USE
    if current.pinned:
        return "changed", CHANGED
    # whoever proved to hold the mailbox and both keys may change the own one
    owners = found.source == RECIPIENT
    if not _live(current, now) or owners or rank(found.source) < rank(current.source):
        return "used", IN_USE
    return "changed", CHANGED


def _live(row: RecipientKey, now: int) -> bool:
    return row.pinned or row.state == CHANGED or not row.not_after or now < row.not_after
