"""The bucket of this installation: chosen, tried, left. On the machine's own command line alone (it is nobody's
organisation); its secret key stands wrapped, and is shown to nobody again."""

import secrets
import uuid
from collections.abc import Mapping
from typing import Final

from django.conf import settings
from django.db import transaction

from carepost.cold import s3
from carepost.cold.models import ACTIVE, LEAVING, READING, Item, Target, secret_aad
from carepost.ground import clock, ids
from carepost.ground.errors import ConfigError, NotFound
from carepost.ground.providers.signing import Access
from carepost.proof import kinds
from carepost.tenancy import events, keys, scope
from carepost.tenancy.permissions import COMMAND_LINE

#: days an age can be; 0: bodies go there at the next look
DAYS: Final = range(3651)
_PROBE: Final = b"carepost: this is no mail"


def chosen() -> Target | None:
    """Where bodies go now."""
    return Target.objects.filter(state=ACTIVE).first()


def every() -> list[Target]:
    return list(Target.objects.order_by("made_at", "pk"))


def place_of(row: Target) -> s3.Place:
    home = settings.CAREPOST_HOME
    return s3.Place(
        row.endpoint, row.region, row.bucket, row.style, row.ca, sandbox=home is not None and home.sandbox
    )  # fmt: skip


def store_of(row: Target, silent: float = s3.SILENT) -> s3.Store:
    """`silent`: seconds it may say nothing. Raises ground.keys.WrongKey."""
    return s3.Store(place_of(row), access_of(row), silent)


def access_of(row: Target) -> Access:
    """Raises ground.keys.WrongKey."""
    secret = keys.purposes().unwrap("portal", bytes(row.wrapped), secret_aad(row.pk.bytes))
    return Access(row.access, secret.decode())


def tried(place: s3.Place, access: Access) -> bool:
    """Puts an object, reads it, deletes it. True: the bucket keeps what is deleted as former versions. Raises
    ConfigError saying what is wrong."""
    store = s3.Store(place.check(), access)
    name = f"carepost-check/{secrets.token_hex(16)}"
    try:
        store.put(name, _PROBE)
        if store.get(name, len(_PROBE)) != _PROBE:
            raise s3.Away("damaged")
        store.delete(name)
        if store.there(name):
            raise s3.Away("not-deleted")
        return _versioned(store)
    except s3.Away as away:
        raise ConfigError(f"The bucket {place.bucket} cannot be used: {words(away.word)}.") from None
    finally:
        store.close()


def choose(place: s3.Place, access: Access, days: int) -> Target:
    """The bucket bodies go to from now on; what lies in another stays there and is read there. The same bucket again:
    its age, credentials and authority are changed. It was `tried`."""
    if days not in DAYS:
        raise ConfigError(f"The age is {DAYS.start} to {DAYS.stop - 1} days.")
    place.check()
    with transaction.atomic():
        same = {"endpoint": place.endpoint.rstrip("/"), "bucket": place.bucket}
        row = Target.objects.filter(**same).order_by("-made_at").first() or Target(**same)
        Target.objects.filter(state=ACTIVE).exclude(pk=row.pk).update(state=READING, changed_at=clock.now())
        row.region, row.style, row.ca, row.access = place.region, place.style, place.ca, access.id
        row.wrapped = keys.purposes().wrap("portal", access.secret.encode(), secret_aad(row.pk.bytes))
        row.days, row.state, row.changed_at, row.fault, row.fault_at = days, ACTIVE, clock.now(), "", 0
        row.save()
        _tell(row)
    return row


def stop(target: uuid.UUID | None = None) -> Target:
    """Nothing more goes there; what lies there is read there. Raises NotFound."""
    return _turn(target, READING)


def leave(target: uuid.UUID | None = None) -> Target:
    """The journal brings everything back, and deletes it there. Raises NotFound."""
    return _turn(target, LEAVING)


def forget(target: uuid.UUID) -> None:
    """Raises NotFound, ConfigError where something lies there."""
    with transaction.atomic():
        row = _named(target)
        if held(row):
            raise ConfigError("Something lies in it still; bring it back first: carepost cold leave")
        row.state = "gone"
        _tell(row)
        Target.objects.filter(pk=row.pk).delete()


def held(row: Target) -> int:
    """Objects there, those on their way included."""
    with scope.every("a bucket is the installation's, and holds bodies of every organisation"):
        return Item.objects.filter(target=row).count()


def words(word: str) -> str:
    """Completes 'it cannot be reached: …'."""
    return _WORDS.get(word, "it answers otherwise than S3 does")


def _turn(target: uuid.UUID | None, state: str) -> Target:
    with transaction.atomic():
        row = _named(target)
        row.state, row.changed_at = state, clock.now()
        row.save(update_fields=["state", "changed_at"])
        _tell(row)
    return row


def _named(target: uuid.UUID | None) -> Target:
    rows = Target.objects.select_for_update()
    row = rows.filter(pk=target).first() if target else rows.filter(state=ACTIVE).first()
    if row is None:
        raise NotFound("There is no such cold store; carepost cold show lists them.")
    return row


def _tell(row: Target) -> None:
    """The house's event: which bucket, and what becomes of it."""
    facts = {"store": f"{place_of(row).host}/{row.bucket}", "state": row.state, "days": str(row.days)}
    draft, openings = kinds.make(
        kinds.COLD_CHANGED, id=ids.text(ids.new()), org=ids.text(kinds.HOUSE_ORG), at=clock.now(),
        actor=(COMMAND_LINE.kind, COMMAND_LINE.id), on=[str(row.pk)], facts=facts,
    )  # fmt: skip
    events.append(draft, openings)


def _versioned(store: s3.Store) -> bool:
    try:
        return store.versioned()
    except s3.Away:
        # not every store knows the question, and not every key may ask it
        return False


_WORDS: Final[Mapping[str, str]] = {
    "no-bucket": "there is no such bucket",
    "missing": "the object is not there",
    "damaged": "what came back is not what was kept",
    "not-deleted": "what was deleted is still there",
    "denied": "the key may not; it needs PutObject, GetObject, DeleteObject and ListBucket here",
    "credentials": "it does not know the access key, or the secret does not fit",
    "clock": "the clocks differ by more than fifteen minutes",
    "region": "the region or the endpoint is not the bucket's",
    "busy": "it is busy",
    "certificate": "its certificate is not proved by the authorities trusted here (--ca names another)",
    "tls": "no TLS connection came about",
    "dns": "its name is not found",
    "address": "its name leads to an address where no store can be",
    "timeout": "it did not answer in time",
    "connection": "no connection came about",
}
