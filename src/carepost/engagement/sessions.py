"""A portal opened by its person, as evidence about the click before it.

Kept is a token of whose it was and, sealed, the two tags of 12 bits that hits carry too (`tracking.types.Seen`);
address and user agent are dropped here. Nothing is kept where nobody followed a watched link of the organisation within
the half hour before: who watches nothing keeps nothing."""

import uuid
from typing import Final

import msgspec
from django.db import DatabaseError, transaction

from carepost.crypto.rest import Damaged
from carepost.engagement import asking
from carepost.engagement.models import Hit, Session
from carepost.ground import clock, log
from carepost.ground.errors import CarepostError, NotFound
from carepost.tenancy import address_tokens, keys, scope, sealing
from carepost.tracking.derive import tags
from carepost.tracking.types import Later

#: how long before a session a click may be for the session to speak of it (microseconds)
BEFORE_US: Final = 1_800_000_000
#: sessions of one person, and copies whose clicks are compared, that are looked at
_MOST: Final = 50
_PLACE: Final = ("engagement_session", "sealed")


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    place: int = -1
    agent: int = -1


def opened(org: bytes, address: str, client: str, agent: str) -> bool:
    """A recipient proved who they are and a session began. `address`: the recipient's; `client`, `agent`: of whoever
    asked. Whether it was kept. Never stands in the way of who wants to read: what fails is logged without them."""
    owner = uuid.UUID(bytes=org)
    now = clock.now()
    try:
        with scope.organisation(owner), transaction.atomic():
            if not Hit.objects.filter(org_id=owner, at__gte=now - BEFORE_US, kind="click").exists():
                return False
            known = address_tokens.standing(owner)
            place, name = tags(client, agent, salt=asking.salt(keys.version(owner, "index", asking.SALTED)))
            row = Session(org_id=owner, person=known.token(address), at=now)
            kept = msgspec.json.encode(_Kept(place, name))
            row.sealed = sealing.seal(owner, "evidence", kept, sealing.place(*_PLACE, row.pk))
            row.save(force_insert=True)
            # COMMIT POINT: before it the session is no evidence; after it the journal looks at the clicks before it
    except (DatabaseError, CarepostError) as error:
        log.failure("tracking-session-unkept", error)
        return False
    return True


def of(org: uuid.UUID, address: str, since: int) -> tuple[Later, ...]:
    """A person's sessions from `since` on (UTC microseconds), as evidence about what left then."""
    with scope.organisation(org):
        try:
            # a row holds no address and keeps the token it got: all index keys there were are asked
            whose = address_tokens.ever(org).tokens(address)
            rows = list(Session.objects.filter(org_id=org, person__in=whose, at__gte=since).order_by("-at")[:_MOST])
        except NotFound:
            return ()
        return tuple(_later(row, since) for row in reversed(rows))


def _later(row: Session, since: int) -> Later:
    try:
        raw = sealing.open_(row.org_id, "evidence", bytes(row.sealed), sealing.place(*_PLACE, row.pk))
        kept = msgspec.json.decode(raw, type=_Kept)
    except (Damaged, CarepostError, msgspec.DecodeError):
        # what does not open is a session of nobody, which no click is given
        return Later("reply", row.at - since)
    return Later("session", row.at - since, kept.place, kept.agent)


def before(row: Session) -> list[uuid.UUID]:
    """Copies with a click in the half hour before a session: some of them may be this person's."""
    found = Hit.objects.filter(org_id=row.org_id, kind="click", at__range=(row.at - BEFORE_US, row.at))
    return list(dict.fromkeys(found.order_by("-at").values_list("delivery", flat=True)[:500]))[:_MOST]
