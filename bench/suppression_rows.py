"""Rows of a suppression list by the million, as the database itself makes them: for the bench and for the tests.

Invented addresses; what stands sealed is sealed for the newest alone, whose pages are shown. Each other row has a
token of its own that no address has. Indexes are made after the rows: a tenth of the time."""

import uuid
from typing import Final

from django.db import connection, transaction

from carepost.ground import clock
from carepost.tenancy import address_tokens, scope, sealing
from carepost.tenancy.models import Suppression

#: the newest, made as the act makes them
SEALED: Final = 2_000
_COLUMNS: Final = (
    "id, org_id, token, under, former, sealed, reason, created_at, scope, source, expires_at, removed_at, changed_at, "
    "note"
)
#: of row i: one in fifty was asked for, one in three is of marketing alone, one in a thousand ends or was taken off
_REASON: Final = "CASE WHEN i % 50 = 0 THEN 'request' ELSE 'bounce' END"
_SCOPE: Final = "CASE WHEN i % 3 = 0 THEN 'marketing' ELSE 'all' END"
_SQLITE: Final = f"""
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %s)
    INSERT INTO tenancy_suppression ({_COLUMNS})
    SELECT lower(printf('%%012x7%%03x8%%015x', %s + i / 1000, i %% 1000, i)), %s, CAST(printf('%%08d', i) AS BLOB),
           %s, x'', x'00',
           {_REASON.replace("%", "%%")}, %s, {_SCOPE.replace("%", "%%")}, 'report',
           CASE WHEN i %% 1000 = 0 THEN %s ELSE 0 END, CASE WHEN i %% 1000 = 1 THEN %s ELSE 0 END, %s, x''
    FROM n"""
_POSTGRES: Final = f"""
    INSERT INTO tenancy_suppression ({_COLUMNS})
    SELECT (lpad(to_hex(%s::bigint + i / 1000), 12, '0') || '7' || lpad(to_hex(i %% 1000), 3, '0') || '8'
            || lpad(to_hex(i), 15, '0'))::uuid,
           %s, convert_to(lpad(i::text, 8, '0'), 'UTF8'), %s, ''::bytea, '\\x00'::bytea,
           {_REASON.replace("%", "%%")}, %s, {_SCOPE.replace("%", "%%")}, 'report',
           CASE WHEN i %% 1000 = 0 THEN %s ELSE 0 END, CASE WHEN i %% 1000 = 1 THEN %s ELSE 0 END, %s, ''::bytea
    FROM generate_series(0, %s - 1) AS i"""  # fmt: skip


def address(number: int) -> str:
    return f"person.{number}@patients-{number % 977}.test"


def fill(owner: uuid.UUID, count: int) -> None:
    """`count` entries, more than SEALED; the newest are those of `address(0)` to `address(SEALED - 1)`."""
    now, older = clock.now(), count - SEALED
    begun = now // 1000 - 86_400_000
    with scope.organisation(owner), transaction.atomic(), connection.cursor() as cursor:
        version = address_tokens.standing(owner).version
        dropped = _indexes()
        for name, _ in dropped:
            cursor.execute(f'DROP INDEX "{name}"')
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRES, [begun, owner, version, now, now + 10**15, now, now, older])
        else:
            cursor.execute(_SQLITE, [older, begun, owner.hex, version, now, now + 10**15, now, now])
        for _, made in dropped:
            cursor.execute(made)
        Suppression.objects.bulk_create([_sealed(owner, number, now) for number in range(SEALED)], batch_size=500)
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE tenancy_suppression")


def _indexes() -> list[tuple[str, str]]:
    """Names and statements of those that no constraint needs; none on PostgreSQL, where rows wait for their checks."""
    if connection.vendor == "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'tenancy_suppression' AND "
            "sql IS NOT NULL AND sql NOT LIKE '%UNIQUE%'"
        )
        return [(str(name), str(made)) for name, made in cursor.fetchall()]


def _sealed(owner: uuid.UUID, number: int, now: int) -> Suppression:
    keys = address_tokens.standing(owner) if number == 0 else _known[owner]
    _known[owner] = keys
    row = Suppression(
        org_id=owner, token=keys.token(address(number)), under=keys.version, scope="all" if number % 3 else "marketing",
        reason="bounce" if number % 50 else "request", source="report", created_at=now, changed_at=now,
        expires_at=0 if number % 1000 else now + 10**15,
    )  # fmt: skip
    place = sealing.place("tenancy_suppression", "sealed", row.pk)
    row.sealed = sealing.seal(owner, "evidence", address(number).encode(), place)
    return row


_known: Final[dict[uuid.UUID, address_tokens.Standing]] = {}
