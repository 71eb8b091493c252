"""When a program's key or credential was last used: to the day, so that use writes one row a day and no event."""

import uuid
from typing import Final

from carepost.tenancy import scope
from carepost.tenancy.models import ApiKey, Credential

DAY_US: Final = 86_400_000_000
_TABLES: Final[dict[str, type[ApiKey] | type[Credential]]] = {"key": ApiKey, "credential": Credential}


def key(row: ApiKey, at: int) -> None:
    """Of a key that was just looked up."""
    if at - row.last_used_at >= DAY_US:
        ApiKey.objects.filter(pk=row.pk).update(last_used_at=at)


def note(org: uuid.UUID, kind: str, id_: uuid.UUID, at: int) -> None:
    """`kind`: of the actor, key or credential. One that is gone, or was used as late already, stays as it is."""
    with scope.organisation(org):
        _TABLES[kind].objects.filter(org_id=org, pk=id_, last_used_at__lt=at).update(last_used_at=at)
