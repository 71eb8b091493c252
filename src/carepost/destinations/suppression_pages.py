"""Which entries of the suppression list a page shows, among a million others: each kind of entry (what is kept back,
why, with an end or without) stands in an index of its own order, so that a page reads its own rows of each and no
others, whatever was asked for."""

import itertools
import uuid
from collections.abc import Collection
from typing import Final

from django.db import connection

from carepost.tenancy.actions.suppression import REASONS, SCOPES

_COLUMN: Final = "id"
#: an index each (tenancy.models.keys), named by literals: SQLite knows a partial index by them
_ENDS: Final = {False: "expires_at = 0", True: "expires_at > 0"}
#: what keeps something back today; what did so until its end had passed; both
STANDINGS: Final = ("current", "ended", "all")
_WHEN: Final = {"current": "AND expires_at > %s", "ended": "AND expires_at <= %s", "all": ""}


def newest(
    org: uuid.UUID,
    *,
    reasons: Collection[str] = (),
    scopes: Collection[str] = (),
    ends: bool | None = None,
    standing: str = "all",
    now: int = 0,
    after: uuid.UUID | None = None,
    limit: int,
) -> list[uuid.UUID]:
    """Ids, the newest first. Empty: all there are. `ends`: with an end, or without one. `standing`: one of STANDINGS,
    as of `now` (UTC microseconds). `after`: older than this one. Inside `scope.organisation(org)`."""
    older = f"AND {_COLUMN} < %s" if after is not None else ""
    parts, given = [], []
    for kept, reason, end in itertools.product(scopes or SCOPES, reasons or REASONS, (False, True)):
        if (ends is not None and ends is not end) or (standing == "ended" and not end):
            continue
        when = _WHEN[standing] if end else ""
        parts.append(
            f"SELECT * FROM (SELECT {_COLUMN} FROM tenancy_suppression WHERE org_id = %s AND scope = %s "  # noqa: S608
            f"AND reason = %s AND removed_at = 0 AND {_ENDS[end]} {when} {older} "
            f"ORDER BY {_COLUMN} DESC LIMIT %s) found"
        )
        given += [
            _value(org),
            kept,
            reason,
            *([now] if when else []),
            *([_value(after)] if after is not None else []),
            limit,
        ]
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts) + f" ORDER BY {_COLUMN} DESC LIMIT %s", [*given, limit])
        return [id_ if isinstance(id_, uuid.UUID) else uuid.UUID(id_) for (id_,) in cursor.fetchall()]


def _value(id_: uuid.UUID) -> uuid.UUID | str:
    return id_ if connection.vendor == "postgresql" else id_.hex
