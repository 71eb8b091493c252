"""Who holds which shard: a lease of some seconds by the server's clock, and a fence raised at every change of hands.

The lease says when another may take the shard; the fence keeps the one before out, whatever its own clock says: each of
its groups ends with a statement that finds no row once the fence has moved (spool.postgres.store)."""

from typing import Final

import msgspec

from carepost.ground import clock
from carepost.ground.errors import ConfigError, Unavailable
from carepost.spool.postgres.asking import Asking

#: what another node may take: not heard of for its lease's time
_TAKE: Final = """
UPDATE shard SET fence = fence + 1, holder = %s, address = %s, wanted_by = '',
    lease_until = clock_timestamp() + make_interval(secs => %s)
WHERE number = %s AND (holder IN ('', %s) OR lease_until < clock_timestamp()) RETURNING fence"""
_ADOPT: Final = """
UPDATE shard SET fence = fence + 1, holder = %s, address = %s, wanted_by = '',
    lease_until = clock_timestamp() + make_interval(secs => %s)
WHERE number = (SELECT number FROM shard WHERE lease_until < clock_timestamp() AND holder <> %s
    ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING number, fence"""
_RENEW: Final = """
UPDATE shard SET lease_until = clock_timestamp() + make_interval(secs => %s)
FROM unnest(%s::smallint[], %s::bigint[]) AS held(number, fence)
WHERE shard.number = held.number AND shard.fence = held.fence RETURNING shard.number, wanted_by"""


_HEARD: Final = """
UPDATE node SET heard_at = clock_timestamp(), left_at = NULL WHERE number = %s
RETURNING (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"""


class Held(msgspec.Struct, frozen=True):
    """A shard this process has, and the fence it has it by."""

    number: int
    fence: int


class Renewed(msgspec.Struct, frozen=True):
    #: shards whose lease goes on, and those of them their own node wants back
    kept: frozenset[int]
    wanted: frozenset[int]


class Place(msgspec.Struct, frozen=True):
    """Where a shard is held: "" for both while nobody does."""

    holder: str
    address: str


class Holdings:
    """Callable from any thread. Every call raises Unavailable when the server does not answer."""

    def __init__(self, url: str, holder: str, address: str = "", lease_s: float | None = None) -> None:
        """`holder`: of this process. `lease_s`: None: as the installation says. Raises ConfigError."""
        self._asking = Asking(url, "carepost-holding")
        self.holder, self.address = holder, address
        try:
            rows = self._asking.rows("SELECT lease_s FROM installation")
        except Unavailable as error:
            raise ConfigError(f"The spool in PostgreSQL cannot be opened: {error.public}") from None
        self.lease_s = lease_s if lease_s is not None else float(rows[0][0]) if rows else 15.0

    def take(self, number: int) -> Held | None:
        """A shard of this home: at once when nobody holds it, or this very holder did. None: another has it still."""
        self._asking.rows(
            "INSERT INTO shard (number, made_at) VALUES (%s, %s) ON CONFLICT DO NOTHING", number, clock.now()
        )
        rows = self._asking.rows(_TAKE, self.holder, self.address, self.lease_s, number, self.holder)
        return Held(number, rows[0][0]) if rows else None

    def adopt(self) -> Held | None:
        """A shard whose holder has not been heard of, whoever made it."""
        rows = self._asking.rows(_ADOPT, self.holder, self.address, self.lease_s, self.holder)
        return Held(*rows[0]) if rows else None

    def renew(self, held: list[Held]) -> Renewed:
        """What is not in `kept` is lost: another has it."""
        numbers, fences = [one.number for one in held], [one.fence for one in held]
        rows = self._asking.rows(_RENEW, self.lease_s, numbers, fences)
        return Renewed(frozenset(n for n, _ in rows), frozenset(n for n, by in rows if by))

    def heard(self, node: int) -> int:
        """The node is there. By how many microseconds its clock is ahead of the server's (negative: behind), as far as
        the answer's way tells."""
        asked, began = clock.now(), clock.monotonic()
        rows = self._asking.rows(_HEARD, node)
        half = int((clock.monotonic() - began) * 500_000)
        return asked + half - int(rows[0][0]) if rows else 0

    def left(self, node: int) -> None:
        """It ends as it was asked to: who starts under its name need not wait whether it is heard of again."""
        self._asking.rows("UPDATE node SET left_at = clock_timestamp() WHERE number = %s", node)

    def want(self, number: int) -> None:
        """Asks whoever holds it to let it go."""
        self._asking.rows(
            "UPDATE shard SET wanted_by = %s WHERE number = %s AND holder <> %s", self.holder, number, self.holder
        )

    def let_go(self, held: Held, grace_s: float | None = None) -> None:
        """Its own node may take it at once, any other after `grace_s` (a restart takes seconds)."""
        self._asking.rows(
            "UPDATE shard SET holder = '', address = '', lease_until = clock_timestamp() + make_interval(secs => %s)"
            " WHERE number = %s AND fence = %s",
            self.lease_s if grace_s is None else grace_s, held.number, held.fence,
        )  # fmt: skip

    def places(self) -> dict[int, Place]:
        """Every shard there is."""
        sql = "SELECT number, holder, CASE WHEN lease_until < clock_timestamp() THEN '' ELSE address END FROM shard"
        return {number: Place(holder, address) for number, holder, address in self._asking.rows(sql)}

    def close(self) -> None:
        self._asking.close()
