"""New versions of an organisation's keys. The old one still opens what it sealed and seals nothing new."""

import uuid
from typing import Final

from carepost.tenancy import keys, names
from carepost.tenancy.act import act
from carepost.tenancy.models import OrgKey
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

#: tokens of `index` and the identity of `signing` hold for years; `dkim` keys have selectors of their own
ROTATED: Final = ("content", "portal", "evidence")


def rotate_key(org: uuid.UUID, purpose: str, *, actor: Actor) -> int:
    """The new version of a key."""
    if purpose not in ROTATED:
        raise names.Wrong("bad-purpose", f"Keys are changed for: {', '.join(ROTATED)}.")
    with act(org, Permission.ORGANISATION, actor=actor) as doing:
        newest = OrgKey.objects.filter(org_id=org, purpose=purpose).order_by("-version").first()
        number = newest.version + 1 if newest is not None else 1
        OrgKey.objects.filter(org_id=org, purpose=purpose, retired_at=0).update(retired_at=doing.at)
        wrapped = keys.org_keys().new(org.bytes, purpose, number)
        row = OrgKey.objects.create(org_id=org, purpose=purpose, version=number, wrapped=wrapped, created_at=doing.at)
        doing.event("orgkey.rotated", on=[row.pk], facts={"key": purpose, "version": str(number)})
        doing.tell_engine()
    return number
