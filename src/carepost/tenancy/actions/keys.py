"""New versions of an organisation's keys (decision 0023). The old one still opens what it sealed, seals nothing new."""

import uuid
from typing import Final

from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.proof import kinds, succession
from carepost.proof.note import SignerKey
from carepost.proof.succession import ORIGIN
from carepost.tenancy import keys, names
from carepost.tenancy.act import Doing, act
from carepost.tenancy.models import OrgKey
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

INDEX: Final = "index"
SIGNING: Final = "signing"
#: `dkim` keys have selectors of their own, the keys for mail pages of their own
ROTATED: Final = ("content", "portal", "evidence", INDEX, SIGNING)
#: from the change to the moment a new index key serves from: the journal knows of it by then (it asks anew within 20 s)
LEAD_US: Final = 60_000_000
#: a moment further ahead is a mistake
_AHEAD_US: Final = 366 * 86_400_000_000


def rotate_key(
    org: uuid.UUID, purpose: str, *, actor: Actor, reason: str, serves_from: int = 0, after: int = 0
) -> OrgKey:
    """The new version. `serves_from` (UTC microseconds; purpose `index` alone): the moment from which messages are
    indexed with it; 0 a minute from now. A new `signing` key signs once the log has taken its introduction, under the
    old key's last checkpoint. `after`: the version that whoever asks saw (0: whichever it is), so that two presses on
    one page change it once. Raises NotFound, Forbidden, names.Wrong, Refused."""
    if purpose not in ROTATED:
        raise names.Wrong("bad-purpose", f"Keys are changed for: {', '.join(ROTATED)}.")
    if not (reason := reason.strip()):
        raise names.Wrong("reason-missing", "Say why the key is changed.")
    with act(org, Permission.ORGANISATION, actor=actor) as doing:
        newest = OrgKey.objects.filter(org_id=org, purpose=purpose).order_by("-version").first()
        if after and (newest is None or newest.version != after):
            raise Refused(
                "key-changed", "A new version was made meanwhile, perhaps by pressing twice; look again before you "
                "make another.", status=409,
            )  # fmt: skip
        moment = _moment(doing, newest, serves_from) if purpose == INDEX else 0
        if serves_from and purpose != INDEX:
            raise names.Wrong("bad-moment", "A moment is named for the index key alone; other keys change at once.")
        number = newest.version + 1 if newest is not None else 1
        OrgKey.objects.filter(org_id=org, purpose=purpose, retired_at=0).update(retired_at=moment or doing.at)
        wrapped = keys.org_keys().new(org.bytes, purpose, number)
        row = OrgKey.objects.create(
            org_id=org, purpose=purpose, version=number, wrapped=wrapped, created_at=doing.at, serves_from=moment
        )
        facts = {"key": purpose, "version": str(number)}
        if moment:
            facts["serves-from"] = clock.rfc3339(moment)
        doing.event("orgkey.rotated", on=[row.pk], facts=facts, values={"reason": reason})
        if purpose == SIGNING and newest is not None:
            _introduce(doing, newest, row)
        doing.tell_engine()
        # COMMIT POINT: before it there is one key, and nothing says otherwise. After it the new one lies ready: an
        # index key for its moment, a signing key until the journal has taken the event that introduces it.
    return row


def _moment(doing: Doing, newest: OrgKey | None, asked: int) -> int:
    if newest is None:
        return 0
    earliest = max(doing.at + LEAD_US, newest.serves_from)
    if asked and not earliest <= asked <= doing.at + _AHEAD_US:
        raise names.Wrong(
            "bad-moment", "Name a moment at least a minute from now, after the last change, and within a year."
        )
    return asked or earliest


def _introduce(doing: Doing, old: OrgKey, new: OrgKey) -> None:
    """The event that makes the new key known: it will be the last leaf under the old key's last checkpoint."""
    doing.event(
        kinds.LOG_KEY_INTRODUCED,
        on=[new.pk],
        facts={
            "key": SIGNING, "version": str(new.version),
            succession.NEW: _public(new), succession.BEFORE: _public(old),
        },
    )  # fmt: skip


def _public(row: OrgKey) -> str:
    seed = keys.version(row.org_id, SIGNING, row.version)
    return SignerKey(f"{ORIGIN}{row.org_id}", seed).verifier.text
