"""An organisation's keys, opened for this process (only the purposes it was given)."""

import uuid
from functools import lru_cache

from django.conf import settings

from carepost.ground.errors import NotFound
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.tenancy.models import OrgKey


def purposes() -> PurposeKeys:
    """The purpose keys this process holds."""
    held: PurposeKeys = settings.CAREPOST_KEYS
    return held


@lru_cache(maxsize=4)
def _opened(held: PurposeKeys) -> OrgKeys:
    return OrgKeys(held)


def org_keys() -> OrgKeys:
    return _opened(purposes())


def current(org: uuid.UUID, purpose: str) -> tuple[int, bytes]:
    """(version, 32 bytes) of the newest key of a purpose. Raises NotFound, ground.keys.WrongKey."""
    row = OrgKey.objects.filter(org_id=org, purpose=purpose, retired_at=0).order_by("-version").first()
    if row is None:
        raise NotFound
    return row.version, org_keys().open(org.bytes, purpose, row.version, bytes(row.wrapped))


def version(org: uuid.UUID, purpose: str, number: int) -> bytes:
    """The 32 bytes of one version, retired or not. Raises NotFound, ground.keys.WrongKey."""
    row = OrgKey.objects.filter(org_id=org, purpose=purpose, version=number).first()
    if row is None:
        raise NotFound
    return org_keys().open(org.bytes, purpose, number, bytes(row.wrapped))
