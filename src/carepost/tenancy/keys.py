"""An organisation's keys, opened for this process (only the purposes it was given)."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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


#: inside `together`: what was looked for; None: there is no such version any more
_met: ContextVar[dict[tuple[uuid.UUID, str, int], bytes | None] | None] = ContextVar("carepost-keys-met", default=None)


@contextmanager
def together() -> Iterator[None]:
    """Until the block ends each version is looked for once: a page of a list opens a hundred columns under one key, and
    the look costs ten times the opening. For reading only, and for no longer than a page: a key destroyed meanwhile
    opens for no block that begins after it."""
    token = _met.set({})
    try:
        yield
    finally:
        _met.reset(token)


def version(org: uuid.UUID, purpose: str, number: int) -> bytes:
    """The 32 bytes of one version, retired or not. Raises NotFound, ground.keys.WrongKey."""
    met, asked = _met.get(), (org, purpose, number)
    if met is None:
        found = _looked_for(*asked)
    elif asked in met:
        found = met[asked]
    else:
        found = met[asked] = _looked_for(*asked)
    if found is None:
        raise NotFound
    return found


def _looked_for(org: uuid.UUID, purpose: str, number: int) -> bytes | None:
    row = OrgKey.objects.filter(org_id=org, purpose=purpose, version=number).first()
    return None if row is None else org_keys().open(org.bytes, purpose, number, bytes(row.wrapped))
